package connectors

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"

	"connectedapps/connection"
)

func exchange(m *Method, s *authServer, callback map[string]string) (*Grant, error) {
	return m.ExchangeCode(context.Background(), s.Client(), ExchangeInput{Client: testClient, RedirectURI: "https://gw.example/cb",
		Code: connection.NewSecret("the-code"), Verifier: connection.NewSecret("the-verifier"), Values: at(s), Callback: callback})
}

func TestThen(t *testing.T) {
	m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      then:
        - {url: "{+base_url}/long", method: GET, grant: ig_exchange_token, params: {access_token: "{token}"}, remove: [client_id]}
        - {body: json, params: {again: "{token}", id: "{user}"}, headers: {X-Token: "{token}"}, rename: {client_id: app}}
      answer: {values: {user: user_id}, identity: {account: user_id, tenant: team}}
`)
	s := serve(t, inTurn(`{"access_token":"short-lived","user_id":"u1","team":"t1"}`, `{"access_token":"longer-lived"}`, `{"access_token":"last","expires_in":60,"token_type":"bearer"}`))
	grant, err := exchange(m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := grant.Tokens[connection.DefaultToken]; got.Access.Reveal() != "last" || got.Lifetime.Seconds() != 60 || grant.Identity != (connection.Identity{Account: "u1", Tenant: "t1"}) || grant.Values["user"] != "u1" {
		t.Errorf("%+v %+v", got, grant)
	}
	second, third := s.got[1], s.got[2]
	if want := (url.Values{"grant_type": {"ig_exchange_token"}, "access_token": {"short-lived"}, "client_secret": {"secret-of-client"}}); second.method != "GET" || second.path != "/long" || second.query.Encode() != want.Encode() || second.raw != "" {
		t.Errorf("%+v", second)
	}
	if third.path != "/token" || third.header.Get("X-Token") != "longer-lived" || third.raw != `{"again":"longer-lived","app":"client-id","client_secret":"secret-of-client","id":"u1"}` {
		t.Errorf("%+v", third)
	}
	for _, answers := range [][]string{{`{"access_token":"a","user_id":"u1"}`, "revoked"}, {`{"access_token":"a","user_id":"u1"}`, `{"access_token":"b"}`, "503"}} {
		s := serve(t, inTurn(answers...))
		if grant, err := exchange(m, s, nil); err == nil || grant != nil || len(s.got) != len(answers) {
			t.Errorf("%v: %v %v", answers, grant, err)
		}
	}
}

func TestCallbackValues(t *testing.T) {
	m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      code_parameter: spapi_code
      callback: {site: {parameter: dc, pattern: "(eu|us)[0-9]"}, realm: realmId}
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/{site}/token", params: {realm: "{realm}"}}
`)
	s := serve(t, always(200, anyToken))
	in := ExchangeInput{Client: testClient, Verifier: connection.NewSecret("v"), Values: at(s), Callback: map[string]string{"dc": "eu1", "realmId": "77", "spapi_code": "the-code", "code": "another"}}
	grant, err := m.ExchangeCode(context.Background(), s.Client(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.got[0]; got.path != "/eu1/token" || got.form.Get("code") != "the-code" || got.form.Get("realm") != "77" || fmt.Sprint(grant.Values) != "map[realm:77 site:eu1]" {
		t.Errorf("%+v %v", got, grant.Values)
	}
	for _, site := range []string{"eu1.evil.example", "evil", "eu1\n", "EU1", "eu12", "../eu1"} {
		in.Callback = map[string]string{"dc": site, "spapi_code": "c"}
		if _, err := m.ExchangeCode(context.Background(), s.Client(), in); problemOf(t, err).Type != connection.ErrAuthorizationFailed {
			t.Errorf("%q: %v", site, err)
		}
	}
	in.Callback = map[string]string{"dc": "eu1"}
	if _, err := m.ExchangeCode(context.Background(), s.Client(), in); problemOf(t, err).Type != connection.ErrAuthorizationFailed {
		t.Errorf("no code: %v", err)
	}
	if len(s.got) != 1 {
		t.Error("something was sent for a callback that is refused")
	}
}

func TestInstallationWithoutCode(t *testing.T) {
	m := fake(t, "oauth2-code", `    client_inputs: [{name: app_key, type: text, secret: true}]
    oauth:
      client_auth: none
      code_parameter: "-"
      callback: {installation: {parameter: installation_id, pattern: "[0-9]+"}}
      authorize: {url: "{+base_url}/install", remove: [response_type, client_id, redirect_uri], pkce_off: true}
      token:
        url: "{+base_url}/installations/{installation}/token"
        assertion: {key: "{app_key}", claims: {iss: "{client_id}"}}
        headers: {Authorization: "Bearer {assertion}"}
        remove: [assertion, grant_type, client_id]
      refresh: {with: grant}
      answer: {tokens: {default: {access: token, expires: expires_at, expires_form: iso}}}
`)
	s := serve(t, always(201, `{"token":"installation-token","expires_at":"2099-01-01T00:00:00Z"}`))
	client := Client{ID: "app-1", Fields: secretsOf("app_key", pkcs8(t, keys().rsa))}
	grant, err := m.ExchangeCode(context.Background(), s.Client(), ExchangeInput{Client: client, Values: at(s), Callback: map[string]string{"installation_id": "42"}})
	if err != nil || grant.Values["installation"] != "42" {
		t.Fatal(err, grant)
	}
	previous := connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("old")}}}
	if !m.Renewable(previous) {
		t.Error("it is not renewable")
	}
	if _, err := m.Refresh(context.Background(), s.Client(), RefreshInput{Client: client, Values: at(s, "installation", "42"), Previous: previous}); err != nil {
		t.Fatal(err)
	}
	for _, got := range s.got {
		if got.path != "/installations/42/token" || got.raw != "" || !strings.HasPrefix(got.header.Get("Authorization"), "Bearer ey") {
			t.Errorf("%+v", got)
		}
	}
	if len(s.got) != 2 {
		t.Error(len(s.got))
	}
}

func TestCallbackSignature(t *testing.T) {
	m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      callback_hmac: {parameter: hmac}
      callback: {shop: {parameter: shop, pattern: "[a-z]+"}}
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
`)
	// Worked out by hand, as the provider documents it.
	message := "code=the-code&host=YWI%25&shop=acme&state=s1&timestamp=1337178173"
	mac := hmac.New(sha256.New, []byte("secret-of-client"))
	mac.Write([]byte(message))
	good := map[string]string{"shop": "acme", "timestamp": "1337178173", "state": "s1", "host": "YWI%", "hmac": hex.EncodeToString(mac.Sum(nil))}
	s := serve(t, always(200, anyToken))
	if _, err := exchange(m, s, good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(map[string]string){
		"another shop": func(q map[string]string) { q["shop"] = "evil" }, "no signature": func(q map[string]string) { delete(q, "hmac") },
		"one more": func(q map[string]string) { q["x"] = "y" }, "one less": func(q map[string]string) { delete(q, "timestamp") },
		"another code": func(q map[string]string) { q["code"] = "other" }, "no hex": func(q map[string]string) { q["hmac"] = "zz" }, "empty": func(q map[string]string) { q["hmac"] = "" },
	} {
		query := maps.Clone(good)
		spoil(query)
		if _, err := exchange(m, s, query); problemOf(t, err).Type != connection.ErrAuthorizationFailed {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A client without a secret cannot check anything, and an empty key is everybody's.
	mac = hmac.New(sha256.New, nil)
	mac.Write([]byte(message))
	forged := maps.Clone(good)
	forged["hmac"] = hex.EncodeToString(mac.Sum(nil))
	_, err := m.ExchangeCode(context.Background(), s.Client(), ExchangeInput{Client: Client{ID: "c"}, Code: connection.NewSecret("the-code"), Values: at(s), Callback: forged})
	if problemOf(t, err).Type != connection.ErrAuthorizationFailed {
		t.Error(err)
	}
	if len(s.got) != 1 {
		t.Errorf("asked %d times", len(s.got))
	}
}

func TestAuthorizeAsDeclared(t *testing.T) {
	m := fake(t, "oauth2-code", `    compute: [{name: nonce, value: '"n-" + base_url.split("//")[1]'}]
    oauth:
      client_auth: post
      scopes: {default: [chat], separator: ",", parameters: {user_scope: [search, files]}}
      authorize:
        url: "{+base_url}/authorize?fixed=1"
        params: {back: "{redirect_uri}", all: "{scopes}", code_challenge: own}
        rename: {client_id: client_key, scope: perms}
        remove: [response_type, code_challenge_method]
      token: {url: "{+base_url}/token"}
`)
	m.OAuth.Authorize.Params["nonce"] = "{nonce}"
	m.OAuth.Authorize.Params["secret"] = "x{client_secret}"
	in := AuthorizeInput{Client: testClient, RedirectURI: "https://gw.example/cb", Scopes: []string{"chat", "files", "search"}, Challenge: "ch", Values: map[string]string{"base_url": "https://x.example"}}
	text, err := m.Authorize(in)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"fixed": {"1"}, "client_key": {"client-id"}, "redirect_uri": {"https://gw.example/cb"}, "back": {"https://gw.example/cb"}, "nonce": {"n-x.example"},
		"perms": {"chat"}, "user_scope": {"files,search"}, "all": {"chat,files,search"}, "code_challenge": {"own"}}
	if u, err := url.Parse(text); err != nil || u.Query().Encode() != want.Encode() || u.Path != "/authorize" {
		t.Errorf("%v %s", err, text)
	}
	for range 20 {
		if again, _ := m.Authorize(in); again != text {
			t.Fatalf("%s\n%s", text, again)
		}
	}
	m.OAuth.Authorize.Fragment = true
	if text, err = m.Authorize(in); err != nil || !strings.HasPrefix(text, "https://x.example/authorize?fixed=1#all=") {
		t.Error(text, err)
	}
}
