package connectors

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	"go.yaml.in/yaml/v4"
)

// recorded is an answer of a provider's, and what it must be taken for.
type recorded struct {
	// What happened, in words; unique within its file.
	What string `yaml:"what"`
	// Where it was answered: "api", "probe", "token" (a renewal, or a grant
	// without a person), "code" (the redemption of a code), "revoke" or "step ID".
	Where string `yaml:"where"`
	// Method is the method's ID.
	Method string `yaml:"method"`
	// Change is set for a request to the API that must not be sent twice.
	Change  bool              `yaml:"change"`
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"`
	// Body as it goes over the wire.
	Body    string             `yaml:"body"`
	Verdict connection.Verdict `yaml:"verdict"`
	// RetryAfter is how long is then waited; the answer's Date is [testDate].
	RetryAfter time.Duration `yaml:"retry_after"`
	// Type of the error, "" for a success.
	Type string `yaml:"type"`
	// Source is where the answer is from: the address of a page that was looked
	// up, or [fromMemory]. Where the page has less than the whole body, the rest
	// is general knowledge.
	Source string `yaml:"source"`
}

// fromMemory is the source of an answer that nothing was looked up for.
const fromMemory = "general knowledge"

// recordedVerdicts reads every file of answers, by app.
func recordedVerdicts(t testing.TB) map[string][]recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/verdicts/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded answers: %v", err)
	}
	out := map[string][]recorded{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var entries []recorded
		if err := yaml.Load(data, &entries, yaml.WithKnownFields()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = entries
	}
	return out
}

// What providers say when something is wrong, and what is made of it. None of
// the entries may be left out: an app without its definition is a failure.
func TestRecordedVerdicts(t *testing.T) {
	for app, entries := range recordedVerdicts(t) {
		t.Run(app, func(t *testing.T) {
			for _, entry := range entries {
				t.Run(entry.What, func(t *testing.T) { entry.check(t, app) })
			}
		})
	}
}

// At least sixty answers, each with a source, a third of them looked up.
func TestRecordedVerdictsHaveSources(t *testing.T) {
	total, lookedUp := 0, 0
	for app, entries := range recordedVerdicts(t) {
		seen := map[string]bool{}
		for _, entry := range entries {
			total++
			if seen[entry.What] {
				t.Errorf("%s: %q comes twice", app, entry.What)
			}
			seen[entry.What] = true
			switch {
			case strings.HasPrefix(entry.Source, "https://"):
				lookedUp++
			case entry.Source != fromMemory:
				t.Errorf("%s: %q: source %q", app, entry.What, entry.Source)
			}
		}
	}
	if total < 60 || lookedUp*3 < total {
		t.Errorf("%d answers, of which %d were looked up", total, lookedUp)
	}
	t.Logf("%d answers, %d looked up", total, lookedUp)
}

func (r recorded) check(t *testing.T, app string) {
	s := recordedSession(t, app, r.Method)
	lines := make([]string, 0, len(r.Headers))
	for name, value := range r.Headers {
		lines = append(lines, name+": "+value)
	}
	p := answering(r.Status, strings.TrimRight(r.Body, "\n"), lines...)
	got := &connection.Problem{Verdict: connection.OK}
	if err := r.send(t, s, p); err != nil {
		got = problemOf(t, err)
	}
	if len(p.asked) != 1 {
		t.Fatalf("%d requests: %q (%v)", len(p.asked), p.asked, got)
	}
	if got.Verdict != r.Verdict || got.Type != r.Type || got.RetryAfter != r.RetryAfter {
		t.Errorf("%s %s, wait %v; want %s %s, wait %v (%s)", got.Verdict, got.Type, got.RetryAfter, r.Verdict, r.Type, r.RetryAfter, got.Message)
	}
	waits := []string{connection.ErrRateLimited, connection.ErrProviderUnavailable}
	if got.Type != "" && got.Retryable != slices.Contains(waits, got.Type) {
		t.Errorf("%s is retryable: %t", got.Type, got.Retryable)
	}
	if leak := leaked(s, got); leak != "" {
		t.Errorf("the message holds %s", leak)
	}
}

// send does what is answered.
func (r recorded) send(t *testing.T, s Session, p *provider) error {
	t.Helper()
	ctx := context.Background()
	where, step, _ := strings.Cut(r.Where, " ")
	switch where {
	case "api":
		method := http.MethodGet
		if r.Change {
			method = http.MethodPost
		}
		_, err := s.Call(ctx, p.client(), &Action{ID: "any", app: s.App, Request: Request{Method: Text(method), Path: "/any"}}, CallInput{})
		return err
	case "probe":
		_, err := s.Probe(ctx, p.client())
		return err
	case "token":
		if s.Method.Kind.Machine() {
			_, err := s.Method.Obtain(ctx, p.client(), ObtainInput{Client: testClient, Values: s.Values, Fields: s.Credential.Fields})
			return err
		}
		_, err := s.Method.Refresh(ctx, p.client(), RefreshInput{Client: testClient, Values: s.Values,
			Refresh: s.Credential.Default().Refresh, Previous: s.Credential})
		return err
	case "code":
		_, err := s.Method.ExchangeCode(ctx, p.client(), ExchangeInput{Client: testClient, RedirectURI: "https://gateway.example/callback",
			Code: connection.NewSecret("secret-code"), Verifier: connection.NewSecret("secret-verifier"), Values: s.Values})
		return err
	case "revoke":
		_, err := s.Method.Revoke(ctx, p.client(), RevokeInput{Client: testClient, Credential: s.Credential, Values: s.Values})
		return err
	case "step":
		_, err := s.Method.RunStep(ctx, p.client(), StepInput{Stage: StageSteps, Step: step, Credential: s.Credential, Values: s.Values})
		return err
	default:
		t.Fatalf("there is no place %q", r.Where)
		return nil
	}
}

// recordedSession is a session in which everything is known that is asked for
// or learnt on the way.
func recordedSession(t testing.TB, app, method string) Session {
	t.Helper()
	s := sessionOf(t, app, method)
	m := s.Method
	s.Client = testClient
	learn := func(name string) {
		if s.Values[name] == "" {
			s.Values[name] = "learnt-" + strings.ReplaceAll(name, "_", "-")
		}
	}
	for _, base := range []Template{s.App.BaseURL, m.BaseURL} {
		for _, name := range base.variables(opReserved) {
			if s.Values[name] == "" && strings.HasPrefix(string(base), "{+"+name+"}") {
				s.Values[name] = "https://learnt.example"
			}
		}
		for _, name := range base.variables() {
			learn(name)
		}
	}
	if probe := m.probe(); probe != nil {
		for _, name := range probe.Path.variables() {
			learn(name)
		}
	}
	if m.OAuth != nil {
		for _, name := range []string{valueToken, valueRevoke} {
			s.Values[name] = "https://learnt.example/" + name
		}
		for name := range m.OAuth.Callback {
			learn(name)
		}
	}
	for _, step := range slices.Concat(m.Steps, m.FollowUp) {
		if step.Choose != nil {
			for name := range step.Choose.Values {
				learn(name)
			}
		}
		secret := func(name string) {
			if s.Credential.Tokens == nil {
				s.Credential.Tokens = map[string]connection.Token{}
			}
			s.Credential.Tokens[name] = connection.Token{Access: connection.NewSecret("secret-step-" + name)}
		}
		if step.Sign != nil {
			secret(step.Sign.Name)
		}
		for name, capture := range step.Capture {
			if capture.Secret {
				secret(name)
			} else {
				learn(name)
			}
		}
	}
	return s
}

// leaked names a secret of the session that a problem shows.
func leaked(s Session, p *connection.Problem) string {
	shown := p.Message + " " + p.Remedy + " " + p.Field
	for _, secret := range append(s.Credential.Secrets(), testClient.Secret.Reveal(), "secret-code", "secret-verifier") {
		if strings.Contains(shown, secret) {
			return secret
		}
	}
	return ""
}
