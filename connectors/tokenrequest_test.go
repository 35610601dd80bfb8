package connectors

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"connectedapps/connection"
)

func TestTokenRequestsAsDeclared(t *testing.T) {
	tests := []struct {
		name, token string
		method      string
		query, form url.Values
		json        string
		raw         string
		headers     map[string]string
	}{
		{name: "form", token: `{url: "{+base_url}/token"}`, method: "POST",
			form: url.Values{"grant_type": {"client_credentials"}, "client_id": {"client-id"}, "client_secret": {"secret-of-client"}, "scope": {"a b"}}},
		{name: "GET", token: `{url: "{+base_url}/token?v=2", method: GET, remove: [scope]}`, method: "GET",
			query: url.Values{"v": {"2"}, "grant_type": {"client_credentials"}, "client_id": {"client-id"}, "client_secret": {"secret-of-client"}}},
		{name: "query", token: `{url: "{+base_url}/token", body: query, remove: [scope, client_id, client_secret]}`, method: "POST",
			query: url.Values{"grant_type": {"client_credentials"}}},
		{name: "json", token: `{url: "{+base_url}/token", body: json, remove: [scope]}`, method: "POST",
			json: `{"client_id":"client-id","client_secret":"secret-of-client","grant_type":"client_credentials"}`},
		{name: "xml", token: `{url: "{+base_url}/token", body: xml, remove: [scope, client_secret], params: {note: "a<b"}}`, method: "POST",
			raw: `<request><client_id>client-id</client_id><grant_type>client_credentials</grant_type><note>a&lt;b</note></request>`},
		{name: "grant, names and omissions", token: `{url: "{+base_url}/token", grant: account_credentials, rename: {client_id: app_id, client_secret: app_key}, remove: [scope]}`, method: "POST",
			form: url.Values{"grant_type": {"account_credentials"}, "app_id": {"client-id"}, "app_key": {"secret-of-client"}}},
		{name: "no grant type", token: `{url: "{+base_url}/token", remove: [grant_type, scope, client_id, client_secret]}`, method: "POST", form: url.Values{}},
		{name: "variables", token: `{url: "{+base_url}/token", remove: [scope, grant_type, client_id, client_secret],
        params: {id: "{client_id}", s: "{client_secret}", all: "{scopes}", at: "{token_url}", key: "{api_key}", pem: "{private_key}", stamp: "{stamp}", twice: "{twice}", none: "{optional}", none2: "x{token2}"},
        headers: {X-Key: "{api_key}", X-Sum: "{stamp}"}}`, method: "POST",
			form: url.Values{"id": {"client-id"}, "s": {"secret-of-client"}, "all": {"a b"}, "at": {"{url}/token"}, "key": {"the-api-key"}, "pem": {"the-private-key"},
				"stamp": {"the-api-key/acme"}, "twice": {"the-api-key/acme!"}}, headers: map[string]string{"X-Key": "the-api-key", "X-Sum": "the-api-key/acme"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, always(200, anyToken))
			m := fake(t, "oauth2-client-credentials", `    inputs:
      - {name: api_key, secret: true}
      - {name: account, secret: false}
      - {name: optional, optional: true, secret: false}
      - {name: token2, optional: true, secret: false}
    client_inputs: [{name: private_key, type: text, secret: true}]
    compute: [{name: stamp, value: 'api_key + "/" + account'}, {name: twice, value: 'stamp + "!"'}, {name: unused, value: 'parse_json(account).x'}]
    oauth:
      client_auth: post
      token: `+test.token+"\n")
			client := testClient
			client.Fields = secretsOf("private_key", "the-private-key")
			_, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: client, Scopes: []string{"a", "b"}, Values: at(s, "account", "acme"), Fields: secretsOf("api_key", "the-api-key")})
			if err != nil {
				t.Fatal(err)
			}
			got := s.got[0]
			for _, values := range test.form {
				values[0] = strings.Replace(values[0], "{url}", s.URL, 1)
			}
			if got.method != test.method || got.query.Encode() != test.query.Encode() || got.path != "/token" {
				t.Errorf("%s %s %v", got.method, got.path, got.query)
			}
			if test.form != nil && got.form.Encode() != test.form.Encode() {
				t.Errorf("%v, want %v", got.form, test.form)
			}
			if test.json != "" && (got.raw != test.json || got.header.Get("Content-Type") != "application/json") {
				t.Error(got.raw)
			}
			if test.raw != "" && (got.raw != test.raw || got.header.Get("Content-Type") != "application/xml") {
				t.Error(got.raw)
			}
			for name, want := range test.headers {
				if got.header.Get(name) != want {
					t.Errorf("%s: %q", name, got.header.Get(name))
				}
			}
		})
	}
}

func TestWhatGoesOutIsNotToldBack(t *testing.T) {
	s := serve(t, func(_ int, r received, w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		said, _ := json.Marshal(map[string]string{"error": "invalid_request", "error_description": r.form.Get("client_assertion") + " " + r.raw + " " + r.header.Get("X-Sum") + " " + r.header.Get("Authorization")})
		_, _ = w.Write(said)
	})
	for _, auth := range []string{"post", "basic", "secret-as-user", "client_secret_jwt"} {
		m := fake(t, "oauth2-client-credentials", `    inputs: [{name: api_key, secret: true}]
    client_inputs: [{name: private_key, secret: true}]
    compute: [{name: stamp, value: 'hex(sha256(api_key))'}]
    oauth:
      client_auth: `+auth+`
      token: {url: "{+base_url}/token", params: {key: "{api_key}", k: "{private_key}"}, headers: {X-Sum: "{stamp}"}, assertion: {algorithm: HS256, key: "{api_key}"}}
`)
		client := testClient
		client.Fields = secretsOf("private_key", "CANARY-private-key")
		_, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: client, Values: at(s), Fields: secretsOf("api_key", "CANARY-api-key")})
		text := problemOf(t, err).Error()
		for _, secret := range []string{"CANARY", "secret-of-client", "eyJ", "c2VjcmV0LW9mLWNsaWVudD"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s", auth, text)
			}
		}
		got := s.got[len(s.got)-1]
		if _, payload, ok := strings.Cut(got.form.Get("client_assertion"), "."); ok && strings.Contains(text, payload[20:60]) {
			t.Errorf("the assertion is told: %s", text)
		}
		if sum := got.header.Get("X-Sum"); len(sum) != 64 || strings.Contains(text, sum[:20]) {
			t.Errorf("%s: the computed value %q is told: %s", auth, sum, text)
		}
	}
}

func TestBadValuesStopBeforeTheRequest(t *testing.T) {
	s := serve(t, always(200, anyToken))
	m := fake(t, "oauth2-grant", `    inputs: [{name: key, secret: true}, {name: data, secret: false}]
    compute: [{name: picked, value: 'parse_json(data).x'}]
    oauth:
      client_auth: none
      token: {url: "{+base_url}/token", grant: custom, params: {p: "{picked}"}, headers: {X-Key: "{key}"}}
`)
	for name, in := range map[string]ObtainInput{
		"picked":     {Values: at(s, "data", "no JSON"), Fields: secretsOf("key", "k")},
		"line break": {Values: at(s, "data", `{"x":"1"}`), Fields: secretsOf("key", "CANARY\r\nX-Evil: 1")},
	} {
		_, err := m.Obtain(context.Background(), s.Client(), in)
		if p := problemOf(t, err); p.Type != connection.ErrInvalidInput || strings.Contains(p.Error(), "CANARY") || len(s.got) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMachineGrants(t *testing.T) {
	key := pkcs8(t, keys().rsa)
	tests := []struct {
		name, kind, oauth string
		form              url.Values
		headers           map[string]string
		assertion         string // the parameter that holds it
	}{
		{name: "JWT bearer", kind: "oauth2-jwt-bearer", oauth: `
      token: {url: "{+base_url}/token", assertion: {claims: {iss: "{client_email}", scope: "{scopes}", aud: "{token_url}"}, lifetime: 1h}, remove: [scope]}`,
			form: url.Values{"grant_type": {grantJWTBearer}}, assertion: "assertion"},
		{name: "renamed assertion", kind: "oauth2-grant", oauth: `
      token: {url: "{+base_url}/token", grant: "urn:x:token-exchange", assertion: {key: "{private_key}"}, rename: {assertion: subject_token}, params: {user: "{client_email}", password: "{password}"}, remove: [scope]}`,
			form: url.Values{"grant_type": {"urn:x:token-exchange"}, "user": {"robot@x.example"}, "password": {"the-password"}}, assertion: "subject_token"},
		{name: "assertion in a header", kind: "oauth2-grant", oauth: `
      token: {url: "{+base_url}/token", grant: none, assertion: {key: "{private_key}"}, headers: {Authorization: "Bearer {assertion}"}, remove: [assertion, grant_type, scope]}`,
			form: url.Values{}, headers: map[string]string{"Authorization": "Bearer ey"}},
		{name: "the client's inputs", kind: "oauth2-grant", oauth: `
      token: {url: "{+base_url}/token", grant: password, params: {username: "{client_email}"}, remove: [scope]}`,
			form: url.Values{"grant_type": {"password"}, "username": {"robot@x.example"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, always(200, anyToken))
			m := fake(t, test.kind, `    inputs:
      - {name: client_email, secret: false}
      - {name: private_key, type: text, optional: true, secret: true}
      - {name: password, optional: true, secret: true}
      - {name: client_id, optional: true, secret: false}
      - {name: client_secret, optional: true, secret: true}
    oauth:
      client_auth: post`+test.oauth+"\n")
			values, fields := at(s, "client_email", "robot@x.example"), secretsOf("private_key", key, "password", "the-password")
			if strings.Contains(test.name, "client's") {
				values["client_id"], fields["client_secret"] = "own-id", connection.NewSecret("own-secret")
				test.form.Set("client_id", "own-id")
				test.form.Set("client_secret", "own-secret")
			}
			in := ObtainInput{Scopes: []string{"x", "y"}, Values: values, Fields: fields}
			grant, err := m.Obtain(context.Background(), s.Client(), in)
			if err != nil || grant.Tokens[connection.DefaultToken].Access.Reveal() != "fresh-access" {
				t.Fatal(err)
			}
			// A new token is had by running it again.
			if _, err := m.Refresh(context.Background(), s.Client(), RefreshInput{Scopes: in.Scopes, Values: values, Previous: connection.Credential{Fields: fields}}); err != nil {
				t.Fatal(err)
			}
			if len(s.got) != 2 {
				t.Fatal(len(s.got))
			}
			for _, got := range s.got {
				if test.assertion != "" {
					token, err := jwt.Parse(got.form.Get(test.assertion), func(*jwt.Token) (any, error) { return keys().rsa.Public(), nil })
					if err != nil {
						t.Fatal(err)
					}
					if claims := token.Claims.(jwt.MapClaims); test.kind == "oauth2-jwt-bearer" && (claims["iss"] != "robot@x.example" || claims["scope"] != "x y" || claims["aud"] != s.URL+"/token") {
						t.Errorf("%v", claims)
					}
					got.form.Del(test.assertion)
				}
				if got.form.Encode() != test.form.Encode() {
					t.Errorf("%v, want %v", got.form, test.form)
				}
				for name, want := range test.headers {
					if !strings.HasPrefix(got.header.Get(name), want) {
						t.Errorf("%s: %q", name, got.header.Get(name))
					}
				}
			}
		})
	}
}

func TestRefusedMachinesBlameWhoIsToBlame(t *testing.T) {
	for _, test := range []struct{ kind, client, want string }{
		{"oauth2-client-credentials", "required", connection.ErrClientMisconfigured},
		{"oauth2-grant", "none", connection.ErrReconnectRequired},
		{"oauth2-jwt-bearer", "none", connection.ErrReconnectRequired},
	} {
		for status, code := range map[int]string{400: "invalid_grant", 401: "invalid_client"} {
			s := serve(t, always(status, fmt.Sprintf(`{"error":%q}`, code)))
			m := fake(t, test.kind, `    client: `+test.client+`
    oauth: {client_auth: none, token: {url: "{+base_url}/token", grant: password`+map[bool]string{true: `, assertion: {algorithm: HS256, key: k}`}[test.kind == "oauth2-jwt-bearer"]+`}}
`)
			if _, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Values: at(s)}); problemOf(t, err).Type != test.want {
				t.Errorf("%+v %s: %v", test, code, err)
			}
		}
	}
}

func TestPlacesBesideTheBody(t *testing.T) {
	token := jwtOf(`{"exp":2000000000,"tid":"tenant-7","sub":"u1","name":"Ada"}`)
	s := serve(t, func(_ int, _ received, w http.ResponseWriter) {
		w.Header().Set("X-Token", token)
		w.Header().Set("Date", "Wed, 18 May 2033 03:00:00 GMT")
		w.Header().Add("Set-Cookie", "session=old")
		w.Header().Add("Set-Cookie", "session=the-cookie; Path=/; HttpOnly")
		_, _ = io.WriteString(w, `{"id_token":"`+token+`","site":"eu"}`)
	})
	m := fake(t, "oauth2-client-credentials", `    oauth:
      client_auth: post
      token: {url: "{+base_url}/token"}
      answer:
        tokens: {default: {access: "header:X-Token", refresh: "cookie:session", expires_form: jwt}}
        claims: {values: {tenant: tid}, identity: {account: sub, label: name, tenant: tid}}
        values: {site: site, cookie: "cookie:session", none: "header:X-None"}
`)
	grant, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: testClient, Values: at(s)})
	if err != nil {
		t.Fatal(err)
	}
	got := grant.Tokens[connection.DefaultToken]
	if got.Access.Reveal() != token || got.Refresh.Reveal() != "the-cookie" || got.Lifetime.Seconds() != 2000 {
		t.Errorf("%q %q %v", got.Access.Reveal(), got.Refresh.Reveal(), got.Lifetime)
	}
	if fmt.Sprint(grant.Values) != "map[cookie:the-cookie site:eu tenant:tenant-7]" || grant.Identity != (connection.Identity{Account: "u1", Label: "Ada", Tenant: "tenant-7"}) {
		t.Errorf("%v %v", grant.Values, grant.Identity)
	}
}

// jwtOf is a token with these claims that nobody signed.
func jwtOf(claims string) string {
	return encode(`{"alg":"none"}`) + "." + encode(claims) + "." + encode("x")
}
