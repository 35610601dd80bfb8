package sandbox_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
)

func newKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	return key, string(public)
}

func signJWT(t *testing.T, key *rsa.PrivateKey, claims jwt.Claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims are good for the token endpoint: the library goes by the system's clock.
func (w *world) claims(issuer, subject string) jwt.Claims {
	now := time.Now()
	return jwt.Claims{Issuer: issuer, Subject: subject, Audience: jwt.Audience{w.config.Issuer + "/oauth/token"}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}
}

func (w *world) form(path string, form url.Values) reply {
	w.t.Helper()
	request := w.token(path, form)
	request.Header.Del("Authorization")
	return w.send(http.DefaultClient, request)
}

func TestJWTBearer(t *testing.T) {
	w := newWorld(t)
	key, public := newKey(t)
	other, _ := newKey(t)
	w.call("POST", "/admin/service-keys", `{"issuer":"robot","subject":"ada","key_id":"k1","jwk":`+public+`,"scopes":["contacts.read"]}`).want(200)
	ask := func(assertion, scope string) reply {
		return w.form("/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}, "scope": {scope}})
	}
	assertion := signJWT(t, key, w.claims("robot", "ada"))
	tokens := ask(assertion, "contacts.read").pair()
	if me := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200); me.field("id") != "ada" || me.field("client") != "service:robot" {
		t.Errorf("%s", me.body)
	}
	w.wantOAuthError(ask(assertion, "contacts.read"), "jti_known")
	w.wantOAuthError(ask(signJWT(t, key, w.claims("robot", "ada")), "contacts.write"), "invalid_scope")
	w.wantOAuthError(ask(signJWT(t, other, w.claims("robot", "ada")), ""), "invalid_grant")
	w.wantOAuthError(ask(signJWT(t, key, w.claims("robot", "grace")), ""), "invalid_grant")
	w.wantOAuthError(ask(signJWT(t, key, w.claims("another", "ada")), ""), "invalid_grant")
	elsewhere := w.claims("robot", "ada")
	elsewhere.Audience = jwt.Audience{"https://elsewhere.test/token"}
	w.wantOAuthError(ask(signJWT(t, key, elsewhere), ""), "invalid_grant")
	expired := w.claims("robot", "ada")
	expired.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Minute))
	w.wantOAuthError(ask(signJWT(t, key, expired), ""), "invalid_grant")

	// A token revokes itself and no other.
	next := ask(signJWT(t, key, w.claims("robot", "ada")), "").pair()
	revoke := func(by, token string) reply {
		request := w.token("/oauth/revoke", url.Values{"token": {token}})
		request.Header.Set("Authorization", "Bearer "+by)
		return w.send(http.DefaultClient, request)
	}
	w.wantOAuthError(revoke(next.Access, tokens.Access), "invalid_request")
	revoke(next.Access, next.Access).want(200)
	w.call("GET", "/api/v1/me", "", bearer(next.Access)...).want(401)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)

	w.call("DELETE", "/admin/service-keys?issuer=robot&subject=ada&key_id=k1", "").want(200)
	w.wantOAuthError(ask(signJWT(t, key, w.claims("robot", "ada")), ""), "invalid_grant")
	private, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.call("POST", "/admin/service-keys", `{"issuer":"robot","subject":"ada","key_id":"k1","jwk":`+string(private)+`}`).want(400)
}

func TestPrivateKeyJWT(t *testing.T) {
	w := newWorld(t)
	key, public := newKey(t)
	other, _ := newKey(t)
	w.call("POST", "/admin/clients", `{"id":"signer","redirect_uris":[],"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[`+public+`]}}`).want(200)
	ask := func(assertion string, further ...string) *http.Request {
		form := url.Values{"grant_type": {"client_credentials"}, "client_assertion": {assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
		for i := 0; i+1 < len(further); i += 2 {
			form.Set(further[i], further[i+1])
		}
		request := w.token("/oauth/token", form)
		request.Header.Del("Authorization")
		return request
	}
	send := func(request *http.Request) reply { return w.send(http.DefaultClient, request) }
	assertion := signJWT(t, key, w.claims("signer", "signer"))
	tokens := send(ask(assertion)).pair()
	if me := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200); me.field("id") != "client:signer" {
		t.Errorf("%s", me.body)
	}
	w.wantOAuthError(send(ask(assertion)), "jti_known")
	w.wantOAuthError(send(ask(signJWT(t, other, w.claims("signer", "signer")))), "invalid_client")
	w.wantOAuthError(send(ask(signJWT(t, key, w.claims("signer", "other")))), "invalid_client")
	w.wantOAuthError(send(ask(signJWT(t, key, w.claims("signer", "signer")), "client_secret", "x")), "invalid_request")
	twice := ask(signJWT(t, key, w.claims("signer", "signer")))
	twice.SetBasicAuth("sandbox-client", "x")
	w.wantOAuthError(send(twice), "invalid_request")
	w.wantOAuthError(w.form("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"signer"}}), "invalid_client")
	w.wantOAuthError(w.form("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"signer"}, "client_secret": {"x"}}), "invalid_client")
	w.call("POST", "/admin/clients", `{"id":"keyless","redirect_uris":[],"token_endpoint_auth_method":"private_key_jwt"}`).want(400)
}
