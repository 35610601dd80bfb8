package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestCodeFlowEndToEnd(t *testing.T) {
	w := newWorld(t)
	browser := w.browser()
	page := w.send(browser, w.request("GET", "/oauth/authorize?"+authorizeQuery(allScopes).Encode(), "")).want(200)
	for _, shown := range []string{"sandbox-client", "contacts.write", `value="ada"`, `value="grace"`} {
		contains(t, page.body, shown)
	}
	fields := w.consentForm(browser, authorizeQuery(allScopes))
	fields.Set("user", "grace")
	fields.Set("decision", "approve")
	back := w.submit(browser, fields).location()
	if back.Get("iss") != w.config.Issuer || back.Get("state") != requestState {
		t.Errorf("iss %q and state %q came back", back.Get("iss"), back.Get("state"))
	}
	tokens := w.redeem(back.Get("code")).pair()
	if tokens.ExpiresIn != 3600 || tokens.Scope != allScopes || tokens.TokenType != "bearer" || tokens.Refresh == "" {
		t.Errorf("token answer %+v", tokens)
	}
	me := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
	if me.field("id") != "grace" || me.field("auth") != "oauth" || me.field("client") != "sandbox-client" {
		t.Errorf("me answered %s", me.body)
	}
}

func TestAuthorizationErrors(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"no PKCE":         {func(q url.Values) { q.Del("code_challenge") }, "invalid_request"},
		"plain PKCE":      {func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request"},
		"unknown scope":   {func(q url.Values) { q.Set("scope", "contacts.read planets.move") }, "invalid_scope"},
		"implicit grant":  {func(q url.Values) { q.Set("response_type", "token") }, "unsupported_response_type"},
		"guessable state": {func(q url.Values) { q.Set("state", "1") }, "invalid_state"},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			query := authorizeQuery(allScopes)
			test.change(query)
			back := w.send(w.browser(), w.request("GET", "/oauth/authorize?"+query.Encode(), "")).location()
			if back.Get("error") != test.want || back.Get("iss") != w.config.Issuer || back.Get("state") != query.Get("state") {
				t.Errorf("came back with %v, want error %s with iss and state", back, test.want)
			}
		})
	}
}

func TestUntrustedRedirectIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	query := authorizeQuery(allScopes)
	query.Set("redirect_uri", "http://127.0.0.1/elsewhere")
	answer := w.send(w.browser(), w.request("GET", "/oauth/authorize?"+query.Encode(), "")).want(http.StatusBadRequest)
	if answer.header.Get("Location") != "" {
		t.Errorf("redirected to %s", answer.header.Get("Location"))
	}
}

func TestDenyComesBackWithIssuer(t *testing.T) {
	w := newWorld(t)
	browser := w.browser()
	fields := w.consentForm(browser, authorizeQuery(allScopes))
	fields.Set("user", "ada")
	fields.Set("decision", "deny")
	back := w.submit(browser, fields).location()
	if back.Get("error") != "access_denied" || back.Get("iss") != w.config.Issuer || back.Has("code") {
		t.Errorf("came back with %v", back)
	}
	if entry := w.lastEntry("authorize"); entry.Outcome != "access_denied" || entry.Account != "ada" {
		t.Errorf("ledger has %+v", entry)
	}
}

func TestConsentFormIsBoundToItsBrowserAndRequest(t *testing.T) {
	w := newWorld(t)
	owner := w.browser()
	fields := w.consentForm(owner, authorizeQuery(allScopes))
	fields.Set("user", "ada")
	fields.Set("decision", "approve")
	w.submit(w.browser(), fields).want(http.StatusForbidden)

	swapped := url.Values{"user": fields["user"], "decision": fields["decision"], "csrf": fields["csrf"],
		"request": {authorizeQuery("contacts.read").Encode()}}
	w.submit(owner, swapped).want(http.StatusForbidden)
	w.submit(owner, fields).location()
}

func TestWithheldScopeIsNotGranted(t *testing.T) {
	w := newWorld(t)
	browser := w.browser()
	fields := w.consentForm(browser, authorizeQuery(allScopes))
	fields.Set("user", "ada")
	fields.Set("decision", "approve")
	fields.Set("withhold", "contacts.write")
	tokens := w.redeem(w.submit(browser, fields).location().Get("code")).pair()
	if tokens.Scope != "contacts.read offline_access" {
		t.Errorf("granted %q", tokens.Scope)
	}
}

func TestCodeRedemptionIsChecked(t *testing.T) {
	w := newWorld(t)
	exchange := func(code string, change func(url.Values)) reply {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}}
		change(form)
		return w.post("/oauth/token", form)
	}
	t.Run("wrong verifier", func(t *testing.T) {
		w := w.in(t)
		w.wantOAuthError(exchange(w.authorize("ada", allScopes), func(f url.Values) { f.Set("code_verifier", verifier+"x") }), "invalid_grant")
	})
	t.Run("no verifier", func(t *testing.T) {
		w := w.in(t)
		w.wantOAuthError(exchange(w.authorize("ada", allScopes), func(f url.Values) { f.Del("code_verifier") }), "invalid_grant")
	})
	t.Run("wrong redirect URI", func(t *testing.T) {
		w := w.in(t)
		w.wantOAuthError(exchange(w.authorize("ada", allScopes), func(f url.Values) { f.Set("redirect_uri", "http://127.0.0.1/") }), "invalid_grant")
	})
	t.Run("expired", func(t *testing.T) {
		w := w.in(t)
		code := w.authorize("ada", allScopes)
		w.clock.Advance(w.config.Settings.CodeTTL.Std() * 2)
		w.wantOAuthError(w.redeem(code), "invalid_grant")
	})
	t.Run("replayed", func(t *testing.T) {
		w := w.in(t)
		code := w.authorize("ada", allScopes)
		tokens := w.redeem(code).pair()
		w.wantOAuthError(w.redeem(code), "invalid_grant")
		if entry := w.lastEntry("token"); entry.Detail != "code_replay" {
			t.Errorf("ledger has %+v", entry)
		}
		w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(http.StatusUnauthorized)
		w.wantOAuthError(w.refresh(tokens.Refresh), "invalid_grant")
	})
}

func TestRefreshTokenOnlyWithOfflineAccess(t *testing.T) {
	w := newWorld(t)
	if tokens := w.connect("ada", "contacts.read"); tokens.Refresh != "" {
		t.Error("a refresh token was issued without offline_access")
	}
	if tokens := w.connect("ada", "contacts.read offline_access"); tokens.Refresh == "" {
		t.Error("no refresh token was issued with offline_access")
	}
}
