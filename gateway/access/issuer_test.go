package access

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"

	"github.com/golang-jwt/jwt/v5"
)

// issuer is an OpenID provider that says whatever a test wants. That sign-in works
// with a real one is shown in module conformance.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
	mu  sync.Mutex
	// away answers everything with 500.
	away bool
	// metadata is added to the discovery document.
	metadata map[string]any
	// claims are those of the next ID token, signed by sign.
	claims jwt.MapClaims
	sign   func(jwt.MapClaims) string
	// asked are the requests to the token endpoint.
	asked []url.Values
	users []string
	// refusal is answered by the token endpoint instead, if not "".
	refusal string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, metadata: map[string]any{}}
	i.sign = i.signed
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer := map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
			"jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}}
		for name, value := range i.metadata {
			answer[name] = value
		}
		answerJSON(w, 200, answer)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, 200, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
			"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes())}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		i.asked = append(i.asked, r.PostForm)
		user, _, _ := r.BasicAuth()
		i.users = append(i.users, user)
		if i.refusal != "" {
			answerJSON(w, 400, map[string]string{"error": i.refusal, "error_description": "CANARY"})
			return
		}
		answerJSON(w, 200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.sign(i.claims)})
	})
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.away {
			w.WriteHeader(500)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (i *issuer) signed(claims jwt.MapClaims) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "1"
	text, _ := token.SignedString(i.key)
	return text
}

// says is good claims for an audience, with others over them; nil removes one.
func (i *issuer) says(audience any, over map[string]any) jwt.MapClaims {
	claims := jwt.MapClaims{"iss": i.URL, "sub": "u1", "aud": audience, "name": "Ada", "groups": []string{"sre"},
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range over {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func (i *issuer) provider(t *testing.T, change ...func(*ProviderOptions)) *Provider {
	t.Helper()
	options := ProviderOptions{Issuer: i.URL, ClientID: "gateway", ClientSecret: connection.NewSecret("hush"), Audience: testSite, HTTP: i.Client(),
		Rules: Rules{{"sre", "production", Admin}, {"dev", "development", Operator}}, Scopes: []string{"groups", "email"}}
	for _, f := range change {
		f(&options)
	}
	p, err := NewProvider(options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
