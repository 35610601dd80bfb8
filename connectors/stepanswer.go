package connectors

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
)

// maxChoices bounds what a person can be asked to choose from: more than a page
// of them is searched for and not read, and all of them are stored with the login.
const maxChoices = 200

// take does what the step says.
func (r stepRun) take(ctx context.Context, hc *http.Client) (*StepOutcome, error) {
	switch {
	case r.step.Ask != nil:
		return r.question(), nil
	case r.step.Sign != nil:
		return r.sign()
	default:
		received, err := r.ask(ctx, hc)
		if err != nil {
			return nil, err
		}
		return r.read(received)
	}
}

// question asks, unless what must be answered is there.
func (r stepRun) question() *StepOutcome {
	for _, input := range r.step.Ask.Inputs {
		if r.in.Answers[input.Name].Empty() && !input.Optional && input.Default == "" {
			return &StepOutcome{Ask: r.step.Ask}
		}
	}
	return &StepOutcome{}
}

// sign makes a token.
func (r stepRun) sign() (*StepOutcome, error) {
	declared := r.step.Sign
	text, err := declared.sign(r.known.lookup, nil)
	if err != nil {
		return nil, err
	}
	token := TokenAnswer{Access: connection.NewSecret(text)}
	// A token that only begins the login may die: what it was traded for counts.
	if r.method.carries(declared.Name) {
		token.Lifetime = declared.Lifetime
		if token.Lifetime <= 0 {
			token.Lifetime = defaultJWTLifetime
		}
	}
	return &StepOutcome{Tokens: map[string]TokenAnswer{declared.Name: token}}, nil
}

// carries reports whether requests to the API are made with a secret of this name.
func (m *Method) carries(name string) bool {
	var used []string
	for _, place := range m.placements() {
		used = append(append(used, place.Value.variables()...), place.Token)
	}
	for _, text := range m.Headers {
		used = append(used, text.variables()...)
	}
	for _, c := range m.Compute {
		used = append(used, c.Value.variables()...)
	}
	return slices.Contains(used, name)
}

// verdict says what an answer means; nil is a success.
func (r stepRun) verdict(s Session, a *answer) error {
	step, rules := r.step, s.App.Answers
	if step.OK == "" && a.status/100 == 2 || step.OK.holds(a) {
		return nil
	}
	message := fmt.Sprintf("%s answered %d", s.App.Name, a.status)
	if words := a.words(step.Error.or(rules.Error)); words != "" {
		message += ": " + words
	}
	switch {
	case step.Refused.holds(a):
		return r.refused(message, a.status)
	case a.status == http.StatusTooManyRequests || rules.RateLimited.holds(a):
		return rateLimited(message, a.status, a.wait(rules.Waits))
	case a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == http.StatusTooEarly || rules.Transient.holds(a):
		p := connection.ProviderUnavailable(message, a.status)
		p.RetryAfter = a.wait(rules.Waits)
		return p
	case rules.ScopeMissing.holds(a):
		return scopeMissing(message, a.status)
	case step.Refused == "" && a.status/100 == 4 || a.status == http.StatusUnauthorized:
		return r.refused(message, a.status)
	default:
		return rejectedInput(message, a.status)
	}
}

// refused is a credential, or what a person gave for one, that is not accepted.
func (r stepRun) refused(message string, status int) error {
	if !r.login && status == http.StatusUnauthorized {
		return unauthorized(message)
	}
	return grantRevoked(message, status)
}

// read keeps what the step captures, and finds what there is to choose from.
func (r stepRun) read(a *answer) (*StepOutcome, error) {
	out := &StepOutcome{Tokens: map[string]TokenAnswer{}}
	var learnt Grant
	for _, name := range slices.Sorted(maps.Keys(r.step.Capture)) {
		capture := r.step.Capture[name]
		found := a.text(capture.From)
		if capture.Secret {
			if token, ok := capture.token(a, found); ok {
				out.Tokens[name] = token
				continue
			}
		} else if learnt.learn(name, found); learnt.Values[name] != "" {
			continue
		}
		if !capture.Optional {
			return nil, testFailed(fmt.Sprintf("the answer of %s lacks %s", r.method.app.Name, name), a.status)
		}
	}
	out.Values = learnt.Values
	if r.step.Choose == nil {
		return out, nil
	}
	return out, r.choose(a, out)
}

// token is a captured secret with how long it lives.
func (c Capture) token(a *answer, found string) (TokenAnswer, bool) {
	text := tokenText(found)
	if text == "" || len(text) > maxSecret {
		return TokenAnswer{}, false
	}
	token := TokenAnswer{Access: connection.NewSecret(text), Lifetime: c.Lifetime}
	told := a.text(c.Expires)
	if c.Expires == "" && c.ExpiresForm == FormJWT {
		told = text
	}
	if lifetime, ok := c.ExpiresForm.length(told, a.date(), maxLifetime); ok {
		token.Lifetime = max(lifetime, time.Second)
	}
	return token, true
}

// choose offers what the answer lists. A single item needs no choice.
func (r stepRun) choose(a *answer, out *StepOutcome) error {
	declared := r.step.Choose
	items, _ := a.find(declared.Items).([]any)
	var choices []connection.Choice
	for _, item := range items {
		id := connection.Bound(declared.ID.text(item), maxProviderText)
		if id == "" || slices.ContainsFunc(choices, func(c connection.Choice) bool { return c.ID == id }) {
			continue
		}
		choice := connection.Choice{ID: id, Label: strings.TrimSpace(connection.Bound(declared.Label.text(item), maxProviderText))}
		if choice.Label == "" {
			choice.Label = id
		}
		var values Grant
		for name, path := range declared.Values {
			values.learn(name, path.text(item))
		}
		choice.Values = values.Values
		choices = append(choices, choice)
	}
	title := declared.Title
	if title == "" {
		title = "Which one?"
	}
	switch {
	case len(choices) == 0:
		return testFailed(fmt.Sprintf("%s lists nothing that this connection could be for (%s)", r.method.app.Name, title), a.status)
	case len(choices) == 1:
		if out.Values == nil {
			out.Values = map[string]string{}
		}
		maps.Copy(out.Values, choices[0].Values)
		out.Chosen = &choices[0]
	default:
		out.Choices, out.Title = choices[:min(len(choices), maxChoices)], title
	}
	return nil
}
