package console

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

const (
	// lookSoon and lookLater are the seconds until a page looks again: while something
	// works, and while a person or a server is waited for.
	lookSoon, lookLater = 1, 5
)

// state is how a connect stands, as its page shows it.
type state struct {
	workflows.Progress
	words
	// Path is the page's own; its forms go below it.
	Path string
	// Digest tells whether there is anything new.
	Digest string
	// May act, and not only look. Guest has not signed in.
	May, Guest bool
	AppName    string
	App        *connectors.App // nil for one that the gateway has no definition of
	Way        *connectors.Method
	Marks      []mark
	// Attempt is the authorization that counts: the last one.
	Attempt workflows.AttemptState
	// Trouble is why the last try did not work.
	Trouble *connection.Problem
	// Unusable: the connection has expired, and what it has does not work.
	Unusable bool
	// Cancelling: it was just cancelled.
	Cancelling bool
	// Expired: the code that was to be typed in is too old.
	Expired bool
	// Asked are the scopes that the app is asked for.
	Asked  []scope
	Fields []field
	Review review
	// Config is the auth config in use and Host where the person was sent, where the page
	// speaks of them; "" otherwise.
	Config, Host string
	// StartOver is where the same may be begun anew; "" offers that not.
	StartOver string
	// Link is shown once, to whoever asked for it.
	Link string
	// Live is set for an answer to htmx, which also says aloud what is new.
	Live bool
}

// mark is one of the steps that a person sees.
type mark struct {
	Name      string
	Done, Now bool
}

// Again reports whether a connection that is there already is authenticated anew.
func (s *state) Again() bool { return s.Mode == workflows.ModeReplace }

// Typing reports whether the page has a form that a person may be typing into: it is
// not reloaded by itself then where there are no scripts.
func (s *state) Typing() bool {
	return s.May && (s.Show == showCredential || s.Show == showAnswer || s.Show == showChoice || s.Show == showReview)
}

// ClientRefused reports whether the app does not take the client of the auth config.
func (s *state) ClientRefused() bool {
	return s.Trouble != nil && (s.Trouble.Type == connection.ErrClientMisconfigured || s.Trouble.Verdict == connection.ClientMisconfigured)
}

// ConfigLink is the page of the auth config; "" for a guest, who may not see it.
func (s *state) ConfigLink() string {
	if s.Guest || s.Config == "" {
		return ""
	}
	return "/auth-configs/" + s.Connection.Environment() + "/" + s.Connection.App() + "/" + s.Config
}

// DeviceLink is where the code is typed in; "" for an address that is no page.
func (s *state) DeviceLink() string {
	if s.Device == nil {
		return ""
	}
	if s.Device.VerificationURIComplete != "" {
		return webLink(s.Device.VerificationURIComplete)
	}
	return webLink(s.Device.VerificationURI)
}

// stateOf puts a connect into what its page shows. again holds what was typed into a
// form that did not pass; nil the first time.
func (c *Console) stateOf(d desk, progress workflows.Progress, again *typed) *state {
	s := &state{Progress: progress, Path: d.path, May: d.may, Guest: d.guest != nil, AppName: d.id.App()}
	s.App, _ = c.Catalogue.App(d.id.App()) // nil shows less
	if s.App != nil {
		s.AppName = s.App.Name
	}
	if plan := progress.Plan; plan != nil {
		s.AppName = plan.AppName
		if s.App != nil {
			s.Way, _ = s.App.Method(plan.Method) // likewise
		}
	}
	if n := len(progress.Attempts); n > 0 {
		s.Attempt = progress.Attempts[n-1]
	}
	now := c.now()
	s.Expired = s.Device != nil && !now.Before(s.Device.Expires)
	s.words = s.wordsFor(now)
	if s.Guest && s.Phase.Over() {
		s.Every = lookSoon // the session follows its connect
	}
	s.Trouble = progress.Problem
	if s.Trouble == nil && s.Show == showAuthorize {
		s.Trouble = s.Attempt.Problem
	}
	if s.Phase == workflows.PhaseCancelled {
		s.Trouble = nil // that it was cancelled is what the person wanted
	}
	s.Marks = marksOf(progress)
	s.Digest = s.digest(now)
	if again == nil {
		again = &typed{}
	}
	switch s.Show {
	case showCredential:
		s.Fields = drawInputs(s.credentialInputs(), overlay(valuesOf(progress), again.text), again.problems)
	case showAnswer:
		s.Fields = drawQuestion(s.questionInputs(), again.text, again.problems)
	case showAuthorize:
		s.Asked = s.askedScopes()
	case showReview, showActive:
		s.Review = s.reviewOf()
	}
	s.Trouble = withoutField(s.Trouble, s.Fields)
	return s
}

// cancelling makes it the page of a connect that was just cancelled: it shows nothing
// that could be pressed, and waits for the end.
func (s *state) cancelling(at since) {
	s.words, s.Digest = busy("Being cancelled", "What it did is undone by itself."), undoing+string(at)
	s.Cancelling, s.Trouble = true, nil
}

// askedScopes are those of the plan, in words.
func (s *state) askedScopes() []scope {
	if s.Way == nil {
		return nil
	}
	actions := slices.DeleteFunc(offered(s.Way), func(a *connectors.Action) bool { return !slices.Contains(s.Plan.Actions, a.ID) })
	return scopesOf(s.Way, actions, s.Plan.Scopes)
}

// digest stands for everything that makes the page another one.
func (s *state) digest(now time.Time) string {
	text, _ := json.Marshal(struct { // strings, numbers and times: it cannot fail
		Show                string
		Phase               workflows.Phase
		Problem             *connection.Problem
		Attempts            []workflows.AttemptState
		Device              *workflows.DevicePrompt
		Question            *activities.Question
		Choices             *activities.Choices
		Old, Expired, Ready bool
	}{s.Show, s.Phase, s.Progress.Problem, s.Attempts, s.Device, s.Question, s.Choices,
		!s.Attempt.Expires.IsZero() && !now.Before(s.Attempt.Expires), s.Expired, s.Plan != nil})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// credentialInputs are what is typed in, or corrected, before the next test. Secrets
// that an auth config brings are not among them.
func (s *state) credentialInputs() []connectors.Input {
	if s.Way == nil {
		return nil
	}
	return shown(s.Way.Inputs, func(input connectors.Input) bool { return !input.Secret || slices.Contains(s.Plan.Secrets, input.Name) })
}

// questionInputs are those of the open question, as the definition draws them where it
// knows them.
func (s *state) questionInputs() []connectors.Input {
	if s.Question == nil {
		return nil
	}
	known := map[string]connectors.Input{}
	if s.Way != nil {
		for _, step := range slices.Concat(s.Way.Steps, s.Way.FollowUp) {
			if step.ID == s.Question.Step && step.Ask != nil {
				for _, input := range step.Ask.Inputs {
					known[input.Name] = input
				}
			}
		}
	}
	inputs := make([]connectors.Input, len(s.Question.Fields))
	for i, asked := range s.Question.Fields {
		input := known[asked.Name] // the zero one where it is not known
		input.Name, input.Title, input.Help, input.Secret = asked.Name, asked.Title, asked.Help, asked.Secret
		inputs[i] = input
	}
	return inputs
}

// valuesOf are the inputs that are not secret, as the connect began with them.
func valuesOf(progress workflows.Progress) map[string]string {
	if progress.Plan == nil {
		return nil
	}
	return progress.Plan.Values
}

func overlay(base, top map[string]string) map[string]string {
	merged := map[string]string{}
	for name, value := range base {
		merged[name] = value
	}
	for name, value := range top {
		merged[name] = value
	}
	return merged
}
