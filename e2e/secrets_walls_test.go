package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loggedIn logs in with the identity of a process, and answers the token.
func loggedIn(t *testing.T, who, where string) string {
	t.Helper()
	role, err := os.ReadFile(filepath.Join(s.dir, "identities", who, where, "role-id"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(s.dir, "identities", who, where, "secret-id"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.root.Logical().Write("auth/approle/login", map[string]any{"role_id": strings.TrimSpace(string(role)), "secret_id": strings.TrimSpace(string(secret))})
	if err != nil {
		t.Fatal(err)
	}
	return found.Auth.ClientToken
}

// The walls of Vault, tried with the identities that the processes really use.
func TestEachIdentityReachesOnlyItsOwn(t *testing.T) {
	connectBy(t, "walls", "api-key")
	mine := "connected-apps/" + environment
	document := "/secrets/data/connections/sandbox/walls"
	cases := []struct {
		who, where, method, path string
		allowed                  bool
	}{
		{"worker", environment, http.MethodGet, mine + document, true},
		{"worker", "staging", http.MethodGet, mine + document, false},
		{"worker", "production", http.MethodGet, mine + "/inbox/metadata?list=true", false},
		{"worker", environment, http.MethodGet, mine + "/secrets/data/access/x", false},
		{"worker", environment, http.MethodPut, mine + "/inbox/data/x", false},
		{"gateway", environment, http.MethodGet, mine + document, false},
		{"gateway", environment, http.MethodGet, mine + "/secrets/metadata/connections/sandbox/walls", true},
		{"gateway", environment, http.MethodGet, mine + "/secrets/data/auth-configs/sandbox/oauth", false},
		{"gateway", environment, http.MethodGet, mine + "/secrets/data/attempts/sandbox/walls/x", false},
		{"gateway", environment, http.MethodGet, mine + "/inbox/metadata?list=true", false},
		{"gateway", environment, http.MethodGet, mine + "/inbox/data/x", false},
		{"gateway", "staging", http.MethodGet, mine + "/secrets/metadata/connections/sandbox/walls", false},
		{"gateway", environment, http.MethodGet, "sys/policies/acl?list=true", false},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(t.Context(), c.method, s.ready.Vault+"/v1/"+c.path, strings.NewReader(`{"data":{},"options":{"cas":0}}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Vault-Token", loggedIn(t, c.who, c.where))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if denied := response.StatusCode == http.StatusForbidden; denied == c.allowed {
			t.Errorf("%s of %s, %s %s: %d", c.who, c.where, c.method, c.path, response.StatusCode)
		}
	}
}
