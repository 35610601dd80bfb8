package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// everyPhase is a connect in each phase, with what people and providers wrote hostile.
func everyPhase(t *testing.T) map[string]func() *connectBench {
	soon := time.Now().Add(10 * time.Minute)
	at := func(phase workflows.Phase, method string, change func(*workflows.Progress)) func() *connectBench {
		return func() *connectBench {
			b := newConnectBench(t).at(phase, method)
			b.progress.DisplayName, b.progress.RequestedBy = hostile, hostile
			if change != nil {
				change(&b.progress)
			}
			return b
		}
	}
	attempt := func(state string, expires time.Time) func(*workflows.Progress) {
		return func(p *workflows.Progress) {
			p.Attempts = []workflows.AttemptState{{ID: "one", State: state, Expires: expires}}
			if state == workflows.AttemptFailed {
				p.Attempts[0].Problem = connection.Refused(connection.ErrAuthorizationFailed, "no "+hostile, "say yes "+hostile)
			}
		}
	}
	wrong := func(p *workflows.Progress) {
		p.Problem = connection.Refused(connection.ErrTestFailed, "it says "+hostile, "try "+hostile)
	}
	return map[string]func() *connectBench{
		"Checking what was asked for":          at(workflows.PhaseValidating, "oauth", nil),
		"Reserving the name":                   at(workflows.PhaseReserving, "oauth", nil),
		"Signing in at Atlas":                  at(workflows.PhaseObtaining, "oauth", nil),
		"Testing the connection":               at(workflows.PhaseTesting, "oauth", nil),
		"Creating the App Toolkit":             at(workflows.PhaseActivating, "oauth", nil),
		"Connect with OAuth":                   at(workflows.PhaseAuthorization, "oauth", attempt(workflows.AttemptOpen, soon)),
		"Say yes &lt;script":                   at(workflows.PhaseAuthorization, "oauth", attempt(workflows.AttemptFailed, soon)),
		"Waiting for Atlas":                    at(workflows.PhaseAuthorization, "oauth", attempt(workflows.AttemptBegun, soon)),
		"You sign in at Atlas itself":          at(workflows.PhaseAuthorization, "oauth", attempt(workflows.AttemptBegun, time.Now().Add(-time.Minute))),
		"Completing the authorization":         at(workflows.PhaseAuthorization, "oauth", attempt(workflows.AttemptExchanging, soon)),
		"Credentials</h2>":                     at(workflows.PhaseCredential, "key", nil),
		"Try again":                            at(workflows.PhaseTestFailed, "key", wrong),
		`action="` + connectAt + `/authorize"`: at(workflows.PhaseTestFailed, "oauth", wrong),
		"Test the same once more":              at(workflows.PhaseTestFailed, "device", wrong),
		"Get a code":                           at(workflows.PhaseDevice, "device", nil),
		"New code": at(workflows.PhaseDevice, "device", func(p *workflows.Progress) {
			p.Device = &workflows.DevicePrompt{UserCode: "OLD", VerificationURI: "https://id.atlas.example", Expires: time.Now().Add(-time.Second)}
		}),
		"&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&#39;&#34;&gt;&lt;img src=x onerror=y&gt;</span> <button": at(workflows.PhaseDevice, "device", func(p *workflows.Progress) {
			p.Device = &workflows.DevicePrompt{UserCode: hostile, VerificationURI: "javascript:alert(1)", VerificationURIComplete: "javascript:alert(2)", Expires: soon}
		}),
		`name="input.code"`: at(workflows.PhaseAnswer, "key", func(p *workflows.Progress) {
			wrong(p)
			p.Question = &activities.Question{Step: hostile, Title: hostile, Help: hostile, Fields: []activities.Field{{Name: "code", Title: hostile, Help: hostile, Secret: true}, {Name: "answer", Title: "Answer"}}}
		}),
		`type="radio" name="account"`: at(workflows.PhaseChoice, "oauth", func(p *workflows.Progress) {
			p.Choices = &activities.Choices{Title: hostile, Items: []connection.Choice{{ID: "1", Label: hostile}, {ID: hostile}}}
		}),
		"Create App Toolkit": at(workflows.PhaseReview, "oauth", func(p *workflows.Progress) {
			p.Test = &activities.ProbeReport{Tested: hostile, Identity: connection.Identity{Label: hostile, Tenant: hostile}}
			p.Stored = &activities.StoredReport{Scopes: []string{hostile, "maps:read"}, Missing: []string{"maps:write", hostile}}
		}),
		"Open the toolkit": at(workflows.PhaseActive, "oauth", func(p *workflows.Progress) {
			p.Result = &workflows.ConnectResult{Status: connection.Active, Identity: connection.Identity{Label: hostile}, Toolkit: connection.Toolkit{Name: "default"}, Missing: []string{hostile}}
		}),
		"It was not connected": at(workflows.PhaseFailed, "oauth", wrong),
		"Cancelled":            at(workflows.PhaseCancelled, "oauth", wrong),
		"Working":              at("a-phase-of-tomorrow", "oauth", nil),
	}
}

func TestEveryPhaseHasItsPage(t *testing.T) {
	for shows, build := range everyPhase(t) {
		b := build()
		over := b.progress.Phase.Over()
		got := b.get(connectAt).want(t, http.StatusOK, shows)
		if polls := strings.Contains(got.body, "/pulse?seen="); polls == over {
			t.Errorf("%s: polls %v", b.progress.Phase, polls)
		}
		if cancels := strings.Contains(got.body, connectAt+"/cancel"); cancels == (over || b.progress.Phase == workflows.PhaseActivating) {
			t.Errorf("%s: cancels %v", b.progress.Phase, cancels)
		}
		b.progress.Mode = workflows.ModeReplace
		b.get(connectAt).want(t, http.StatusOK)
		if !over {
			b.get(connectAt).want(t, http.StatusOK, "works on with what it has")
		}
		b.person.Roles = map[string]access.Role{"development": access.Viewer}
		b.get(connectAt).want(t, http.StatusOK).without(t, "<form method=\"post\" action=\"/connections", "<textarea", "<input type=\"password\"", "Start over")
		b.person.Roles = map[string]access.Role{"staging": access.Admin}
		b.get(connectAt).want(t, http.StatusForbidden)
		b.wantEffects()
	}
}

var digest = regexp.MustCompile(`pulse\?seen=([0-9a-f]+)`)

func TestPulseTellsOnlyWhatIsNew(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseCredential, "key")
	seen := digest.FindStringSubmatch(b.get(connectAt).body)[1]
	b.get(connectAt+"/pulse?seen="+seen).want(t, http.StatusNoContent)
	b.progress.Test = &activities.ProbeReport{Tested: "what no form shows"}
	b.get(connectAt+"/pulse?seen="+seen).want(t, http.StatusNoContent)
	b.progress.Problem = connection.Refused(connection.ErrTestFailed, "the key is wrong", "")
	b.get(connectAt+"/pulse?seen="+seen).want(t, http.StatusOK, "The key is wrong.", `id="state-said" hx-swap-oob`, "autofocus").without(t, "<html")
	b.absent = true
	if got := b.get(connectAt + "/pulse?seen=" + seen); got.header.Get("HX-Refresh") != "true" {
		t.Errorf("%v", got.header)
	}
	b.person.Roles = nil
	if got := b.get(connectAt + "/pulse?seen=" + seen); got.header.Get("HX-Refresh") != "true" || got.body != "" {
		t.Errorf("%v %s", got.header, got.body)
	}
}

func TestAuthorizeAgainAndLinkForSomebodyElse(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseAuthorization, "oauth")
	b.post(connectAt+"/authorize").want(t, http.StatusOK)
	if len(b.led) != 1 || b.started[0].Connection != connectID {
		t.Errorf("led %v", b.led)
	}
	b.post(connectAt+"/link").want(t, http.StatusOK, `data-copy="https://connect.example/connect/development/atlas/maps/attempt1"`)
	b.get(connectAt).without(t, "attempt1")
	b.wantEffects("link", "link")
}

func TestCorrectedCredential(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseTestFailed, "key")
	b.progress.Problem = connection.Refused(connection.ErrTestFailed, "the key is wrong", "make another")
	b.get(connectAt).want(t, http.StatusOK, "Secrets must be typed in again", "Try again", "Test the same once more")
	b.post(connectAt+"/credential", "input.region", "nowhere", "input.api_key", canary, "input.certificate", canary).
		want(t, http.StatusBadRequest, `value="nowhere"`, `id="input.region-problem"`, "secrets must be typed in again")
	b.wantEffects()
	b.post(connectAt+"/credential", "input.region", "us", "input.plan", "free", "input.api_key", canary, "input.certificate", canary).
		want(t, http.StatusOK, `value="us"`, "The key is wrong.", "Make another.")
	if b.left[0]["api_key"].Reveal() != canary || b.given[0].Values["region"] != "us" || b.given[0].Values["internal"] != "hiddenvalue" || b.given[0].Inbox != "inbox-1" {
		t.Errorf("%+v", b.given)
	}
	b.progress.Problem = nil
	b.post(connectAt+"/credential", "input.region", "us", "input.api_key", canary).leadsTo(t, connectAt)
	b.post(connectAt+"/test").leadsTo(t, connectAt)
	b.wantEffects("credential", "credential", "test")
}

func TestQuestionAndChoice(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseAnswer, "key")
	b.progress.Question = &activities.Question{Step: "ask", Title: "Code", Fields: []activities.Field{{Name: "code", Title: "Code", Secret: true}, {Name: "device", Title: "Device"}}}
	b.progress.Question.Fields = append(b.progress.Question.Fields, activities.Field{Name: "pin", Title: "PIN", Secret: true})
	b.progress.Problem = connection.InvalidInput("code", "the code is not right", "take the next one")
	b.get(connectAt).want(t, http.StatusOK, `<input type="text" id="input.code" name="input.code" required autofocus value="" autocomplete="one-time-code" inputmode="numeric"`,
		`<input type="text" id="input.device"`, `<input type="password" id="input.pin"`, "The code is not right.").without(t, "(code)")
	if live := b.get(connectAt + "/pulse?seen=none"); strings.Count(live.body, "autofocus") != 1 {
		t.Errorf("not one thing takes the focus:\n%s", live.body)
	}
	b.progress.Question.Fields, b.progress.Problem = b.progress.Question.Fields[:2], nil
	b.post(connectAt+"/answer", "step", "earlier", "input.code", canary, "input.device", "phone").want(t, http.StatusBadRequest, "does not wait for this just now")
	b.post(connectAt+"/answer", "step", "ask", "input.device", "phone").want(t, http.StatusBadRequest, `id="input.code-problem"`, `value="phone"`)
	b.wantEffects()
	b.post(connectAt+"/answer", "step", "ask", "input.code", canary, "input.device", "phone").leadsTo(t, connectAt)
	if b.said[0].Values["device"] != "phone" || b.said[0].Inbox != "inbox-1" || len(b.left) != 1 || b.left[0]["code"].Reveal() != canary {
		t.Errorf("%+v", b.said)
	}

	b = newConnectBench(t).at(workflows.PhaseChoice, "oauth")
	b.progress.Choices = &activities.Choices{Items: []connection.Choice{{ID: "1", Label: "One"}}}
	b.post(connectAt+"/choose", "account", "2").want(t, http.StatusBadRequest, "No account was chosen.")
	b.post(connectAt+"/choose", "account", "1").leadsTo(t, connectAt)
	b.wantEffects("choose 1")
}

func TestReviewAllowsOnlyWhatWasGranted(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseReview, "oauth")
	b.progress.Stored = &activities.StoredReport{Scopes: []string{"maps:read"}, Missing: []string{"maps:write"}}
	b.get(connectAt).want(t, http.StatusOK, `value="list-maps" checked`, `value="draw-map" disabled`, "Not granted: maps:write", `data-all="action" checked> All`)
	b.post(connectAt+"/approve").want(t, http.StatusBadRequest, "No action was chosen.")
	b.post(connectAt+"/approve", "action", "draw-map").want(t, http.StatusBadRequest, "No action was chosen.")
	b.wantEffects()
	b.post(connectAt+"/approve", "action", "draw-map", "action", "list-maps").leadsTo(t, connectAt)
	if fmt.Sprint(b.allowed) != "[{[list-maps]}]" {
		t.Errorf("%v", b.allowed)
	}
	b.progress.Stored.Missing = []string{"maps:read", "maps:write"}
	b.post(connectAt+"/approve", "action", "list-maps").want(t, http.StatusForbidden, "granted what none of the actions")
	b.progress.Mode = workflows.ModeReplace
	b.post(connectAt+"/approve").leadsTo(t, connectAt)
	if n := len(b.allowed); n != 2 || b.allowed[1].Actions != nil {
		t.Errorf("%v", b.allowed)
	}
}

func TestStaleFormsGetTheStateThereIs(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseActive, "oauth")
	for name := range b.console.moves() {
		b.post(connectAt+"/"+name).want(t, http.StatusGone, "This connect is over already.", "Open the connection")
	}
	b.at(workflows.PhaseTesting, "key")
	for _, name := range []string{"credential", "answer", "choose", "approve"} {
		b.post(connectAt+"/"+name, "input.api_key", canary).want(t, http.StatusBadRequest, "in another tab", "Testing the connection")
	}
	b.wantEffects()
	b.fail = connection.Refused(connection.ErrSessionClosed, "a credential has been tested already "+hostile, "approve the connect")
	b.at(workflows.PhaseCredential, "key")
	b.post(connectAt+"/credential", "input.region", "eu", "input.api_key", canary).want(t, http.StatusGone, "A credential has been tested already")
	if len(b.given) != 1 {
		t.Errorf("%v", b.given)
	}
}

func TestCancelAndStartOver(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseAuthorization, "oauth")
	b.progress.Problem = connection.Refused(connection.ErrAuthorizationFailed, "it was refused", "")
	to := b.post(connectAt + "/cancel").header.Get("Location")
	since, ok := strings.CutPrefix(to, connectAt+"?cancelled=")
	if !ok {
		t.Errorf("it leads to %q", to)
	}
	pulse := connectAt + "/pulse?seen=cancelled-" + since
	b.get(to).want(t, http.StatusOK, "Being cancelled", pulse).without(t, `method="post" action="`+connectAt, "It was refused")
	b.progress.Attempts = nil
	b.get(pulse).want(t, http.StatusNoContent)
	b.get(connectAt+"?cancelled=1").want(t, http.StatusOK, `action="`+connectAt+`/cancel"`, "It was refused")
	b.get(connectAt+"/pulse?seen=cancelled-1").want(t, http.StatusOK, `action="`+connectAt+`/cancel"`)
	b.at(workflows.PhaseCancelled, "oauth")
	b.progress.Problem = connection.Refused(connection.ErrSessionClosed, "the connect was cancelled", "start a new one")
	b.get(pulse).want(t, http.StatusOK, "Nothing is left behind.")
	b.get(to).want(t, http.StatusOK, "Nothing is left behind.").without(t, `role="alert"`)
	b.requested.Access = "read"
	b.get(connectAt).want(t, http.StatusOK, "/apps/atlas/connect?access=read&amp;auth_config=acme&amp;environment=development&amp;method=oauth&amp;name=Maps")
	b.progress.Mode = workflows.ModeReplace
	b.get(connectAt).want(t, http.StatusOK, `href="/connections/development/atlas/maps/reconnect"`)
	b.absent = true
	b.get(connectAt).want(t, http.StatusOK, "Nothing is being connected here", "Start over")
	b.post(connectAt+"/cancel").want(t, http.StatusGone)
}

func TestMovesNeedTokenAndRole(t *testing.T) {
	b := newConnectBench(t).at(workflows.PhaseAuthorization, "oauth")
	for name := range b.console.moves() {
		b.do(http.MethodPost, connectAt+"/"+name, url.Values{}).want(t, http.StatusForbidden)
	}
	b.person.Roles = map[string]access.Role{"development": access.Viewer}
	for name := range b.console.moves() {
		b.post(connectAt+"/"+name).want(t, http.StatusForbidden, "needs the role operator")
	}
	b.wantEffects()
}

func TestReconnect(t *testing.T) {
	const path = "/connections/development/atlas/maps/reconnect"
	b := newConnectBench(t)
	state := workflows.State{ID: connectID, DisplayName: "Our maps", Method: "oauth", AuthConfig: "acme", Toolkits: []connection.Toolkit{{Name: "default", Actions: []string{"list-maps"}}}}
	state.Look.Identity = connection.Identity{Label: "ada@atlas.example"}
	b.described[connectID] = workflows.Description{State: state}
	b.get(path).want(t, http.StatusOK, "Reconnect Our maps", "works on with what it has", "ada@atlas.example", `value="" checked`, "As now", "maps:read",
		`name="allow_other_account" value="1"`).without(t, "maps:write", `name="toolkit"`, `id="name"`)
	b.post(path, "method", "oauth", "auth_config", "acme", "access", "").want(t, http.StatusOK)
	if in := b.again[0]; fmt.Sprintf("%+v", in) != fmt.Sprintf("%+v", workflows.ReconnectInput{RequestedBy: "Ada"}) {
		t.Errorf("%+v", in)
	}
	b.wantEffects("reconnect", "link")
	b.effects = nil
	b.post(path, "method", "key", "access", "read", "allow_other_account", "1", "input.region", "eu", "input.api_key", canary).leadsTo(t, connectAt)
	b.wantEffects("reconnect", "connect inbox-1")
	if in := b.again[1]; in.Method != "key" || in.Access != "read" || !in.AllowOtherAccount || in.Values["region"] != "eu" || b.started[1].Fingerprint != "again" {
		t.Errorf("%+v", in)
	}
	b.fail = connection.Refused(connection.ErrConnectionIDTaken, "another reconnect of it is under way", "finish or cancel that one first")
	b.post(path, "method", "oauth", "auth_config", "acme").want(t, http.StatusConflict, "Another reconnect of it is under way.")
	b.fail = nil
	state.Method, state.AuthConfig, state.Values = "key", "", map[string]string{"region": "de"}
	state.Reconnect = &workflows.OpenReconnect{RequestedBy: hostile}
	b.described[connectID] = workflows.Description{State: state}
	got := b.get(path).want(t, http.StatusOK, "Update the credentials of Our maps", `value="de"`, "A reconnect is under way already", `href="/connections" aria-current="page"`)
	before, after, ok := strings.Cut(got.body, "Use another way")
	if !ok || !strings.Contains(before, `value="key" checked`) || strings.Contains(before, `value="oauth"`) || !strings.Contains(after, `value="oauth"`) {
		t.Errorf("the present method is not the one that stands out:\n%s", got.body)
	}
	b.get(path+"?method=oauth").want(t, http.StatusOK, `<details class="more" open><summary>Use another way`)
	state.Look.Status = connection.Expired
	b.described[connectID] = workflows.Description{State: state}
	b.get(path).want(t, http.StatusOK, "It cannot be used until the new credential has passed").without(t, "works on with what it has")
	b.at(workflows.PhaseTestFailed, "key")
	b.progress.Mode, b.progress.DisplayName = workflows.ModeReplace, "Our maps"
	b.get(connectAt).want(t, http.StatusOK, "<h1>Update the credentials of Our maps</h1>", "It cannot be used until the new credential has passed").without(t, "works on with what it has")
	b.person.Roles = map[string]access.Role{"development": access.Viewer}
	b.get(path).want(t, http.StatusForbidden)
	b.post(path, "method", "oauth").want(t, http.StatusForbidden)
}

func TestTheAuthConfigIsNamedWhereItMatters(t *testing.T) {
	const link = `<a href="/auth-configs/development/atlas/acme">acme</a>`
	b := newConnectBench(t).at(workflows.PhaseAuthorization, "oauth")
	b.progress.Attempts = []workflows.AttemptState{{ID: "one", State: workflows.AttemptBegun, Expires: time.Now().Add(time.Minute)}}
	b.get(connectAt).want(t, http.StatusOK, "<strong>id.atlas.example</strong>", "Did its page not open?", link)
	b.requested.AuthConfig = "gone"
	b.get(connectAt).want(t, http.StatusOK, "Did its page not open?").without(t, "id.atlas.example")
	b.requested.AuthConfig = "acme"
	refused := connection.Refused(connection.ErrClientMisconfigured, "invalid_client", "check client ID and client secret of the auth config")
	b.progress.Attempts[0].State, b.progress.Attempts[0].Problem = workflows.AttemptFailed, refused
	b.get(connectAt).want(t, http.StatusOK, "Invalid_client", link)
	b.at(workflows.PhaseFailed, "oauth")
	b.progress.Problem = refused
	b.get(connectAt).want(t, http.StatusOK, link)
	b.progress.Problem = connection.Refused(connection.ErrTestFailed, "no", "")
	b.get(connectAt).want(t, http.StatusOK).without(t, link)
}
