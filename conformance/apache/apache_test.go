package apache

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectedapps/conformance"
	"connectedapps/connection"
	"connectedapps/connectors"
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
	m := conformance.Load(t, definition, "apache", method)
	values := map[string]string{"base_url": base, "username": User}
	return connectors.Session{App: m.App(), Method: m, Values: values, Credential: connection.Credential{
			Method: method, Values: values, Fields: map[string]connection.Secret{"password": connection.NewSecret(password)}}},
		conformance.Client()
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
