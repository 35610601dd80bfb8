package vault

import (
	"net/http"
	"strings"
	"testing"
)

// controls widens a policy and takes care that the matrix says so; each is one that somebody could write by mistake.
func (m *matrix) controls(t *testing.T) {
	const wildcard = "a wildcard over environments"
	for name, c := range map[string]struct{ who, environment, rule string }{
		wildcard:                     {Worker, "staging", `path "connected-apps/+/secrets/data/connections/*" { capabilities = ["read"] }`},
		"a prefix that is too short": {Worker, "eu-prod", `path "connected-apps/*" { capabilities = ["list"] }`},
		"candidates for the gateway": {Gateway, "production", `path "connected-apps/production/secrets/metadata/candidates/*" { capabilities = ["read"] }`},
		"a verb too many":            {Gateway, "development", `path "connected-apps/development/inbox/data/*" { capabilities = ["create", "update"] }`},
		"export of a key":            {Worker, "development", `path "connected-apps/development/transit/export/*" { capabilities = ["read"] }`},
		"Vault's own":                {Gateway, "staging", `path "sys/policies/acl/*" { capabilities = ["read", "sudo"] }`},
	} {
		t.Run(name, func(t *testing.T) {
			role := Layout{Environment: c.environment}.Role(c.who)
			before, err := m.admin.Sys().GetPolicyWithContext(t.Context(), role)
			if err != nil {
				t.Fatal(err)
			}
			put := func(text string) {
				if err := m.admin.Sys().PutPolicyWithContext(t.Context(), role, text); err != nil {
					t.Fatal(err)
				}
			}
			put(before + "\n" + c.rule)
			if _, all := m.differences(t); len(all) == 0 {
				t.Error("a policy that was widened is not noticed")
			}
			status, _ := try(t, m.identities["staging"][Worker], http.MethodGet, "connected-apps/production/secrets/data/connections/sandbox/absent", "")
			if let := status != http.StatusForbidden; let != (name == wildcard) {
				t.Errorf("a real request of a widened policy is answered %d", status)
			}
			put(before)
			if _, all := m.differences(t); len(all) != 0 {
				t.Errorf("not as before: %v", all)
			}
		})
	}
}

// works tries for real what is meant, in the order in which the processes do it.
func (m *matrix) works(t *testing.T) {
	data := func(cas string) string { return `{"data":{"secret":"canary"},"options":{"cas":` + cas + `}}` }
	for _, environment := range m.environments {
		base := Layout{Environment: environment}.base() + "/"
		for _, step := range []struct {
			who, method, path, body string
			want                    int
		}{
			{Worker, http.MethodPost, "secrets/data/connections/sandbox/acme", data("0"), http.StatusOK},
			{Worker, http.MethodPost, "secrets/data/connections/sandbox/acme", data("1"), http.StatusOK},
			{Worker, http.MethodGet, "secrets/data/connections/sandbox/acme", "", http.StatusOK},
			{Worker, http.MethodPatch, "secrets/metadata/connections/sandbox/acme", `{"custom_metadata":{"last_used":"now"}}`, http.StatusNoContent},
			{Worker, "LIST", "secrets/metadata/connections/", "", http.StatusOK},
			{Gateway, http.MethodGet, "secrets/metadata/connections/sandbox/acme", "", http.StatusOK},
			{Gateway, http.MethodGet, "secrets/data/connections/sandbox/acme", "", http.StatusForbidden},
			{Worker, http.MethodDelete, "secrets/metadata/connections/sandbox/acme", "", http.StatusNoContent},
			{Gateway, http.MethodPost, "inbox/data/entry", data("0"), http.StatusOK},
			{Gateway, http.MethodPost, "inbox/data/entry", data("1"), http.StatusForbidden},
			{Gateway, http.MethodGet, "inbox/data/entry", "", http.StatusForbidden},
			{Worker, http.MethodGet, "inbox/data/entry", "", http.StatusOK},
			{Worker, http.MethodDelete, "inbox/metadata/entry", "", http.StatusNoContent},
			{Gateway, http.MethodPost, "secrets/data/access/agent", data("0"), http.StatusOK},
			{Worker, http.MethodGet, "secrets/data/access/agent", "", http.StatusForbidden},
			{Gateway, http.MethodPost, "secrets/data/access/tokens/hash", data("0"), http.StatusOK},
			{Gateway, http.MethodPost, "secrets/data/access/tokens/hash", data("1"), http.StatusOK},
			{Gateway, http.MethodGet, "secrets/data/access/tokens/hash", "", http.StatusOK},
			{Gateway, "LIST", "secrets/metadata/access/tokens/", "", http.StatusOK},
			{Worker, http.MethodGet, "secrets/data/access/tokens/hash", "", http.StatusForbidden},
			{Worker, "LIST", "secrets/metadata/access/tokens/", "", http.StatusForbidden},
			{Worker, http.MethodDelete, "secrets/metadata/access/tokens/hash", "", http.StatusForbidden},
			{Gateway, http.MethodDelete, "secrets/metadata/access/tokens/hash", "", http.StatusNoContent},
			{Gateway, http.MethodPost, "transit/encrypt/cookies", `{"plaintext":"eA=="}`, http.StatusOK},
			{Worker, http.MethodPost, "transit/encrypt/cookies", `{"plaintext":"eA=="}`, http.StatusForbidden},
			{Worker, http.MethodPost, "transit/datakey/plaintext/payloads", `{}`, http.StatusOK},
			{Gateway, http.MethodPost, "transit/datakey/plaintext/payloads", `{}`, http.StatusOK},
		} {
			status, text := try(t, m.identities[environment][step.who], step.method, base+step.path, step.body)
			if status != step.want {
				t.Errorf("%s of %s, %s %s: %d %s", step.who, environment, step.method, step.path, status, text)
			}
		}
		for who, client := range m.identities[environment] {
			if _, err := client.Auth().Token().RenewSelf(0); err != nil {
				t.Errorf("%s of %s cannot renew its token: %v", who, environment, err)
			}
		}
	}
}

// crooked asks for what is not one's own by ways around the front door.
func (m *matrix) crooked(t *testing.T) {
	body := `{"data":{"secret":"canary"},"options":{"cas":0}}`
	if status, text := try(t, m.admin, http.MethodPost, "connected-apps/production/secrets/data/connections/sandbox/other", body); status != http.StatusOK {
		t.Fatal(status, text)
	}
	for _, path := range []string{
		"connected-apps/development/secrets/data/connections/../access/agent",
		"connected-apps/development/secrets/data//access/agent",
		"connected-apps/development/secrets/data/./access/agent",
		"connected-apps/development/secrets/data/%61ccess/agent",
		"connected-apps/development/secrets/data%2faccess/agent",
		"connected-apps/development/secrets/data/connections/..%2faccess/agent",
		"connected-apps/development/../production/secrets/data/connections/sandbox/other",
		"connected-apps/development%2f..%2fproduction/secrets/data/connections/sandbox/other",
		"connected-apps/development/secrets/../../production/secrets/data/connections/sandbox/other",
		"connected-apps//production/secrets/data/connections/sandbox/other",
		"connected-apps/Production/secrets/data/connections/sandbox/other",
		"connected-apps/production/secrets/data/connections/sandbox/other/",
		"connected-apps/production/secrets/data/connections/sandbox/other?version=1",
	} {
		for who, client := range m.identities["development"] {
			if who == Gateway && strings.Contains(path, "ccess") {
				continue // its own, by whichever way
			}
			if status, text := try(t, client, http.MethodGet, path, ""); strings.Contains(text, "canary") {
				t.Errorf("%s reads %s: %d %s", who, path, status, text)
			}
		}
	}
}
