package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// wantedRole is the least role for each operation, with a body that is good. An
// operation that is not here fails the test below.
var wantedRole = map[string]struct{ role, body string }{
	"show-me":                   {"stranger", ""},
	"list-environments":         {"stranger", ""},
	"list-apps":                 {"viewer", ""},
	"show-app":                  {"viewer", ""},
	"list-connections":          {"viewer", ""},
	"show-connection":           {"viewer", ""},
	"connect":                   {"operator", `{"connection":"development/atlas/new","method":"oauth","auth_config":"acme"}`},
	"reconnect":                 {"operator", `{}`},
	"test-connection":           {"operator", ""},
	"refresh-connection":        {"operator", ""},
	"pause-connection":          {"operator", ""},
	"resume-connection":         {"operator", ""},
	"change-connection":         {"operator", `{"display_name":"New"}`},
	"disconnect":                {"operator", ""},
	"update-credentials":        {"operator", `{"secrets":{"api_key":"k"}}`},
	"show-connect":              {"viewer", ""},
	"watch-connect":             {"viewer", ""},
	"request-link":              {"operator", ""},
	"request-device":            {"operator", ""},
	"provide-credential":        {"operator", `{"secrets":{"api_key":"k"}}`},
	"answer-step":               {"operator", `{"step":"code"}`},
	"choose-account":            {"operator", `{"id":"1"}`},
	"test-connect":              {"operator", ""},
	"approve-connect":           {"operator", ""},
	"cancel-connect":            {"operator", ""},
	"show-toolkit":              {"viewer", ""},
	"put-toolkit":               {"operator", `{"actions":["list-maps"]}`},
	"delete-toolkit":            {"operator", ""},
	"run-action":                {"operator", `{}`},
	"show-run":                  {"viewer", ""},
	"list-auth-configs":         {"viewer", ""},
	"show-auth-config":          {"viewer", ""},
	"create-auth-config":        {"admin", `{"environment":"development","app":"atlas","name":"acme","client_id":"c","secrets":{"client_secret":"s"}}`},
	"rotate-auth-config":        {"admin", `{"secrets":{"client_secret":"s"}}`},
	"retire-auth-config":        {"admin", ""},
	"delete-auth-config":        {"admin", ""},
	"list-alerts":               {"viewer", ""},
	"show-alert":                {"viewer", ""},
	"show-auth-config-alert":    {"viewer", ""},
	"resolve-alert":             {"operator", ""},
	"resolve-auth-config-alert": {"operator", ""},
	"list-alert-sinks":          {"viewer", ""},
	"create-alert-sink":         {"admin", `{"name":"ops","kind":"webhook","url":"https://ops.example/x"}`},
	"rotate-alert-sink":         {"admin", ""},
	"test-alert-sink":           {"admin", ""},
	"delete-alert-sink":         {"admin", ""},
	"create-connect-session":    {"operator", `{"environment":"development","app":"atlas","owner":"u"}`},
	"show-connect-session":      {"viewer", ""},
	"cancel-connect-session":    {"operator", ""},
}

// ranks orders whoever asks; "" is nobody.
var ranks = map[string]int{"": 0, "stranger": 1, "viewer": 2, "operator": 3, "admin": 4}

func TestRoles(t *testing.T) {
	b := newBench(t)
	operations := idsOf(t, document(t))
	for id := range wantedRole {
		if _, ok := operations[id]; !ok {
			t.Errorf("there is no operation %s", id)
		}
	}
	fill := strings.NewReplacer("{environment}", "development", "{app}", "atlas", "{action}", "list-maps", "{toolkit}", "default", "{key}", "k",
		"{alert}", "expired-1", "{session}", "s1")
	for id, where := range operations {
		wanted, ok := wantedRole[id]
		if !ok {
			t.Errorf("nobody has said who may %s", id)
			continue
		}
		name := "main"
		if strings.Contains(where[1], "auth-config") || strings.Contains(where[1], "alert-sinks") {
			name = map[bool]string{true: "ops", false: "acme"}[strings.Contains(where[1], "alert-sinks")]
		}
		path := strings.ReplaceAll(fill.Replace(where[1]), "{name}", name)
		for who, rank := range ranks {
			b.reset()
			b.exists = id != "connect"
			b.progress.Phase = "active" // so that the events end
			w := b.do(who, where[0], path, wanted.body)
			switch may := rank >= ranks[wanted.role]; {
			case who == "":
				w.problem(http.StatusUnauthorized, "NotSignedIn")
				if w.Header().Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("%s does not say how to sign in", id)
				}
			case !may:
				w.problem(http.StatusForbidden, "NotAllowed")
			case w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized:
				t.Errorf("%s may not %s: %s", who, id, w.Body)
			}
			if rank < ranks[wanted.role] && (len(b.calls) > 0 || len(b.left) > 0) {
				t.Errorf("%s was refused to %s, and yet asked %v", who, id, b.calls)
			}
		}
	}
}

// A role in one environment is none in another.
func TestOtherEnvironment(t *testing.T) {
	b := newBench(t)
	operations := idsOf(t, document(t))
	for id, where := range operations {
		if !strings.Contains(where[1], "{environment}") && !strings.Contains(wantedRole[id].body, "development") {
			continue
		}
		b.reset()
		path := strings.NewReplacer("{environment}", "production", "{app}", "atlas", "{name}", "main", "{action}", "list-maps", "{toolkit}", "default",
			"{key}", "k", "{alert}", "expired-1", "{session}", "s1").Replace(where[1])
		b.do("admin", where[0], path, strings.ReplaceAll(wantedRole[id].body, "development", "production")).problem(http.StatusForbidden, "NotAllowed")
		if len(b.calls) > 0 || len(b.left) > 0 {
			t.Errorf("%s asked the other environment: %v", id, b.calls)
		}
	}
}

func TestRefusedBeforeTheBodyIsRead(t *testing.T) {
	b := newBench(t)
	b.do("viewer", "PUT", one+"/toolkits/x", `nonsense`).problem(http.StatusForbidden, "NotAllowed")
	b.do("viewer", "POST", "/auth-configs", `{"nonsense":1}`).problem(http.StatusForbidden, "NotAllowed")
}

func TestWhatIsNotSeenIsNotNamed(t *testing.T) {
	b := newBench(t)
	p := b.do("viewer", "GET", "/connections/nowhere/atlas/main", "").problem(http.StatusNotFound, "UnknownEnvironment")
	if strings.Contains(p.Remedy, "production") || !strings.Contains(p.Remedy, "development") {
		t.Errorf("the remedy is %q", p.Remedy)
	}
	var list EnvironmentList
	b.do("viewer", "GET", "/environments", "").json(http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0] != (EnvironmentItem{"development", "viewer"}) {
		t.Errorf("%v", list)
	}
	b.do("viewer", "GET", "/connections?environment=production", "").problem(http.StatusForbidden, "NotAllowed")
	b.do("viewer", "GET", "/connections", "").json(http.StatusOK, nil)
	if n := b.count("List"); n != 1 {
		t.Errorf("%d environments were asked", n)
	}
	var me Me
	b.do("both", "GET", "/me", "").json(http.StatusOK, &me)
	if me.Roles["production"] != "viewer" || me.Roles["development"] != "admin" {
		t.Errorf("%v", me)
	}
}

// Where it cannot be told whether somebody may see an environment, it is named.
func TestWhatCannotBeToldIsNamed(t *testing.T) {
	b := newBench(t)
	var me Me
	b.do("halfway", "GET", "/me", "").json(http.StatusOK, &me)
	var list EnvironmentList
	b.do("halfway", "GET", "/environments", "").json(http.StatusOK, &list)
	if !slices.Equal(me.Unknown, []string{"production"}) || !slices.Equal(list.Unknown, me.Unknown) || len(list.Items) != 1 {
		t.Errorf("%v %v", me, list)
	}
	for _, path := range []string{"/connections", "/auth-configs", "/alerts", "/connections?environment=production"} {
		if p := b.do("halfway", "GET", path, "").problem(http.StatusServiceUnavailable, "VaultUnavailable"); !strings.Contains(p.Detail, "production") {
			t.Errorf("%s: %q", path, p.Detail)
		}
	}
	b.do("halfway", "GET", "/connections?environment=development", "").json(http.StatusOK, nil)
}

func TestBrowserSession(t *testing.T) {
	from := func(site, origin string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: "session", Value: "browser"})
			r.Header.Set("Sec-Fetch-Site", site)
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		}
	}
	b := newBench(t)
	b.do("", "POST", one+"/test", "", from("same-origin", site)).json(http.StatusOK, nil)
	b.do("", "GET", one, "", from("same-origin", "")).json(http.StatusOK, nil)
	b.do("", "GET", one, "", from("none", "")).json(http.StatusOK, nil)
	calls := len(b.calls)
	b.do("", "POST", one+"/test", "", from("cross-site", "https://evil.example")).problem(http.StatusForbidden, "NotAllowed")
	b.do("", "POST", one+"/test", "", from("", "")).problem(http.StatusForbidden, "NotAllowed")
	b.do("", "POST", one+"/test", "", from("none", "")).problem(http.StatusForbidden, "NotAllowed")
	b.do("", "GET", one, "", from("cross-site", "")).problem(http.StatusForbidden, "NotAllowed")
	b.do("", "GET", one, "", from("same-site", "")).problem(http.StatusForbidden, "NotAllowed")
	if len(b.calls) != calls {
		t.Error("a refused request had an effect")
	}
	b.do("admin", "POST", one+"/test", "", func(r *http.Request) { r.Host = "rebound.example" }).problem(http.StatusMisdirectedRequest, "InvalidInput")
}
