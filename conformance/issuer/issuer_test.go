package issuer

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectedapps/conformance"
	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"golang.org/x/oauth2"
)

const definition = `id: issuer
name: Issuer
base_url: "{+host}"
inputs:
  - {name: host, title: Address, format: url, secret: false}
auth:
  - id: code
    kind: oauth2-code
    oauth:
      metadata: {url: "{+host}/.well-known/openid-configuration", issuer: "{+host}/"}
      client_auth: basic
      scopes: {default: [openid, offline_access]}
      answer: {claims: {values: {subject: sub}, identity: {account: sub}}}
  - id: device
    kind: oauth2-device
    oauth:
      metadata: {url: "{+host}/.well-known/openid-configuration", issuer: "{+host}/"}
      client_auth: basic
    untestable: the example server names no user after a device authorization
  - id: machine
    kind: oauth2-client-credentials
    oauth:
      metadata: {url: "{+host}/.well-known/openid-configuration", issuer: "{+host}/"}
      client_auth: basic
    untestable: the example client may not ask who it is
  - id: service
    kind: oauth2-jwt-bearer
    inputs:
      - {name: private_key, title: Key, type: text, secret: true}
      - {name: key_id, title: Key ID, secret: false}
      - {name: user_id, title: User, secret: false}
    oauth:
      metadata: {url: "{+host}/.well-known/openid-configuration", issuer: "{+host}/"}
      client_auth: none
      token:
        assertion: {key: "{private_key}", key_id: "{key_id}", claims: {iss: "{user_id}", sub: "{user_id}", aud: "{issuer}"}}
    untestable: the example service may not ask who it is
probe: {path: /userinfo, ok: body.sub != "", identity: {account: sub}, tests: userinfo}
actions: []
`

// party is one method against one running issuer.
type party struct {
	app    *connectors.App
	method *connectors.Method
	http   *http.Client
	values map[string]string
}

func meet(t *testing.T, issuer, method string) party {
	t.Helper()
	m := conformance.Load(t, definition, "issuer", method)
	p := party{app: m.App(), method: m, values: map[string]string{"host": issuer[:len(issuer)-1]}, http: conformance.Client()}
	found, err := m.Discover(context.Background(), p.http, p.values)
	if err != nil || found["token_endpoint"] == "" {
		t.Fatalf("discovery: %v %v", found, err)
	}
	for name, value := range found {
		p.values[name] = value
	}
	return p
}

func (p party) probe(t *testing.T, grant *connectors.Grant) error {
	t.Helper()
	credential := connection.Credential{Method: p.method.ID, Values: p.values, Tokens: map[string]connection.Token{
		connection.DefaultToken: {Access: grant.Tokens[connection.DefaultToken].Access}}}
	_, err := connectors.Session{App: p.app, Method: p.method, Credential: credential, Values: p.values}.Probe(context.Background(), p.http)
	return err
}

// A code with PKCE, whose endpoints were discovered; the refresh token rotates,
// and a spent one is refused as what ends a grant.
func TestCodeAndRotation(t *testing.T) {
	p := meet(t, Start(t), "code")
	client := connectors.Client{ID: WebClient, Secret: connection.NewSecret(Secret)}
	verifier := oauth2.GenerateVerifier()
	authorize, err := p.method.Authorize(connectors.AuthorizeInput{Client: client, RedirectURI: RedirectURI, Scopes: p.method.ScopesFor(nil),
		Challenge: oauth2.S256ChallengeFromVerifier(verifier), Values: p.values})
	if err != nil {
		t.Fatal(err)
	}
	callback := SignIn(t, authorize+"&state=0123456789abcdef")
	exchange := connectors.ExchangeInput{Client: client, RedirectURI: RedirectURI, Code: connection.NewSecret(callback.Get("code")),
		Verifier: connection.NewSecret(verifier), Values: p.values}
	grant, err := p.method.ExchangeCode(context.Background(), p.http, exchange)
	if err != nil {
		t.Fatal(err)
	}
	if grant.Identity.Account != "id1" || grant.Values["subject"] != "id1" {
		t.Errorf("the ID token says %+v %v", grant.Identity, grant.Values)
	}
	if err := p.probe(t, grant); err != nil {
		t.Fatal(err)
	}
	if _, err := p.method.ExchangeCode(context.Background(), p.http, exchange); connection.TypeOf(err) != connection.ErrAuthorizationFailed {
		t.Errorf("a code presented twice: %v", err)
	}
	first := grant.Tokens[connection.DefaultToken].Refresh
	refresh := connectors.RefreshInput{Client: client, Refresh: first, Values: p.values}
	grant, err = p.method.Refresh(context.Background(), p.http, refresh)
	if err != nil {
		t.Fatal(err)
	}
	if grant.Tokens[connection.DefaultToken].Refresh.Reveal() == first.Reveal() {
		t.Error("the refresh token did not rotate")
	}
	if err := p.probe(t, grant); err != nil {
		t.Fatal(err)
	}
	_, err = p.method.Refresh(context.Background(), p.http, refresh)
	if problem, ok := connection.AsProblem(err); !ok || problem.Verdict != connection.Revoked {
		t.Errorf("a spent refresh token: %v", err)
	}
	wrong := connectors.RefreshInput{Client: connectors.Client{ID: WebClient, Secret: connection.NewSecret("wrong")}, Values: p.values,
		Refresh: grant.Tokens[connection.DefaultToken].Refresh}
	_, err = p.method.Refresh(context.Background(), p.http, wrong)
	if problem, ok := connection.AsProblem(err); !ok || problem.Verdict != connection.ClientMisconfigured {
		t.Errorf("a wrong client secret: %v", err)
	}
}

// A device code is pending until the person has agreed.
func TestDevice(t *testing.T) {
	p := meet(t, Start(t), "device")
	client := connectors.Client{ID: DeviceClient, Secret: connection.NewSecret(Secret)}
	begun, err := p.method.BeginDevice(context.Background(), p.http, connectors.DeviceInput{Client: client, Values: p.values})
	if err != nil {
		t.Fatal(err)
	}
	poll := connectors.PollDeviceInput{Client: client, DeviceCode: begun.DeviceCode, Values: p.values}
	if _, err := p.method.PollDevice(context.Background(), p.http, poll); connection.TypeOf(err) != connection.ErrLookAgain {
		t.Fatalf("before anybody agreed: %v", err)
	}
	Allow(t, begun.VerificationURI, begun.UserCode)
	grant, err := p.method.PollDevice(context.Background(), p.http, poll)
	if err != nil || grant.Tokens[connection.DefaultToken].Access.Empty() {
		t.Fatalf("after the person agreed: %v", err)
	}
}

func TestMachines(t *testing.T) {
	issuer := Start(t)
	p := meet(t, issuer, "machine")
	grant, err := p.method.Obtain(context.Background(), p.http, connectors.ObtainInput{
		Client: connectors.Client{ID: ServiceClient, Secret: connection.NewSecret(ServiceSecret)}, Scopes: []string{"openid"}, Values: p.values})
	if err != nil || grant.Tokens[connection.DefaultToken].Lifetime < time.Minute {
		t.Fatalf("client credentials: %v", err)
	}
	p = meet(t, issuer, "service")
	p.values["user_id"], p.values["key_id"] = storage.ServiceUserID, storage.ServiceUserKeyID
	in := connectors.ObtainInput{Scopes: []string{"openid"}, Values: p.values,
		Fields: map[string]connection.Secret{"private_key": connection.NewSecret(ServiceKey(t))}}
	if _, err = p.method.Obtain(context.Background(), p.http, in); err != nil {
		t.Fatalf("assertion: %v", err)
	}
	p.values["key_id"] = "another"
	if _, err = p.method.Obtain(context.Background(), p.http, in); err == nil {
		t.Fatal("an assertion signed with an unknown key was taken")
	}
}
