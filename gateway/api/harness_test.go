package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const (
	site = "https://connect.example"
	// canary is the secret that must never come back, in an answer or in a log.
	canary = "canary-5f2c91d07ab34e88"
	one    = "/connections/development/atlas/main"
)

// testCatalogue is loaded once; it is immutable.
var testCatalogue = sync.OnceValues(func() (*connectors.Catalogue, error) { return connectors.Load("testdata/apps") })

// fake stands for workflows.Client and Vault's inbox; what it was asked is recorded in
// calls, so that a refusal can be shown to have no effect. Its methods are in fake_test.go.
type fake struct {
	backend.Client
	mu    sync.Mutex
	calls []call
	left  []map[string]connection.Secret
	// fails answers a method with an error.
	fails map[string]error
	fakeState
}

type call struct {
	method string
	in     any
}

func (f *fake) called(method string, in any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call{method: method, in: in})
	return f.fails[method]
}

func (f *fake) Leave(_ context.Context, fields map[string]connection.Secret) (connection.InboxRef, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = append(f.left, fields)
	return connection.InboxRef(fmt.Sprintf("entry-%d", len(f.left))), nil
}

// last is what a method was asked last; nil when it was not.
func (f *fake) last(method string) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.calls) - 1; i >= 0; i-- {
		if f.calls[i].method == method {
			return f.calls[i].in
		}
	}
	return nil
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c.method == method {
			n++
		}
	}
	return n
}

// people are known by their token: nobody's is good but those of roles.
type people map[string]access.Person

func (p people) Identify(r *http.Request) (access.Person, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if cookie, err := r.Cookie("session"); err == nil {
		token = cookie.Value
	}
	if person, ok := p[token]; ok {
		return person, nil
	}
	return access.Person{}, connection.Refused(connection.ErrNotSignedIn, "no good token", "send one")
}

// bench is an API with two environments of which most people see one.
type bench struct {
	*fake
	t       *testing.T
	api     *api
	handler http.Handler
	lists   *backend.Lists
	logs    *observer.ObservedLogs
	answers bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	catalogue, err := testCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := web.ParseSite(site)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	f := &fake{fails: map[string]error{}, fakeState: newState()}
	b := &bench{fake: f, t: t, lists: new(backend.Lists), logs: logs}
	role := func(r access.Role) access.Person {
		return access.Person{Subject: "token/" + string(r), Name: strings.ToUpper(string(r)), Roles: map[string]access.Role{"development": r}}
	}
	browser := role(access.Admin)
	browser.FormToken = "form"
	b.api = newAPI(Options{Site: parsed, Catalogue: catalogue, Lists: b.lists, Log: zap.New(core), ReturnTo: []string{"https://platform.example"},
		Environments: backend.NewSet(backend.Environment{Name: "development", Client: f, Inbox: f}, backend.Environment{Name: "production", Client: f, Inbox: f}),
		Authenticator: people{"viewer": role(access.Viewer), "operator": role(access.Operator), "admin": role(access.Admin), "browser": browser,
			"odd":      {Subject: "token/odd", Roles: map[string]access.Role{"auth-config": access.Viewer}},
			"stranger": {Subject: "token/stranger"},
			"agent":    {Subject: "token/agent", Toolkits: []connection.ToolkitRef{}},
			"halfway":  {Subject: "oidc:halfway", Roles: map[string]access.Role{"development": access.Viewer}, Away: []string{"production"}},
			"both":     {Subject: "token/both", Roles: map[string]access.Role{"development": access.Admin, "production": access.Viewer}}}},
		pace{read: 50 * time.Millisecond, answer: 5 * time.Second, ask: 5 * time.Millisecond, ping: time.Hour, identify: time.Hour, life: 10 * time.Second})
	b.handler = b.api.handler()
	t.Cleanup(b.noCanary)
	return b
}

// reset forgets what was asked.
func (b *bench) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls, b.left, b.fakeState = nil, nil, newState()
}

// environmentless makes every question to the client a nil dereference.
func (b *bench) environmentless() {
	b.api.environments = backend.NewSet(backend.Environment{Name: "development"})
}

// noCanary looks for the secret in everything that was answered and logged.
func (b *bench) noCanary() {
	if strings.Contains(b.answers.String(), canary) {
		b.t.Error("the secret is in an answer")
	}
	for _, entry := range b.logs.All() {
		text, _ := json.Marshal(entry.ContextMap())
		if strings.Contains(entry.Message+string(text), canary) {
			b.t.Errorf("the secret is in a log line: %s", entry.Message)
		}
	}
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

// do asks as somebody; body is JSON text, "" is none. The path is below the prefix.
func (b *bench) do(as, method, path, body string, change ...func(*http.Request)) answer {
	b.t.Helper()
	r := httptest.NewRequest(method, site+Prefix+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+as)
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	b.answers.Write(w.Body.Bytes())
	return answer{w, b.t}
}

// json reads the answer, which must have the status.
func (a answer) json(status int, out any) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("status %d, not %d: %s", a.Code, status, a.Body)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body.Bytes(), out); err != nil {
			a.t.Fatalf("%v: %s", err, a.Body)
		}
	}
	return a
}

// problem reads a problem, which must have the status and the type.
func (a answer) problem(status int, kind string) Problem {
	a.t.Helper()
	var p Problem
	a.json(status, &p)
	if p.Error != kind || p.Status != status || p.Type != problemType+kind || p.Title == "" || p.Detail == "" {
		a.t.Fatalf("not a %s: %s", kind, a.Body)
	}
	if got := a.Header().Get("Content-Type"); got != "application/problem+json" {
		a.t.Fatalf("content type %q", got)
	}
	return p
}

func withKey(key string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

var plans = map[string]*activities.ConnectPlan{
	"oauth":  {AppName: "Atlas", Method: "oauth", MethodTitle: "OAuth", Kind: connection.OAuth2Code, Flow: activities.FlowBrowser, Toolkit: "default"},
	"key":    {AppName: "Atlas", Method: "key", MethodTitle: "API key", Kind: connection.APIKey, Flow: activities.FlowInput, Toolkit: "default", Secrets: []string{"api_key"}},
	"device": {AppName: "Atlas", Method: "device", MethodTitle: "Device", Kind: connection.OAuth2Device, Flow: activities.FlowDevice, Toolkit: "default"},
}
