package connectors

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"connectedapps/connection"
)

const anyToken = `{"access_token":"fresh-access","token_type":"Bearer","expires_in":3600}`

// machine is a client credentials method with a client authentication.
func machine(t *testing.T, oauth string) *Method {
	return fake(t, "oauth2-client-credentials", `    client_inputs:
      - {name: private_key, type: text, optional: true, secret: true}
      - {name: certificate, type: text, optional: true, secret: false}
    oauth:
      token: {url: "{+base_url}/token"}
      revoke: {url: "{+base_url}/revoke"}
`+oauth)
}

func TestClientAuthenticationIsOneOfMany(t *testing.T) {
	rsaKey := pkcs8(t, keys().rsa)
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	tests := []struct {
		name, oauth   string
		authorization string
		id, secret    string
		signedWith    any
		claims        map[string]any
	}{
		{name: "basic", oauth: `      client_auth: basic`, authorization: basic("client-id:secret-of-client")},
		{name: "post", oauth: `      client_auth: post`, id: "client-id", secret: "secret-of-client"},
		{name: "none", oauth: `      client_auth: none`, id: "client-id"},
		{name: "secret as user", oauth: `      client_auth: secret-as-user`, authorization: basic("secret-of-client:")},
		{name: "private key", oauth: `      client_auth: private_key_jwt`, id: "client-id", signedWith: keys().rsa.Public(),
			claims: map[string]any{"iss": "client-id", "sub": "client-id", "aud": "{url}/token"}},
		{name: "private key, declared", oauth: "      client_auth: private_key_jwt\n      client_assertion: {algorithm: PS256, key: \"{private_key}\", key_id: k1, claims: {aud: \"{+x}\", sub: null}, lifetime: 2m}",
			id: "client-id", signedWith: keys().rsa.Public(), claims: map[string]any{"iss": "client-id", "sub": nil}},
		{name: "secret JWT", oauth: `      client_auth: client_secret_jwt`, id: "client-id", signedWith: []byte("secret-of-client"),
			claims: map[string]any{"iss": "client-id", "aud": "{url}/token"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			oauth := strings.Replace(test.oauth, `{+x}`, `{token_url}`, 1)
			s := serve(t, always(200, anyToken))
			m := machine(t, oauth)
			client := Client{ID: "client-id", Secret: connection.NewSecret("secret-of-client"), Fields: secretsOf("private_key", rsaKey)}
			if _, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: client, Values: at(s)}); err != nil {
				t.Fatal(err)
			}
			credential := connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("a")}}}
			if offered, err := m.Revoke(context.Background(), s.Client(), RevokeInput{Client: client, Credential: credential, Values: at(s)}); err != nil || !offered {
				t.Fatal(offered, err)
			}
			for _, got := range s.got {
				if got.header.Get("Authorization") != test.authorization || got.form.Get("client_id") != test.id || got.form.Get("client_secret") != test.secret {
					t.Errorf("%s: %q %v", got.path, got.header.Get("Authorization"), got.form)
				}
				assertion := got.form.Get("client_assertion")
				if (assertion != "") != (test.signedWith != nil) || assertion != "" && got.form.Get("client_assertion_type") != assertionType {
					t.Fatalf("assertion %v", got.form)
				}
				if test.signedWith == nil {
					continue
				}
				token, err := jwt.Parse(assertion, func(*jwt.Token) (any, error) { return test.signedWith, nil }, jwt.WithExpirationRequired(), jwt.WithIssuedAt())
				if err != nil {
					t.Fatal(err)
				}
				claims := token.Claims.(jwt.MapClaims)
				for name, want := range test.claims {
					if text, ok := want.(string); ok {
						want = strings.Replace(text, "{url}", s.URL, 1)
					}
					if claims[name] != want {
						t.Errorf("%s is %v, want %v", name, claims[name], want)
					}
				}
				if claims["jti"] == nil || claims["jti"] == "" {
					t.Error("no jti")
				}
			}
			if len(s.got) != 2 {
				t.Errorf("asked %d times", len(s.got))
			}
		})
	}
}

func TestAssertionLifetime(t *testing.T) {
	j := JWT{Algorithm: "HS256", Key: "{k}", KeyID: "id of {k2}", Lifetime: time.Hour, Header: map[string]any{"x": "{k2}", "typ": nil},
		Claims: map[string]any{"n": 7, "list": []any{"{k2}", "{missing}"}, "gone": "{missing}", "jti": nil, "deep": map[string]any{"a": "b{k2}"}}}
	values := map[string]string{"k": "shared-secret", "k2": "two"}
	signed, err := j.sign(from(values), map[string]any{"iss": "me"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Parse(signed, func(*jwt.Token) (any, error) { return []byte("shared-secret"), nil })
	if err != nil {
		t.Fatal(err)
	}
	claims := token.Claims.(jwt.MapClaims)
	life := claims["exp"].(float64) - claims["iat"].(float64)
	ahead := claims["exp"].(float64) - float64(time.Now().Unix())
	if life != 3630 || ahead < 3590 || ahead > 3600 || claims["n"] != 7.0 || claims["gone"] != nil || claims["jti"] != nil || claims["iss"] != "me" ||
		claims["deep"].(map[string]any)["a"] != "btwo" || len(claims["list"].([]any)) != 1 {
		t.Errorf("%v", claims)
	}
	if token.Header["kid"] != "id of two" || token.Header["x"] != "two" || token.Header["typ"] != nil {
		t.Errorf("%v", token.Header)
	}
}

func TestSignatures(t *testing.T) {
	k := keys()
	for _, test := range []struct {
		algorithm string
		private   any
		public    any
	}{
		{"RS256", k.rsa, k.rsa.Public()}, {"RS384", k.rsa, k.rsa.Public()}, {"RS512", k.rsa, k.rsa.Public()}, {"PS256", k.rsa, k.rsa.Public()},
		{"ES256", k.p256, k.p256.Public()}, {"ES384", k.p384, k.p384.Public()}, {"EdDSA", k.ed25519, k.ed25519.Public()},
	} {
		j := JWT{Algorithm: test.algorithm, Key: "{key}"}
		signed, err := j.sign(from(map[string]string{"key": pkcs8(t, test.private)}), nil)
		if err != nil {
			t.Errorf("%s: %v", test.algorithm, err)
			continue
		}
		if _, err := jwt.Parse(signed, func(*jwt.Token) (any, error) { return test.public, nil }, jwt.WithValidMethods([]string{test.algorithm})); err != nil {
			t.Errorf("%s: %v", test.algorithm, err)
		}
	}
}

func TestCertificate(t *testing.T) {
	certificate, key := clientCertificate(t, "our client")
	s := serveTLS(t, always(200, anyToken))
	m := machine(t, `      client_auth: tls
      tls: {certificate: "{certificate}", key: "{private_key}", api: true}`)
	client := Client{ID: "client-id", Secret: connection.NewSecret("never sent"), Fields: secretsOf("private_key", key)}
	values := at(s, "certificate", strings.ReplaceAll(certificate, "\n", " ")) // as a single-line field keeps it
	if _, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: client, Values: values}); err != nil {
		t.Fatal(err)
	}
	got := s.got[0]
	if len(got.peers) != 1 || got.peers[0].Subject.CommonName != "our client" || got.form.Get("client_id") != "client-id" || strings.Contains(got.raw, "never") || got.header.Get("Authorization") != "" {
		t.Errorf("%+v", got)
	}
	hc, err := m.clientFor(s.Client(), m.variables(client, values, nil).lookup)
	if err != nil {
		t.Fatal(err)
	}
	response, err := hc.Get(s.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if len(s.got[1].peers) != 1 {
		t.Error("the API was asked without the certificate")
	}
	if _, err := s.Client().Get(s.URL); err == nil {
		t.Error("the server lets everybody in")
	}
	client.Fields = secretsOf("private_key", pkcs8(t, keys().rsa))
	_, err = m.Obtain(context.Background(), s.Client(), ObtainInput{Client: client, Values: values})
	if p := problemOf(t, err); p.Type != connection.ErrInvalidInput || p.Field != "certificate" || len(s.got) != 2 {
		t.Error(err)
	}
	// A transport that cannot carry a certificate sends nothing at all.
	client.Fields = secretsOf("private_key", key)
	p := answering(200, anyToken)
	if _, err := m.Obtain(context.Background(), p.client(), ObtainInput{Client: client, Values: values}); err == nil || len(p.asked) > 0 {
		t.Error(err, p.asked)
	}
}

func TestBrokenKeysAreNamedAndNotShown(t *testing.T) {
	whole := pkcs8(t, keys().rsa)
	m := machine(t, `      client_auth: private_key_jwt`)
	s := serve(t, always(200, anyToken))
	for name, key := range map[string]string{
		"no PEM": "CANARY-not-a-key", "cut": whole[:400], "another kind": pkcs8(t, keys().p256), "public": strings.ReplaceAll(whole, "PRIVATE", "PUBLIC"),
		"missing": "", "encrypted": strings.ReplaceAll(whole, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "damaged": strings.Replace(whole, "MII", "AAA", 1),
	} {
		_, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: Client{ID: "c", Fields: secretsOf("private_key", key)}, Values: at(s)})
		p := problemOf(t, err)
		if p.Type != connection.ErrInvalidInput || p.Field != "private_key" || strings.Contains(p.Error(), "CANARY") || strings.Contains(p.Error(), "MII") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.got) > 0 {
		t.Error("something was sent")
	}
	for _, fit := range []string{strings.ReplaceAll(whole, "\n", `\n`), strings.ReplaceAll(whole, "\n", " "), "Bag Attributes\n" + whole} {
		if _, err := privateKey(fit); err != nil {
			t.Errorf("%.40q: %v", fit, err)
		}
	}
}

func TestClientAuthIsNeverGuessed(t *testing.T) {
	// A refusal of the client is not answered by trying another way.
	for _, auth := range []string{"basic", "post", "secret-as-user"} {
		s := serve(t, always(http.StatusUnauthorized, `{"error":"invalid_client"}`))
		_, err := machine(t, "      client_auth: "+auth).Obtain(context.Background(), s.Client(), ObtainInput{Client: testClient, Values: at(s)})
		if problemOf(t, err).Type != connection.ErrClientMisconfigured || len(s.got) != 1 {
			t.Errorf("%s: %v, asked %d times", auth, err, len(s.got))
		}
	}
	s := serve(t, always(200, anyToken))
	if _, err := machine(t, "      client_auth: secret-as-user").Obtain(context.Background(), s.Client(), ObtainInput{Client: Client{ID: "c"}, Values: at(s)}); problemOf(t, err).Type != connection.ErrInvalidInput || len(s.got) > 0 {
		t.Error(err)
	}
}
