package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// One app with every way to log in that takes more than a typed-in secret.

var background = context.Background()

const kindsID = connection.ID("development/kinds/acme")

const kindsDefinition = `
id: kinds
name: Kinds
summary: One app with many ways to log in.
categories: [development]
base_url: "{+base_url}/api"
inputs:
  - {name: base_url, title: Address, format: url, secret: false}
auth:
  - id: password
    kind: oauth2-grant
    title: User name and password
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
      - {name: pin, title: PIN, secret: true, once: true, optional: true}
    derive:
      - {name: realm, value: 'username.split("@")[1]'}
      - {name: home, value: 'cell + ".example"'}
    oauth:
      client_auth: none
      token: {url: "{+base_url}/token", grant: password, params: {username: "{username}", password: "{password}"}}
      budget: {requests: 4, per: 10m}
      answer: {values: {cell: cell}}
  - id: device
    kind: oauth2-device
    title: On another device
    oauth:
      client_auth: none
      metadata: {url: "{+base_url}/metadata", issuer: "{+base_url}"}
      device: {url: "{+base_url}/device"}
      token: {url: "{+token_endpoint}"}
      refresh: {rotation: strict}
      revoke: {url: "{+base_url}/revoke", shared: true}
  - id: code
    kind: oauth2-code
    title: Sign in
    oauth:
      client_auth: none
      metadata: {url: "{+base_url}/metadata", issuer: "{+base_url}"}
      authorize: {url: "{+authorization_endpoint}"}
      token: {url: "{+token_endpoint}"}
      refresh: {rotation: strict}
      revoke: {url: "{+base_url}/revoke"}
      answer:
        tokens:
          default: {}
          bot: {access: bot.access_token, refresh: bot.refresh_token, expires: bot.expires_in, optional: true}
    follow_up:
      - id: sites
        request: {method: GET, url: "{+base_url}/api/sites"}
        choose: {items: sites, id: id, label: name, title: Which site?, values: {site: id}}
      - id: region
        request: {method: GET, url: "{+base_url}/api/region{?site}"}
        capture:
          region: {from: region, secret: false}
  - id: self
    kind: oauth2-code
    title: A token that renews itself
    oauth:
      client_auth: none
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      refresh: {with: access, url: "{+base_url}/renew", grant: renew, params: {access_token: "{token}"}, while_valid: false}
  - id: signed
    kind: oauth1
    title: OAuth 1.0a
    oauth1:
      request: {url: "{+base_url}/oauth1/request"}
      authorize: {url: "{+base_url}/oauth1/authorize"}
      token: {url: "{+base_url}/oauth1/token"}
  - id: session
    kind: multi-step
    title: A session
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
      - {name: hint, title: Hint, secret: true, once: true, optional: true}
    steps:
      - id: challenge
        request: {method: POST, url: "{+base_url}/login", body: {username: "{username}", password: "{password}"}}
        capture:
          trust: {from: trust, secret: true, lifetime: 720h}
      - id: code
        ask:
          title: Enter the code
          inputs:
            - {name: otp, title: Code, secret: true}
      - id: confirm
        request: {method: POST, url: "{+base_url}/confirm", body: {trust: "{trust}", otp: "{otp}"}}
        capture:
          device: {from: device, secret: true}
      - id: open
        request: {method: POST, url: "{+base_url}/open", body: {device: "{device}"}}
        capture:
          session: {from: session, secret: true, lifetime: 20m}
          cluster: {from: cluster, secret: false}
    renew: {from: open}
    logout:
      id: close
      request: {method: POST, url: "{+base_url}/close", body: {session: "{session}"}}
    place:
      - {in: header, name: X-Session, value: "{session}"}
  - id: chosen
    kind: multi-step
    title: A session of one site
    inputs:
      - {name: password, title: Password, secret: true}
    steps:
      - id: open
        request: {method: POST, url: "{+base_url}/open", body: {device: "{password}"}}
        capture:
          session: {from: session, secret: true, lifetime: 20m}
      - id: sites
        request: {method: GET, url: "{+base_url}/api/sites"}
        choose: {items: sites, id: id, label: name, values: {site: id}}
    place:
      - {in: header, name: X-Session, value: "{session}"}
  - id: key
    kind: api-key
    title: A key with a follow-up
    inputs:
      - {name: api_key, title: Key, secret: true}
    place:
      - {in: header, name: X-API-Key, value: "{api_key}"}
    follow_up:
      - id: region
        request: {method: GET, url: "{+base_url}/api/region"}
        capture:
          region: {from: region, secret: false}
  - id: digest
    kind: digest
    title: Digest
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
  - id: sigv4
    kind: aws-sigv4
    title: Signed requests
    inputs:
      - {name: access_key_id, title: Access key, secret: false}
      - {name: secret_access_key, title: Secret key, secret: true}
      - {name: region, title: Region, secret: false}
    sigv4: {service: s3, region: "{region}", access_key: "{access_key_id}", secret_key: "{secret_access_key}"}
  - id: assertion
    kind: oauth2-jwt-bearer
    title: A signed assertion
    client: required
    client_inputs:
      - {name: signing_key, title: Key, secret: true}
    oauth:
      client_auth: none
      token: {url: "{+base_url}/token", assertion: {algorithm: HS256, key: "{signing_key}", claims: {iss: "{client_id}"}}}
  - id: machine
    kind: oauth2-client-credentials
    title: Client credentials
    oauth:
      client_auth: basic
      token: {url: "{+base_url}/token"}
      revoke: {url: "{+base_url}/revoke"}
  - id: skipping
    kind: multi-step
    title: A question after a step that is passed over
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
    steps:
      - id: never
        when: username == "nobody"
        request: {method: POST, url: "{+base_url}/login", body: {}}
      - id: first
        ask: {title: One, inputs: [{name: one, title: One, secret: false}]}
      - id: second
        ask: {title: Two, inputs: [{name: two, title: Two, secret: true}]}
      - id: open
        request: {method: POST, url: "{+base_url}/open", body: {one: "{one}", two: "{two}", password: "{password}"}}
        capture:
          session: {from: session, secret: true, lifetime: 20m}
    place:
      - {in: header, name: X-Session, value: "{session}"}
probe:
  path: /me
  ok: body.id != ""
  identity: {account: id, label: name}
  tests: reading the account
actions:
  - id: whoami
    title: Who am I
    description: Tells whose account the connection uses.
    status: documented
    read_only: true
    request: {method: GET, path: /me}
`

// manyWays is the app's server. It counts requests by path, and answers a path
// otherwise where a test says so.
type manyWays struct {
	*httptest.Server
	mu      sync.Mutex
	seen    []string
	bodies  []string
	auths   []string
	minted  int
	pending int
	answers map[string]func(http.ResponseWriter) bool // false: the usual answer
	// namesItself is what the description says of RFC 9207.
	namesItself bool
}

func newManyWays(t testing.TB) *manyWays {
	p := &manyWays{answers: map[string]func(http.ResponseWriter) bool{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *manyWays) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var body map[string]any
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.NewDecoder(r.Body).Decode(&body)
	} else {
		_ = r.ParseForm()
	}
	p.seen = append(p.seen, r.URL.Path)
	p.auths = append(p.auths, r.Header.Get("Authorization"))
	if body != nil {
		text, _ := json.Marshal(body)
		p.bodies = append(p.bodies, string(text))
	} else {
		p.bodies = append(p.bodies, r.Form.Encode())
	}
	if special := p.answers[r.URL.Path]; special != nil && special(w) {
		return
	}
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	p.minted++
	fresh := func(kind string) string { return fmt.Sprintf("%s-%d", kind, p.minted) }
	switch r.URL.Path {
	case "/metadata":
		answer(200, map[string]any{"issuer": p.URL, "token_endpoint": p.URL + "/token", "authorization_endpoint": p.URL + "/authorize",
			"authorization_response_iss_parameter_supported": p.namesItself})
	case "/device":
		answer(200, map[string]any{"device_code": fresh("dc"), "user_code": "WDJB-MJHT", "verification_uri": p.URL + "/activate", "expires_in": 900, "interval": 7})
	case "/token":
		if r.Form.Get("grant_type") == "urn:ietf:params:oauth:grant-type:device_code" && p.pending > 0 {
			p.pending--
			answer(400, map[string]any{"error": "authorization_pending"})
			return
		}
		answer(200, map[string]any{"access_token": fresh("at"), "refresh_token": fresh("rt"), "token_type": "Bearer", "expires_in": 3600, "cell": "c1",
			"bot": map[string]any{"access_token": fresh("bot"), "refresh_token": fresh("brt"), "expires_in": 1800}})
	case "/renew":
		answer(200, map[string]any{"access_token": fresh("at"), "expires_in": 3600})
	case "/oauth1/request":
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = fmt.Fprintf(w, "oauth_token=%s&oauth_token_secret=%s&oauth_callback_confirmed=true", fresh("temporary"), fresh("ts"))
	case "/oauth1/token":
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = fmt.Fprintf(w, "oauth_token=%s&oauth_token_secret=%s", fresh("token"), fresh("secret"))
	case "/login":
		answer(200, map[string]any{"trust": fresh("trust")})
	case "/confirm":
		if body["otp"] != "123456" {
			answer(401, map[string]any{"error": map[string]any{"message": "wrong code"}})
			return
		}
		answer(200, map[string]any{"device": fresh("device")})
	case "/open":
		answer(200, map[string]any{"session": fresh("session"), "cluster": "eu1"})
	case "/api/sites":
		answer(200, map[string]any{"sites": []map[string]any{{"id": "s1", "name": "One"}, {"id": "s2", "name": "Two"}}})
	case "/api/region":
		answer(200, map[string]any{"region": "region of " + r.URL.Query().Get("site")})
	default:
		answer(200, map[string]any{"id": "u1", "name": "Ada"})
	}
}

// count is how often a path was asked for.
func (p *manyWays) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, seen := range p.seen {
		if seen == path {
			n++
		}
	}
	return n
}

// last is the body of the last request to a path.
func (p *manyWays) last(path string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, seen := range slices.Backward(p.seen) {
		if seen == path {
			return p.bodies[i]
		}
	}
	return ""
}

// kinds is an environment with that app, and one process.
type kinds struct {
	*world
	server *manyWays
	a      *Activities
}

func newKinds(t testing.TB) *kinds {
	t.Helper()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "kinds.yaml"), []byte(kindsDefinition), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connectors.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	server := newManyWays(t)
	w := &world{t: t, vault: newStore(), told: &told{others: map[string]bool{}}, catalogue: catalogue}
	for _, method := range []string{"device", "code", "self", "signed", "machine"} {
		w.vault.configs["kinds/"+method] = configEntry{connection.AuthConfig{Method: method, ClientID: "client",
			ClientSecret: connection.NewSecret("client-secret-text"), Values: map[string]string{"base_url": server.URL}}, 1}
	}
	return &kinds{world: w, server: server, a: w.process()}
}

func (k *kinds) values(pairs ...string) map[string]string {
	values := map[string]string{"base_url": k.server.URL}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values
}

func (k *kinds) candidate(grant string) connection.CredentialRef {
	return connection.CredentialRef{Connection: kindsID, Grant: grant, Generation: 1, Candidate: true}
}

// typed stores what a person typed in.
func (k *kinds) typed(method, grant string, values map[string]string, secrets ...string) *StoredReport {
	k.t.Helper()
	report, err := k.a.storeCredential(context.Background(), StoreCredentialInput{Connection: kindsID, Grant: grant, Method: method,
		Inbox: k.vault.leave(secrets...), Values: values})
	if err != nil {
		k.t.Fatal(err)
	}
	return report
}

// advance goes on with a login.
func (k *kinds) advance(method, grant string, change ...func(*AdvanceLoginInput)) (*AdvanceLoginReport, error) {
	in := AdvanceLoginInput{Connection: kindsID, Grant: grant, Method: method, Scopes: []string{"read"}}
	for _, f := range change {
		f(&in)
	}
	return k.a.advanceLogin(context.Background(), in)
}

// done goes on with a login that must come to its end.
func (k *kinds) done(method, grant string, change ...func(*AdvanceLoginInput)) {
	k.t.Helper()
	report, err := k.advance(method, grant, change...)
	if err != nil {
		k.t.Fatal(err)
	}
	if !report.Done || report.Question != nil || report.Choices != nil {
		k.t.Fatalf("not done: %+v", report)
	}
}

// adoptAndRenew makes the candidate the connection's credential and renews it once.
func (k *kinds) adoptAndRenew(grant string) connection.Stored {
	k.t.Helper()
	if _, err := k.a.adopt(context.Background(), AdoptInput{Ref: k.candidate(grant), Gate: connection.Gate{Status: connection.Active, Grant: grant}}); err != nil {
		k.t.Fatal(err)
	}
	stored, err := k.a.spender.Renew(context.Background(), connection.CredentialRef{Connection: kindsID, Grant: grant, Generation: 1}, "401")
	if err != nil {
		k.t.Fatal(err)
	}
	if stored.Generation != 2 || stored.Intent != nil {
		k.t.Fatalf("generation %d, intent %v", stored.Generation, stored.Intent)
	}
	return stored
}

// revokeNow ends the connection's grant.
func (k *kinds) revokeNow(want string) {
	k.t.Helper()
	report, err := k.a.revoke(context.Background(), RevokeInput{Ref: connection.CredentialRef{Connection: kindsID}, Account: "u1"})
	if err != nil || report.Outcome != want {
		k.t.Fatalf("revocation: %+v, %v, want %s", report, err, want)
	}
}

// crashAfter ends the process where it would store the outcome of a request to the path.
func (k *kinds) crashAfter(path string) {
	k.vault.faults(nil, func(connection.Document) error {
		if k.server.count(path) > 0 {
			return die()
		}
		return nil
	}, nil)
}

// gone runs f as a process that may die in it.
func gone(f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	<-ended
}
