package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

const (
	invited = "/connect-session/development/abc/token-of-the-link"
	atGuest = "/connect-session/development/abc"
)

// sessions is a fake of the workflow of one connect session, with the connect of it.
type sessions struct {
	*connects
	state  workflows.ConnectSessionState
	claims []workflows.ClaimSession
	starts []workflows.StartSession
}

func (f *sessions) ConnectSession(_ context.Context, session string) (workflows.ConnectSessionState, error) {
	if session != f.state.Session {
		return workflows.ConnectSessionState{}, connection.ConnectSessionNotFound(session)
	}
	return f.state, nil
}

func (f *sessions) ClaimConnectSession(ctx context.Context, _ string, in workflows.ClaimSession) (workflows.ConnectSessionState, error) {
	f.claims = append(f.claims, in)
	if !f.state.Admits(in.TokenSHA256) || f.state.BrowserSHA256 != "" && !f.state.ClaimedBy(in.BrowserSHA256) {
		return f.state, connection.Refused(connection.ErrLinkInvalid, "this link is not known", "ask for a new one")
	}
	f.state.BrowserSHA256, f.state.State = in.BrowserSHA256, workflows.SessionClaimed
	return f.state, f.did(ctx, "claim")
}

func (f *sessions) StartConnectSession(ctx context.Context, _ string, in workflows.StartSession) (workflows.Reconnecting, error) {
	f.starts = append(f.starts, in)
	if !f.state.ClaimedBy(in.BrowserSHA256) {
		return workflows.Reconnecting{}, connection.Refused(connection.ErrLinkInvalid, "this is another browser", "")
	}
	request := f.state.ConnectRequest
	request.Method, request.AuthConfig, request.Values = in.Method, in.AuthConfig, overlay(f.state.Values, in.Values)
	plan, err := activities.Plan(f.catalogue, request)
	if err != nil {
		return workflows.Reconnecting{}, err
	}
	f.state.State = workflows.SessionConnecting
	return workflows.Reconnecting{Connect: workflows.ConnectInput{ConnectRequest: request, Mode: workflows.ModeSession}, Plan: plan}, f.did(ctx, "start")
}

func (f *sessions) CancelConnectSession(ctx context.Context, _ string, _ workflows.Reason) (workflows.ConnectSessionState, error) {
	f.state.State = workflows.SessionCancelled
	return f.state, f.did(ctx, "cancel session")
}

// guestBench is a browser that nobody has signed in with.
type guestBench struct {
	*connectBench
	link    *sessions
	handler http.Handler
	cookies []*http.Cookie
}

func newGuestBench(t *testing.T) *guestBench {
	b := newConnectBench(t)
	f := &sessions{connects: b.connects}
	f.state = workflows.ConnectSessionState{State: workflows.SessionOpen, Created: time.Now(), Expires: time.Now().Add(time.Hour), ConnectSessionInput: workflows.ConnectSessionInput{
		Environment: "development", Session: "abc", App: "atlas", DisplayName: hostile, RequestedBy: hostile, ReturnTo: "https://platform.example/done?x=1", TokenSHA256: hashOf("token-of-the-link"),
		ConnectRequest: activities.ConnectRequest{Connection: connectID}}}
	all := b.console.Environments.All()
	for i := range all {
		all[i].Client = f
	}
	return &guestBench{connectBench: b, link: f, handler: b.console.Sessions()}
}

func (g *guestBench) send(method, path string, form url.Values, change ...func(*http.Request)) answer {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, cookie := range g.cookies {
		r.AddCookie(cookie)
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	got := answer{w.Code, w.Header(), w.Body.String()}
	g.clean(got)
	for _, set := range w.Result().Cookies() { // as a browser keeps them
		i := slices.IndexFunc(g.cookies, func(held *http.Cookie) bool { return held.Name == set.Name })
		switch {
		case i < 0 && set.MaxAge > 0:
			g.cookies = append(g.cookies, set)
		case i >= 0 && set.MaxAge > 0:
			g.cookies[i] = set
		case i >= 0:
			g.cookies = slices.Delete(g.cookies, i, i+1)
		}
	}
	return got
}

// fill sends a form as the page of this browser does.
func (g *guestBench) fill(path string, pairs ...string) answer {
	g.t.Helper()
	cl, err := open(g.t.Context(), g.console.Environments.All()[0], g.cookies[0].Value)
	if err != nil {
		g.t.Fatal(err)
	}
	form := url.Values{"form_token": {cl.formToken()}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return g.send(http.MethodPost, path, form)
}

func (g *guestBench) claimed() *guestBench {
	g.t.Helper()
	g.send(http.MethodGet, invited, nil).want(g.t, http.StatusOK)
	g.send(http.MethodPost, invited, nil).leadsTo(g.t, atGuest)
	g.effects = nil
	return g
}

func TestInvitationUsesNothingUp(t *testing.T) {
	g := newGuestBench(t)
	g.send(http.MethodGet, invited, nil).want(t, http.StatusOK, "asks to connect your Atlas account", "&lt;script&gt;").without(t, "<nav", "Sign out", "/connections")
	g.send(http.MethodGet, invited, nil).want(t, http.StatusOK, "Continue")
	if g.link.state.BrowserSHA256 != "" || len(g.link.claims) > 0 || len(g.cookies) != 1 {
		t.Errorf("looking at a link used it up, or left %v", g.cookies)
	}
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusGone, "has not opened its link")
	g.fill(atGuest+"/start", "method", "oauth").want(t, http.StatusGone)
	g.fill(atGuest+"/cancel").want(t, http.StatusGone)
	g.cookies = nil
	g.send(http.MethodGet, atGuest+"/another-token", nil).want(t, http.StatusGone, "This link is not known here.").without(t, "Atlas", "&lt;")
	if len(g.cookies) > 0 {
		t.Error("a guessed link left a cookie")
	}
	g.send(http.MethodGet, "/connect-session/development/other/token", nil).want(t, http.StatusGone, "This link is not known here.")
	g.send(http.MethodGet, "/connect-session/nowhere/abc/token", nil).want(t, http.StatusGone)
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusGone, "has not opened its link")
	g.link.state.State = workflows.SessionClaimed
	g.send(http.MethodGet, invited, nil).want(t, http.StatusGone, "in another browser")
	g.link.state.State = workflows.SessionExpired
	g.send(http.MethodGet, invited, nil).want(t, http.StatusGone, "too old")
	g.send(http.MethodGet, atGuest+"/another-token", nil).want(t, http.StatusGone, "This link is not known here.")
	g.wantEffects()
}

func TestClaimNeedsOurPageAndTheToken(t *testing.T) {
	g := newGuestBench(t)
	g.send(http.MethodPost, invited, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }).want(t, http.StatusForbidden)
	g.send(http.MethodPost, atGuest+"/another-token", nil).want(t, http.StatusGone, "This link is not known here.")
	g.send(http.MethodPost, invited, nil).want(t, http.StatusForbidden, "Allow cookies of this site")
	if len(g.link.claims) != 0 || len(g.cookies) > 0 {
		t.Errorf("a refused claim was sent, or left %v", g.cookies)
	}
	g.claimed()
	cookie := g.cookies[0]
	if cookie.Name != "__Host-connect-session-abc" || !cookie.HttpOnly || !cookie.Secure || strings.Contains(cookie.Value, "token-of-the-link") {
		t.Errorf("%+v", cookie)
	}
	g.send(http.MethodGet, invited, nil).leadsTo(t, atGuest)
	g.send(http.MethodPost, invited, nil).leadsTo(t, atGuest)
	if len(g.link.claims) != 1 {
		t.Errorf("claimed again: %v", g.link.claims)
	}
}

// The browser has its secret before it claims: whatever happens to the answer, it goes on.
func TestAClaimWhoseAnswerIsLost(t *testing.T) {
	g := newGuestBench(t)
	g.send(http.MethodGet, invited, nil).want(t, http.StatusOK)
	g.fail = connection.TemporalUnavailable("there was no answer in time")
	g.send(http.MethodPost, invited, nil).want(t, http.StatusServiceUnavailable)
	g.link.state.State = workflows.SessionOpen // as if it could be claimed still
	g.fail = nil
	g.link.state.BrowserSHA256 = ""
	g.send(http.MethodPost, invited, nil).leadsTo(t, atGuest)
	if n := g.link.claims; len(n) != 2 || n[0] != n[1] {
		t.Errorf("the same browser claimed with another secret: %v", n)
	}

	g = newGuestBench(t)
	g.send(http.MethodGet, invited, nil)
	g.fail = connection.TemporalUnavailable("there was no answer in time")
	g.send(http.MethodPost, invited, nil).want(t, http.StatusServiceUnavailable)
	for range 3 {
		g.send(http.MethodGet, invited, nil).leadsTo(t, atGuest)
		g.send(http.MethodPost, invited, nil).leadsTo(t, atGuest)
	}
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "Connect with OAuth")
	if len(g.link.claims) != 1 {
		t.Errorf("claimed again: %v", g.link.claims)
	}
}

// What a browser keeps of a session is nothing to a later one of the same name.
func TestAClaimIsOfOneSession(t *testing.T) {
	g := newGuestBench(t).claimed()
	before := g.link.state.BrowserSHA256
	g.link.state.Created = g.link.state.Created.Add(time.Hour)
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusGone)
	g.link.state.State, g.link.state.BrowserSHA256 = workflows.SessionOpen, ""
	g.claimed()
	if g.link.state.BrowserSHA256 == before {
		t.Error("a later session is claimed with an earlier secret")
	}
}

// However many cookies of one name are sent, Vault is asked twice.
func TestOneRequestOpensFewCookies(t *testing.T) {
	g := newGuestBench(t).claimed()
	g.opened = 0
	g.cookies[0].Value += "x"
	g.send(http.MethodGet, atGuest, nil, func(r *http.Request) {
		for range 800 {
			r.AddCookie(g.cookies[0])
		}
	}).want(t, http.StatusGone)
	if g.opened == 0 || g.opened > 2 {
		t.Errorf("%d cookies were opened", g.opened)
	}
}

// A browser that opens many links keeps the latest, and never more than the gateway reads.
func TestABrowserKeepsFewClaims(t *testing.T) {
	g := newGuestBench(t)
	for i := range 3 * maxGuestCookies {
		g.link.state.Session = fmt.Sprintf("s-%d", i)
		g.send(http.MethodGet, "/connect-session/development/"+g.link.state.Session+"/token-of-the-link", nil).want(t, http.StatusOK)
		size := 0
		for _, cookie := range g.cookies {
			size += len(cookie.Name) + len(cookie.Value)
		}
		if newest := g.cookies[len(g.cookies)-1].Name; len(g.cookies) != min(i+1, maxGuestCookies) || newest != "__Host-connect-session-"+g.link.state.Session || size > 16<<10 {
			t.Errorf("after %d: %d cookies of %d bytes, %s last", i+1, len(g.cookies), size, newest)
		}
	}
	if g.cookies[0].Name != fmt.Sprintf("__Host-connect-session-s-%d", 2*maxGuestCookies) {
		t.Errorf("the oldest is %s", g.cookies[0].Name)
	}
	other := &http.Cookie{Name: "__Host-session-development", Value: "x", MaxAge: 1}
	g.cookies = append([]*http.Cookie{other}, g.cookies...)
	g.link.state.Session = "another"
	if g.send(http.MethodGet, "/connect-session/development/another/token-of-the-link", nil); g.cookies[0] != other || len(g.cookies) != maxGuestCookies+1 {
		t.Error("it took another's cookie")
	}
}

func TestGuestConnectsWithAKey(t *testing.T) {
	g := newGuestBench(t)
	g.link.state.Method, g.link.state.Values, g.link.state.Access = "key", map[string]string{"region": "eu"}, connectors.AccessRead
	g.claimed()
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "input.api_key").without(t, "input.region", `name="access"`, `type="radio"`, "acme", "<nav", "auth_config")
	g.fill(atGuest+"/start", "input.limit", "x", "input.api_key", canary).want(t, http.StatusBadRequest, `id="input.limit-problem"`)
	g.send(http.MethodPost, atGuest+"/start", url.Values{"form_token": {formToken}}).want(t, http.StatusForbidden)
	g.wantEffects()
	g.fill(atGuest+"/start", "input.api_key", canary).leadsTo(t, atGuest)
	g.wantEffects("start", "connect inbox-1")
	if in := g.link.starts[0]; !g.link.state.ClaimedBy(in.BrowserSHA256) || in.Access != "" || in.AuthConfig != "" || in.Values["region"] != "" || g.started[0].Mode != workflows.ModeSession {
		t.Errorf("%+v", in)
	}
}

func TestGuestConnectsWithOAuth(t *testing.T) {
	g := newGuestBench(t).claimed()
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, `value="oauth" checked`, `value="read">`, "Connect with OAuth").without(t, "Redirect URI", "About Atlas")
	g.send(http.MethodGet, atGuest+"/start?access=read", nil, func(r *http.Request) {
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Target", "scopes")
	}).want(t, http.StatusOK, "maps:read").without(t, "maps:write", "<html")
	g.fill(atGuest+"/start", "method", "oauth", "access", "read").want(t, http.StatusOK)
	g.wantEffects("start", "link")
	if g.link.starts[0].AuthConfig != "acme" || len(g.led) != 1 || g.led[0].Session != "abc" {
		t.Errorf("%+v %v", g.link.starts, g.led)
	}
	g.at(workflows.PhaseAuthorization, "oauth")
	g.progress.Mode = workflows.ModeSession
	seen := g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, atGuest+"/authorize", "Finish").without(t, "Somebody else", "/connections/", "toolkit")
	g.send(http.MethodGet, atGuest+"/pulse?seen="+digest.FindStringSubmatch(seen.body)[1], nil).want(t, http.StatusNoContent)
	g.fill(atGuest+"/authorize").want(t, http.StatusOK)
	g.fill(atGuest+"/approve").want(t, http.StatusGone) // taken for a token, and for none that there is
	g.fill(atGuest+"/start").leadsTo(t, atGuest)

	g.link.state.State, g.link.state.Problem = workflows.SessionClaimed, connection.Refused(connection.ErrTestFailed, "the account is locked "+hostile, "unlock it")
	if got := g.send(http.MethodGet, atGuest+"/pulse?seen=x", nil); got.header.Get("HX-Refresh") != "true" {
		t.Errorf("%v", got.header)
	}
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "The account is locked", "Connect with OAuth")
}

func TestGuestIsLedBack(t *testing.T) {
	for state, status := range map[workflows.SessionState]string{workflows.SessionConnected: "connected", workflows.SessionFailed: "failed",
		workflows.SessionCancelled: "cancelled", workflows.SessionExpired: "failed"} {
		g := newGuestBench(t).claimed()
		g.link.state.State = state
		got := g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "Go back")
		if want := "3;url=https://platform.example/done?connect_session=abc&status=" + status + "&x=1"; got.header.Get("Refresh") != want {
			t.Errorf("%s: %q", state, got.header.Get("Refresh"))
		}
		if len(g.cookies) != 0 {
			t.Errorf("%s left %v", state, g.cookies)
		}
		g.send(http.MethodGet, atGuest, nil).want(t, http.StatusGone, "This connect is over, or")
		for _, elsewhere := range []string{"javascript:alert(1)", "https://evil.example/", "http://platform.example/", "https://platform.example.evil.example/", ""} {
			g := newGuestBench(t).claimed()
			g.link.state.State, g.link.state.ReturnTo = state, elsewhere
			if got := g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "You can close this page").without(t, "Go back", "evil"); got.header.Get("Refresh") != "" {
				t.Errorf("%s: %v", elsewhere, got.header)
			}
		}
	}
	g := newGuestBench(t).claimed()
	g.fill(atGuest+"/cancel").leadsTo(t, atGuest)
	g.wantEffects("cancel session")
}

// What the organisation shares is not for whoever holds a link, whatever their browser
// sends; what the link fixes is.
func TestGuestTakesNoSharedCredential(t *testing.T) {
	shared := workflows.AuthConfigState{App: "atlas", Name: "everybody", Method: "key", Kind: string(connection.APIKey), Status: connection.Active}
	for _, taken := range []string{"everybody", "acme", "phones", "nobody"} {
		g := newGuestBench(t).claimed()
		g.configs = append(g.configs, shared)
		g.send(http.MethodGet, atGuest+"/start?method=key&auth_config="+taken, nil).want(t, http.StatusOK, "input.api_key").without(t, taken+"<")
		g.fill(atGuest+"/start", "method", "key", "auth_config", taken, "input.region", "eu").want(t, http.StatusBadRequest, "cannot be used here")
		g.wantEffects()
	}
	for _, taken := range []string{"old", "phones", "everybody", "nobody"} {
		g := newGuestBench(t).claimed()
		g.configs = append(g.configs, shared)
		g.fill(atGuest+"/start", "method", "oauth", "access", "read", "auth_config", taken).want(t, http.StatusBadRequest, "cannot be used here")
		g.wantEffects()
	}
	g := newGuestBench(t).claimed()
	g.fill(atGuest+"/start", "method", "oauth", "access", "read", "auth_config", "acme").want(t, http.StatusOK)
	g.wantEffects("start", "link")
	g = newGuestBench(t).claimed()
	g.configs, g.link.state.AuthConfig = append(g.configs, shared), "everybody"
	g.fill(atGuest+"/start", "input.region", "eu").leadsTo(t, atGuest)
	g.wantEffects("start", "connect ")
}

// A guest whose connect cannot be seen is offered nothing of the console.
func TestGuestOfAnAbsentConnect(t *testing.T) {
	g := newGuestBench(t).claimed()
	g.link.state.State = workflows.SessionConnecting
	for _, query := range []string{"", "?begun=1", "?begun=" + string(sinceTime(time.Now()))} {
		g.send(http.MethodGet, atGuest+query, nil).want(t, http.StatusOK).without(t, "Start over", "/apps/", "/connections")
	}
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "ask for a new link").without(t, "hx-trigger")
}

// A guest says how much is allowed, and not which actions; the end says whose account it is.
func TestGuestIsAskedLittle(t *testing.T) {
	g := newGuestBench(t).claimed()
	g.link.state.Access, g.link.state.Actions, g.link.state.Method = "", nil, "oauth"
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, `value="read"`, `<details class="scopes"><summary>`).
		without(t, "Chosen actions", `value="actions"`, `name="action"`)
	g.fill(atGuest+"/start", "method", "oauth", "access", "actions", "action", "list-maps").
		want(t, http.StatusBadRequest, "Single actions cannot be chosen here.")
	g.wantEffects()

	g = newGuestBench(t).claimed()
	g.link.state.State, g.link.state.ReturnTo = workflows.SessionConnected, ""
	g.link.state.Result = &workflows.ConnectResult{Identity: connection.Identity{Label: "ada@atlas.example"}}
	g.send(http.MethodGet, atGuest, nil).want(t, http.StatusOK, "Your account <strong>ada@atlas.example</strong> is connected.", "You can close this page")
}
