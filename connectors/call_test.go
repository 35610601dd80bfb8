package connectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name, app, method, action string
		status                    int
		body                      string
		headers                   []string
		want                      string
		verdict                   connection.Verdict
		asStatus                  int
		wait                      time.Duration
	}{
		{name: "401", status: 401, want: connection.ErrReconnectRequired, verdict: connection.Revoked, asStatus: 401},
		{name: "403", status: 403, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 403},
		{name: "403 for a scope", status: 403, headers: []string{`WWW-Authenticate: Bearer error="insufficient_scope"`}, want: connection.ErrScopeMissing, verdict: connection.ScopeLost, asStatus: 403},
		{name: "404", status: 404, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 404},
		{name: "408", status: 408, want: connection.ErrProviderUnavailable, verdict: connection.Transient, asStatus: 408},
		{name: "429", status: 429, headers: []string{"Retry-After: 12"}, want: connection.ErrRateLimited, verdict: connection.RateLimit, asStatus: 429, wait: 12 * time.Second},
		{name: "500", status: 500, want: connection.ErrProviderUnavailable, verdict: connection.Transient, asStatus: 500},
		{name: "503", status: 503, headers: []string{"Retry-After: 3"}, want: connection.ErrProviderUnavailable, verdict: connection.Transient, asStatus: 503, wait: 3 * time.Second},
		{name: "302", status: 302, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 302},
		{name: "500 after a change", action: "create-key", status: 500, want: connection.ErrOutcomeUnknown, verdict: connection.OutcomeUnknown, asStatus: 500},
		{name: "504 after a change", action: "create-key", status: 504, want: connection.ErrOutcomeUnknown, verdict: connection.OutcomeUnknown, asStatus: 504},
		{name: "503 before a change", action: "create-key", status: 503, want: connection.ErrProviderUnavailable, verdict: connection.Transient, asStatus: 503},
		{name: "422 is clear", action: "create-key", status: 422, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 422},
		{name: "GitHub 403 by reset", app: "github", method: "token", action: "get-user", status: 403, headers: []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795348860"},
			want: connection.ErrRateLimited, verdict: connection.RateLimit, asStatus: 403, wait: time.Minute},
		{name: "GitHub 403", app: "github", method: "token", action: "get-user", status: 403, headers: []string{"X-RateLimit-Remaining: 12"}, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 403},
		{name: "Slack revoked in a 200", app: "slack", method: "bot-token", action: "list-users", status: 200, body: `{"ok":false,"error":"token_revoked"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked, asStatus: 401},
		{name: "Slack scope in a 200", app: "slack", method: "bot-token", action: "list-users", status: 200, body: `{"ok":false,"error":"missing_scope"}`, want: connection.ErrScopeMissing, verdict: connection.ScopeLost, asStatus: 200},
		{name: "Slack limit in a 200", app: "slack", method: "bot-token", action: "list-users", status: 200, body: `{"ok":false,"error":"ratelimited"}`, headers: []string{"Retry-After: 9"}, want: connection.ErrRateLimited, verdict: connection.RateLimit, asStatus: 200, wait: 9 * time.Second},
		{name: "Slack refusal in a 200", app: "slack", method: "bot-token", action: "list-users", status: 200, body: `{"ok":false,"error":"invalid_cursor"}`, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 200},
		{name: "Slack HTML in a 200", app: "slack", method: "bot-token", action: "list-users", status: 200, body: `<html>`, headers: []string{"Content-Type: text/html"}, want: connection.ErrRejectedInput, verdict: connection.RejectedInput, asStatus: 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app, method, action, arguments := "sandbox", "bearer", "whoami", `{}`
			if test.app != "" {
				app, method, action = test.app, test.method, test.action
			}
			if test.app == "" && test.action != "" {
				action, arguments = test.action, `{"name":"n"}`
			}
			s := sessionOf(t, app, method)
			p := answering(test.status, test.body, test.headers...)
			_, err := s.Call(context.Background(), p.client(), s.mustAction(t, action), CallInput{Arguments: json.RawMessage(arguments)})
			problem := problemOf(t, err)
			retry := test.verdict == connection.Transient || test.verdict == connection.RateLimit
			if problem.Type != test.want || problem.Verdict != test.verdict || problem.Status != test.asStatus || problem.RetryAfter != test.wait || problem.Retryable != retry {
				t.Errorf("%+v", problem)
			}
		})
	}
}

// real is a client that reaches loopback, as the development stack's does.
func real(policy outbound.Policy) *http.Client {
	policy.AllowPrivate = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return outbound.New(policy)
}

func TestUnknownOutcome(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		_, _ = io.ReadAll(r.Body)
		switch r.Header.Get("X-Sandbox-Test") {
		case "drop":
			panic(http.ErrAbortHandler)
		case "cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"id":`))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "hang":
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	_ = listener.Close()

	for _, trouble := range []string{"drop", "cut", "hang", "nobody"} {
		for _, test := range []struct{ action, key, want string }{
			{"whoami", "", connection.ErrProviderUnavailable},
			{"create-contact", "", connection.ErrOutcomeUnknown},
			{"create-contact", "key-1", connection.ErrProviderUnavailable},
			{"create-key", "key-1", connection.ErrOutcomeUnknown}, // takes no key
		} {
			t.Run(fmt.Sprint(trouble, test.action, test.key), func(t *testing.T) {
				s := sessionOf(t, "sandbox", "bearer")
				app := *s.App
				app.Headers = map[string]Text{"X-Sandbox-Test": Text(trouble)}
				s.App = &app
				s.Values["base_url"] = server.URL
				want, before := test.want, reached.Load()
				if trouble == "nobody" {
					// Nothing was sent, so nothing can have happened.
					s.Values["base_url"], want = nobody, connection.ErrProviderUnavailable
				}
				arguments := json.RawMessage(`{"name":"n"}`)
				if test.action == "whoami" {
					arguments = nil
				}
				client := real(outbound.Policy{Timeout: 300 * time.Millisecond})
				_, err := s.Call(context.Background(), client, s.mustAction(t, test.action), CallInput{Arguments: arguments, IdempotencyKey: test.key})
				problem := problemOf(t, err)
				if problem.Type != want || problem.Retryable != (want == connection.ErrProviderUnavailable) {
					t.Errorf("%+v", problem)
				}
				if sent := reached.Load() - before; test.action != "whoami" && trouble != "nobody" && test.key == "" && sent != 1 {
					t.Errorf("sent %d times", sent)
				}
			})
		}
	}
}

func TestBlockedAddress(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	_, err := s.Call(context.Background(), outbound.New(outbound.Policy{}), s.mustAction(t, "whoami"), CallInput{})
	if problem := problemOf(t, err); problem.Type != connection.ErrRejectedInput || problem.Retryable {
		t.Errorf("%+v", problem)
	}
	m := methodOf(t, "sandbox", "oauth")
	_, err = m.Refresh(context.Background(), outbound.New(outbound.Policy{}), RefreshInput{Client: testClient, Refresh: connection.NewSecret("r"), Values: s.Values})
	if problem := problemOf(t, err); problem.Type != connection.ErrProviderUnavailable || problem.Verdict != connection.Transient {
		t.Errorf("refresh: %+v", problem)
	}
}

func TestArguments(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	for arguments, field := range map[string]string{
		`{`: "$", `[]`: "$", `"x"`: "$", `{"limit":0}`: "$.limit", `{"limit":"5"}`: "$.limit", `{"limti":5}`: "$.limti", `{"limit":1.5}`: "$.limit",
	} {
		problem := problemOf(t, s.mustAction(t, "list-contacts").CheckArguments(json.RawMessage(arguments)))
		if problem.Type != connection.ErrInvalidArguments || problem.Field != field {
			t.Errorf("%s: %+v", arguments, problem)
		}
	}
	if problem := problemOf(t, s.mustAction(t, "create-contact").CheckArguments(nil)); problem.Field != "$.name" {
		t.Errorf("%+v", problem)
	}
	if problem := problemOf(t, s.mustAction(t, "whoami").CheckArguments(json.RawMessage(`{"x":1}`))); problem.Field != "$" {
		t.Errorf("%+v", problem)
	}
	for _, fine := range []string{``, `{}`, `{"limit":5}`, `{"limit":5.0}`} {
		if err := s.mustAction(t, "list-contacts").CheckArguments(json.RawMessage(fine)); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}

func TestResults(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	call := func(action, arguments, body string, in CallInput, headers ...string) *CallResult {
		t.Helper()
		in.Arguments = json.RawMessage(arguments)
		result, err := s.Call(context.Background(), answering(200, body, headers...).client(), s.mustAction(t, action), in)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if got := call("whoami", `{}`, `{"z":1,"id":12345678901234567890}`, CallInput{}); string(got.Data) != `{"z":1,"id":12345678901234567890}` {
		t.Errorf("as it came: %s", got.Data)
	}
	if got := call("whoami", `{}`, `{"z":1,"id":12345678901234567890,"n":9007199254740991}`, CallInput{Projection: "[id,n]"}); string(got.Data) != `[12345678901234567890,9007199254740991]` {
		t.Errorf("projected: %s", got.Data)
	}
	got := call("list-contacts", `{}`, `{"items":[{"id":"1","n":"<&>"},{"id":"2"},{"id":"3"}],"next_cursor":"c2"}`, CallInput{})
	if string(got.Data) != `[{"id":"1","n":"<&>"},{"id":"2"},{"id":"3"}]` || got.NextCursor != "c2" || got.Truncated {
		t.Errorf("%s %+v", got.Data, got)
	}
	got = call("list-contacts", `{}`, `{"items":[{"id":"1"},{"id":"2"},{"id":"3"}],"next_cursor":"c2"}`, CallInput{MaxBytes: 25})
	if string(got.Data) != `[{"id":"1"},{"id":"2"}]` || !got.Truncated || got.NextCursor != "" {
		t.Errorf("cut list: %s %+v", got.Data, got)
	}
	if got = call("whoami", `{}`, `{"a":"`+strings.Repeat("x", 100)+`"}`, CallInput{MaxBytes: 20}); string(got.Data) != "null" || !got.Truncated {
		t.Errorf("too large: %s", got.Data)
	}
	if got = call("delete-contact", `{"id":"1"}`, "", CallInput{}); string(got.Data) != "null" || got.Truncated {
		t.Errorf("empty: %s", got.Data)
	}
	if got = call("whoami", `{}`, "plain text", CallInput{}, "Content-Type: text/plain"); string(got.Data) != `"plain text"` {
		t.Errorf("text: %s", got.Data)
	}
	if got = call("whoami", `{}`, "\xff\xfe", CallInput{}, "Content-Type: image/png"); string(got.Data) != `{"base64":"//4=","content_type":"image/png"}` {
		t.Errorf("binary: %s", got.Data)
	}
	got = call("create-key", `{"name":"n"}`, `{"id":"1","key":"CANARY-new-key"}`, CallInput{Projection: "{everything: @, stolen: key}"})
	if strings.Contains(string(got.Data), "CANARY") || got.Secrets["key"].Reveal() != "CANARY-new-key" || !strings.Contains(string(got.Data), `"key":null`) {
		t.Errorf("secret output: %s %v", got.Data, got.Secrets)
	}
}

// A definition that is wrong about where a secret stands does not show it. One
// whose list is empty takes nothing else for it.
func TestSecretOutputsFailClosed(t *testing.T) {
	for _, c := range []struct{ place, answer, want string }{
		{"label_key", `{"parcel":{"id":1,"label_key":"CANARY"}}`, `{"parcel":{"id":1,"label_key":null}}`},
		{"wrong.label_key", `{"parcels":[{"label_key":"CANARY"}]}`, `{"parcels":[{"label_key":null}]}`},
		{"keys[].value", `{"keys":[],"other":{"value":1}}`, `{"keys":[],"other":{"value":1}}`},
		{"key", `{"key":"CANARY","inner":{"key":"public"}}`, `{"inner":{"key":"public"},"key":null}`},
	} {
		a := &Action{SecretOutputs: []string{c.place}, ReadOnly: true}
		body, err := decodeJSON([]byte(c.answer))
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.result(&answer{status: 200, body: body, raw: []byte(c.answer), isJSON: true, scrub: newScrubber()}, nil, CallInput{})
		if err != nil || string(got.Data) != c.want {
			t.Errorf("%s: %s %v", c.place, got.Data, err)
		}
	}
}

func TestProjectionIsCheckedFirst(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	p := answering(200, `{}`)
	for _, wrong := range []string{"[", "a..b", strings.Repeat("a.", maxProjection)} {
		_, err := s.Call(context.Background(), p.client(), s.mustAction(t, "create-contact"), CallInput{Arguments: json.RawMessage(`{"name":"n"}`), Projection: wrong})
		if problem := problemOf(t, err); problem.Type != connection.ErrInvalidInput || len(p.asked) > 0 {
			t.Errorf("%.10s: %+v", wrong, problem)
		}
	}
}

func TestNestedSecretOutputs(t *testing.T) {
	value, err := decodeJSON([]byte(`{"keys":[{"id":1,"value":"a"},{"id":2,"value":{"x":"b"}},{"id":3}],"other":1}`))
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]connection.Secret{}
	text, err := marshal(takeSecrets(value, strings.Split("keys[].value", "."), "", secrets))
	if err != nil || string(text) != `{"keys":[{"id":1,"value":null},{"id":2,"value":null},{"id":3}],"other":1}` {
		t.Errorf("%s %v", text, err)
	}
	if secrets["keys[0].value"].Reveal() != "a" || secrets["keys[1].value"].Reveal() != `{"x":"b"}` || len(secrets) != 2 {
		t.Errorf("%d secrets", len(secrets))
	}
	list, err := decodeJSON([]byte(`[{"s":"a"},{"s":"b"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ = marshal(takeSecrets(list, strings.Split("[].s", "."), "", secrets)); string(text) != `[{"s":null},{"s":null}]` || secrets["[1].s"].Reveal() != "b" {
		t.Errorf("%s", text)
	}
}

func TestCancelled(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Call(ctx, broken(context.Canceled).client(), s.mustAction(t, "whoami"), CallInput{})
	if problem := problemOf(t, err); problem.Type != connection.ErrProviderUnavailable {
		t.Errorf("%+v", problem)
	}
	if errors.Is(err, context.Canceled) {
		t.Error("a cause crosses")
	}
}
