package vault

import (
	"regexp"
	"strings"
	"testing"
)

var rule = regexp.MustCompile(`path "(?:\{\{base\}\}/)?([^"]+)" \{\s*capabilities = \[([^\]]+)\]\s*\}`)

// capabilities reads a policy as Vault does: the longest matching path decides.
func capabilities(t *testing.T, who, path string) string {
	t.Helper()
	text, err := policies.ReadFile("policies/" + who + ".hcl")
	if err != nil {
		t.Fatal(err)
	}
	found := rule.FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 || len(found) != strings.Count(string(text), "path \"") {
		t.Fatalf("%s: %d rules were understood of %d", who, len(found), strings.Count(string(text), "path \""))
	}
	best, granted := -1, ""
	for _, m := range found {
		if strings.Contains(strings.TrimSuffix(m[1], "*"), "*") || strings.Contains(m[1], "+") {
			t.Fatalf("%s: %s has a wildcard that this test does not understand", who, m[1])
		}
		prefix, open := strings.CutSuffix(m[1], "*")
		if (path == m[1] || open && strings.HasPrefix(path, prefix)) && len(prefix) > best {
			best, granted = len(prefix), m[2]
		}
	}
	return strings.ReplaceAll(granted, `"`, "")
}

func TestPolicies(t *testing.T) {
	tests := map[string]struct{ gateway, worker string }{
		"secrets/data/connections/sandbox/acme":     {"", "create, read, update"},
		"secrets/data/candidates/sandbox/acme/g":    {"", "create, read, update"},
		"secrets/data/auth-configs/sandbox/shared":  {"", "create, read, update"},
		"secrets/data/attempts/sandbox/acme/a":      {"", "create, read, update"},
		"secrets/data/outputs/sandbox/acme/o":       {"", "create, read, update"},
		"secrets/data/access/agent":                 {"create, read, update", "deny"},
		"secrets/metadata/access/agent":             {"read, list, delete", "deny"},
		"secrets/data/access/tokens/hash":           {"create, read, update", "deny"},
		"secrets/metadata/access/links/":            {"read, list, delete", "deny"},
		"secrets/metadata/connections/sandbox/acme": {"read", "read, list, patch, delete"},
		"secrets/metadata/auth-configs/sandbox/x":   {"", "read, list, patch, delete"},
		"secrets/delete/connections/sandbox/acme":   {"", ""},
		"secrets/undelete/connections/sandbox/acme": {"", ""},
		"secrets/destroy/connections/sandbox/acme":  {"", ""},
		"secrets/config":                            {"", ""},
		"inbox/data/x":                              {"create", "read"},
		"inbox/metadata/x":                          {"", "read, list, delete"},
		"inbox/undelete/x":                          {"", ""},
		"transit/encrypt/cookies":                   {"update", ""},
		"transit/decrypt/cookies":                   {"update", ""},
		"transit/datakey/plaintext/payloads":        {"update", "update"},
		"transit/decrypt/payloads":                  {"update", "update"},
		"transit/export/encryption-key/payloads":    {"", ""},
		"transit/keys/payloads":                     {"", ""},
		"auth/token/renew-self":                     {"update", "update"},
		"auth/token/create":                         {"", ""},
	}
	for path, want := range tests {
		for who, want := range map[string]string{Gateway: want.gateway, Worker: want.worker} {
			if got := capabilities(t, who, path); got != want {
				t.Errorf("%s may %q at %s, want %q", who, got, path, want)
			}
		}
	}
}

func TestPoliciesStayInTheirEnvironment(t *testing.T) {
	for _, who := range []string{Gateway, Worker} {
		text, err := policies.ReadFile("policies/" + who + ".hcl")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if path, ok := strings.CutPrefix(line, `path "`); ok && !strings.HasPrefix(path, "{{base}}/") && !strings.HasPrefix(path, "auth/token/") {
				t.Errorf("%s: %s", who, line)
			}
			if strings.Contains(line, "sudo") {
				t.Errorf("%s: %s", who, line)
			}
		}
	}
	if a, b := (Layout{Environment: "production"}), (Layout{Environment: "staging"}); a.Secrets() == b.Secrets() || a.Role(Worker) == b.Role(Worker) || a.Role(Worker) == a.Role(Gateway) {
		t.Error("environments share something")
	}
}
