package connectors

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// stepsApp is a multi-step app whose provider is a test server.
const stepsApp = `id: demo
name: Demo
base_url: "{+base_url}"
hosts: ["https://{region}.demo.example"]
inputs:
  - {name: base_url, format: url, secret: false}
  - {name: region, optional: true, secret: false}
auth:
  - id: session
    kind: multi-step
    inputs:
      - {name: username, secret: false}
      - {name: password, secret: true}
    compute:
      - {name: signed, value: 'hex(hmac_sha256(password, username))'}
    steps:
      - id: begin
        request:
          method: POST
          url: "{+base_url}/begin"
          headers: {X-Signed: "{signed}"}
          body: {user: "{username}", password: "{password}", missing: "{region}"}
        capture:
          challenge: {from: "cookie:challenge", secret: true}
          kind: {from: kind, secret: false, optional: true}
      - id: code
        when: kind == "otp"
        ask: {title: Which code?, inputs: [{name: otp, secret: true}]}
      - id: finish
        request:
          method: POST
          url: "{+base_url}/finish"
          query: {lang: en}
          encoding: form
          body: {challenge: "{challenge}", otp: "{otp}"}
        error: words
        capture:
          session: {from: "header:X-Session", secret: true, expires: expires, expires_form: iso}
      - id: site
        request: {url: "{+base_url}/sites"}
        credential: true
        choose: {title: Which site?, items: "@", id: id, label: name, values: {site: id}}
    renew: {from: begin}
    logout:
      id: out
      request: {method: DELETE, url: "{+base_url}/session"}
    place:
      - {in: header, name: X-Session, value: "{session}"}
    probe: {path: "/sites/{site}"}
actions: []
`

// stepServer answers by path and keeps what it was asked.
type stepServer struct {
	*httptest.Server
	asked   []*http.Request
	bodies  []string
	answers map[string]http.HandlerFunc
}

func newStepServer(t *testing.T, answers map[string]http.HandlerFunc) *stepServer {
	s := &stepServer{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
		answer, ok := s.answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", testDate)
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func stepMethod(t *testing.T, text string) *Method {
	t.Helper()
	app, defects := parseDefinition("demo.yaml", []byte(text), thorough)
	if len(defects) > 0 {
		t.Fatal(definitionErrors(defects))
	}
	return app.Methods[0]
}

// stepSecrets makes secrets of texts.
func stepSecrets(texts map[string]string) map[string]connection.Secret {
	out := map[string]connection.Secret{}
	for name, text := range texts {
		out[name] = connection.NewSecret(text)
	}
	return out
}

func tokensOf(texts map[string]string) map[string]connection.Token {
	out := map[string]connection.Token{}
	for name, text := range texts {
		out[name] = connection.Token{Access: connection.NewSecret(text)}
	}
	return out
}

func stepInput(base, step string) StepInput {
	return StepInput{Stage: StageSteps, Step: step,
		Credential: connection.Credential{Method: "session", Fields: stepSecrets(map[string]string{"password": "hunter2-hunter2"})},
		Values:     map[string]string{"base_url": base, "username": "ada"}}
}

// A whole login: a cookie and a value are captured, a question is asked and
// answered, the session is captured with its expiry, one of several sites is chosen.
func TestLoginBySteps(t *testing.T) {
	m := stepMethod(t, stepsApp)
	server := newStepServer(t, map[string]http.HandlerFunc{
		"/begin":  says(200, `{"kind":"otp"}`, "Set-Cookie: challenge=chal-secret-1; HttpOnly", "Set-Cookie: other=x"),
		"/finish": says(200, `{"expires":"2026-11-22T12:20:00Z"}`, "X-Session: session-secret-1"),
		"/sites":  says(200, `[{"id":"s1","name":"One"},{"id":"s2","name":"Two"},{"id":"s2"},{"name":"nameless"}]`),
	})
	ctx, in := context.Background(), stepInput(server.URL, "")
	out, err := m.RunStep(ctx, server.Client(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Tokens["challenge"].Access.Reveal() != "chal-secret-1" || out.Values["kind"] != "otp" || out.Next != "code" {
		t.Fatalf("%+v", out)
	}
	if got := server.bodies[0]; got != `{"password":"hunter2-hunter2","user":"ada"}` {
		t.Errorf("a leaf without a value is sent: %s", got)
	}
	if got := server.asked[0].Header.Get("X-Signed"); len(got) != 64 {
		t.Errorf("not computed: %q", got)
	}
	in.Step, in.Credential.Tokens, in.Values["kind"] = out.Next, tokensOf(map[string]string{"challenge": "chal-secret-1"}), "otp"
	if out, err = m.RunStep(ctx, server.Client(), in); err != nil || out.Ask == nil || out.Ask.Title != "Which code?" || out.Next != "" || len(server.asked) != 1 {
		t.Fatalf("no question, or something was sent: %+v %v", out, err)
	}
	in.Answers = stepSecrets(map[string]string{"otp": "123456"})
	if out, err = m.RunStep(ctx, server.Client(), in); err != nil || out.Ask != nil || out.Next != "finish" || len(server.asked) != 1 {
		t.Fatalf("%+v %v", out, err)
	}
	in.Step = out.Next
	if out, err = m.RunStep(ctx, server.Client(), in); err != nil {
		t.Fatal(err)
	}
	session := out.Tokens["session"]
	if session.Access.Reveal() != "session-secret-1" || session.Lifetime != 20*time.Minute || out.Next != "site" {
		t.Errorf("%+v", out)
	}
	if server.bodies[1] != "challenge=chal-secret-1&otp=123456" || server.asked[1].URL.RawQuery != "lang=en" || server.asked[1].Header.Get("X-Session") != "" {
		t.Errorf("%s %v", server.bodies[1], server.asked[1].URL)
	}
	in.Step, in.Credential.Tokens = out.Next, tokensOf(map[string]string{"session": "session-secret-1"})
	if out, err = m.RunStep(ctx, server.Client(), in); err != nil {
		t.Fatal(err)
	}
	if server.asked[2].Header.Get("X-Session") != "session-secret-1" {
		t.Error("the credential is not put in")
	}
	if len(out.Choices) != 2 || out.Choices[1].Label != "Two" || out.Choices[1].Values["site"] != "s2" || out.Title != "Which site?" || out.Next != "" {
		t.Errorf("%+v", out)
	}
}

func TestStepsArePassedOver(t *testing.T) {
	m := stepMethod(t, stepsApp)
	server := newStepServer(t, map[string]http.HandlerFunc{"/finish": says(200, `{}`, "X-Session: s")})
	in := stepInput(server.URL, "code") // kind is not otp: nobody is asked
	out, err := m.RunStep(context.Background(), server.Client(), in)
	if err != nil || out.Ask != nil || out.Next != "site" || len(server.asked) != 1 || server.asked[0].URL.Path != "/finish" {
		t.Fatalf("%+v %v", out, err)
	}
	in.Step = "gone"
	if _, err = m.RunStep(context.Background(), server.Client(), in); problemOf(t, err).Type == "" {
		t.Error(err)
	}
}

func TestChoosing(t *testing.T) {
	m := stepMethod(t, stepsApp)
	for body, want := range map[string]string{
		`[{"id":"s1","name":"One"}]`: "s1", `[{"id":7}]`: "7", `[]`: connection.ErrTestFailed, `{"id":"s1"}`: connection.ErrTestFailed, `[{"id":""}]`: connection.ErrTestFailed,
	} {
		server := newStepServer(t, map[string]http.HandlerFunc{"/sites": says(200, body)})
		in := stepInput(server.URL, "site")
		in.Credential.Tokens = tokensOf(map[string]string{"session": "s"})
		out, err := m.RunStep(context.Background(), server.Client(), in)
		if err != nil {
			if problem := problemOf(t, err); problem.Type != want || !strings.Contains(problem.Message, "Which site?") {
				t.Errorf("%s: %+v", body, problem)
			}
			continue
		}
		if len(out.Choices) != 0 || out.Values["site"] != want {
			t.Errorf("%s: %+v", body, out)
		}
	}
}

// What an answer to a step means.
func TestStepVerdicts(t *testing.T) {
	text := strings.Replace(stepsApp, "        error: words\n", "        error: words\n        ok: status == 200 && !has(body.wait)\n        refused: status == 500 && body.words == \"bad code\" || status == 403\n", 1)
	tests := []struct {
		name, text string
		status     int
		body, kind string
		retryable  bool
	}{
		{"refused", stepsApp, 400, `{"words":"hunter2-hunter2 is wrong"}`, connection.ErrReconnectRequired, false},
		{"unauthorized", stepsApp, 401, `{}`, connection.ErrReconnectRequired, false},
		{"too many", stepsApp, 429, `{}`, connection.ErrRateLimited, true},
		{"too early", stepsApp, 425, `{}`, connection.ErrProviderUnavailable, true},
		{"broken", stepsApp, 503, `{}`, connection.ErrProviderUnavailable, true},
		{"a login page", stepsApp, 302, `{}`, connection.ErrRejectedInput, false},
		{"without its session", stepsApp, 200, `{}`, connection.ErrTestFailed, false},
		{"refused by rule", text, 500, `{"words":"bad code"}`, connection.ErrReconnectRequired, false},
		{"not refused by rule", text, 400, `{}`, connection.ErrRejectedInput, false},
		{"not ok", text, 200, `{"wait":1}`, connection.ErrRejectedInput, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := newStepServer(t, map[string]http.HandlerFunc{"/finish": says(test.status, test.body, "Location: /elsewhere", "Retry-After: 7")})
			_, err := stepMethod(t, test.text).RunStep(context.Background(), server.Client(), stepInput(server.URL, "finish"))
			problem := problemOf(t, err)
			if problem.Type != test.kind || problem.Retryable != test.retryable || test.kind == connection.ErrReconnectRequired && problem.Verdict != connection.Revoked {
				t.Errorf("%+v", problem)
			}
			if strings.Contains(problem.Error(), "hunter2") {
				t.Errorf("a secret is told: %v", problem)
			}
			if len(server.asked) != 1 {
				t.Errorf("%d requests: a redirect was followed", len(server.asked))
			}
		})
	}
}

// Values decide where a request goes only among the app's own hosts.
func TestStepHosts(t *testing.T) {
	server := newStepServer(t, map[string]http.HandlerFunc{"/sites": says(200, `[{"id":"x"}]`)})
	other := newStepServer(t, map[string]http.HandlerFunc{"/sites": says(200, `[{"id":"x"}]`)})
	for url, allowed := range map[string]bool{
		"{+base_url}/sites":                    true,
		server.URL + "/sites":                  true,  // literal: the definition vouches for it
		"{+elsewhere}/sites":                   false, // a host that a person types in
		"https://{region}.demo.example@{host}": false,
	} {
		m := stepMethod(t, stepsApp)
		m.Steps[3].Request.URL = Template(url)
		in := stepInput(server.URL, "site")
		in.Values["elsewhere"], in.Values["host"], in.Values["region"] = other.URL, "evil.example", "eu"
		in.Credential.Tokens = tokensOf(map[string]string{"session": "session-secret-1"})
		before := len(server.asked)
		_, err := m.RunStep(context.Background(), server.Client(), in)
		if (err == nil) != allowed || !allowed && len(server.asked) != before || len(other.asked) > 0 {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A secret has no value for a URL, whoever asks for it.
func TestStepURLTakesNoSecret(t *testing.T) {
	server := newStepServer(t, nil)
	for _, name := range []string{"password", "challenge", "otp", "signed", "token"} {
		m := stepMethod(t, stepsApp)
		m.Steps[0].Request.URL = Template(server.URL + "/x/{" + name + "}")
		in := stepInput(server.URL, "begin")
		in.Credential.Tokens = tokensOf(map[string]string{"challenge": "c", "default": "d"})
		in.Answers = stepSecrets(map[string]string{"otp": "1"})
		if _, err := m.RunStep(context.Background(), server.Client(), in); err == nil || len(server.asked) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLogout(t *testing.T) {
	m := stepMethod(t, stepsApp)
	for status, want := range map[int]string{204: "", 401: "", 403: connection.ErrReconnectRequired, 503: connection.ErrProviderUnavailable} {
		server := newStepServer(t, map[string]http.HandlerFunc{"/session": says(status, "")})
		in := stepInput(server.URL, "")
		in.Credential.Tokens = tokensOf(map[string]string{"session": "session-secret-1"})
		offered, err := m.RunLogout(context.Background(), server.Client(), in)
		if !offered || connection.TypeOf(err) != want || server.asked[0].Method != "DELETE" || server.asked[0].Header.Get("X-Session") != "session-secret-1" {
			t.Errorf("%d: %v", status, err)
		}
	}
	m.Logout = nil
	if offered, err := m.RunLogout(context.Background(), http.DefaultClient, StepInput{}); offered || err != nil {
		t.Error(offered, err)
	}
}

// A token that is signed to begin with may die; one that requests carry may not.
func TestSigningSteps(t *testing.T) {
	sign := `    steps:
      - id: sign
        sign: {name: proof, algorithm: HS256, key: "{password}", claims: {iss: "{username}"}, lifetime: 9m}
`
	begin, rest, _ := strings.Cut(stepsApp, "    steps:\n")
	text := begin + sign + rest
	in := stepInput("https://x.example", "sign")
	for value, want := range map[string]time.Duration{"{session}": 0, "{proof}": 9 * time.Minute} {
		m := stepMethod(t, strings.Replace(text, `value: "{session}"`, fmt.Sprintf("value: %q", value), 1))
		out, err := m.RunStep(context.Background(), http.DefaultClient, in)
		if err != nil || out.Next != "begin" {
			t.Fatal(out, err)
		}
		token := out.Tokens["proof"]
		if token.Lifetime != want || jwtClaims(token.Access.Reveal())["iss"] != "ada" {
			t.Errorf("%s: %+v", value, token)
		}
	}
}

func TestDerived(t *testing.T) {
	m := stepMethod(t, sound)
	m.Derive = []Computed{{"dc", `key.split("-")[1]`}, {"home", `"https://" + dc + ".example"`}, {"late", `tenant.split(".")[1]`}}
	got, err := m.Derived(nil, stepSecrets(map[string]string{"key": "abc-us7"}))
	if err != nil || !maps.Equal(got, map[string]string{"dc": "us7", "home": "https://us7.example"}) {
		t.Errorf("%v %v", got, err)
	}
	_, err = m.Derived(nil, stepSecrets(map[string]string{"key": "no-dash-is-here"[:2]}))
	if problem := problemOf(t, err); problem.Type != connection.ErrInvalidInput || problem.Field != "key" {
		t.Errorf("%+v", problem)
	}
	if text, _ := json.Marshal(got); !slices.Contains(slices.Collect(maps.Keys(got)), "dc") || strings.Contains(string(text), "abc") {
		t.Error(got)
	}
}
