package connectors

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// odd is an app with every oddity a request can have.
const odd = `id: odd
name: Odd
base_url: https://api.odd.example
probe: {path: /me}
auth:
  - id: oauth
    kind: oauth2-code
    client_inputs:
      - {name: tenant, secret: false}
    oauth:
      issuer: "https://{tenant}.odd.example"
      client_auth: post
      callback: {realm: realmId}
      scopes: {separator: ",", parameter: user_scope, default: [base]}
      authorize:
        url: "https://{tenant}.odd.example/authorize?fixed=1"
        params: {audience: "api-{tenant}"}
      token:
        url: "https://{tenant}.odd.example/token"
        params: {audience: "api-{tenant}"}
        headers: {X-Version: "2"}
        body: json
      refresh:
        url: "https://{tenant}.odd.example/refresh"
        params: {extra: "yes"}
        send_scopes: true
        rotation: grace
        replay: never
        margin: 90s
        default_lifetime: 2h
        lifetime: 720h
        idle: 24h
      answer:
        tokens:
          default: {access: data.token, refresh: data.renew, expires: data.until, expires_form: epoch-ms, scope: data.rights, refresh_expires: data.renew_seconds}
        error: fault.code
        values: {instance: data.instance_url}
        identity: {account: data.account.id, label: data.account.name}
  - id: public
    kind: oauth2-code
    oauth:
      client_auth: none
      authorize: {url: "https://odd.example/authorize", pkce_off: true}
      token: {url: "https://odd.example/token"}
actions: []
`

func oddMethod(t *testing.T, id string) *Method {
	t.Helper()
	apps, defects := ValidateDir(write(t, t.TempDir(), "odd.yaml", odd))
	if len(defects) > 0 {
		t.Fatal(defects)
	}
	m, err := apps[0].Method(id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAuthorize(t *testing.T) {
	m := oddMethod(t, "oauth")
	in := AuthorizeInput{Client: testClient, RedirectURI: "https://gw.example/cb?x=1", Scopes: []string{"a", "b"}, Challenge: "challenge", Values: map[string]string{"tenant": "acme"}}
	text, err := m.Authorize(in)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"fixed": {"1"}, "response_type": {"code"}, "client_id": {"client-id"}, "redirect_uri": {"https://gw.example/cb?x=1"}, "user_scope": {"a,b"},
		"code_challenge": {"challenge"}, "code_challenge_method": {"S256"}, "audience": {"api-acme"}}
	if u.Host != "acme.odd.example" || u.Query().Encode() != want.Encode() || strings.Contains(text, "secret-of-client") {
		t.Error(text)
	}
	if m.Issuer(in.Values) != "https://acme.odd.example" || m.Issuer(nil) != "" {
		t.Error(m.Issuer(in.Values))
	}
	for _, spoil := range []func(*AuthorizeInput){
		func(in *AuthorizeInput) { in.Values = nil }, func(in *AuthorizeInput) { in.Client.ID = "" }, func(in *AuthorizeInput) { in.Challenge = "" },
		func(in *AuthorizeInput) { in.Values = map[string]string{"tenant": "evil.example/"} },
	} {
		wrong := in
		spoil(&wrong)
		if _, err := m.Authorize(wrong); problemOf(t, err).Type != connection.ErrInvalidInput {
			t.Error(err)
		}
	}
	plain, err := oddMethod(t, "public").Authorize(AuthorizeInput{Client: testClient})
	if err != nil || strings.Contains(plain, "code_challenge") {
		t.Error(plain, err)
	}
	if _, err := methodOf(t, "sandbox", "api-key").Authorize(in); problemOf(t, err).Type != connection.ErrAuthKindNotOffered {
		t.Error(err)
	}
	gitea := methodOf(t, "gitea", "oauth")
	for base, want := range map[string]bool{"https://git.example": true, "http://127.0.0.1:3000": true, "http://localhost:3000": true, "http://git.example": false} {
		_, err := gitea.Authorize(AuthorizeInput{Client: testClient, Challenge: "c", Values: map[string]string{"base_url": base}})
		if (err == nil) != want {
			t.Errorf("%s: %v", base, err)
		}
	}
	if _, err := gitea.Authorize(AuthorizeInput{Client: testClient, Challenge: "c", AllowHTTP: true, Values: map[string]string{"base_url": "http://git.example"}}); err != nil {
		t.Error(err)
	}
}

func TestOddRequestsAndAnswers(t *testing.T) {
	m := oddMethod(t, "oauth")
	until := time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC).UnixMilli()
	body := fmt.Sprintf(`{"data":{"token":"t1","renew":"r1","until":%d,"rights":["x"],"renew_seconds":86400,"instance_url":"https://i.example","account":{"id":42,"name":"Ada"}}}`, until)
	p := answering(201, body)
	values := map[string]string{"tenant": "acme"}
	grant, err := m.ExchangeCode(context.Background(), p.client(), ExchangeInput{Client: testClient, RedirectURI: "https://gw.example/cb",
		Code: connection.NewSecret("the-code"), Verifier: connection.NewSecret("the-verifier"), Values: values, Callback: map[string]string{"realmId": "77", "other": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]string
	if err := json.Unmarshal([]byte(p.bodies[0]), &sent); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"grant_type": "authorization_code", "code": "the-code", "code_verifier": "the-verifier", "redirect_uri": "https://gw.example/cb",
		"client_id": "client-id", "client_secret": "secret-of-client", "audience": "api-acme"}
	if fmt.Sprint(sent) != fmt.Sprint(want) || p.header[0].Get("X-Version") != "2" || p.header[0].Get("Authorization") != "" || p.header[0].Get("Content-Type") != "application/json" {
		t.Errorf("%v %v", sent, p.header[0])
	}
	token := grant.Tokens[connection.DefaultToken]
	if token.Access.Reveal() != "t1" || token.Refresh.Reveal() != "r1" || token.Lifetime != 30*time.Minute || token.RefreshLifetime != 24*time.Hour {
		t.Errorf("%+v", token)
	}
	if grant.Identity != (connection.Identity{Account: "42", Label: "Ada"}) || fmt.Sprint(grant.Values) != "map[instance:https://i.example realm:77]" {
		t.Errorf("%+v %v", grant.Identity, grant.Values)
	}

	p = answering(200, `{"data":{"token":"t2"}}`)
	grant, err = m.Refresh(context.Background(), p.client(), RefreshInput{Client: testClient, Refresh: connection.NewSecret("r1"), Scopes: []string{"a", "b"}, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	want = map[string]string{"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "client-id", "client_secret": "secret-of-client", "extra": "yes", "scope": "a,b"}
	sent = nil
	if err := json.Unmarshal([]byte(p.bodies[0]), &sent); err != nil || fmt.Sprint(sent) != fmt.Sprint(want) || p.asked[0] != "POST https://acme.odd.example/refresh" {
		t.Errorf("%v %v %v", p.asked, sent, err)
	}
	if token := grant.Tokens[connection.DefaultToken]; token.Lifetime != 2*time.Hour || token.Refresh.Reveal() != "r1" {
		t.Errorf("%+v", token)
	}
	policy := RenewalPolicy{Rotation: RotationGrace, Replay: ReplayNever, Margin: 90 * time.Second, DefaultLifetime: 2 * time.Hour, RefreshLifetime: 720 * time.Hour, RefreshIdle: 24 * time.Hour}
	if m.Renewal() != policy {
		t.Errorf("%+v", m.Renewal())
	}
	if _, err = m.Refresh(context.Background(), answering(400, `{"fault":{"code":"invalid_grant"}}`).client(), RefreshInput{Client: testClient, Refresh: connection.NewSecret("r1"), Values: values}); problemOf(t, err).Verdict != connection.Revoked {
		t.Error(err)
	}
}

func TestClientAuthentication(t *testing.T) {
	p := answering(200, `{"access_token":"a"}`)
	// Characters that must be escaped within Basic (RFC 6749 section 2.3.1).
	client := Client{ID: "id:1", Secret: connection.NewSecret("s/e c")}
	values := map[string]string{"base_url": "https://provider.example"}
	if _, err := methodOf(t, "sandbox", "client-credentials").Obtain(context.Background(), p.client(), ObtainInput{Client: client, Scopes: []string{"b", "a"}, Values: values}); err != nil {
		t.Fatal(err)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("id%3A1:s%2Fe+c"))
	if p.header[0].Get("Authorization") != want || p.bodies[0] != "grant_type=client_credentials&scope=b+a" {
		t.Errorf("%v %s", p.header[0], p.bodies[0])
	}
	p = answering(200, `{"access_token":"a"}`)
	if _, err := oddMethod(t, "public").ExchangeCode(context.Background(), p.client(), ExchangeInput{Client: client, Code: connection.NewSecret("c"), Verifier: connection.NewSecret("v")}); err != nil {
		t.Fatal(err)
	}
	if p.bodies[0] != "client_id=id%3A1&code=c&grant_type=authorization_code" || p.header[0].Get("Authorization") != "" {
		t.Errorf("public: %s %v", p.bodies[0], p.header[0])
	}
	http1 := sessionOf(t, "http", "client-credentials")
	for auth, inHeader := range map[string]bool{"basic": true, "post": false} {
		http1.Values["client_auth"] = auth
		p = answering(200, `{"access_token":"a"}`)
		if _, err := http1.Method.Obtain(context.Background(), p.client(), ObtainInput{Client: client, Values: http1.Values}); err != nil {
			t.Fatal(err)
		}
		if (p.header[0].Get("Authorization") != "") != inHeader || strings.Contains(p.bodies[0], "client_secret") == inHeader {
			t.Errorf("%s: %v %s", auth, p.header[0], p.bodies[0])
		}
	}
	http1.Values["client_auth"] = "magic"
	if _, err := http1.Method.Obtain(context.Background(), p.client(), ObtainInput{Client: client, Values: http1.Values}); problemOf(t, err).Type != connection.ErrInvalidInput {
		t.Error(err)
	}
}

func TestRevoke(t *testing.T) {
	credential := connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("the-access"), Refresh: connection.NewSecret("the-refresh")}}}
	values := map[string]string{"base_url": "https://provider.example"}
	revoke := func(app string, credential connection.Credential, p *provider) (bool, error) {
		t.Helper()
		return methodOf(t, app, "oauth").Revoke(context.Background(), p.client(), RevokeInput{Client: testClient, Credential: credential, Values: values})
	}
	p := answering(200, "")
	if offered, err := revoke("sandbox", credential, p); !offered || err != nil || p.bodies[0] != "token=the-refresh&token_type_hint=refresh_token" {
		t.Errorf("%v %v %v", offered, err, p.bodies)
	}
	p = answering(204, "")
	if _, err := revoke("github", credential, p); err != nil || p.asked[0] != "DELETE https://api.github.com/applications/client-id/token" || p.bodies[0] != `{"access_token":"the-access"}` || !strings.HasPrefix(p.header[0].Get("Authorization"), "Basic ") {
		t.Errorf("%v %v", err, p.asked)
	}
	p = answering(200, `{"ok":true}`)
	if _, err := revoke("slack", credential, p); err != nil || p.header[0].Get("Authorization") != "Bearer the-access" || p.bodies[0] != "" {
		t.Errorf("%v %v", err, p.bodies)
	}
	p = answering(200, "")
	if offered, err := revoke("gitea", credential, p); offered || err != nil || len(p.asked) > 0 {
		t.Errorf("%v %v", offered, err)
	}
	if offered, err := revoke("sandbox", connection.Credential{}, p); !offered || err != nil || len(p.asked) > 0 {
		t.Errorf("%v %v", offered, err)
	}
	for _, test := range []struct {
		app, body, want string
		status          int
		retry           bool
	}{
		{"sandbox", `{"error":"invalid_token"}`, "", 400, false},
		{"github", "", "", 404, false},
		{"slack", `{"ok":false,"error":"token_revoked"}`, "", 200, false},
		{"sandbox", "", connection.ErrProviderUnavailable, 503, true},
		{"sandbox", "", connection.ErrRateLimited, 429, true},
		{"sandbox", `{"error":"invalid_client"}`, connection.ErrClientMisconfigured, 401, false},
		{"sandbox", `{"error":"unsupported_token_type"}`, connection.ErrRejectedInput, 400, false},
		{"sandbox", "", connection.ErrRejectedInput, 302, false},
	} {
		_, err := revoke(test.app, credential, answering(test.status, test.body))
		if connection.TypeOf(err) != test.want || err != nil && problemOf(t, err).Retryable != test.retry {
			t.Errorf("%+v: %v", test, err)
		}
	}
	for _, test := range []struct {
		app    string
		second int // the answer to the access token
		asked  int
		want   string
	}{
		{"sandbox", 200, 2, ""}, {"github", 0, 1, ""}, {"slack", 0, 1, ""},
		{"sandbox", 400, 2, ""}, // it takes refresh tokens only
		{"sandbox", 503, 2, connection.ErrProviderUnavailable},
	} {
		p := answering(204, `{"ok":true}`)
		first := p.answer
		p.answer = func(r *http.Request) (*http.Response, error) {
			response, err := first(r)
			if len(p.asked) == 2 {
				response.StatusCode = test.second
			}
			return response, err
		}
		_, err := methodOf(t, test.app, "oauth").Revoke(context.Background(), p.client(), RevokeInput{Client: testClient, Credential: credential, Values: values, Doubtful: true})
		if connection.TypeOf(err) != test.want || len(p.asked) != test.asked || test.asked == 2 && p.bodies[1] != "token=the-access&token_type_hint=access_token" {
			t.Errorf("one that may have been replaced: %+v: %v, %v", test, err, p.bodies)
		}
	}
	if _, err := revoke("sandbox", credential, broken(errors.New("reset"))); problemOf(t, err).Type != connection.ErrProviderUnavailable {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name, app, method string
		status            int
		body              string
		headers           []string
		want              string
		account           string
		scopes            string
	}{
		{name: "sandbox", app: "sandbox", method: "api-key", status: 200, body: `{"id":"u1","name":"Ada","email":"ada@x","scopes":["b","a"]}`, account: "u1 ada@x", scopes: "[a b]"},
		{name: "no scopes told", app: "sandbox", method: "api-key", status: 200, body: `{"id":"u1","name":"Ada"}`, account: "u1 Ada", scopes: "[]"},
		{name: "another server", app: "sandbox", method: "api-key", status: 200, body: `{"welcome":true}`, want: connection.ErrTestFailed},
		{name: "a page", app: "github", method: "token", status: 200, body: `<html>`, headers: []string{"Content-Type: text/html"}, want: connection.ErrTestFailed},
		{name: "GitHub", app: "github", method: "token", status: 200, body: `{"id":583231,"login":"octocat"}`, headers: []string{"X-OAuth-Scopes: repo, gist"}, account: "583231 octocat", scopes: "[gist repo]"},
		{name: "401", app: "github", method: "token", status: 401, body: `{"message":"Bad credentials"}`, want: connection.ErrReconnectRequired},
		{name: "Slack", app: "slack", method: "bot-token", status: 200, body: `{"ok":true,"team_id":"T1","user_id":"U1","team":"Acme","user":"bot"}`, account: "T1:U1 bot @ Acme"},
		{name: "Slack dead", app: "slack", method: "bot-token", status: 200, body: `{"ok":false,"error":"invalid_auth"}`, want: connection.ErrReconnectRequired},
		{name: "restricted key", app: "stripe", method: "api-key", status: 403, body: `{"error":{"message":"no"}}`},
		{name: "success of something else", app: "openai", method: "api-key", status: 200, body: `{"object":"other"}`, want: connection.ErrTestFailed},
		{name: "nobody's account", app: "stripe", method: "api-key", status: 200, body: `{"object":"account"}`, want: connection.ErrTestFailed},
		{name: "503", app: "stripe", method: "api-key", status: 503, want: connection.ErrProviderUnavailable},
		{name: "OpenAI", app: "openai", method: "api-key", status: 200, body: `{"object":"list","data":[]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := sessionOf(t, test.app, test.method)
			result, err := s.Probe(context.Background(), answering(test.status, test.body, test.headers...).client())
			if connection.TypeOf(err) != test.want {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if got := strings.TrimSpace(result.Identity.Account + " " + result.Identity.Label); got != test.account || result.Tested == "" || result.Untestable {
				t.Errorf("%+v", result)
			}
			if test.scopes == "[]" && result.Scopes != nil || test.scopes != "" && fmt.Sprint(result.Scopes) != test.scopes {
				t.Errorf("scopes %v", result.Scopes)
			}
		})
	}
}

func TestUntestable(t *testing.T) {
	s := sessionOf(t, "http", "bearer")
	delete(s.Values, "test_path")
	p := answering(200, "")
	if result, err := s.Probe(context.Background(), p.client()); err != nil || !result.Untestable || len(p.asked) != 0 {
		t.Errorf("%+v %v", result, err)
	}
	s.Values["test_path"] = "/me"
	if result, err := s.Probe(context.Background(), p.client()); err != nil || result.Untestable || p.asked[0] != "GET https://base-url.example/me" {
		t.Errorf("%+v %v %v", result, err, p.asked)
	}
}

// One POST for each token request, whatever comes: never a second try, never a redirect followed.
func TestOneTokenRequest(t *testing.T) {
	m := methodOf(t, "sandbox", "oauth")
	for _, status := range []int{200, 301, 302, 307, 308, 400, 401, 429, 500, 503} {
		p := answering(status, "", "Location: https://evil.example/")
		if _, err := refresh(t, m, p, "old"); err == nil {
			t.Error(status)
		}
		if len(p.asked) != 1 || p.asked[0] != "POST https://provider.example/oauth/token" {
			t.Errorf("%d: %v", status, p.asked)
		}
	}
	p := broken(http.ErrServerClosed)
	if _, err := refresh(t, m, p, "old"); err == nil || len(p.asked) != 1 {
		t.Errorf("%v", p.asked)
	}
}
