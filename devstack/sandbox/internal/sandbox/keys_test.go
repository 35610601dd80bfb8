package sandbox_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An API key may stand in a cookie or in the body; the body's does not reach what handles the request.
func TestAPIKeyInCookieAndBody(t *testing.T) {
	w := newWorld(t)
	if got := w.call("GET", "/api/v1/me", "", "Cookie", "sandbox_key="+w.secrets.APIKey).want(200); got.field("auth") != "api_key_cookie" {
		t.Errorf("%s", got.body)
	}
	w.call("GET", "/api/v1/me", "", "Cookie", "sandbox_key=wrong").want(401)
	for name, body := range map[string]string{
		"application/json": `{"api_key":"` + w.secrets.APIKey + `","name":"x"}`, "application/x-www-form-urlencoded": "api_key=" + w.secrets.APIKey,
	} {
		if got := w.call("POST", "/api/v1/me", body, "Content-Type", name).want(200); got.field("auth") != "api_key_body" {
			t.Errorf("%s", got.body)
		}
	}
	w.call("POST", "/api/v1/me", `{"api_key":"wrong"}`).want(401)
	echoed := w.call("POST", "/api/v1/echo", `{"api_key":"`+w.secrets.APIKey+`","a":1}`).want(200)
	if strings.Contains(string(echoed.body), w.secrets.APIKey) || !strings.Contains(string(echoed.body), `{"a":1}`) {
		t.Errorf("%s", echoed.body)
	}
}

// Whoever belongs to several organisations must name one, and one of them.
func TestOrganisations(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("grace", allScopes)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
	w.set(`{"organisations":{"grace":2}}`)
	if got := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(422); !strings.Contains(string(got.body), "account_required") {
		t.Errorf("%s", got.body)
	}
	var listed struct{ Items []struct{ ID string } }
	w.call("GET", "/api/v1/accounts", "", bearer(tokens.Access)...).want(200).into(&listed)
	if len(listed.Items) != 2 {
		t.Fatalf("%+v", listed)
	}
	for account, status := range map[string]int{listed.Items[1].ID: 200, "ada-1": 422} {
		w.call("GET", "/api/v1/me", "", append(bearer(tokens.Access), "X-Account", account)...).want(status)
	}
	w.call("GET", "/api/v1/me", "", bearer(w.connect("ada", allScopes).Access)...).want(200)
	w.set(`{"organisations":{}}`)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
}

// A password gets tokens that are renewed as all others are; a wrong one gets none.
func TestPasswordGrant(t *testing.T) {
	w := newWorld(t)
	form := url.Values{"grant_type": {"password"}, "username": {"ada"}, "password": {w.secrets.BasicPassword}, "scope": {allScopes}}
	tokens := w.post("/oauth/token", form).pair()
	w.call("GET", "/api/v1/contacts", "", bearer(tokens.Access)...).want(200)
	w.refresh(tokens.Refresh).pair()
	form.Set("password", "wrong")
	w.wantOAuthError(w.post("/oauth/token", form), "invalid_grant")
	form.Set("password", w.secrets.BasicPassword)
	w.call("POST", "/admin/credentials", `{"kind":"basic","revoked":true}`).want(200)
	w.wantOAuthError(w.post("/oauth/token", form), "invalid_grant")
}

// The login with a one-time code.
func TestLogin(t *testing.T) {
	w := newWorld(t)
	begin := func() string {
		return w.call("POST", "/login", `{"user":"ada","password":"`+w.secrets.BasicPassword+`"}`).want(200).field("ticket")
	}
	phone := func() string { return w.call("GET", "/admin/one-time-code?user=ada", "").want(200).field("code") }
	answer := func(ticket, code string) reply {
		return w.call("POST", "/login/otp", `{"ticket":"`+ticket+`","code":"`+code+`"}`)
	}
	w.call("POST", "/login", `{"user":"ada","password":"wrong"}`).want(401)

	ticket := begin()
	for range 3 {
		answer(ticket, "wrong!").want(401)
	}
	if got := answer(ticket, "wrong!").want(401); !strings.Contains(string(got.body), "unknown_ticket") {
		t.Errorf("three wrong codes do not end the ticket: %s", got.body)
	}

	ticket = begin()
	answer(ticket, "wrong!").want(401)
	code := phone()
	opened := answer(ticket, code).want(200)
	session, remember := opened.header.Get("X-Session"), opened.field("remember")
	me := func(session string) reply { return w.call("GET", "/api/v1/me", "", "X-Session", session) }
	if got := me(session).want(200); got.field("auth") != "session" || got.field("id") != "ada" {
		t.Errorf("%s", got.body)
	}
	answer(ticket, code).want(401) // a code is good once

	w.call("POST", "/login/renew", `{"remember":"rem_unknown"}`).want(401)
	renewed := w.call("POST", "/login/renew", `{"remember":"`+remember+`"}`).want(200).header.Get("X-Session")
	me(session).want(401)
	me(renewed).want(200)
	w.clock.Advance(w.config.Settings.AccessTTL.Std())
	me(renewed).want(401)
	renewed = w.call("POST", "/login/renew", `{"remember":"`+remember+`"}`).want(200).header.Get("X-Session")
	w.call("POST", "/logout", "", "X-Session", renewed).want(http.StatusNoContent)
	me(renewed).want(401)
	w.call("POST", "/logout", "", "X-Session", renewed).want(401)
	w.call("POST", "/login/renew", `{"remember":"`+remember+`"}`).want(401)

	ticket = begin()
	code = phone()
	w.clock.Advance(w.config.Settings.TicketTTL.Std())
	answer(ticket, code).want(401)
	if entries := w.entries("kind=login"); len(entries) == 0 || len(w.entries("kind=logout")) != 2 {
		t.Errorf("%+v", entries)
	}
}

// What logins, devices and signatures are made of is in no file but the credentials file.
func TestNoSecretOfALoginAtRest(t *testing.T) {
	w := newWorld(t)
	ticket := w.call("POST", "/login", `{"user":"ada","password":"`+w.secrets.BasicPassword+`"}`).want(200).field("ticket")
	code := w.call("GET", "/admin/one-time-code?user=ada", "").field("code")
	opened := w.call("POST", "/login/otp", `{"ticket":"`+ticket+`","code":"`+code+`"}`).want(200)
	temporary := w.temporary()
	verifier := w.agree(temporary.Get("oauth_token"), "approve").Get("oauth_verifier")
	token := w.access(temporary, verifier).form()
	secrets := []string{ticket, opened.header.Get("X-Session"), opened.field("remember"), w.openDevice().Device, verifier,
		temporary.Get("oauth_token_secret"), token.Get("oauth_token"), token.Get("oauth_token_secret"), w.secrets.ClientSecret, w.secrets.SecretAccessKey}
	found := map[string]int{}
	for _, name := range []string{"state.db", "ledger.jsonl", "credentials.json"} {
		raw, err := os.ReadFile(filepath.Join(w.config.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if secret == "" {
				t.Fatal("a secret is missing")
			}
			if bytes.Contains(raw, []byte(secret)) {
				found[name]++
			}
		}
	}
	if len(found) != 1 || found["credentials.json"] != 2 { // the control: what is meant to be there is found
		t.Errorf("secrets found by file: %v", found)
	}
}
