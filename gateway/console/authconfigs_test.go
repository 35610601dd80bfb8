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

const (
	mainConfig   = "/auth-configs/development/sandbox/main"
	secretTyped  = "s3cret-that-nobody-may-see"
	newConfigURL = "/auth-configs/new?environment=development&app=sandbox&method=oauth"
)

// configured puts one auth config in place, full of canaries.
func (d *estateDesk) configured() *estateDesk {
	d.dev.configs = []workflows.AuthConfigRow{{Environment: "development", App: "sandbox", Name: "main", Kind: connection.OAuth2Code, Status: connection.Active},
		{Environment: "development", App: "github", Name: "old", Kind: connection.OAuth2Code, Status: workflows.StatusRetired}}
	d.dev.config = workflows.AuthConfigState{Environment: "development", App: "sandbox", Name: "main", Method: "oauth", Kind: "oauth2-code", ClientID: scripted,
		Values: map[string]string{"base_url": scripted}, Scopes: []string{scripted}, Status: connection.Error, Reason: scripted, Created: time.Now(),
		Rotated: time.Now().Add(-time.Hour), Proof: "connection " + sandboxID.String(), Expires: time.Now().Add(50 * time.Hour)}
	d.dev.users = []workflows.AuthConfigUser{{Connection: sandboxID, Status: connection.Active}}
	return d
}

func TestAuthConfigsAreListed(t *testing.T) {
	d := newDesk(t).configured()
	page := d.get("/auth-configs")
	holds(t, page, `href="`+mainConfig+`"`, "status retired", `data-name="Used by">1</td>`, "New auth config")
	lacks(t, d.get("/auth-configs?app=github"), `href="`+mainConfig+`"`)
	lacks(t, d.get("/auth-configs?environment=production", byHTMX), `href="`+mainConfig+`"`, "<!doctype")
	d.production.away = errAway
	holds(t, d.get("/auth-configs"), "Auth configs of production are not shown.", `href="`+mainConfig+`"`)
	lacks(t, d.as(access.Operator).get("/auth-configs"), "New auth config")
	holds(t, newDesk(t).get("/auth-configs"), "There are no auth configs yet")
}

func TestAuthConfigPage(t *testing.T) {
	d := newDesk(t).configured()
	page := d.get(mainConfig)
	safe(t, page)
	holds(t, page, "Proven by", "connection development/sandbox/demo", "in 2 days", "Used by 1 connection<", `href="/connections/development/sandbox/demo"`,
		"Replace the secret", "Retire it", "move it to another auth config")
	holds(t, page, "<dt>Address</dt>")
	lacks(t, page, "base_url", "Not in use")
	d.dev.users = nil
	holds(t, d.get(mainConfig), "Delete main")
	d.dev.config.Status, d.dev.config.Rotated = connection.Active, time.Time{}
	holds(t, d.get(mainConfig), "Not in use", "it is tried with the next connection")
	holds(t, d.get("/auth-configs"), "Not in use", "nothing shows whether")
	lacks(t, d.as(access.Operator).get(mainConfig), "Replace the secret", "Retire it", "Delete")
	d.dev.config = workflows.AuthConfigState{}
	if status := d.serve("GET", mainConfig, nil).StatusCode; status != http.StatusNotFound {
		t.Errorf("a missing one: %d", status)
	}
}

func TestAuthConfigIsCreated(t *testing.T) {
	d := newDesk(t)
	page := d.get(newConfigURL)
	holds(t, page, "http://127.0.0.1:8400/oauth/callback", `name="client_secret" type="password"`, `name="input:base_url" value="http://127.0.0.1:9070"`, "public and has no secret")
	form := []string{"environment", "development", "app", "sandbox", "method", "oauth", "name", "main", "client_id", "my-client",
		"client_secret", secretTyped, "input:base_url", "http://127.0.0.1:9070", "scopes", "a b"}
	response := d.post("/auth-configs/new", form...)
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || to != mainConfig+"?said=config-created" {
		t.Errorf("%d to %q: %s", response.StatusCode, to, textOf(t, response))
	}
	in := d.dev.stored[0]
	if in.ClientID != "my-client" || in.Inbox != "entry-1" || len(in.Scopes) != 2 || in.Values["base_url"] == "" || d.dev.left[0]["client_secret"].Reveal() != secretTyped {
		t.Errorf("stored %+v", in)
	}
	if text := fmt.Sprintf("%+v", in); strings.Contains(text, secretTyped) {
		t.Error("the secret is in the message")
	}
	response = d.post("/auth-configs/new", append(form, "then", "/apps/sandbox/connect?environment=development")...)
	if to := response.Header.Get("Location"); to != "/apps/sandbox/connect?auth_config=main&environment=development" {
		t.Errorf("then to %q", to)
	}
}

func TestAuthConfigFormComesBackWithoutSecrets(t *testing.T) {
	for _, tc := range []struct {
		change []string
		says   string
	}{
		{[]string{"name", "Not A Name"}, "cannot be a name"},
		{[]string{"client_id", ""}, "client registration needs its client ID"},
		{[]string{"input:base_url", "nonsense " + scripted}, `name="input:base_url" value="nonsense &lt;script`},
		{[]string{"expires", "2001-01-01"}, "This is past already."},
	} {
		d := newDesk(t)
		form := url.Values{"form_token": {estateToken}, "environment": {"development"}, "app": {"sandbox"}, "method": {"oauth"}, "name": {"main"},
			"client_id": {"kept-id"}, "client_secret": {secretTyped}, "input:base_url": {"http://127.0.0.1:9070"}}
		form.Set(tc.change[0], tc.change[1])
		response := d.serve("POST", "/auth-configs/new", form)
		page := textOf(t, response)
		safe(t, page)
		holds(t, page, tc.says, `role="alert"`)
		lacks(t, page, secretTyped)
		if response.StatusCode != http.StatusBadRequest || len(d.dev.left) > 0 {
			t.Errorf("%v: %d, %d entries in the inbox", tc.change, response.StatusCode, len(d.dev.left))
		}
	}
	d := newDesk(t)
	page := textOf(t, d.post("/auth-configs/new", "environment", "development", "app", "sandbox", "method", "oauth", "name", "main", "client_id", "x", "input:base_url", "http://127.0.0.1:9070"))
	holds(t, page, "(client_secret)")
	response := d.post("/auth-configs/new", "environment", "development", "app", "sandbox", "method", "oauth", "name", "main", "client_id", "x", "public", "yes", "input:base_url", "http://127.0.0.1:9070")
	if response.StatusCode != http.StatusSeeOther || d.dev.stored[0].Inbox != "" {
		t.Errorf("a public client: %d %+v", response.StatusCode, d.dev.stored)
	}
}

// Every method of every built-in app has a form.
func TestEveryMethodHasAnAuthConfigForm(t *testing.T) {
	d := newDesk(t)
	for _, app := range d.console.Catalogue.Apps() {
		for _, method := range app.Methods {
			page := d.get("/auth-configs/new?environment=development&app=" + app.ID + "&method=" + method.ID)
			holds(t, page, "Store it", "New auth config for")
			lacks(t, page, "{redirect_uri}", "{scopes}", "ZgotmplZ")
		}
	}
}

func TestOnlyOurPathsAreLedTo(t *testing.T) {
	for text, want := range map[string]string{
		"/apps/github/connect":               "/apps/github/connect",
		"/apps/github/connect?a=b":           "/apps/github/connect?a=b",
		"/connections/x/y/z/reconnect":       "/connections/x/y/z/reconnect",
		"":                                   "",
		"https://evil.example/apps/x":        "",
		"//evil.example/apps/x":              "",
		"/apps//evil.example":                "",
		`/apps/\evil.example`:                "",
		"/apps/../sign-out":                  "",
		"/sign-out":                          "",
		"javascript:alert(1)":                "",
		"/apps/x%0d%0aLocation:%20evil":      "/apps/x%0D%0ALocation:%20evil",
		"http://127.0.0.1:8400/apps/github/": "",
	} {
		if got := ownPath(text); got != want {
			t.Errorf("%q leads to %q, not %q", text, got, want)
		}
	}
}

func TestAuthConfigIsChanged(t *testing.T) {
	for _, tc := range []struct {
		path string
		form []string
		want string
		to   string
	}{
		{"/rotate", []string{"client_secret", secretTyped}, "rotate-config sandbox/main entry-1", mainConfig + "?said=config-rotated"},
		{"/retire", nil, "retire-config sandbox/main undo=false", mainConfig + "?said=config-retired"},
		{"/retire", []string{"undo", "yes"}, "retire-config sandbox/main undo=true", mainConfig + "?said=config-revived"},
		{"/delete", []string{"sure", "yes"}, "delete-config sandbox/main", "/auth-configs?said=config-deleted"},
	} {
		d := newDesk(t).configured()
		response := d.post(mainConfig+tc.path, tc.form...)
		if deeds := d.dev.deedsOf(); deeds != tc.want || response.Header.Get("Location") != tc.to {
			t.Errorf("%s: done %q, to %q", tc.path, deeds, response.Header.Get("Location"))
		}
		d.dev.err = connection.Refused(connection.ErrAuthConfigInUse, "it is used by "+scripted, "")
		page := textOf(t, d.post(mainConfig+tc.path, tc.form...))
		safe(t, page)
		holds(t, page, "It is used by")
		lacks(t, page, secretTyped)
		d.dev.deedsOf()
		for _, role := range []access.Role{access.Viewer, access.Operator} {
			if status := d.as(role).post(mainConfig+tc.path, tc.form...).StatusCode; status != http.StatusForbidden || d.dev.deedsOf() != "" {
				t.Errorf("%s by a %s: %d", tc.path, role, status)
			}
		}
	}
	d := newDesk(t).configured()
	for _, path := range []string{"/rotate", "/delete"} {
		if status := d.post(mainConfig + path).StatusCode; status != http.StatusBadRequest || d.dev.deedsOf() != "" || len(d.dev.left) > 0 {
			t.Errorf("%s with nothing: %d", path, status)
		}
	}
	if status := d.as(access.Operator).serve("GET", newConfigURL, nil).StatusCode; status != http.StatusForbidden {
		t.Errorf("an operator's new one: %d", status)
	}
	if status := d.serve("POST", mainConfig+"/retire", url.Values{}).StatusCode; status != http.StatusForbidden {
		t.Errorf("without the form's token: %d", status)
	}
}
