package apache

import (
	"context"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/connectors/outbound"
)

const definition = `id: apache
name: Apache
base_url: "{+base_url}"
inputs:
  - {name: base_url, title: Address, format: url, secret: false}
auth:
  - id: basic
    kind: basic
    inputs:
      - {name: username, title: User, secret: false}
      - {name: password, title: Password, secret: true}
    probe: {path: /basic/me.json, ok: body.id == "ada", identity: {account: id}, tests: basic}
  - id: digest
    kind: digest
    inputs:
      - {name: username, title: User, secret: false}
      - {name: password, title: Password, secret: true}
    probe: {path: /digest/me.json, ok: body.id == "ada", identity: {account: id}, tests: digest}
actions: []
`

func session(t *testing.T, base, method, password string) (connectors.Session, *http.Client) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "apache.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connectors.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	app, err := catalogue.App("apache")
	if err != nil {
		t.Fatal(err)
	}
	m, err := app.Method(method)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"base_url": base, "username": User}
	return connectors.Session{App: app, Method: m, Values: values, Credential: connection.Credential{
			Method: method, Values: values, Fields: map[string]connection.Secret{"password": connection.NewSecret(password)}}},
		outbound.New(outbound.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

// Both schemes prove the right password against a real Apache, and a wrong one is
// what expires a connection.
func TestApache(t *testing.T) {
	base := Start(t)
	for _, method := range []string{"basic", "digest"} {
		t.Run(method, func(t *testing.T) {
			s, client := session(t, base, method, Password)
			for range 5 { // nonce counts go up
				result, err := s.Probe(context.Background(), client)
				if err != nil || result.Identity.Account != User {
					t.Fatalf("%+v %v", result, err)
				}
			}
			time.Sleep((nonceLife + 1) * time.Second) // the nonce is stale
			if _, err := s.Probe(context.Background(), client); err != nil {
				t.Fatalf("after the nonce went stale: %v", err)
			}
			s, client = session(t, base, method, "wrong")
			_, err := s.Probe(context.Background(), client)
			problem, ok := connection.AsProblem(err)
			if !ok || problem.Verdict != connection.Revoked || problem.Status != http.StatusUnauthorized {
				t.Fatalf("a wrong password: %v", err)
			}
		})
	}
}
