package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

const (
	testID      = connection.ID("development/atlas/main")
	testAttempt = "abcdefghijklmnop"
	testLink    = "/connect/development/atlas/main/" + testAttempt
	// authorizeURL is what the fake workflow answers to begin-authorization.
	authorizeURL = "https://id.atlas.example/authorize?client_id=c&code_challenge=x"
)

// fake stands for workflows.Client and, beside it, for Vault's sealing and inbox.
// It records every effect, so that a refusal can be shown to have none.
type fake struct {
	backend.Client // what the gateway asks of it is below; the rest would panic
	mu             sync.Mutex
	progress       workflows.Progress
	begun          []workflows.BeginAuthorization
	signals        []workflows.AuthorizationReceived
	left           []map[string]connection.Secret
	chosen         []workflows.ChooseAccount
	opened         int

	progressErr, beginErr, signalErr, leaveErr, chooseErr, sealErr, openErr error
	target                                                                  string
	// bound is what the fake answers as the hash of a token of the provider's own.
	bound string
}

func (f *fake) Progress(context.Context, connection.ID) (workflows.Progress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.progress
	p.Attempts = append([]workflows.AttemptState(nil), f.progress.Attempts...)
	return p, f.progressErr
}

func (f *fake) BeginAuthorization(_ context.Context, _ connection.ID, in workflows.BeginAuthorization) (activities.BeginAuthorizationResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.beginErr != nil {
		return activities.BeginAuthorizationResult{}, f.beginErr
	}
	f.begun = append(f.begun, in)
	for i := range f.progress.Attempts {
		if f.progress.Attempts[i].ID == in.Attempt {
			f.progress.Attempts[i].State, f.progress.Attempts[i].StateSHA256 = workflows.AttemptBegun, in.StateSHA256
		}
	}
	if f.bound != "" {
		for i := range f.progress.Attempts {
			f.progress.Attempts[i].StateSHA256 = f.bound
		}
	}
	return activities.BeginAuthorizationResult{URL: f.target, StateSHA256: f.bound}, nil
}

func (f *fake) AuthorizationReceived(_ context.Context, _ connection.ID, in workflows.AuthorizationReceived) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signalErr != nil {
		return f.signalErr
	}
	f.signals = append(f.signals, in)
	for i := range f.progress.Attempts {
		if f.progress.Attempts[i].ID == in.Attempt {
			f.progress.Attempts[i].State = workflows.AttemptExchanging
		}
	}
	return nil
}

// ChooseAccount is slow where chooseErr is a deadline: it waits until nobody waits for it.
func (f *fake) ChooseAccount(ctx context.Context, _ connection.ID, in workflows.ChooseAccount) (workflows.Progress, error) {
	if errors.Is(f.chooseErr, context.DeadlineExceeded) {
		<-ctx.Done()
		return workflows.Progress{}, connection.TemporalUnavailable("no answer in time")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.chooseErr != nil {
		return workflows.Progress{}, f.chooseErr
	}
	f.chosen = append(f.chosen, in)
	f.progress.Phase, f.progress.Choices = workflows.PhaseTesting, nil
	return f.progress, nil
}

func (f *fake) Leave(_ context.Context, fields map[string]connection.Secret) (connection.InboxRef, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leaveErr != nil {
		return "", f.leaveErr
	}
	f.left = append(f.left, fields)
	return connection.InboxRef(fmt.Sprintf("entry-%d", len(f.left))), nil
}

// Seal is reversible here; that nobody else can make one is Vault's promise, kept by its own tests.
func (f *fake) Seal(_ context.Context, text, bound string) (string, error) {
	return "vault:v1:" + base64.StdEncoding.EncodeToString([]byte(bound+"\x00"+text)), f.sealErr
}

func (f *fake) Open(_ context.Context, sealed, bound string) (string, error) {
	f.mu.Lock()
	f.opened++
	f.mu.Unlock()
	if f.openErr != nil {
		return "", f.openErr
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, "vault:v1:"))
	was, text, ok := strings.Cut(string(raw), "\x00")
	if err != nil || !ok || was != bound {
		return "", connection.Refused(connection.ErrLinkInvalid, "this was not sealed here", "")
	}
	return text, nil
}

// effects are the number of writes, signals and choices.
func (f *fake) effects() int { return len(f.left) + len(f.signals) + len(f.chosen) }

// testCatalogue is loaded once; it is immutable.
var testCatalogue = sync.OnceValues(func() (*connectors.Catalogue, error) { return connectors.Load("testdata/apps") })

// bench is a gateway with a fake behind it and one open attempt.
type bench struct {
	*fake
	gateway *Gateway
	t       *testing.T
	url     string
}

func newBench(t *testing.T, gatewayURL string) *bench {
	t.Helper()
	catalogue, err := testCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{target: authorizeURL, progress: workflows.Progress{
		Connection: testID, DisplayName: "Our maps", RequestedBy: "Ada's team", Phase: workflows.PhaseAuthorization,
		Until: time.Now().Add(24 * time.Hour),
		Plan: &activities.ConnectPlan{AppName: "Atlas", Method: "oauth", Kind: connection.OAuth2Code, Toolkit: "default",
			Scopes: []string{"maps:read", "maps:write", "openid"}, Actions: []string{"draw-map", "list-maps"}},
		Attempts: []workflows.AttemptState{{ID: testAttempt, State: workflows.AttemptOpen, Expires: time.Now().Add(10 * time.Minute)}},
	}}
	g, err := New(Options{URL: gatewayURL, Catalogue: catalogue,
		Environments: []backend.Environment{{Name: "development", Client: f, Sealer: f, Inbox: f}}})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{fake: f, gateway: g, t: t, url: gatewayURL}
}

func (b *bench) do(method, path string, change ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, b.url+path, http.NoBody)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.gateway.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	var text strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := response.Body.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			return text.String()
		}
	}
}

func fromOurPage(r *http.Request) {
	r.Header.Set("Origin", "null") // what browsers send under no-referrer
	r.Header.Set("Sec-Fetch-Site", "same-origin")
}

// begin presses the button and answers the state and the cookie.
func (b *bench) begin() (state string, cookie *http.Cookie) {
	b.t.Helper()
	response := b.do("POST", testLink, fromOurPage)
	if response.StatusCode != http.StatusOK || len(response.Cookies()) != 1 {
		b.t.Fatalf("begin: %d with %d cookies: %s", response.StatusCode, len(response.Cookies()), body(b.t, response))
	}
	_, target, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
	u, err := url.Parse(target)
	if err != nil {
		b.t.Fatal(err)
	}
	return u.Query().Get("state"), response.Cookies()[0]
}

func with(cookies ...*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, cookie := range cookies {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
}
