package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

func TestAppPage(t *testing.T) {
	b := newConnectBench(t)
	b.get("/apps/atlas").want(t, http.StatusOK, "Sign in with Atlas", "https://connect.example/oauth/callback", "Register https://connect.example/oauth/callback.",
		"Allow maps:read maps:write openid.", `href="https://docs.atlas.example/api" rel="noreferrer"`, "reads only", "changes data", "destroys data", "unverified",
		`href="/apps/atlas/connect"`, "Sign in at Atlas and look at the account.").without(t, "javascript:", "Website")
	b.get("/apps/nothing").want(t, http.StatusNotFound)
	b.person.Roles = map[string]access.Role{"production": access.Viewer}
	b.get("/apps/atlas").want(t, http.StatusOK, "needs the role operator").without(t, `href="/apps/atlas/connect`)
}

func TestFormProposesEverything(t *testing.T) {
	b := newConnectBench(t)
	b.described["development/atlas/atlas"] = workflows.Description{}
	b.get("/apps/atlas/connect").want(t, http.StatusOK, `value="Atlas 2"`, "development/atlas/atlas-2", "which is free",
		"<option selected>development</option>", "<option>staging</option>", `value="oauth" checked`, `<option value="acme" selected>`,
		`value="read-write" checked`, "See your maps.", "for: Draw a map, Burn a map", "Connect with OAuth", "https://connect.example/oauth/callback").
		without(t, "<option>production</option>", `value="old"`, `value="phones"`, "hiddenvalue")
	b.get("/apps/atlas/connect?access=read&name=Mine").want(t, http.StatusOK, `value="Mine"`, "development/atlas/mine").without(t, "change your maps", "maps:write")
	b.get("/apps/atlas/connect?method=key&input.region=de&input.api_key="+canary).want(t, http.StatusOK, `name="input.region" required`, `value="de"`,
		`<input type="password" id="input.api_key" name="input.api_key" required`, `<textarea id="input.certificate"`, `<textarea id="input.note"`, `<input type="number" step="1" id="input.limit"`,
		`<option value="free" selected>`, `<option value="true">Yes</option>`, `autocomplete="off"`, `pattern="[a-z]{2}"`, "Make a key with maps:read maps:write.").
		without(t, "input.internal", "hiddenvalue")
	b.person.Roles = map[string]access.Role{"staging": access.Operator}
	b.get("/apps/atlas/connect").want(t, http.StatusOK, `<input type="hidden" name="environment" value="staging">`).without(t, "New auth config")
	b.configs = nil
	b.get("/apps/atlas/connect").want(t, http.StatusOK, "An administrator of staging makes it once", "<button disabled>")
	b.person.Roles = map[string]access.Role{"staging": access.Viewer}
	b.get("/apps/atlas/connect").want(t, http.StatusForbidden, "needs the role operator")
}

func TestPartsForHTMX(t *testing.T) {
	b := newConnectBench(t)
	b.described["development/atlas/maps"] = workflows.Description{}
	part := func(target, query string) answer {
		return b.do(http.MethodGet, "/apps/atlas/connect?"+query, nil, func(r *http.Request) {
			r.Header.Set("HX-Request", "true")
			r.Header.Set("HX-Target", target)
		})
	}
	part("name-said", "name=Maps").want(t, http.StatusOK, "There is a connection", `id="name-said"`).without(t, "<html", `id="rest"`)
	part("name-said", "name=!!").want(t, http.StatusOK, "A name needs a letter")
	part("scopes", "access=actions&action=list-maps").want(t, http.StatusOK, "asked for 2 scopes", "maps:read").without(t, "maps:write", "<html")
	part("rest", "method=key").want(t, http.StatusOK, `id="rest"`, "input.api_key").without(t, "<html", `id="account"`)
	b.at(workflows.PhaseAuthorization, "oauth")
	part("name-said", "name=Maps").want(t, http.StatusOK, "is being connected just now", connectAt)
	part("rest", "auth_config=phones").want(t, http.StatusOK, `<option value="acme" selected>`).without(t, "phones")
}

func TestOneClickLeadsToTheApp(t *testing.T) {
	b := newConnectBench(t)
	b.post("/apps/atlas/connect", "environment", "development", "name", "Ada's maps", "method", "oauth", "auth_config", "acme",
		"access", "actions", "action", "list-maps", "toolkit", "maps").want(t, http.StatusOK)
	b.wantEffects("link")
	in := b.started[0]
	if in.Connection != "development/atlas/ada-s-maps" || in.DisplayName != "Ada's maps" || in.RequestedBy != "Ada" || !in.Review || in.AuthConfig != "acme" ||
		in.Access != "actions" || fmt.Sprint(in.Actions) != "[list-maps]" || in.Toolkit != "maps" {
		t.Errorf("%+v", in)
	}
	if len(b.led) != 1 || b.led[0] != (Attempt{Connection: "development/atlas/ada-s-maps", ID: "attempt1"}) {
		t.Errorf("led to %v", b.led)
	}
}

func TestTypedInSecretsGoToTheInbox(t *testing.T) {
	b := newConnectBench(t)
	b.post("/apps/atlas/connect", "environment", "staging", "name", "Maps", "method", "key", "access", "read-write",
		"input.region", " eu ", "input.plan", "paid", "input.api_key", " "+canary+" ", "input.internal", "mine").
		leadsTo(t, "/connections/staging/atlas/maps/connect")
	b.wantEffects("connect inbox-1")
	if got := b.left[0]["api_key"].Reveal(); len(b.left) != 1 || len(b.left[0]) != 1 || got != canary {
		t.Errorf("left %d entries", len(b.left))
	}
	if in := b.started[0]; in.Values["region"] != "eu" || in.Values["plan"] != "paid" || in.Values["internal"] != "" || strings.Contains(fmt.Sprintf("%+v", in), canary) {
		t.Errorf("%+v", in)
	}
}

func TestDeviceCodeIsAskedFor(t *testing.T) {
	b := newConnectBench(t)
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "device", "auth_config", "phones", "access", "read").leadsTo(t, connectAt)
	b.wantEffects("code")
}

func TestWhatIsWrongStandsAtItsField(t *testing.T) {
	b := newConnectBench(t)
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "key", "access", "read-write",
		"input.region", "europe", "input.note", hostile, "input.limit", "many", "input.api_key", canary, "input.certificate", canary).
		want(t, http.StatusBadRequest, `value="europe"`, `id="input.region" name="input.region" required aria-invalid="true" aria-describedby="input.region-problem input.region-help" autofocus`,
			`id="input.limit-problem"`, "It must be a whole number.", "secrets must be typed in again", "&lt;script&gt;")
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "key", "access", "read-write", "input.region", "eu").
		want(t, http.StatusBadRequest, `id="input.api_key-problem"`)
	b.post("/apps/atlas/connect", "environment", "development", "name", "!", "method", "oauth", "auth_config", "acme").
		want(t, http.StatusBadRequest, "A name needs a letter or a digit.", `aria-invalid="true"`)
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "actions").
		want(t, http.StatusBadRequest, `id="access-problem"`, "No action was chosen.")
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "read", "toolkit", "No Slug").
		want(t, http.StatusBadRequest, `id="toolkit-problem"`, `value="No Slug"`)
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "gone", "access", "read").
		want(t, http.StatusBadRequest, `id="auth_config-problem"`)
	b.described[connectID] = workflows.Description{}
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "key", "input.region", "eu", "input.api_key", canary).
		want(t, http.StatusBadRequest, "There is a connection development/atlas/maps already.")
	b.wantEffects()
	if len(b.left) > 0 {
		t.Error("a secret was left for a connect that cannot be")
	}
}

func TestAnotherConnectHasTheName(t *testing.T) {
	b := newConnectBench(t)
	b.fail = connection.Refused(connection.ErrConnectionIDTaken, "another connect of it is under way "+hostile, "choose another name")
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "read").
		want(t, http.StatusBadRequest, "Another connect of it is under way &lt;script&gt;", `id="name"`, `aria-invalid="true"`)
	b.fail = connection.VaultUnavailable("Vault is sealed")
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "read").
		want(t, http.StatusServiceUnavailable, "Vault is sealed.", `value="Maps"`)
	b.fail = errDefect
	b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "read").
		want(t, http.StatusInternalServerError)
}

func TestFormsNeedTokenAndRole(t *testing.T) {
	b := newConnectBench(t)
	b.do(http.MethodPost, "/apps/atlas/connect", url.Values{"form_token": {"another"}, "environment": {"development"}}).want(t, http.StatusForbidden)
	b.post("/apps/atlas/connect", "environment", "production", "name", "Maps", "method", "oauth", "auth_config", "acme").want(t, http.StatusOK)
	if in := b.started[0]; in.Connection.Environment() != "development" {
		t.Errorf("%+v", in)
	}
}

func TestWithoutScriptsAndRegister(t *testing.T) {
	b := newConnectBench(t)
	b.post("/apps/atlas/connect", "environment", "staging", "name", "Maps", "method", "key", "show", "1", "input.api_key", canary, "input.region", "toolong").
		want(t, http.StatusOK, `value="toolong"`, "input.api_key", `value="Maps"`).without(t, "aria-invalid")
	got := b.post("/apps/atlas/connect", "environment", "staging", "name", "My maps", "method", "oauth", "access", "actions", "action", "list-maps", "register", "1")
	location, err := url.Parse(got.header.Get("Location"))
	if err != nil || location.Path != "/auth-configs/new" {
		t.Fatalf("%v %v", got.header, err)
	}
	q := location.Query()
	then, err := url.Parse(q.Get("then"))
	if err != nil || q.Get("environment") != "staging" || q.Get("app") != "atlas" || q.Get("method") != "oauth" || then.Path != "/apps/atlas/connect" ||
		then.Query().Get("name") != "My maps" || then.Query().Get("action") != "list-maps" || then.Query().Get("method") != "oauth" {
		t.Errorf("%v", q)
	}
	b.wantEffects()
}

func TestNobodyWaitsLongerThanPatience(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as people are made to wait")
	}
	t.Parallel()
	b := newConnectBench(t)
	b.slow = true
	got := b.post("/apps/atlas/connect", "environment", "development", "name", "Maps", "method", "oauth", "auth_config", "acme", "access", "read")
	at, ok := strings.CutPrefix(got.header.Get("Location"), connectAt+"?begun=")
	if got.status != http.StatusSeeOther || !ok || !since(at).waits(time.Now()) {
		t.Errorf("%d to %q", got.status, got.header.Get("Location"))
	}
}

// A connect that was begun late is waited for, and not for ever: the page says then that
// nothing has begun, and looks no more.
func TestAConnectThatNeverComes(t *testing.T) {
	now := time.Now()
	b := newConnectBench(t)
	at := string(sinceTime(now))
	for _, late := range []time.Duration{0, waitTime - 2*time.Second} {
		b.console.now = func() time.Time { return now.Add(late) }
		b.get(connectAt+"?begun="+at).want(t, http.StatusOK, "Starting", `hx-trigger="every 1s"`, "pulse?seen=nothing-"+at)
		b.get(connectAt+"/pulse?seen=nothing-"+at).want(t, http.StatusNoContent)
	}
	for _, at := range []string{at, "1", "", "x", "-1", "99999999999", "99999999999999999999"} {
		b.console.now = func() time.Time { return now.Add(waitTime + time.Second) }
		if got := b.get(connectAt+"/pulse?seen=nothing-"+at).want(t, http.StatusOK); got.header.Get("HX-Refresh") != "true" {
			t.Errorf("%q: %v", at, got.header)
		}
		b.get(connectAt+"?begun="+at).want(t, http.StatusOK, "Start over").without(t, "hx-trigger", `http-equiv="refresh"`)
	}
	b.get(connectAt+"?begun="+at).want(t, http.StatusOK, "Nothing has begun", "Reload this page")
	b.at(workflows.PhaseCredential, "key")
	b.get(connectAt+"/pulse?seen=nothing-"+at).want(t, http.StatusOK, "Credentials")
}
