package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
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
	"connectedapps/workflows"
)

// estateToken comes back with the forms of the tests' person.
const estateToken = "token-of-the-form"

// scripted is what nobody may be able to put into a page.
const scripted = `<script>alert("x")</script><img src=x onerror=alert(1)>`

// estate stands for an environment's workflows and inbox, and records every effect.
type estate struct {
	backend.Client // what is asked is below; the rest would panic
	mu             sync.Mutex
	name           string
	rows           []workflows.Row
	described      map[connection.ID]workflows.Description
	deeds          []string
	err            error // of everything that changes something
	away           error // of every question
	test           workflows.TestResult
	configs        []workflows.AuthConfigRow
	config         workflows.AuthConfigState
	users          []workflows.AuthConfigUser
	alerts         []workflows.AlertRow
	alert          workflows.AlertState
	sinks          []workflows.SinkState
	left           []map[string]connection.Secret
	stored         []activities.StoreAuthConfigInput
	policy         workflows.SetPolicy
	runs           map[string]workflows.ActionRun
	runErr         error
	slow           bool // actions do not end while somebody waits
	// wait is how long each deed takes.
	wait time.Duration
}

func (f *estate) do(ctx context.Context, format string, args ...any) error {
	select {
	case <-time.After(f.wait):
	case <-ctx.Done():
		return connection.TemporalUnavailable("there was no answer in time")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deeds = append(f.deeds, fmt.Sprintf(format, args...))
	return f.err
}

func (f *estate) List(context.Context, workflows.Filter, int, []byte) ([]workflows.Row, []byte, error) {
	return f.rows, nil, f.away
}

func (f *estate) Exact(_ context.Context, rows []workflows.Row) error {
	for i := range rows {
		rows[i].LastUsed = rows[i].LastUsed.Add(time.Minute)
	}
	return nil
}

func (f *estate) Describe(_ context.Context, id connection.ID) (workflows.Description, error) {
	d, ok := f.described[id]
	if !ok {
		return d, connection.Disconnected(id, time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC))
	}
	return d, f.away
}

func (f *estate) Test(ctx context.Context, id connection.ID) (workflows.TestResult, error) {
	return f.test, f.do(ctx, "test %s", id)
}

func (f *estate) Refresh(ctx context.Context, id connection.ID) (workflows.RefreshResult, error) {
	return workflows.RefreshResult{Generation: 2, Status: connection.Active}, f.do(ctx, "refresh %s", id)
}

func (f *estate) Pause(ctx context.Context, id connection.ID, why string) error {
	return f.do(ctx, "pause %s %s", id, why)
}

func (f *estate) Resume(ctx context.Context, id connection.ID, why string) error {
	return f.do(ctx, "resume %s %s", id, why)
}

func (f *estate) Rename(ctx context.Context, id connection.ID, name string) error {
	return f.do(ctx, "rename %s %s", id, name)
}

func (f *estate) SetPolicy(ctx context.Context, id connection.ID, in workflows.SetPolicy) (connection.Policy, error) {
	f.policy = in
	return connection.Policy{}, f.do(ctx, "policy %s", id)
}

func (f *estate) Disconnect(ctx context.Context, id connection.ID, why string) (workflows.DisconnectResult, error) {
	return workflows.DisconnectResult{Revocation: "revoked"}, f.do(ctx, "disconnect %s %s", id, why)
}

func (f *estate) PutToolkit(ctx context.Context, id connection.ID, in workflows.PutToolkit) (connection.Toolkit, error) {
	return connection.Toolkit{}, f.do(ctx, "put %s %s %s", id, in.Name, strings.Join(in.Actions, ","))
}

func (f *estate) DeleteToolkit(ctx context.Context, id connection.ID, name string) error {
	return f.do(ctx, "delete-toolkit %s %s", id, name)
}

// RunAction runs once for a key, as the real one does.
func (f *estate) RunAction(ctx context.Context, in activities.CallActionInput) (*activities.CallActionResult, error) {
	f.mu.Lock()
	run, known := f.runs[in.IdempotencyKey]
	if !known {
		run = workflows.ActionRun{Input: in, Over: !f.slow, ActionProgress: workflows.ActionProgress{Attempt: 1}}
		if f.runErr == nil {
			run.Result = &activities.CallActionResult{Data: json.RawMessage(`{"name":` + estateQuoted(scripted) + `}`), Status: 200, NextCursor: "more"}
		} else {
			run.Problem, _ = connection.AsProblem(f.runErr)
		}
		f.runs[in.IdempotencyKey] = run
		f.deeds = append(f.deeds, "run "+in.Action+" "+string(in.Arguments))
	}
	f.mu.Unlock()
	if known && !reflect.DeepEqual(run.Input, in) {
		return nil, connection.InvalidInput("idempotency_key", "this key was used for another request", "use a fresh key")
	}
	if f.slow {
		<-ctx.Done()
		return nil, connection.TemporalUnavailable("there was no answer in time")
	}
	return run.Result, f.runErr
}

func (f *estate) ActionRun(_ context.Context, _ connection.ID, key string) (workflows.ActionRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	run, ok := f.runs[key]
	if !ok {
		return run, connection.InvalidInput("run", "there is no such run", "")
	}
	return run, nil
}

func (f *estate) ListAuthConfigs(context.Context, string, int, []byte) ([]workflows.AuthConfigRow, []byte, error) {
	return f.configs, nil, f.away
}

func (f *estate) CountAuthConfigUsers(_ context.Context, rows []workflows.AuthConfigRow) error {
	for i := range rows {
		n := len(f.users)
		rows[i].UsedBy = &n
	}
	return nil
}

func (f *estate) DescribeAuthConfig(_ context.Context, app, name string) (workflows.AuthConfigState, error) {
	if f.config.Name == "" {
		return f.config, connection.Refused(connection.ErrAuthConfigNotFound, "there is no auth config "+app+"/"+name, "")
	}
	return f.config, nil
}

func (f *estate) AuthConfigUsers(context.Context, string, string, int) ([]workflows.AuthConfigUser, int, error) {
	return f.users, len(f.users), nil
}

func (f *estate) CreateAuthConfig(ctx context.Context, in activities.StoreAuthConfigInput) (workflows.AuthConfigState, error) {
	f.stored = append(f.stored, in)
	return f.config, f.do(ctx, "create-config %s/%s", in.App, in.Name)
}

func (f *estate) RotateAuthConfig(ctx context.Context, app, name string, in workflows.Rotate) (workflows.RotateResult, error) {
	return workflows.RotateResult{}, f.do(ctx, "rotate-config %s/%s %s", app, name, in.Inbox)
}

func (f *estate) RetireAuthConfig(ctx context.Context, app, name string, in workflows.Retire) (workflows.AuthConfigState, error) {
	return f.config, f.do(ctx, "retire-config %s/%s undo=%t", app, name, in.Undo)
}

func (f *estate) DeleteAuthConfig(ctx context.Context, app, name string) error {
	return f.do(ctx, "delete-config %s/%s", app, name)
}

func (f *estate) ListAlerts(context.Context, workflows.AlertFilter, int, []byte) ([]workflows.AlertRow, []byte, error) {
	return f.alerts, nil, f.away
}

func (f *estate) DescribeAlert(_ context.Context, id string) (workflows.AlertState, error) {
	if f.alert.ID != id {
		return f.alert, connection.Refused(connection.ErrAlertNotFound, "there is no open alert "+id, "")
	}
	return f.alert, nil
}

func (f *estate) ResolveAlert(ctx context.Context, id, why string) (workflows.AlertState, error) {
	return f.alert, f.do(ctx, "resolve %s %s", id, why)
}

func (f *estate) Sinks(context.Context) ([]workflows.SinkState, error) { return f.sinks, f.away }

func (f *estate) CreateSink(ctx context.Context, in workflows.CreateSink) (workflows.SinkState, error) {
	return workflows.SinkState{Name: in.Name}, f.do(ctx, "create-sink %s %s", in.Name, in.Kind)
}

func (f *estate) RotateSink(ctx context.Context, in workflows.RotateSink) (workflows.SinkState, error) {
	return workflows.SinkState{Name: in.Name}, f.do(ctx, "rotate-sink %s", in.Name)
}

func (f *estate) DeleteSink(ctx context.Context, name string) error {
	return f.do(ctx, "delete-sink %s", name)
}

func (f *estate) TestSink(ctx context.Context, name string) (workflows.SinkTest, error) {
	return workflows.SinkTest{DeliverAlertReport: activities.DeliverAlertReport{Reason: scripted}}, f.do(ctx, "test-sink %s", name)
}

func (f *estate) Leave(_ context.Context, fields map[string]connection.Secret) (connection.InboxRef, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = append(f.left, fields)
	return connection.InboxRef(fmt.Sprintf("entry-%d", len(f.left))), nil
}

var errAway = connection.TemporalUnavailable("Temporal cannot be reached")

// builtInCatalogue is loaded once; it is immutable.
var builtInCatalogue = sync.OnceValues(func() (*connectors.Catalogue, error) { return connectors.Load() })

// estateDesk is a console with two environments behind it, and a person before it.
type estateDesk struct {
	t               testing.TB
	console         *Console
	dev, production *estate
	person          access.Person
}

func newDesk(t testing.TB) *estateDesk {
	t.Helper()
	catalogue, err := builtInCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.ParseSite("http://127.0.0.1:8400")
	if err != nil {
		t.Fatal(err)
	}
	d := &estateDesk{t: t, dev: newEstate("development"), production: newEstate("production"), person: access.Person{Subject: "ada", FormToken: estateToken,
		Roles: map[string]access.Role{"development": access.Admin, "production": access.Admin}}}
	d.console = New(Options{Site: site, Catalogue: catalogue, Lists: &backend.Lists{}, TemporalUI: "http://127.0.0.1:8233",
		Environments: backend.NewSet(backend.Environment{Name: "development", Namespace: "dev-ns", Client: d.dev, Inbox: d.dev},
			backend.Environment{Name: "production", Namespace: "production", Client: d.production, Inbox: d.production}),
		CheckForm: func(r *http.Request) error {
			if r.PostForm.Get("form_token") != estateToken {
				return connection.Refused(connection.ErrNotAllowed, "this form was not sent by our page", "open the page again")
			}
			return nil
		}})
	d.console.alerts.Behind = func(renew func()) { renew() } // at once, so that a page shows what there is
	return d
}

func newEstate(name string) *estate {
	return &estate{name: name, described: map[connection.ID]workflows.Description{}, runs: map[string]workflows.ActionRun{}}
}

// as gives the person one role everywhere.
func (d *estateDesk) as(role access.Role) *estateDesk {
	d.person.Roles = map[string]access.Role{"development": role, "production": role}
	return d
}

func (d *estateDesk) serve(method, target string, form url.Values, change ...func(*http.Request)) *http.Response {
	d.t.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "http://127.0.0.1:8400"+target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	d.console.ServeHTTP(w, r.WithContext(access.With(r.Context(), d.person)))
	return w.Result()
}

// get answers a page's text, whatever its status.
func (d *estateDesk) get(target string, change ...func(*http.Request)) string {
	d.t.Helper()
	return textOf(d.t, d.serve("GET", target, nil, change...))
}

// post sends a form with its token.
func (d *estateDesk) post(target string, pairs ...string) *http.Response {
	d.t.Helper()
	form := url.Values{"form_token": {estateToken}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return d.serve("POST", target, form)
}

func textOf(t testing.TB, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func byHTMX(r *http.Request) { r.Header.Set("HX-Request", "true") }

// holds reports texts that a page lacks.
func holds(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

// lacks reports texts that a page has and must not have.
func lacks(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// safe reports a scripted that came out as markup.
func safe(t testing.TB, page string) {
	t.Helper()
	lacks(t, page, `<script>alert`, `<img src=x`)
}

func estateQuoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// deedsOf are the effects so far; they are forgotten.
func (f *estate) deedsOf() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := strings.Join(f.deeds, "; ")
	f.deeds = nil
	return all
}

const sandboxID = connection.ID("development/sandbox/demo")

// connected puts one connection in place, full of canaries.
func (d *estateDesk) connected(status connection.Status) *estateDesk {
	state := workflows.State{ID: sandboxID, DisplayName: scripted, Owner: scripted, Method: "oauth", Kind: connection.OAuth2Code, AuthConfig: "main",
		Renewable: true, Values: map[string]string{"site": scripted}, Created: time.Now().Add(-time.Hour),
		Look: activities.Look{Status: status, Reason: scripted, Remedy: connection.AuthenticateAgain(sandboxID), Lost: []string{scripted},
			Identity: connection.Identity{Account: "7", Label: scripted, Tenant: scripted}, Scopes: []string{"contacts:read"}},
		Toolkits:    []connection.Toolkit{{Name: "default", Actions: []string{"create-contact", "delete-contact", "list-contacts"}}},
		Transitions: []workflows.Transition{{At: time.Now().Add(-time.Hour), What: "Active", Reason: scripted}, {At: time.Now(), What: string(status), Reason: "the latest"}},
		Alerts: workflows.Alerts{Open: []workflows.OpenAlert{{WorkflowID: "alert/development/sandbox/demo/1", Since: time.Now().Add(-time.Minute),
			News: workflows.AlertNews{Kind: connection.AlertExpired, Reason: scripted}}}}}
	d.dev.described[sandboxID] = workflows.Description{State: state, RunID: "run-1", NextLook: time.Now().Add(time.Hour),
		Facts: connection.Facts{LastProbe: time.Now().Add(-time.Minute)}}
	d.dev.rows = append(d.dev.rows, workflows.Row{ID: sandboxID, App: "sandbox", Environment: "development", Name: scripted, Owner: scripted,
		Account: scripted, Status: status, LastUsed: time.Now().Add(-2 * time.Hour)})
	return d
}
