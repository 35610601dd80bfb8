package access

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestTokens(t *testing.T) {
	b := newBench(t, nil)
	now := b.vaults["staging"].now
	good := b.addToken("staging", connection.AccessToken{Name: "ci", Role: "operator", Expires: now.Add(time.Hour)})
	foreign := strings.Replace(good, "_staging_", "_production_", 1)
	cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"production": Admin}})
	cases := map[string]struct {
		change []func(*http.Request)
		kind   string
	}{
		"good":                         {[]func(*http.Request){bearer(good)}, ""},
		"scheme in small letters":      {[]func(*http.Request){func(r *http.Request) { r.Header.Set("Authorization", "bearer "+good) }}, ""},
		"without an end":               {[]func(*http.Request){bearer(b.addToken("staging", connection.AccessToken{Name: "x", Role: "operator"}))}, ""},
		"expired, by Vault's clock":    {[]func(*http.Request){bearer(b.addToken("staging", connection.AccessToken{Name: "x", Role: "operator", Expires: now}))}, connection.ErrNotSignedIn},
		"with a role that is none":     {[]func(*http.Request){bearer(b.addToken("staging", connection.AccessToken{Name: "x", Role: "root"}))}, connection.ErrNotSignedIn},
		"another environment's":        {[]func(*http.Request){bearer(foreign)}, connection.ErrNotSignedIn},
		"of an environment not served": {[]func(*http.Request){bearer(strings.Replace(good, "_staging_", "_nowhere_", 1))}, connection.ErrNotSignedIn},
		"unknown":                      {[]func(*http.Request){bearer(NewToken("staging").Reveal())}, connection.ErrNotSignedIn},
		"cut short":                    {[]func(*http.Request){bearer(good[:len(good)-1])}, connection.ErrNotSignedIn},
		"with more at its end":         {[]func(*http.Request){bearer(good + "a")}, connection.ErrNotSignedIn},
		"twice":                        {[]func(*http.Request){bearer(good), bearer(good)}, connection.ErrNotSignedIn},
		"basic":                        {[]func(*http.Request){func(r *http.Request) { r.SetBasicAuth("x", good) }}, connection.ErrNotSignedIn},
		"nothing":                      {nil, connection.ErrNotSignedIn},
		"a JWT without a provider":     {[]func(*http.Request){bearer("a.b.c")}, connection.ErrNotSignedIn},
		"bad, beside a good cookie":    {[]func(*http.Request){bearer(foreign), with(cookies...)}, connection.ErrNotSignedIn},
		"empty, beside a good cookie":  {[]func(*http.Request){func(r *http.Request) { r.Header.Set("Authorization", "") }, with(cookies...)}, connection.ErrNotSignedIn},
	}
	for name, c := range cases {
		who, err := b.identify(c.change...)
		if connection.TypeOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (!who.May("staging", Operator) || who.May("staging", Admin) || who.May("production", Viewer) || who.FormToken != "") {
			t.Errorf("%s: %+v", name, who)
		}
		if err != nil && strings.Contains(err.Error(), good[12:20]) {
			t.Errorf("%s: the error repeats the token", name)
		}
	}
	if who, _ := b.identify(bearer(good)); who.Subject != "token:staging/ci" {
		t.Errorf("%+v", who)
	}
}

// An entry that was copied to another place in Vault is not a token.
func TestTokenAtTheWrongPlace(t *testing.T) {
	b := newBench(t, nil)
	text := NewToken("staging").Reveal()
	store := misplaced{b.vaults["staging"]}
	b.guard.environments[1].Store = store
	if _, err := b.identify(bearer(text)); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("got %v", err)
	}
}

// Good answers are kept for seconds, bad ones not at all.
func TestTokensAreCached(t *testing.T) {
	b := newBench(t, nil)
	v := b.vaults["staging"]
	good, unknown := b.addToken("staging", connection.AccessToken{Name: "ci", Role: "viewer"}), NewToken("staging")
	for range 3 {
		if _, err := b.identify(bearer(good)); err != nil {
			t.Fatal(err)
		}
		_, _ = b.identify(bearer(unknown.Reveal()))
	}
	if v.asked != 4 {
		t.Errorf("Vault was asked %d times, want once for the good one and each time for the bad one", v.asked)
	}
	v.tokens = map[string]connection.AccessToken{} // revoked
	if _, err := b.identify(bearer(good)); err != nil {
		t.Errorf("within five seconds: %v", err)
	}
	for key, one := range b.guard.tokens.kept {
		one.since = one.since.Add(-tokenLife)
		b.guard.tokens.kept[key] = one
	}
	if _, err := b.identify(bearer(good)); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("a revoked token after five seconds: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache[int](time.Hour)
	for i := range cacheMost + 100 {
		c.put(strings.Repeat("x", i%97)+string(rune(i)), i)
	}
	if len(c.kept) > cacheMost {
		t.Errorf("%d entries", len(c.kept))
	}
	if !c.claim("one") || c.claim("one") {
		t.Error("a claim was given twice, or not at all")
	}
}

func TestVaultAwayIsNotSignedOut(t *testing.T) {
	b := newBench(t, nil)
	token := b.addToken("production", connection.AccessToken{Name: "ci", Role: "viewer"})
	both := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"production": Admin, "staging": Viewer}})
	b.guard = b.replica(nil)
	b.vaults["production"].away = connection.VaultUnavailable("sealed")
	if _, err := b.identify(bearer(token)); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("a token: %v", err)
	}
	who, err := b.identify(with(both...))
	if err != nil || !who.May("staging", Viewer) || connection.TypeOf(who.Check("production", Viewer)) != connection.ErrVaultUnavailable ||
		connection.TypeOf(who.Check("development", Viewer)) != connection.ErrNotAllowed {
		t.Errorf("one of two: %+v %v", who, err)
	}
	b.vaults["staging"].away = b.vaults["production"].away
	b.guard = b.replica(nil)
	if _, err := b.identify(with(both...)); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("both: %v", err)
	}
	if got := b.do("GET", "/", nil, with(both...)).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("the page answers %d", got)
	}
}
