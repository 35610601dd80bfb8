package vault

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"
)

// verbs are all capabilities that Vault knows, but for deny.
var verbs = []string{"create", "read", "update", "patch", "list", "delete", "sudo"}

// kinds are what is kept in an environment's secrets.
var kinds = []string{"connections", "candidates", "auth-configs", "attempts", "outputs", "budgets", "sinks"}

// meant is what each identity is meant to do in its own environment, and nothing
// anywhere else: paths below the environment's, where KIND stands for every kind.
var meant = map[string]map[string]string{
	Worker: {
		"secrets/data/KIND":                  "create read update",
		"secrets/metadata/KIND":              "read list patch delete",
		"inbox/data":                         "read",
		"inbox/metadata":                     "read list delete",
		"transit/datakey/plaintext/payloads": "update",
		"transit/decrypt/payloads":           "update",
	},
	Gateway: {
		"secrets/metadata/connections":       "read",
		"secrets/data/access":                "create read update",
		"secrets/metadata/access":            "read list delete",
		"inbox/data":                         "create",
		"transit/encrypt/cookies":            "update",
		"transit/decrypt/cookies":            "update",
		"transit/datakey/plaintext/payloads": "update",
		"transit/decrypt/payloads":           "update",
	},
}

// ofItself is what every identity may do with its own token.
var ofItself = map[string]string{"auth/token/lookup-self": "read", "auth/token/renew-self": "update", "auth/token/revoke-self": "update"}

// inside are the paths of one environment that are looked at. A path that ends in X is
// an entry of its folder.
func inside() []string {
	var all []string
	for _, kind := range append(slices.Clone(kinds), "access", "access/tokens", "access/links") {
		for _, operation := range []string{"data", "metadata", "delete", "undelete", "destroy", "subkeys", "detailed-metadata"} {
			all = append(all, "secrets/"+operation+"/"+kind+"/X")
		}
		all = append(all, "secrets/metadata/"+kind+"/")
	}
	for _, operation := range []string{"data", "metadata", "delete", "undelete", "destroy", "subkeys", "detailed-metadata"} {
		all = append(all, "inbox/"+operation+"/X")
	}
	for _, key := range []string{"cookies", "payloads", "X"} {
		for _, operation := range []string{"encrypt", "decrypt", "rewrap", "datakey/plaintext", "datakey/wrapped", "keys", "keys-config",
			"export/encryption-key", "backup", "restore", "sign", "verify", "hmac"} {
			all = append(all, "transit/"+operation+"/"+key)
		}
	}
	return append(all, "secrets/config", "inbox/config", "inbox/metadata/", "transit/keys/", "transit/random", "transit/cache-config")
}

// outside are paths of Vault itself, and of nobody's environment.
func outside(environments []string) []string {
	all := []string{"sys/policies/acl/", "sys/policies/acl/X", "sys/policy", "sys/mounts", "sys/mounts/X", "sys/auth", "sys/auth/X", "sys/audit",
		"sys/seal", "sys/step-down", "sys/rotate", "sys/raw/X", "sys/leases/lookup", "sys/leases/revoke-prefix/X", "sys/remount", "sys/namespaces/X",
		"sys/storage/raft/snapshot", "sys/config/auditing/request-headers", "sys/capabilities", "sys/capabilities-self", "sys/wrapping/wrap",
		"sys/wrapping/unwrap", "sys/tools/random", "identity/entity", "identity/entity/id/", "identity/group", "identity/oidc/token/X",
		"auth/token/create", "auth/token/create-orphan", "auth/token/lookup", "auth/token/lookup-accessor", "auth/token/accessors/", "auth/token/revoke",
		"auth/token/roles/X", "auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self", "auth/approle/role/", "cubbyhole/X",
		"secret/data/X", "kv/X", DefaultPrefix + "/X", DefaultPrefix + "/secrets/data/connections/X"}
	for _, environment := range environments {
		for _, who := range []string{Worker, Gateway} {
			role := Layout{Environment: environment}.Role(who)
			all = append(all, "sys/policies/acl/"+role, "auth/approle/role/"+role, "auth/approle/role/"+role+"/role-id",
				"auth/approle/role/"+role+"/secret-id", "auth/approle/role/"+role+"/policies")
		}
	}
	return all
}

// wants is what an identity of one environment is meant to be able to do at a path.
func wants(who, environment, path string) []string {
	if words, ok := ofItself[path]; ok {
		return strings.Fields(words)
	}
	own, ok := strings.CutPrefix(path, Layout{Environment: environment}.base()+"/")
	if !ok {
		return nil
	}
	for rule, words := range meant[who] {
		for _, kind := range kinds {
			folder := strings.Replace(rule, "KIND", kind, 1)
			if own == folder || strings.HasPrefix(own, folder+"/") {
				return strings.Fields(words)
			}
		}
	}
	return nil
}

// matrix compares what Vault allows with what is meant, for every environment,
// identity, path and verb: the number of combinations, and those that differ.
type matrix struct {
	admin        *api.Client
	environments []string
	identities   map[string]map[string]*api.Client // by environment and who
}

func newMatrix(t *testing.T, environments ...string) *matrix {
	m := &matrix{admin: realServer(t), environments: environments, identities: map[string]map[string]*api.Client{}}
	for _, environment := range environments {
		made, err := Setup(t.Context(), m.admin, Layout{Environment: environment}, SetupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m.identities[environment] = map[string]*api.Client{Worker: logIn(t, m.admin, made[Worker]), Gateway: logIn(t, m.admin, made[Gateway])}
	}
	return m
}

func (m *matrix) paths() []string {
	all := outside(m.environments)
	for _, environment := range m.environments {
		for _, path := range inside() {
			all = append(all, Layout{Environment: environment}.base()+"/"+path)
		}
	}
	return all
}

// each calls see for every identity.
func (m *matrix) each(see func(who, environment string, client *api.Client)) {
	for _, environment := range m.environments {
		for _, who := range []string{Worker, Gateway} {
			see(who, environment, m.identities[environment][who])
		}
	}
}

// differences asks Vault what each token is capable of.
func (m *matrix) differences(t *testing.T) (combinations int, all []string) {
	t.Helper()
	paths := m.paths()
	m.each(func(who, environment string, client *api.Client) {
		answer, err := m.admin.Logical().WriteWithContext(t.Context(), "sys/capabilities", map[string]any{"token": client.Token(), "paths": paths})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			capable, ok := answer.Data[path].([]any)
			if !ok {
				t.Fatalf("Vault does not answer for %s", path)
			}
			want := wants(who, environment, path)
			for _, verb := range verbs {
				combinations++
				if may := slices.Contains(capable, any(verb)); may != slices.Contains(want, verb) {
					all = append(all, fmt.Sprintf("%s of %s, %s %s: %t", who, environment, verb, path, may))
				}
			}
		}
	})
	return combinations, all
}

// methods are the requests that need one of the verbs.
var methods = map[string][]string{http.MethodGet: {"read"}, "LIST": {"list"}, http.MethodPost: {"create", "update"},
	http.MethodPatch: {"patch"}, http.MethodDelete: {"delete"}}

// unasked are requests that say nothing of policies: Vault refuses to write to a
// folder, or with that method, before it looks at any. sys/wrapping/unwrap asks for another token.
func unasked(method, path string) bool {
	return strings.HasSuffix(path, "/") && (method == http.MethodPost || method == http.MethodPatch) ||
		(path == "sys/seal" || path == "sys/step-down") && method != http.MethodPost || path == "sys/wrapping/unwrap"
}

// requests tries for real everything that is not meant, and answers what was not refused.
func (m *matrix) requests(t *testing.T) (tried int, all []string) {
	t.Helper()
	m.each(func(who, environment string, client *api.Client) {
		for _, path := range m.paths() {
			want := wants(who, environment, path)
			for method, needs := range methods {
				if unasked(method, path) || slices.ContainsFunc(needs, func(verb string) bool { return slices.Contains(want, verb) }) {
					continue
				}
				tried++
				if status, text := try(t, client, method, path, `{"data":{},"options":{"cas":0}}`); status != http.StatusForbidden {
					all = append(all, fmt.Sprintf("%s of %s, %s %s: %d %s", who, environment, method, path, status, text))
				}
			}
		}
	})
	return tried, all
}

// No identity reaches what is not its own: every environment, path and verb, as
// Vault says, and every request that must be refused, sent. An environment with a
// name of its own has the same walls, and so has one whose name begins like another's.
func TestWalls(t *testing.T) {
	m := newMatrix(t, "development", "staging", "production", "eu-prod", "prod")
	combinations, all := m.differences(t)
	t.Logf("%d combinations of identity, path and verb", combinations)
	report(t, "is not as it is meant", all)
	tried, all := m.requests(t)
	t.Logf("%d requests that must be refused", tried)
	report(t, "was not refused", all)
	if combinations < 10000 || tried < 5000 {
		t.Errorf("only %d combinations and %d requests", combinations, tried)
	}
	t.Run("control", m.controls)
	t.Run("what is meant works", m.works)
	t.Run("crooked paths", m.crooked)
}

func report(t *testing.T, what string, all []string) {
	t.Helper()
	for i, one := range all {
		if i == 20 {
			t.Errorf("and %d more", len(all)-i)
			break
		}
		t.Errorf("%s: %s", what, one)
	}
}
