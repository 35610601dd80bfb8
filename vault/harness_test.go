package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

const testID = connection.ID("development/sandbox/acme")

var testRef = connection.CredentialRef{Connection: testID}

// server is Vault as far as HTTP goes: logins that end, and answers as a test says.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	lease  int // seconds
	issued int
	valid  map[string]bool
	// renewals and logins were served; refuseRenewal and refuseLogin stop that.
	renewals, logins           int
	refuseRenewal, refuseLogin bool
	mute                       bool // renewals are answered with nothing
	asked                      []string
	bodies                     []map[string]any
	answer                     func(http.ResponseWriter, *http.Request)
}

func newServer(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *server {
	t.Helper()
	s := &server{lease: 3600, valid: map[string]bool{"root": true}, answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	grant := func(token string) {
		_, _ = fmt.Fprintf(w, `{"auth":{"client_token":%q,"renewable":true,"lease_duration":%d}}`, token, s.lease)
	}
	switch {
	case r.URL.Path == "/v1/auth/approle/login":
		s.logins++
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		if s.refuseLogin || body["role_id"] != "role" || body["secret_id"] != "secret" || r.Header.Get("X-Vault-Token") != "" {
			says(http.StatusBadRequest, `{"errors":["invalid role or secret ID"]}`)(w, r)
			return
		}
		s.issued++
		token := fmt.Sprintf("token-%d", s.issued)
		s.valid[token] = true
		grant(token)
	case !s.valid[r.Header.Get("X-Vault-Token")]:
		says(http.StatusForbidden, `{"errors":["permission denied"]}`)(w, r)
	case r.URL.Path == "/v1/auth/token/renew-self":
		s.renewals++
		if s.refuseRenewal {
			says(http.StatusBadRequest, `{"errors":["lease is not renewable"]}`)(w, r)
			return
		}
		if s.mute {
			says(http.StatusOK, `{}`)(w, r)
			return
		}
		grant(r.Header.Get("X-Vault-Token"))
	default:
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		var body map[string]any
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			s.bodies = append(s.bodies, body)
		}
		s.answer(w, r)
	}
}

// says is one fixed answer.
func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// withToken is a client with a token that stays.
func (s *server) withToken(t *testing.T) *Client {
	t.Helper()
	return open(t, Config{Layout: Layout{Environment: "development"}, Address: s.URL, Token: "root"})
}

// withRole is a client that logs in.
func (s *server) withRole(t *testing.T) *Client {
	t.Helper()
	directory := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return open(t, Config{Layout: Layout{Environment: "development"}, Address: s.URL, Token: "stray",
		RoleIDFile: file("role-id", "role"), SecretIDFile: file("secret-id", "secret")})
}

func open(t *testing.T, config Config) *Client {
	t.Helper()
	c, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// aged moves the login's times back, as if so long had passed.
func (c *Client) aged(by time.Duration) {
	c.login.mu.Lock()
	defer c.login.mu.Unlock()
	c.login.renewFrom, c.login.diesAt = c.login.renewFrom.Add(-by), c.login.diesAt.Add(-by)
}
