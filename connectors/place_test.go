package connectors

import (
	"context"
	"crypto/sha1" // #nosec G505 -- what WSSE is made of
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// recorder is a real server that keeps what it was asked.
type recorder struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []*http.Request
	bodies []string
}

// recording answers {} to everything, or what handle writes.
func recording(t testing.TB, handle http.HandlerFunc) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		body, _ := io.ReadAll(asked.Body)
		r.mu.Lock()
		r.asked = append(r.asked, asked)
		r.bodies = append(r.bodies, string(body))
		r.mu.Unlock()
		if handle != nil {
			asked.Body = io.NopCloser(strings.NewReader(string(body)))
			handle(w, asked)
			return
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(r.Close)
	return r
}

// everything is all that was asked, as one text.
func (r *recorder) everything() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	for i, asked := range r.asked {
		out.WriteString(asked.Method + " " + asked.URL.String() + "\n")
		_ = asked.Header.Write(&out)
		out.WriteString(r.bodies[i] + "\n")
	}
	return out.String()
}

// sessionWith is a session of an app made for a test.
func sessionWith(base string, m Method, fields map[string]string) Session {
	app := &App{ID: "made", Name: "Made", BaseURL: Template(base), Methods: []*Method{&m}}
	m.app = app
	s := Session{App: app, Method: &m, Values: map[string]string{}, Credential: connection.Credential{Method: m.ID, Fields: map[string]connection.Secret{}}}
	for name, value := range fields {
		s.Credential.Fields[name] = connection.NewSecret(value)
	}
	return s
}

// made is an action whose arguments are not checked.
func made(request Request) *Action {
	return &Action{ID: "made", Request: request, Input: Schema{json.RawMessage(`{"type":"object"}`)}}
}

func (s Session) callMade(t testing.TB, a *Action, arguments string) error {
	t.Helper()
	_, err := s.Call(context.Background(), real(outbound.Policy{}), a, CallInput{Arguments: json.RawMessage(arguments)})
	return err
}

func TestPlacement(t *testing.T) {
	keys := map[string]string{"key": "CANARY-key", "secret": "CANARY-secret"}
	get := Request{Method: "GET", Path: "/x"}
	post := Request{Method: "POST", Path: "/x", Body: &Body{}}
	form := Request{Method: "POST", Path: "/x", Body: &Body{Encoding: "form"}}
	whole := Request{Method: "POST", Path: "/x", Body: &Body{From: "all"}}
	in := func(where, name string, value Text) Placement {
		return Placement{In: where, Name: Text(name), Value: value}
	}
	tests := []struct {
		name      string
		place     []Placement
		request   Request
		arguments string
		keys      map[string]string
		want      string // of the cookie header, the body, or the header X-Key
		problem   string
	}{
		{name: "cookie", place: []Placement{in("cookie", "sid", "{key}")}, request: get, want: "sid=CANARY-key"},
		{name: "two cookies", place: []Placement{in("cookie", "sid", "{key}"), in("cookie", "csrf", "v1.{secret}")}, request: get, want: "sid=CANARY-key; csrf=v1.CANARY-secret"},
		{name: "two keys, with a prefix", place: []Placement{in("header", "X-Key", "Key {key}"), in("header", "X-Secret", "{secret}")}, request: get, want: "Key CANARY-key|CANARY-secret"},
		{name: "field of JSON", place: []Placement{in("body", "api_key", "{key}")}, request: post, arguments: `{"a":1}`, want: `{"a":1,"api_key":"CANARY-key"}`},
		{name: "two fields of JSON", place: []Placement{in("body", "id", "{key}"), in("body", "secret", "{secret}")}, request: post, arguments: `{}`, want: `{"id":"CANARY-key","secret":"CANARY-secret"}`},
		{name: "an argument cannot be the credential", place: []Placement{in("body", "api_key", "{key}")}, request: post, arguments: `{"api_key":"mine"}`, want: `{"api_key":"CANARY-key"}`},
		{name: "field of a form", place: []Placement{in("body", "api_key", "{key}")}, request: form, arguments: `{"a":"b c"}`, want: `a=b+c&api_key=CANARY-key`},
		{name: "a line break in a form is escaped", place: []Placement{in("body", "k", "{key}")}, request: form, keys: map[string]string{"key": "a\r\nb"}, want: `k=a%0D%0Ab`},
		{name: "a body for it alone", place: []Placement{in("body", "api_key", "{key}")}, request: Request{Method: "POST", Path: "/x"}, want: `{"api_key":"CANARY-key"}`},
		{name: "no body to be had", place: []Placement{in("body", "api_key", "{key}")}, request: get, problem: connection.ErrInvalidInput},
		{name: "a body that is no object", place: []Placement{in("body", "api_key", "{key}")}, request: whole, arguments: `{"all":[1]}`, problem: connection.ErrInvalidInput},
		{name: "a whole body", place: []Placement{in("body", "api_key", "{key}")}, request: whole, arguments: `{"all":{"n":12345678901234567890}}`, want: `{"api_key":"CANARY-key","n":12345678901234567890}`},
		{name: "another cookie", place: []Placement{in("cookie", "sid", "{key}")}, request: get, keys: map[string]string{"key": "a; admin=1"}, problem: connection.ErrInvalidInput},
		{name: "another header", place: []Placement{in("header", "X-Key", "{key}")}, request: get, keys: map[string]string{"key": "a\r\nX-Admin: 1"}, problem: connection.ErrReconnectRequired},
		{name: "a line break in a cookie", place: []Placement{in("cookie", "sid", "{key}")}, request: get, keys: map[string]string{"key": "a\nb"}, problem: connection.ErrReconnectRequired},
		{name: "nothing", place: []Placement{in("body", "api_key", "{key}")}, request: post, keys: map[string]string{}, problem: connection.ErrReconnectRequired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := recording(t, nil)
			if test.keys == nil {
				test.keys = keys
			}
			s := sessionWith(server.URL, Method{ID: "m", Kind: connection.APIKey, Place: test.place}, test.keys)
			err := s.callMade(t, made(test.request), test.arguments)
			if test.problem != "" {
				if problem := problemOf(t, err); problem.Type != test.problem || len(server.asked) > 0 || strings.Contains(problem.Error(), "CANARY") {
					t.Errorf("%+v, asked %d times", problem, len(server.asked))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			asked := server.asked[0]
			got := asked.Header.Get("Cookie") + server.bodies[0]
			if test.place[0].In == inHeader {
				got = asked.Header.Get("X-Key") + "|" + asked.Header.Get("X-Secret")
			}
			if got != test.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestCookiesOfTheAppStay(t *testing.T) {
	server := recording(t, nil)
	s := sessionWith(server.URL, Method{Kind: connection.APIKey, Place: []Placement{{In: inCookie, Name: "sid", Value: "{key}"}}}, map[string]string{"key": "k"})
	s.App.Headers = map[string]Text{"Cookie": "lang=en"}
	if err := s.callMade(t, made(Request{Method: "GET", Path: "/"}), `{}`); err != nil {
		t.Fatal(err)
	}
	if got := server.asked[0].Header.Get("Cookie"); got != "lang=en; sid=k" {
		t.Error(got)
	}
}

// wsse is a login header with a digest of a nonce, the time and the password.
var wsse = Method{ID: "wsse", Kind: connection.APIKey, Compute: []Computed{
	{"nonce", `base64(random(16))`},
	{"created", `string(timestamp(int(now())))`},
	{"digest", `base64(sha1(unbase64(nonce) + bytes(created) + bytes(password)))`},
}, Place: []Placement{{In: inHeader, Name: "X-WSSE",
	Value: `UsernameToken Username="{username}", PasswordDigest="{digest}", Nonce="{nonce}", Created="{created}"`}}}

func TestComputedPerRequest(t *testing.T) {
	header := regexp.MustCompile(`^UsernameToken Username="ann", PasswordDigest="([^"]+)", Nonce="([^"]+)", Created="([^"]+)"$`)
	server := recording(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"message":"seen ` + strings.ReplaceAll(r.Header.Get("X-WSSE"), `"`, `'`) + ` ` + r.Header.Get("X-Nonce") + `"}`))
	})
	s := sessionWith(server.URL, wsse, map[string]string{"password": "CANARY-password"})
	s.Values["username"] = "ann"
	s.Method.Headers = map[string]Text{"X-Nonce": "{nonce}"}
	nonces := map[string]bool{}
	for range 3 {
		problem := problemOf(t, s.callMade(t, made(Request{Method: "GET", Path: "/"}), `{}`))
		asked := server.asked[len(server.asked)-1]
		found := header.FindStringSubmatch(asked.Header.Get("X-WSSE"))
		if found == nil {
			t.Fatal(asked.Header)
		}
		if asked.Header.Get("X-Nonce") != found[2] {
			t.Error("computed twice for one request")
		}
		nonces[found[2]] = true
		nonce, _ := base64.StdEncoding.DecodeString(found[2])
		sum := sha1.Sum([]byte(string(nonce) + found[3] + "CANARY-password")) // #nosec G401
		if base64.StdEncoding.EncodeToString(sum[:]) != found[1] {
			t.Error("the digest is another")
		}
		if created, err := time.Parse(time.RFC3339, found[3]); err != nil || time.Since(created) > time.Minute {
			t.Errorf("%s: %v", found[3], err)
		}
		for _, secret := range found[1:] {
			if strings.Contains(problem.Error(), secret) {
				t.Errorf("%s is in %s", secret, problem)
			}
		}
	}
	if len(nonces) != 3 {
		t.Error("a nonce was used twice")
	}
	s = sessionWith(server.URL, Method{Kind: connection.APIKey, Compute: []Computed{{"part", `key.split("-")[7]`}}, Place: wsse.Place}, map[string]string{"key": "CANARY-key"})
	if problem := problemOf(t, s.callMade(t, made(Request{Method: "GET", Path: "/"}), `{}`)); problem.Type != connection.ErrReconnectRequired || strings.Contains(problem.Error(), "CANARY") {
		t.Errorf("%+v", problem)
	}
}

// A time that was computed without a secret is honest data in a result; what was
// made of a secret is not.
func TestComputedInResults(t *testing.T) {
	server := recording(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"at":"` + r.Header.Get("X-At") + `","echo":"` + r.Header.Get("X-Sum") + `"}`))
	})
	m := Method{Kind: connection.APIKey, Compute: []Computed{{"at", `string(int(now()))`}, {"sum", `hex(sha256(key + at))`}},
		Place: []Placement{{In: inHeader, Name: "X-Sum", Value: "{sum}"}}, Headers: map[string]Text{"X-At": "{at}"}}
	s := sessionWith(server.URL, m, map[string]string{"key": "CANARY-key"})
	result, err := s.Call(context.Background(), real(outbound.Policy{}), made(Request{Method: "GET", Path: "/"}), CallInput{Arguments: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	if at := server.asked[0].Header.Get("X-At"); !strings.Contains(string(result.Data), at) || !strings.Contains(string(result.Data), `"echo":"[redacted]"`) {
		t.Errorf("%s", result.Data)
	}
}

func TestVariables(t *testing.T) {
	s := sessionWith("https://api.example", Method{Kind: connection.MultiStep}, map[string]string{"typed": "field"})
	s.Credential.Tokens = map[string]connection.Token{"session": {Access: connection.NewSecret("session-token")}, "default": {Access: connection.NewSecret("default-token")}}
	s.Client = Client{ID: "the-client", Fields: map[string]connection.Secret{"developer_token": connection.NewSecret("shared")}}
	s.Values = map[string]string{"tenant": "t1", "session": "plain"}
	for name, want := range map[string]string{"session": "session-token", "typed": "field", "developer_token": "shared", "client_id": "the-client", "tenant": "t1", "token": "", "nobody": ""} {
		if got, ok := s.lookup("")(name); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
	if got, _ := s.lookup("session")("token"); got != "session-token" {
		t.Error("the set that a placement names is not used: " + got)
	}
	s.Method.OAuth = &OAuth{}
	if got, _ := s.lookup("")("token"); got != "default-token" {
		t.Error("the default set is not used: " + got)
	}
}

func TestBaseURLs(t *testing.T) {
	app, method, further, foreign := recording(t, nil), recording(t, nil), recording(t, nil), recording(t, nil)
	m := Method{Kind: connection.APIKey, BaseURL: Template(method.URL + "/ex/{cloud_id}"), Headers: map[string]Text{"x-version": "2", "X-Own": "{cloud_id}", "X-Kept": "{nobody}"},
		Place: []Placement{{In: inHeader, Name: "X-Key", Value: "{key}"}}}
	s := sessionWith(app.URL, m, map[string]string{"key": "CANARY-key"})
	s.App.Headers = map[string]Text{"X-Version": "1", "X-App": "yes", "X-Kept": "app"}
	s.App.ExtraHosts = []Template{Template(further.URL), "https://{unknown}.example"}
	s.Values["cloud_id"] = "c1"
	s.Values["elsewhere"] = foreign.URL
	for _, test := range []struct {
		base  Template
		asked *recorder
		path  string
	}{
		{"", method, "/ex/c1/x"},
		{Template(further.URL + "/v9"), further, "/v9/x"},
		{Template(app.URL), app, "/x"},
	} {
		if err := s.callMade(t, made(Request{Method: "GET", BaseURL: test.base, Path: "/x"}), `{}`); err != nil {
			t.Fatalf("%s: %v", test.base, err)
		}
		last := test.asked.asked[len(test.asked.asked)-1]
		if last.URL.Path != test.path || last.Header.Get("X-Version") != "2" || last.Header.Get("X-Own") != "c1" || last.Header.Get("X-App") != "yes" || last.Header.Get("X-Kept") != "app" {
			t.Errorf("%s: %s %v", test.base, last.URL, last.Header)
		}
	}
	for _, base := range []Template{"{+elsewhere}", "https://unknown.example", "{+nothing}"} {
		problem := problemOf(t, s.callMade(t, made(Request{Method: "GET", BaseURL: base, Path: "/x"}), `{}`))
		if problem.Type != connection.ErrInvalidInput || len(foreign.asked) > 0 {
			t.Errorf("%s: %+v", base, problem)
		}
	}
	// Neither a header of the method nor of the credential is the caller's.
	problem := problemOf(t, s.callMade(t, made(Request{Method: "GET", Path: "/x", HeadersFrom: "headers"}), `{"headers":{"X-OWN":"3"}}`))
	if problem.Type != connection.ErrInvalidArguments {
		t.Errorf("%+v", problem)
	}
	if err := s.callMade(t, made(Request{Method: "GET", Path: "/x", HeadersFrom: "headers"}), `{"headers":{"X-Key":"mine"}}`); err != nil {
		t.Fatal(err)
	}
	if got := method.asked[len(method.asked)-1].Header.Values("X-Key"); !slices.Equal(got, []string{"CANARY-key"}) {
		t.Error(got)
	}
}

func TestProbeOfTheMethod(t *testing.T) {
	server := recording(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"id":"1"}`)) })
	own := &Probe{Method: "POST", Path: "/own", Body: map[string]any{"query": "{ me { id } }", "account": "{account}", "deep": map[string]any{"gone": "{nobody}", "n": 1}},
		Identity: &IdentityRules{Account: "id"}, Interval: time.Hour}
	s := sessionWith(server.URL, Method{Kind: connection.None, Probe: own}, nil)
	s.App.Probe = &Probe{Path: "/app"}
	s.Values["account"] = "{nobody}"
	result, err := s.Probe(context.Background(), real(outbound.Policy{}))
	if err != nil || result.Identity.Account != "1" || server.asked[0].URL.Path != "/own" || s.Method.ProbeInterval() != time.Hour {
		t.Errorf("%+v %v", result, err)
	}
	if got := server.bodies[0]; got != `{"account":"{nobody}","deep":{"n":1},"query":"{ me { id } }"}` {
		t.Error(got)
	}
	s.Method.Probe = nil
	if _, err = s.Probe(context.Background(), real(outbound.Policy{})); err != nil || server.asked[1].URL.Path != "/app" || s.Method.ProbeInterval() != defaultProbeInterval {
		t.Errorf("%v", err)
	}
	s.Method.Untestable = "a publishing key reads nothing"
	result, err = s.Probe(context.Background(), real(outbound.Policy{}))
	if err != nil || !result.Untestable || result.Tested != s.Method.Untestable || len(server.asked) != 2 {
		t.Errorf("%+v %v", result, err)
	}
	s.Method.Untestable, s.App.Probe.BaseURL = "", "https://other.example"
	if _, err = s.Probe(context.Background(), real(outbound.Policy{})); problemOf(t, err).Type != connection.ErrInvalidInput {
		t.Error(err)
	}
}

// Nothing of a credential goes to another origin, whatever it was put into.
func TestCredentialsStayAtHome(t *testing.T) {
	fields := map[string]string{"key": "CANARY-key", "username": "CANARY-user", "password": "CANARY-password",
		"access_key_id": "CANARY-access", "secret_access_key": "CANARY-secret", "session_token": "CANARY-session", "token": "CANARY-token", "token_secret": "CANARY-token-secret", "client_secret": "CANARY-consumer"}
	place := func(in string) []Placement { return []Placement{{In: in, Name: "key", Value: "{key}"}} }
	methods := map[string]Method{
		"cookie":          {Kind: connection.APIKey, Place: place(inCookie)},
		"query":           {Kind: connection.APIKey, Place: place(inQuery)},
		"header":          {Kind: connection.APIKey, Place: place(inHeader)},
		"body":            {Kind: connection.APIKey, Place: place(inBody)},
		"declared header": {Kind: connection.None, Headers: map[string]Text{"X-Declared": "{key}"}},
		"computed header": {Kind: connection.None, Compute: []Computed{{"worked", `"CANARY-" + hex(sha256(key))`}}, Headers: map[string]Text{"X-Worked": "{worked}"}},
		"digest":          {Kind: connection.Digest},
		"sigv4":           {Kind: connection.SigV4, SigV4: &SigV4{Service: "s3", Region: "r"}},
		"oauth1":          {Kind: connection.OAuth1, OAuth1: &OAuth1{}},
	}
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		for _, back := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m := methods[name]
				var home *recorder
				foreign := recording(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("WWW-Authenticate", `Digest realm="foreign", nonce="f", qop="auth"`)
					if back {
						http.Redirect(w, r, home.URL+"/back", http.StatusTemporaryRedirect)
						return
					}
					w.WriteHeader(http.StatusUnauthorized)
				})
				home = recording(t, func(w http.ResponseWriter, r *http.Request) {
					signed := r.Header.Get("Authorization") != ""
					switch {
					case r.URL.Path == "/near":
						target := foreign.URL + "/x"
						if name == "query" {
							target += "?" + r.URL.RawQuery // as servers do that keep the query
						}
						http.Redirect(w, r, target, http.StatusTemporaryRedirect)
					case r.URL.Path == "/back":
						w.Header().Set("WWW-Authenticate", `Digest realm="home", nonce="again", qop="auth"`)
						w.WriteHeader(http.StatusUnauthorized)
					case m.Kind == connection.Digest && !signed:
						w.Header().Set("WWW-Authenticate", `Digest realm="home", nonce="h", qop="auth"`)
						w.WriteHeader(http.StatusUnauthorized)
					default:
						http.Redirect(w, r, "/near?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
					}
				})
				s := sessionWith(home.URL, m, fields)
				s.Values["client_id"] = "consumer"
				request := Request{Method: "GET", Path: "/x"}
				if name == "body" {
					request = Request{Method: "POST", Path: "/x", Body: &Body{}}
				}
				if err := s.callMade(t, made(request), `{}`); err == nil {
					t.Error("no error")
				}
				seen := home.everything()
				if !strings.Contains(seen, "CANARY") && !strings.Contains(seen, "Authorization: ") {
					t.Fatal("home got no credential, so this test proves nothing: " + seen)
				}
				if strings.Count(seen, "/near") == 0 {
					t.Fatal("the redirect at home was not followed")
				}
				if got := foreign.everything(); strings.Contains(got, "CANARY") || strings.Contains(got, "Authorization") || strings.Contains(got, "X-Amz") || strings.Contains(got, "Cookie") {
					t.Error(got)
				}
				if name != "body" && len(foreign.asked) == 0 {
					t.Error("the redirect was not followed, so this test proves nothing")
				}
				if _, after, found := strings.Cut(seen, "/back"); found && (strings.Contains(after, "CANARY") || strings.Contains(after, "Authorization")) {
					t.Error("the credential came back: " + after)
				}
			})
		}
	}
}
