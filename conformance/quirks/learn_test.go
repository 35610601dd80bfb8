package quirks

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// person is what somebody does while a connection is being made.
type person struct {
	// types are answers by input.
	types map[string]string
	// picks is the ID of the choice to take.
	picks string
	// seen are the titles of what was asked.
	seen []string
}

// take takes the steps of a stage, one request at a time, as a worker would.
func (r *run) take(t *testing.T, stage, from string, who *person) error {
	t.Helper()
	answers := map[string]connection.Secret{}
	if r.grant.Tokens == nil {
		r.grant.Tokens = map[string]connectors.TokenAnswer{}
	}
	for step := from; ; {
		in := connectors.StepInput{Stage: stage, Step: step, Client: r.client, Credential: r.credential(), Values: r.values, Answers: answers}
		out, err := r.method.RunStep(context.Background(), r.http, in)
		if err != nil {
			return err
		}
		if out.Ask != nil {
			who.seen = append(who.seen, out.Ask.Title)
			for _, input := range out.Ask.Inputs {
				answers[input.Name] = connection.NewSecret(who.types[input.Name])
			}
			continue
		}
		maps.Copy(r.grant.Tokens, out.Tokens)
		r.learn(out.Values)
		if out.Choices != nil {
			who.seen = append(who.seen, out.Title)
			at := slices.IndexFunc(out.Choices, func(c connection.Choice) bool { return c.ID == who.picks })
			if at < 0 {
				t.Fatalf("%q is not among %v", who.picks, out.Choices)
			}
			r.learn(out.Choices[at].Values)
		}
		if step = out.Next; step == "" {
			return nil
		}
	}
}

// asks lets in who sends exactly this, and answers an object.
func asks(condition func(r *http.Request) bool, content any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !condition(r) {
			writeJSON(w, 401, object{"error": "not like this"})
			return
		}
		writeJSON(w, 200, content)
	}
}

// sites is a follow-up that offers what an answer lists.
const sites = `follow_up:
  - id: sites
    request: {url: "{+base_url}/sites"}
    choose: {title: Which site?, items: "@", id: id, label: name, values: {cloud_id: id, cloud_name: name}}
  - id: owner
    request: {url: "{+base_url}/sites/{cloud_id}/owner"}
    capture: {owner: {from: owner.name, secret: false}}
`

func TestFollowUp(t *testing.T) {
	one, two := object{"id": "s-1", "name": "First"}, object{"id": "s-2", "name": "Second"}
	for _, test := range []struct {
		name   string
		listed []object
		picks  string
		asked  []string
		want   string // site; "" for a connection that cannot be made
	}{
		{"a single site is chosen by itself", []object{one}, "", nil, "s-1"},
		{"of two a person chooses", []object{one, two}, "s-2", []string{"Which site?"}, "s-2"},
		{"one that is listed twice is one", []object{two, two}, "", nil, "s-2"},
		{"none is no connection", []object{}, "", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := quirk{method: sites}.begin(t)
			live := func(request *http.Request) bool { return bearer("")(r.p, request) }
			r.p.extra["/sites"] = asks(live, test.listed)
			for _, site := range test.listed {
				id := site["id"].(string)
				r.p.extra["/sites/"+id+"/owner"] = asks(live, object{"owner": object{"name": "owner of " + id}})
			}
			r.connect(t)
			who := &person{picks: test.picks}
			err := r.take(t, connectors.StageFollowUp, "", who)
			if test.want == "" {
				if connection.TypeOf(err) != connection.ErrTestFailed {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(who.seen, test.asked) {
				t.Errorf("asked %q", who.seen)
			}
			if r.values["cloud_id"] != test.want || r.values["cloud_name"] == "" || r.values["owner"] != "owner of "+test.want {
				t.Errorf("learnt %v", r.values)
			}
		})
	}
}

// login is a password for a session, and the session for a token.
const login = `inputs:
  - {name: username, title: User, secret: false}
  - {name: password, title: Password, secret: true}
steps:
  - id: login
    request: {method: POST, url: "{+base_url}/login", body: {user: "{username}", password: "{password}"}}
    capture: {session: {from: "header:X-Session", secret: true}}
  - id: token
    request: {method: POST, url: "{+base_url}/exchange", headers: {X-Session: "{session}"}}
    capture:
      access: {from: token, secret: true, expires: expires_in}
      account: {from: account, secret: false}
place: [{in: header, name: Authorization, value: "Bearer {access}"}]
renew: {from: token}
`

// logins is a provider of sessions; it counts how often each endpoint was asked.
func logins(r *run) (loggedIn, exchanged *atomic.Int64) {
	loggedIn, exchanged = new(atomic.Int64), new(atomic.Int64)
	r.p.extra["/login"] = func(w http.ResponseWriter, request *http.Request) {
		var in struct{ User, Password string }
		loggedIn.Add(1)
		if !decode(request, &in) || in.User != "ada" || in.Password != "p&ss" {
			writeJSON(w, 403, object{"error": "wrong password"})
			return
		}
		w.Header().Set("X-Session", "session-1")
		writeJSON(w, 200, object{})
	}
	r.p.extra["/exchange"] = func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("X-Session") != "session-1" || request.Header.Get("Authorization") != "" {
			writeJSON(w, 401, object{"error": "no session"})
			return
		}
		exchanged.Add(1)
		r.p.mu.Lock()
		defer r.p.mu.Unlock()
		clear(r.p.access)
		writeJSON(w, 200, object{"token": r.p.issue().Access, "expires_in": 600, "account": account})
	}
	return loggedIn, exchanged
}

func TestLoginSessionToken(t *testing.T) {
	fields := map[string]string{"password": "p&ss"}
	r := quirk{kind: "multi-step", method: login, values: map[string]string{"username": "ada"}, fields: fields}.begin(t)
	loggedIn, exchanged := logins(r)
	r.connect(t)
	if err := r.take(t, connectors.StageSteps, "", &person{}); err != nil {
		t.Fatal(err)
	}
	r.probe(t)
	if r.values["account"] != account || r.grant.Tokens["access"].Lifetime.Minutes() < 9 {
		t.Errorf("learnt %v, lives %s", r.values, r.grant.Tokens["access"].Lifetime)
	}
	before := r.grant.Tokens["access"].Access.Reveal()
	if err := r.take(t, connectors.StageSteps, r.method.Renew.From, &person{}); err != nil {
		t.Fatal(err)
	}
	r.probe(t)
	if r.grant.Tokens["access"].Access.Reveal() == before || loggedIn.Load() != 1 || exchanged.Load() != 2 {
		t.Errorf("%d logins and %d exchanges", loggedIn.Load(), exchanged.Load())
	}
}

// What a person gave is told apart from trouble, and never shown.
func TestALoginThatIsRefused(t *testing.T) {
	fields := map[string]string{"password": "wrong-password-4711"}
	r := quirk{kind: "multi-step", method: login, values: map[string]string{"username": "ada"}, fields: fields}.begin(t)
	logins(r)
	r.connect(t)
	problem, ok := connection.AsProblem(r.take(t, connectors.StageSteps, "", &person{}))
	if !ok || problem.Type != connection.ErrReconnectRequired || problem.Verdict != connection.Revoked || strings.Contains(problem.Error(), "4711") {
		t.Fatalf("refused: %+v", problem)
	}
	r.p.extra["/login"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	if err := r.take(t, connectors.StageSteps, "", &person{}); connection.TypeOf(err) != connection.ErrProviderUnavailable {
		t.Fatalf("trouble: %v", err)
	}
}

func TestASessionByCookie(t *testing.T) {
	method := `inputs: [{name: password, title: Password, secret: true}]
steps:
  - id: login
    request: {method: POST, url: "{+base_url}/login", encoding: form, body: {password: "{password}"}}
    capture: {sid: {from: "cookie:sid", secret: true, lifetime: 20m}}
place: [{in: cookie, name: sid, value: "{sid}"}]
`
	r := quirk{kind: "multi-step", method: method, fields: secretKeyNamed("password")}.begin(t)
	r.p.extra["/login"] = func(w http.ResponseWriter, request *http.Request) {
		if request.PostFormValue("password") != "k-123" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "stale"})
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "c-1", HttpOnly: true, Path: "/"})
		writeJSON(w, 200, object{})
	}
	r.p.api = func(_ *provider, request *http.Request) bool {
		cookie, err := request.Cookie("sid")
		return err == nil && cookie.Value == "c-1"
	}
	r.connect(t)
	if err := r.take(t, connectors.StageSteps, "", &person{}); err != nil {
		t.Fatal(err)
	}
	r.probe(t)
	if life := r.grant.Tokens["sid"].Lifetime; life.Minutes() != 20 {
		t.Errorf("it lives %s", life)
	}
}

func secretKeyNamed(name string) map[string]string { return map[string]string{name: "k-123"} }

// A code that a person reads off a telephone: nothing is sent before it is there,
// and it is not asked for where the app does not want it.
func TestAOneTimeCode(t *testing.T) {
	method := `inputs: [{name: password, title: Password, secret: true}]
steps:
  - id: password
    request: {method: POST, url: "{+base_url}/password", body: {password: "{password}"}}
    capture:
      pending: {from: pending, secret: true}
      second_factor: {from: second_factor, optional: true, secret: false}
  - id: code
    when: second_factor != ""
    ask: {title: The code on your telephone, inputs: [{name: otp, title: Code, secret: true}]}
  - id: confirm
    request: {method: POST, url: "{+base_url}/confirm", body: {pending: "{pending}", otp: "{otp}"}}
    capture: {access: {from: token, secret: true}}
place: [{in: header, name: Authorization, value: "Bearer {access}"}]
`
	for name, factor := range map[string]string{"with a code": "sms", "without one": ""} {
		t.Run(name, func(t *testing.T) {
			r := quirk{kind: "multi-step", method: method, fields: secretKeyNamed("password")}.begin(t)
			r.p.extra["/password"] = func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, 200, object{"pending": "p-1", "second_factor": factor})
			}
			r.p.extra["/confirm"] = func(w http.ResponseWriter, request *http.Request) {
				var in struct{ Pending, OTP string }
				if !decode(request, &in) || in.Pending != "p-1" || factor != "" && in.OTP != "123456" {
					writeJSON(w, 401, object{"error": "wrong code"})
					return
				}
				r.p.mu.Lock()
				defer r.p.mu.Unlock()
				writeJSON(w, 200, object{"token": r.p.issue().Access})
			}
			r.connect(t)
			who := &person{types: map[string]string{"otp": "123456"}}
			if err := r.take(t, connectors.StageSteps, "", who); err != nil {
				t.Fatal(err)
			}
			if asked := len(who.seen) == 1; asked != (factor != "") {
				t.Errorf("asked %q", who.seen)
			}
			r.probe(t)
		})
	}
}

func TestDiscovery(t *testing.T) {
	const discovered = `metadata: {url: "{+base_url}/.well-known/openid-configuration", issuer: "{+base_url}"}
token: {url: "{+token_endpoint}"}
authorize: {url: "{+authorization_endpoint}"}
revoke: {url: "{+revocation_endpoint}"}
`
	for _, test := range []struct {
		name   string
		change func(described object)
		refuse bool
	}{
		{"its own endpoints", func(object) {}, false},
		{"another issuer", func(d object) { d["issuer"] = "https://elsewhere.example" }, true},
		{"no issuer", func(d object) { delete(d, "issuer") }, true},
		{"a slash too many", func(d object) { d["issuer"] = d["issuer"].(string) + "/" }, true},
		{"an endpoint without TLS", func(d object) { d["token_endpoint"] = "http://elsewhere.example/token" }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := quirk{oauth: discovered}.begin(t)
			r.p.tokenPath, r.p.refreshPath = "/odd/token", "/odd/token"
			described := object{"issuer": r.p.URL, "authorization_endpoint": r.p.URL + "/odd/authorize",
				"token_endpoint": r.p.URL + "/odd/token", "revocation_endpoint": r.p.URL + "/revoke"}
			test.change(described)
			r.p.extra["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, described) }
			learnt, err := r.method.Discover(context.Background(), r.http, r.values)
			if test.refuse {
				if connection.TypeOf(err) != connection.ErrRejectedInput || len(learnt) != 0 {
					t.Fatalf("%v %v", learnt, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r.learn(learnt)
			r.connect(t)
			r.probe(t)
			r.renew(t)
			r.probe(t)
		})
	}
}
