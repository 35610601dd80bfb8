package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"connectedapps/connection"
)

// Stages of obtaining a credential that takes several requests.
const (
	StageGrant    = "grant"     // a token is to be had from the token endpoint
	StageSteps    = "steps"     // the login of a multi-step method
	StageFollowUp = "follow-up" // requests with the fresh credential
)

// StepInput is one step to take.
type StepInput struct {
	// Stage is [StageSteps] or [StageFollowUp].
	Stage string
	// Step is its ID; "" is the first of the stage.
	Step   string
	Client Client
	// Credential as far as it is known.
	Credential connection.Credential
	// Values are the credential's, overlaid by the auth config's.
	Values map[string]string
	// Answers are what the person answered to the questions before this step, by input name.
	Answers map[string]connection.Secret
}

// StepOutcome is what came of a step.
type StepOutcome struct {
	// Tokens are the secrets captured, as token sets by name.
	Tokens map[string]TokenAnswer
	// Values were learnt.
	Values map[string]string
	// Next is the step to go on with; "" when the stage is done.
	Next string
	// Ask is set when the step is a question and Answers did not have its answer: nothing was sent.
	Ask *Ask
	// Choices are set when the person must choose; Title is the question. The
	// values of the chosen one are learnt, and Next goes on.
	Choices []connection.Choice
	Title   string
	// Chosen is the one item there was, where there was no choice; its values are in Values.
	Chosen *connection.Choice
}

// RunStep takes one step of a login or one follow-up: it sends at most one request.
// Steps whose condition does not hold are passed over.
// A refusal of what a person gave is ErrReconnectRequired with verdict revoked.
func (m *Method) RunStep(ctx context.Context, hc *http.Client, in StepInput) (*StepOutcome, error) {
	steps := m.Steps
	if in.Stage == StageFollowUp {
		steps = m.FollowUp
	}
	at := 0
	if in.Step != "" {
		at = slices.IndexFunc(steps, func(s Step) bool { return s.ID == in.Step })
	}
	if at < 0 {
		return nil, connection.Internal(fmt.Sprintf("%s has no step %s any more", m.app.Name, connection.Bound(in.Step, maxEcho)))
	}
	known := m.stepVariables(in)
	for at < len(steps) && !steps[at].When.holds(known.lookup) {
		at++
	}
	if at == len(steps) {
		return &StepOutcome{}, nil
	}
	run := stepRun{method: m, step: &steps[at], in: in, known: known, login: in.Stage != StageFollowUp}
	out, err := run.take(ctx, hc)
	if err != nil {
		return nil, err
	}
	if out.Ask == nil && at+1 < len(steps) {
		out.Next = steps[at+1].ID
	}
	return out, nil
}

// FirstStage is where obtaining begins once the inputs are there; "" when nothing is to be done.
func (m *Method) FirstStage() string {
	switch {
	case m.Kind.Machine():
		return StageGrant
	case m.Kind == connection.MultiStep:
		return StageSteps
	case len(m.FollowUp) > 0:
		return StageFollowUp
	default:
		return ""
	}
}

// Derived works out the declared values of a credential. One that is made of
// what is not known yet is left out; one that cannot be made of what a person
// gave is ErrInvalidInput on that input.
func (m *Method) Derived(values map[string]string, fields map[string]connection.Secret) (map[string]string, error) {
	out := map[string]string{}
	lookup := overlaid(out, func(name string) (string, bool) {
		if field := fields[name]; !field.Empty() {
			return field.Reveal(), true
		}
		return values[name], values[name] != ""
	})
	for _, d := range m.Derive {
		text, err := d.Value.text(lookup)
		if err == nil && (text == "" || len(text) > maxLearnt || slices.ContainsFunc([]byte(text), isControl)) {
			err = errUnfit
		}
		if err == nil {
			out[d.Name] = text
			continue
		}
		names := d.Value.variables()
		unknown := slices.ContainsFunc(names, func(name string) bool { _, ok := lookup(name); return !ok })
		if unknown || len(names) == 0 {
			continue
		}
		return nil, connection.InvalidInput(names[0], fmt.Sprintf("it is not of the kind that %s gives: no %s can be found in it", m.app.Name, d.Name), "check that it is complete")
	}
	return out, nil
}

var errUnfit = errors.New("it yields nothing that can be used")

// RunLogout ends a session of a multi-step login. offered is false when there is
// no way to. A session that is refused has ended already.
func (m *Method) RunLogout(ctx context.Context, hc *http.Client, in StepInput) (offered bool, err error) {
	known := m.stepVariables(in)
	if m.Logout == nil || m.Logout.Request == nil || !m.Logout.When.holds(known.lookup) {
		return false, nil
	}
	run := stepRun{method: m, step: m.Logout, in: in, known: known}
	_, err = run.ask(ctx, hc)
	if problem, ok := connection.AsProblem(err); ok && problem.Type == connection.ErrReconnectRequired && problem.Status == http.StatusUnauthorized {
		return true, nil
	}
	return true, err
}
