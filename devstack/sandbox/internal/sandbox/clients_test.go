package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestClientAuthentication(t *testing.T) {
	w := newWorld(t)
	form := func(more ...string) *http.Request {
		values := url.Values{"grant_type": {"client_credentials"}, "scope": {"contacts.read"}}
		for i := 0; i+1 < len(more); i += 2 {
			values.Set(more[i], more[i+1])
		}
		request := w.token("/oauth/token", values)
		request.Header.Del("Authorization")
		return request
	}
	inBody := []string{"client_id", w.secrets.ClientID, "client_secret", w.secrets.ClientSecret}
	t.Run("client_secret_post", func(t *testing.T) {
		w := w.in(t)
		tokens := w.send(http.DefaultClient, form(inBody...)).pair()
		if tokens.Scope != "contacts.read" || tokens.Refresh != "" {
			t.Errorf("answered %+v", tokens)
		}
		me := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
		if me.field("id") != "client:sandbox-client" {
			t.Errorf("me answered %s", me.body)
		}
	})
	t.Run("client_secret_basic", func(t *testing.T) {
		w := w.in(t)
		request := form()
		request.SetBasicAuth(w.secrets.ClientID, w.secrets.ClientSecret)
		w.send(http.DefaultClient, request).pair()
	})
	t.Run("both at once", func(t *testing.T) {
		w := w.in(t)
		request := form(inBody...)
		request.SetBasicAuth(w.secrets.ClientID, w.secrets.ClientSecret)
		w.wantOAuthError(w.send(http.DefaultClient, request), "invalid_request")
	})
	t.Run("wrong secret", func(t *testing.T) {
		w := w.in(t)
		answer := w.send(http.DefaultClient, form("client_id", w.secrets.ClientID, "client_secret", "wrong")).want(http.StatusUnauthorized)
		w.wantOAuthError(answer, "invalid_client")
	})
	t.Run("only the registered method", func(t *testing.T) {
		w := w.in(t)
		w.call("POST", "/admin/clients", `{"id":"basic-only","secret":"s3cret","redirect_uris":[],"token_endpoint_auth_method":"client_secret_basic"}`).want(200)
		w.wantOAuthError(w.send(http.DefaultClient, form("client_id", "basic-only", "client_secret", "s3cret")), "invalid_client")
		request := form()
		request.SetBasicAuth("basic-only", "s3cret")
		w.send(http.DefaultClient, request).pair()
	})
}

func TestClientSecretRotation(t *testing.T) {
	w := newWorld(t)
	asClient := func(secret string) int {
		request := w.token("/oauth/token", url.Values{"grant_type": {"client_credentials"}})
		request.SetBasicAuth(w.secrets.ClientID, secret)
		return w.send(http.DefaultClient, request).status
	}
	old := w.secrets.ClientSecret
	overlap := w.call("POST", "/admin/clients/sandbox-client/secret", `{"keep_old":true}`).want(200).field("secret")
	if asClient(old) != 200 || asClient(overlap) != 200 {
		t.Error("with keep_old, both secrets are to be good")
	}
	w.call("POST", "/admin/clients/sandbox-client/secret", `{"secret":"the-next-one"}`).want(200)
	if asClient(old) != 401 || asClient(overlap) != 401 || asClient("the-next-one") != 200 {
		t.Error("without keep_old, only the new secret is to be good")
	}
	w.reopen()
	if w.secrets.ClientSecret != "the-next-one" || asClient("the-next-one") != 200 {
		t.Error("the rotated secret did not survive a restart")
	}
	w.call("POST", "/admin/clients/nobody/secret", `{}`).want(http.StatusNotFound)
}

func TestPublicClientNeedsNoSecret(t *testing.T) {
	w := newWorld(t)
	w.call("POST", "/admin/clients", `{"id":"phone","public":true,"redirect_uris":["`+redirectURI+`"]}`).want(200)
	browser := w.browser()
	query := authorizeQuery(allScopes)
	query.Set("client_id", "phone")
	fields := w.consentForm(browser, query)
	fields.Set("user", "ada")
	fields.Set("decision", "approve")
	request := w.token("/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"phone"}, "redirect_uri": {redirectURI},
		"code": {w.submit(browser, fields).location().Get("code")}, "code_verifier": {verifier},
	})
	request.Header.Del("Authorization")
	w.send(http.DefaultClient, request).pair()
}

func TestRevocation(t *testing.T) {
	for _, presented := range []string{"refresh token", "access token"} {
		t.Run(presented, func(t *testing.T) {
			w := newWorld(t)
			tokens := w.connect("ada", allScopes)
			token := tokens.Refresh
			if presented == "access token" {
				token = tokens.Access
			}
			w.post("/oauth/revoke", url.Values{"token": {token}}).want(200)
			w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(http.StatusUnauthorized)
			w.wantOAuthError(w.refresh(tokens.Refresh), "invalid_grant")
			if entry := w.lastEntry("revoke"); entry.Outcome != "ok" || entry.Family == "" {
				t.Errorf("ledger has %+v", entry)
			}
		})
	}
	t.Run("unknown token", func(t *testing.T) {
		w := newWorld(t)
		w.post("/oauth/revoke", url.Values{"token": {"never-issued.token"}}).want(200)
	})
	t.Run("another client's token", func(t *testing.T) {
		w := newWorld(t)
		tokens := w.connect("ada", allScopes)
		w.call("POST", "/admin/clients", `{"id":"thief","secret":"s3cret","redirect_uris":[]}`).want(200)
		request := w.token("/oauth/revoke", url.Values{"token": {tokens.Refresh}})
		request.SetBasicAuth("thief", "s3cret")
		w.wantOAuthError(w.send(http.DefaultClient, request), "unauthorized_client")
		w.refresh(tokens.Refresh).pair()
	})
	t.Run("failing", func(t *testing.T) {
		w := newWorld(t)
		tokens := w.connect("ada", allScopes)
		w.set(`{"fail_revocations":{"count":1,"status":503,"retry_after":"7s"}}`)
		failed := w.post("/oauth/revoke", url.Values{"token": {tokens.Refresh}}).want(503)
		if failed.header.Get("Retry-After") != "7" {
			t.Errorf("Retry-After %q", failed.header.Get("Retry-After"))
		}
		w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
		w.post("/oauth/revoke", url.Values{"token": {tokens.Refresh}}).want(200)
		w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(401)
	})
}

func TestIntrospection(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	type answer struct {
		Active   bool   `json:"active"`
		Scope    string `json:"scope"`
		Username string `json:"username"`
		ClientID string `json:"client_id"`
		Expires  int64  `json:"exp"`
		Issuer   string `json:"iss"`
	}
	introspect := func(token string) (found answer) {
		w.post("/oauth/introspect", url.Values{"token": {token}}).want(200).into(&found)
		return found
	}
	now := w.clock.Now()
	want := answer{true, allScopes, "ada", "sandbox-client", now.Add(w.config.Settings.AccessTTL.Std()).Unix(), w.config.Issuer}
	if got := introspect(tokens.Access); got != want {
		t.Errorf("access token: %+v, want %+v", got, want)
	}
	want.Expires = now.Add(w.config.Settings.RefreshTTL.Std()).Unix()
	if got := introspect(tokens.Refresh); got != want {
		t.Errorf("refresh token: %+v, want %+v", got, want)
	}
	if got := introspect("never-issued.token"); got != (answer{}) {
		t.Errorf("unknown token: %+v", got)
	}
	w.post("/oauth/revoke", url.Values{"token": {tokens.Access}}).want(200)
	if got := introspect(tokens.Access); got != (answer{}) {
		t.Errorf("revoked token: %+v", got)
	}
	request := w.token("/oauth/introspect", url.Values{"token": {tokens.Access}})
	request.SetBasicAuth(w.secrets.ClientID, "wrong")
	w.send(http.DefaultClient, request).want(http.StatusUnauthorized)
}

func TestMetadata(t *testing.T) {
	w := newWorld(t)
	var metadata struct {
		Issuer        string   `json:"issuer"`
		Authorize     string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Revoke        string   `json:"revocation_endpoint"`
		Introspect    string   `json:"introspection_endpoint"`
		Challenges    []string `json:"code_challenge_methods_supported"`
		NamesItsIssue bool     `json:"authorization_response_iss_parameter_supported"`
	}
	w.call("GET", "/.well-known/oauth-authorization-server", "").want(200).into(&metadata)
	if metadata.Issuer != w.config.Issuer || !metadata.NamesItsIssue || len(metadata.Challenges) != 1 || metadata.Challenges[0] != "S256" {
		t.Errorf("metadata %+v", metadata)
	}
	for _, endpoint := range []string{metadata.Authorize, metadata.Token, metadata.Revoke, metadata.Introspect} {
		path := endpoint[len(w.config.Issuer):]
		if status := w.call("POST", path, "").status; status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			t.Errorf("%s answers %d", endpoint, status)
		}
	}
}
