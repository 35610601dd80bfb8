package access

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// misplaced answers every token with one that lies elsewhere.
type misplaced struct{ *vaultOf }

func (m misplaced) Token(context.Context, string) (connection.AccessToken, string, connection.Clock, error) {
	return connection.AccessToken{Name: "x", Role: "admin"}, strings.Repeat("a", 64), connection.ClockAt(m.now), nil
}

func TestSession(t *testing.T) {
	b := newBench(t, nil)
	cookies := b.signedIn(Person{Subject: "oidc:ada", Name: "Ada", Roles: map[string]Role{"development": Admin, "production": Viewer}})
	for _, cookie := range cookies {
		kept := cookie.Name != "__Host-session-staging"
		if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" ||
			!strings.HasPrefix(cookie.Name, "__Host-session-") || kept != (cookie.MaxAge == 8*60*60) {
			t.Errorf("cookie %s", cookie)
		}
	}
	who, err := b.identify(with(cookies...))
	if err != nil || who.Subject != "oidc:ada" || who.Display() != "Ada" || !who.May("development", Admin) || who.May("production", Operator) || who.May("staging", Viewer) {
		t.Fatalf("%+v %v", who, err)
	}
	b.guard = b.replica(nil)
	again, err := b.identify(with(cookies...))
	if err != nil || again.FormToken != who.FormToken || len(who.FormToken) != 64 {
		t.Errorf("another replica: %+v %v", again, err)
	}
	opened := b.vaults["development"].opened
	if _, err := b.identify(with(cookies...)); err != nil || b.vaults["development"].opened != opened {
		t.Errorf("an opened cookie was opened again: %v", err)
	}
	for _, v := range b.vaults {
		v.now = v.now.Add(sessionLife + time.Second)
	}
	b.guard = b.replica(nil)
	if _, err := b.identify(with(cookies...)); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("after eight hours of Vault's: %v", err)
	}
}

// A cached session ends when its time is over, and not when the cache forgets it.
func TestCachedSessionEnds(t *testing.T) {
	b := newBench(t, nil)
	cookies := b.signedIn(Person{Subject: "oidc:ada", Roles: map[string]Role{"development": Admin}})
	if _, err := b.identify(with(cookies...)); err != nil {
		t.Fatal(err)
	}
	for key, one := range b.guard.sessions.kept {
		one.value.clock = connection.ClockAt(b.vaults["development"].now.Add(sessionLife))
		b.guard.sessions.kept[key] = one
	}
	if _, err := b.identify(with(cookies...)); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("got %v", err)
	}
}

// forged is a cookie as whoever holds the key of one environment can make it for another.
func (b *bench) forged(key, environment string, one session) *http.Cookie {
	text, err := json.Marshal(one)
	if err != nil {
		b.t.Fatal(err)
	}
	sealed, _ := b.vaults[key].Seal(b.t.Context(), string(text), sessionBound(environment))
	return b.guard.site.Cookie(sessionName(environment), sealed, 100)
}

func TestEnvironmentsAreWalls(t *testing.T) {
	b := newBench(t, nil)
	end := b.vaults["development"].now.Add(time.Hour)
	admin := session{ID: "i", Subject: "oidc:eve", Role: Admin, Expires: end}
	mine := b.forged("development", "development", admin)
	if who, err := b.identify(with(mine)); err != nil || !who.May("development", Admin) {
		t.Fatalf("the control: %+v %v", who, err)
	}
	moved := *mine
	moved.Name = b.guard.site.CookieName(sessionName("production"))
	other, otherwise := admin, admin
	other.Subject, otherwise.ID = "oidc:ada", "j"
	reborn, _ := b.vaults["development"].Seal(t.Context(), `{"id":"i","subject":"oidc:eve","role":"admin","expires":"9999-01-01T00:00:00Z"}`, "gateway-authorization/development")
	old := admin
	old.Expires = b.vaults["development"].now
	nobody := admin
	nobody.Role = "root"
	victim := b.forged("production", "production", session{ID: "i", Subject: "oidc:eve", Role: Viewer, Expires: end})
	for name, cookies := range map[string][]*http.Cookie{
		"another environment's key":         {b.forged("development", "production", admin)},
		"a cookie moved to another":         {&moved},
		"sealed for another purpose":        {b.guard.site.Cookie(sessionName("development"), reborn, 1)},
		"expired":                           {b.forged("development", "development", old)},
		"a role that is none":               {b.forged("development", "development", nobody)},
		"not sealed":                        {b.guard.site.Cookie(sessionName("development"), `not-sealed`, 1)},
		"too long":                          {b.guard.site.Cookie(sessionName("development"), mine.Value+strings.Repeat("A", maxCookie), 1)},
		"under its name without the prefix": {{Name: "session-development", Value: mine.Value}},
		"somebody else's name":              {b.forged("development", "development", other), victim},
		"another sign-in":                   {b.forged("development", "development", otherwise), victim},
	} {
		if who, err := b.identify(with(cookies...)); connection.TypeOf(err) != connection.ErrNotSignedIn {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
	if who, err := b.identify(with(mine, victim)); err != nil || who.May("production", Operator) {
		t.Errorf("a key of development raised a role in production: %+v %v", who, err)
	}
}

func TestForms(t *testing.T) {
	b := newBench(t, nil)
	cookies := b.signedIn(Person{Subject: "oidc:ada", Roles: map[string]Role{"development": Admin}})
	others := b.signedIn(Person{Subject: "oidc:ada", Roles: map[string]Role{"development": Admin}})
	who, _ := b.identify(with(cookies...))
	other, _ := b.identify(with(others...))
	if who.FormToken == other.FormToken {
		t.Fatal("two sessions have the same form token")
	}
	field := func(token string) url.Values { return url.Values{FormField: {token}} }
	header := func(r *http.Request) { r.Header.Set(FormHeader, who.FormToken) }
	for name, c := range map[string]struct {
		form   url.Values
		change []func(*http.Request)
		status int
	}{
		"good":                {field(who.FormToken), []func(*http.Request){fromOurPage, with(cookies...)}, 303},
		"in a header":         {nil, []func(*http.Request){fromOurPage, header, with(cookies...)}, 303},
		"another session's":   {field(other.FormToken), []func(*http.Request){fromOurPage, with(cookies...)}, 403},
		"none":                {nil, []func(*http.Request){fromOurPage, with(cookies...)}, 403},
		"empty, without any":  {field(""), []func(*http.Request){fromOurPage}, 403},
		"without a session":   {field(who.FormToken), []func(*http.Request){fromOurPage}, 403},
		"no origin":           {field(who.FormToken), []func(*http.Request){with(cookies...)}, 403},
		"another origin":      {field(who.FormToken), []func(*http.Request){with(cookies...), func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }}, 403},
		"cross-site":          {field(who.FormToken), []func(*http.Request){fromOurPage, with(cookies...), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }}, 403},
		"in the query string": {nil, []func(*http.Request){fromOurPage, with(cookies...), func(r *http.Request) { r.URL.RawQuery = FormField + "=" + who.FormToken }}, 403},
	} {
		response := b.do("POST", SignOutPath, c.form, c.change...)
		if response.StatusCode != c.status {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
		if gone := len(response.Cookies()) == 3; gone != (c.status == 303) {
			t.Errorf("%s: cookies %v", name, response.Cookies())
		}
	}
}
