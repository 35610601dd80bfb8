package console

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
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

const (
	connectID = connection.ID("development/atlas/maps")
	connectAt = "/connections/development/atlas/maps/connect"
	formToken = "the-form-token"
	// canary is typed in wherever something secret is asked for.
	canary = "ak_CANARY_5ecret"
	// hostile is what a provider or a person writes to become part of a page.
	hostile = `<script>alert("x")</script>'"><img src=x onerror=y>`
)

// connects is a fake of what the connect pages ask of the workflows. It records every
// effect, so that a refusal can be shown to have none.
type connects struct {
	backend.Client // what is not below would panic
	mu             sync.Mutex
	catalogue      *connectors.Catalogue

	progress  workflows.Progress
	absent    bool // there is no connect
	described map[connection.ID]workflows.Description
	requested workflows.ConnectInput
	configs   []workflows.AuthConfigState
	// fail is what updates answer, slow makes them wait until nobody waits.
	fail error
	slow bool

	effects []string
	started []workflows.ConnectInput
	left    []map[string]connection.Secret
	opened  int // what was opened of what is sealed
	given   []workflows.ProvideCredential
	said    []workflows.AnswerStep
	again   []workflows.ReconnectInput
	allowed []workflows.Approve
	led     []Attempt
}

func (f *connects) did(ctx context.Context, effect string) error {
	f.mu.Lock()
	slow := f.slow
	f.effects = append(f.effects, effect)
	f.mu.Unlock()
	if slow {
		<-ctx.Done()
		return connection.TemporalUnavailable("there was no answer in time")
	}
	return f.fail
}

func (f *connects) CheckConnect(in workflows.ConnectInput) (*activities.ConnectPlan, error) {
	return activities.Plan(f.catalogue, in.ConnectRequest)
}

func (f *connects) ListAlerts(context.Context, workflows.AlertFilter, int, []byte) ([]workflows.AlertRow, []byte, error) {
	return nil, nil, nil
}

func (f *connects) Progress(_ context.Context, id connection.ID) (workflows.Progress, error) {
	if f.absent || id != f.progress.Connection {
		return workflows.Progress{}, connection.Refused(connection.ErrSessionClosed, "no connect of "+id.String()+" is under way", "start a new one")
	}
	return f.progress, nil
}

func (f *connects) Describe(_ context.Context, id connection.ID) (workflows.Description, error) {
	if d, ok := f.described[id]; ok {
		return d, nil
	}
	return workflows.Description{}, connection.NotFound(id)
}

func (f *connects) Requested(context.Context, connection.ID) (workflows.ConnectInput, error) {
	return f.requested, nil
}

func (f *connects) RequestLink(ctx context.Context, in workflows.ConnectInput) (workflows.Link, error) {
	f.started = append(f.started, in)
	return workflows.Link{Attempt: "attempt1", URL: "https://elsewhere.example/"}, f.did(ctx, "link")
}

func (f *connects) RequestDevice(ctx context.Context, in workflows.ConnectInput) (workflows.DevicePrompt, error) {
	f.started = append(f.started, in)
	return workflows.DevicePrompt{UserCode: "WXYZ-1234"}, f.did(ctx, "code")
}

func (f *connects) Connect(ctx context.Context, in workflows.ConnectInput, inbox connection.InboxRef) (workflows.Progress, error) {
	f.started = append(f.started, in)
	return f.progress, f.did(ctx, "connect "+string(inbox))
}

func (f *connects) ProvideCredential(ctx context.Context, _ connection.ID, in workflows.ProvideCredential) (workflows.Progress, error) {
	f.given = append(f.given, in)
	return f.progress, f.did(ctx, "credential")
}

func (f *connects) AnswerStep(ctx context.Context, _ connection.ID, in workflows.AnswerStep) (workflows.Progress, error) {
	f.said = append(f.said, in)
	return f.progress, f.did(ctx, "answer")
}

func (f *connects) ChooseAccount(ctx context.Context, _ connection.ID, in workflows.ChooseAccount) (workflows.Progress, error) {
	return f.progress, f.did(ctx, "choose "+in.ID)
}

func (f *connects) TestConnect(ctx context.Context, _ connection.ID) (workflows.Progress, error) {
	return f.progress, f.did(ctx, "test")
}

func (f *connects) Approve(ctx context.Context, _ connection.ID, in workflows.Approve) (workflows.Progress, error) {
	f.allowed = append(f.allowed, in)
	return f.progress, f.did(ctx, "approve")
}

func (f *connects) CancelConnect(ctx context.Context, _ connection.ID, _ workflows.Reason) error {
	return f.did(ctx, "cancel")
}

func (f *connects) Reconnect(ctx context.Context, id connection.ID, in workflows.ReconnectInput) (workflows.Reconnecting, error) {
	f.again = append(f.again, in)
	request := activities.ConnectRequest{Connection: id, Method: f.described[id].Method, AuthConfig: f.described[id].AuthConfig, Values: f.described[id].Values}
	if in.Method != "" {
		request.Method, request.AuthConfig = in.Method, in.AuthConfig
	}
	request.Values = overlay(request.Values, in.Values)
	plan, err := activities.Plan(f.catalogue, request)
	if err != nil {
		return workflows.Reconnecting{}, err
	}
	begun := workflows.Reconnecting{Connect: workflows.ConnectInput{ConnectRequest: request, Mode: workflows.ModeReplace, Fingerprint: "again"}, Plan: plan}
	return begun, f.did(ctx, "reconnect")
}

func (f *connects) ListAuthConfigs(context.Context, string, int, []byte) ([]workflows.AuthConfigRow, []byte, error) {
	var rows []workflows.AuthConfigRow
	for _, config := range f.configs {
		status := config.Status
		if config.Retired {
			status = workflows.StatusRetired
		}
		rows = append(rows, workflows.AuthConfigRow{App: config.App, Name: config.Name, Kind: connection.AuthKind(config.Kind), Status: status})
	}
	return rows, nil, nil
}

func (f *connects) DescribeAuthConfig(_ context.Context, app, name string) (workflows.AuthConfigState, error) {
	for _, config := range f.configs {
		if config.Name == name {
			return config, nil
		}
	}
	return workflows.AuthConfigState{}, connection.Refused(connection.ErrAuthConfigNotFound, "there is no auth config "+app+"/"+name, "create it")
}

func (f *connects) Leave(_ context.Context, fields map[string]connection.Secret) (connection.InboxRef, error) {
	f.left = append(f.left, fields)
	return connection.InboxRef(fmt.Sprintf("inbox-%d", len(f.left))), nil
}

// Seal is reversible here; that nobody else can make one is Vault's promise, kept by its own tests.
func (f *connects) Seal(_ context.Context, text, bound string) (string, error) {
	return base64.RawURLEncoding.EncodeToString([]byte(bound + "\x00" + text)), nil
}

func (f *connects) Open(_ context.Context, sealed, bound string) (string, error) {
	f.opened++
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	was, text, ok := strings.Cut(string(raw), "\x00")
	if err != nil || !ok || was != bound {
		return "", connection.Refused(connection.ErrLinkInvalid, "this was not sealed here", "")
	}
	return text, nil
}

// connectBench is a console whose person is an administrator of development, an operator
// of staging and a viewer of production.
type connectBench struct {
	*connects
	t       *testing.T
	console *Console
	person  access.Person
}

var connectCatalogue = sync.OnceValues(func() (*connectors.Catalogue, error) { return connectors.Load("testdata/connect") })

func newConnectBench(t *testing.T) *connectBench {
	t.Helper()
	catalogue, err := connectCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.ParseSite("https://connect.example")
	if err != nil {
		t.Fatal(err)
	}
	f := &connects{catalogue: catalogue, absent: true, described: map[connection.ID]workflows.Description{}, configs: []workflows.AuthConfigState{
		{App: "atlas", Name: "acme", Method: "oauth", Kind: string(connection.OAuth2Code), Status: connection.Active},
		{App: "atlas", Name: "old", Method: "oauth", Kind: string(connection.OAuth2Code), Status: connection.Active, Retired: true},
		{App: "atlas", Name: "phones", Method: "device", Kind: string(connection.OAuth2Device), Status: connection.Active},
	}}
	b := &connectBench{connects: f, t: t, person: access.Person{Subject: "ada", Name: "Ada", FormToken: formToken,
		Roles: map[string]access.Role{"development": access.Admin, "staging": access.Operator, "production": access.Viewer}}}
	var all []backend.Environment
	for _, name := range []string{"development", "staging", "production"} {
		all = append(all, backend.Environment{Name: name, Client: f, Sealer: f, Inbox: f})
	}
	b.console = New(Options{Site: site, Environments: backend.NewSet(all...), Catalogue: catalogue, Lists: &backend.Lists{}, ReturnTo: []string{"https://platform.example"},
		CheckForm: func(r *http.Request) error {
			if r.PostForm.Get("form_token") != formToken {
				return connection.Refused(connection.ErrNotAllowed, "the form did not come from a page of yours", "reload the page")
			}
			return nil
		},
		Authorize: func(w http.ResponseWriter, _ *http.Request, id Attempt) {
			f.led = append(f.led, id)
			w.WriteHeader(http.StatusOK)
		}})
	b.console.alerts.Behind = func(renew func()) { renew() } // at once, so that no page asks again
	return b
}

// at puts the fake's connect into a phase of a method.
func (b *connectBench) at(phase workflows.Phase, method string) *connectBench {
	b.t.Helper()
	plan, err := activities.Plan(b.catalogue, activities.ConnectRequest{Connection: connectID, Method: method, AuthConfig: "acme",
		Values: map[string]string{"region": "eu"}})
	if method != "key" {
		plan, err = activities.Plan(b.catalogue, activities.ConnectRequest{Connection: connectID, Method: method, AuthConfig: "acme"})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.absent = false
	b.requested = workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: connectID, Method: method, AuthConfig: "acme", Values: plan.Values}, DisplayName: "Maps"}
	b.progress = workflows.Progress{Connection: connectID, DisplayName: "Maps", Phase: phase, Plan: plan, Until: time.Now().Add(time.Hour)}
	return b
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *connectBench) do(method, path string, form url.Values, change ...func(*http.Request)) answer {
	b.t.Helper()
	body := strings.NewReader(form.Encode())
	r := httptest.NewRequest(method, path, body)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.console.ServeHTTP(w, r.WithContext(access.With(r.Context(), b.person)))
	got := answer{w.Code, w.Header(), w.Body.String()}
	b.clean(got)
	return got
}

func (b *connectBench) get(path string) answer { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *connectBench) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{"form_token": {formToken}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

var (
	quoted = regexp.MustCompile(`"[^"]*"`)
	inline = regexp.MustCompile(`(?i)<script>|<img|<[a-z][^>]*\s(?:style|on[a-z]+)=`)
)

// clean fails the test for an answer that shows a secret, or markup that is not ours.
func (b *connectBench) clean(got answer) {
	b.t.Helper()
	text := got.body + fmt.Sprint(got.header)
	if strings.Contains(text, canary) {
		b.t.Errorf("a secret is in the answer:\n%s", got.body)
	}
	if strings.Contains(got.body, `"javascript:`) {
		b.t.Errorf("a script can be pressed:\n%s", got.body)
	}
	if found := inline.FindString(quoted.ReplaceAllString(got.body, `""`)); found != "" {
		b.t.Errorf("the answer holds %q:\n%s", found, got.body)
	}
}

func (got answer) want(t *testing.T, status int, parts ...string) answer {
	t.Helper()
	if got.status != status {
		t.Errorf("status %d, want %d:\n%s", got.status, status, got.body)
	}
	for _, part := range parts {
		if !strings.Contains(got.body, part) {
			t.Errorf("the answer lacks %q:\n%s", part, got.body)
		}
	}
	return got
}

func (got answer) without(t *testing.T, parts ...string) answer {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(got.body, part) {
			t.Errorf("the answer holds %q:\n%s", part, got.body)
		}
	}
	return got
}

func (got answer) leadsTo(t *testing.T, location string) {
	t.Helper()
	if got.status != http.StatusSeeOther || got.header.Get("Location") != location {
		t.Errorf("%d to %q, want %q:\n%s", got.status, got.header.Get("Location"), location, got.body)
	}
}

func (b *connectBench) wantEffects(effects ...string) {
	b.t.Helper()
	if fmt.Sprint(b.effects) != fmt.Sprint(effects) {
		b.t.Errorf("effects %v, want %v", b.effects, effects)
	}
}

var errDefect = errors.New("a defect with " + canary)
