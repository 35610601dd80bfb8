package access

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectedapps/connection"
)

func TestRules(t *testing.T) {
	environments := []string{"development", "staging", "production"}
	rules, err := ParseRules(" sre=admin@*, dev=operator@development,dev=viewer@staging ,dev=viewer@development,/a=b=viewer@staging,", environments)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		groups []string
		want   map[string]Role
	}{
		"everywhere":           {[]string{"sre"}, map[string]Role{"development": Admin, "staging": Admin, "production": Admin}},
		"the highest wins":     {[]string{"dev", "x"}, map[string]Role{"development": Operator, "staging": Viewer}},
		"of both":              {[]string{"dev", "sre"}, map[string]Role{"development": Admin, "staging": Admin, "production": Admin}},
		"a name with a sign":   {[]string{"/a=b"}, map[string]Role{"staging": Viewer}},
		"none":                 {[]string{"DEV", "de", ""}, map[string]Role{}},
		"a star is no group":   {[]string{"*"}, map[string]Role{}},
		"no groups whatsoever": {nil, map[string]Role{}},
	} {
		got := rules.Roles(c.groups)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", name, got)
		}
		for environment, role := range c.want {
			if got[environment] != role {
				t.Errorf("%s: %v", name, got)
			}
		}
	}
	for _, bad := range []string{"sre", "=admin@*", "sre=admin", "sre=root@*", "sre=admin@nowhere", "sre=admin@", "sre=@*", "sre=Admin@*", "sre=admin@*;dev=viewer@*"} {
		if _, err := ParseRules(bad, environments); connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestReturnTo(t *testing.T) {
	for text, want := range map[string]string{"": "/", "/": "/", "/connections?status=Expired": "/connections?status=Expired", "/a//b": "/a//b",
		"//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", `/a\b`: "/", "https://evil.example": "/",
		"https:evil.example": "/", "javascript:alert(1)": "/", "evil.example": "/", "/\tevil": "/", "/\n/evil.example": "/", "/\x00": "/", "/\x7f": "/", " /a": "/",
		"/%": "/", "/%2f/evil.example": "/", "/sign-in?return_to=/": "/", "/sign-in/abc": "/", "/sign-out": "/", "/sign-ins": "/sign-ins", "/" + strings.Repeat("a", maxReturn): "/"} {
		if got := localPath(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLink(t *testing.T) {
	b := newBench(t, nil)
	link := b.addLink(map[string]Role{"development": Admin, "production": Viewer})
	for range 2 { // looking does not use it up
		response := b.do("GET", link+"?return_to=/connections", nil)
		page := body(t, response)
		if response.StatusCode != 200 || !strings.Contains(page, `action="`+link+`"`) || !strings.Contains(page, `value="/connections"`) ||
			response.Header.Get("Referrer-Policy") != "same-origin" || len(response.Cookies()) != 0 {
			t.Fatalf("%d %s", response.StatusCode, page)
		}
	}
	for name, change := range map[string]func(*http.Request){"no origin": func(*http.Request) {},
		"another origin": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }} {
		if got := b.do("POST", link, url.Values{}, change).StatusCode; got != 403 {
			t.Errorf("%s: %d", name, got)
		}
	}
	response := b.do("POST", link, url.Values{"return_to": {"/connections"}}, fromOurPage)
	if response.StatusCode != 303 || response.Header.Get("Location") != "/connections" {
		t.Fatalf("%d %s", response.StatusCode, response.Header.Get("Location"))
	}
	who, err := b.identify(with(response.Cookies()...))
	if err != nil || !who.May("development", Admin) || !who.May("production", Viewer) || who.May("production", Operator) || who.May("staging", Viewer) {
		t.Errorf("%+v %v", who, err)
	}
	if strings.Contains(who.Subject, strings.TrimPrefix(link, SignInPath+"/development_")[:8]) {
		t.Error("the subject holds the link")
	}
	for name, path := range map[string]string{"again": link, "unknown": LinkPath(NewLink("development")), "not served": LinkPath(NewLink("nowhere")),
		"nonsense": "/sign-in/x", "of another environment": strings.Replace(link, "development_", "production_", 1)} {
		response := b.do("POST", path, url.Values{}, fromOurPage)
		if response.StatusCode != http.StatusGone || len(response.Cookies()) != 0 {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}
	if got := b.do("GET", "/sign-in/nonsense", nil).StatusCode; got != http.StatusGone {
		t.Errorf("looking at nonsense: %d", got)
	}
	away := b.addLink(map[string]Role{"development": Admin})
	b.vaults["development"].away = connection.VaultUnavailable("sealed")
	if got := b.do("POST", away, url.Values{}, fromOurPage).StatusCode; got != 503 {
		t.Errorf("Vault is away: %d", got)
	}
	b.vaults["development"].away = nil
	if got := b.do("POST", away, url.Values{}, fromOurPage).StatusCode; got != 303 {
		t.Errorf("and back: %d", got)
	}
	if got := b.do("POST", b.addLink(map[string]Role{"development": "root"}), url.Values{}, fromOurPage); got.StatusCode != http.StatusGone {
		t.Errorf("a role that is none: %d", got.StatusCode)
	}
}

// Of several who press at once, one is signed in, and in all environments.
func TestLinkPressedAtOnce(t *testing.T) {
	b := newBench(t, nil)
	for range 20 {
		link := b.addLink(map[string]Role{"development": Admin, "staging": Admin, "production": Admin})
		var won atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				response := b.do("POST", link, url.Values{}, fromOurPage)
				if response.StatusCode != 303 {
					return
				}
				won.Add(1)
				if who, err := b.identify(with(response.Cookies()...)); err != nil || len(who.Roles) != 3 {
					t.Errorf("%+v %v", who, err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d won", won.Load())
		}
	}
}

func TestPages(t *testing.T) {
	b := newBench(t, nil)
	cookies := b.signedIn(Person{Subject: "link:1", Name: "<b>Ada</b>", Roles: map[string]Role{"development": Viewer}})
	response := b.do("GET", "/x", nil, with(cookies...))
	if text := body(t, response); response.StatusCode != 200 || text != "hello <b>Ada</b>" {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	navigation := func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "navigate") }
	html := func(r *http.Request) { r.Header.Set("Accept", "text/html,*/*") }
	for name, c := range map[string]struct {
		method string
		change []func(*http.Request)
		status int
		to     string
	}{
		"a navigation":         {"GET", []func(*http.Request){navigation}, 303, "/sign-in?return_to=%2Fx%3Fa%3Db"},
		"of an older browser":  {"GET", []func(*http.Request){html}, 303, "/sign-in?return_to=%2Fx%3Fa%3Db"},
		"a script's":           {"GET", []func(*http.Request){html, func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "cors") }}, 401, ""},
		"a form":               {"POST", []func(*http.Request){navigation}, 401, ""},
		"with a token":         {"GET", []func(*http.Request){navigation, bearer("cat_x")}, 401, ""},
		"a program's":          {"GET", nil, 401, ""},
		"with a forged cookie": {"GET", []func(*http.Request){navigation, with(&http.Cookie{Name: "__Host-session-development", Value: "x"})}, 303, "/sign-in?return_to=%2Fx%3Fa%3Db"},
	} {
		response := b.do(c.method, "/x?a=b", nil, c.change...)
		if response.StatusCode != c.status || response.Header.Get("Location") != c.to {
			t.Errorf("%s: %d %s", name, response.StatusCode, response.Header.Get("Location"))
		}
	}
	part := b.do("GET", "/x", nil, func(r *http.Request) { r.Header.Set("HX-Request", "true") })
	if text := body(t, part); part.StatusCode != 401 || part.Header.Get("HX-Refresh") != "true" || text != "" {
		t.Errorf("a part of a page is answered %d %q", part.StatusCode, text)
	}
	page := body(t, b.do("GET", "/sign-in?return_to=//evil.example", nil))
	if !strings.Contains(page, "connected-apps console") || strings.Contains(page, "evil") || strings.Contains(page, `id="provider"`) {
		t.Error(page)
	}
	for _, path := range []string{"/sign-in/oidc", CallbackPath + "?code=x&state=" + newRandom()} {
		if got := b.do("GET", path, nil).StatusCode; got != 400 {
			t.Errorf("%s without a provider: %d", path, got)
		}
	}
}
