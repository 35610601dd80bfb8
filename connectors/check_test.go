package connectors

import (
	"strings"
	"testing"
)

// full uses most of the dialect; each case below spoils it in one place. Line
// numbers are those of the spoilt line.
const full = `id: full
name: Full
base_url: "https://api.full.example/{tenant}"
hosts: ["https://files.full.example"]
auth:
  - id: oauth
    kind: oauth2-code
    setup: {url: "https://full.example/apps", steps: ["Enter {redirect_uri} and {scopes}."]}
    client_inputs:
      - {name: tenant, secret: false}
      - {name: private_key, type: text, secret: true}
      - {name: chain, type: text, secret: true}
    inputs:
      - {name: hint, once: true, optional: true, secret: false}
    headers: {Client-Id: "{client_id}", X-Proof: "{proof}"}
    derive: [{name: half, value: 'tenant.split("-")[0]'}]
    compute: [{name: proof, value: 'hex(hmac_sha256(token, half))'}]
    oauth:
      metadata: {url: "https://full.example/.well-known/openid-configuration", issuer: "https://full.example"}
      client_auth: private_key_jwt
      client_assertion: {key: "{private_key}", claims: {iss: "{client_id}", aud: "{token_url}", deep: [{x: "{half}"}]}}
      tls: {certificate: "{chain}", key: "{private_key}"}
      authorize: {params: {prompt: consent, hint: "{hint}"}}
      callback: {realm: realmId, area: {parameter: area, pattern: "eu|us"}}
      token: {url: "https://{area}.full.example/token", params: {assertion: "{assertion}", me: "{client_secret}"}, headers: {X-To: "{redirect_uri}"}}
      then: [{params: {old: "{token}"}}]
      answer: {claims: {values: {org: org_id}}}
    follow_up:
      - id: sites
        request: {url: "https://api.full.example/sites/{realm}"}
        capture: {cloud: {from: "[0].id", secret: false}, pin: {from: "header:X-Pin", secret: true, lifetime: 5m}}
      - id: pick
        when: cloud != "" && org != ""
        request: {method: POST, url: "https://files.full.example/{cloud}", headers: {X-Pin: "{pin}"}, body: {a: ["{pin}"]}}
        choose: {items: "@", id: id, values: {site: id}}
    place: [{in: header, name: Authorization, value: "Bearer {token}", token: default}]
  - id: login
    kind: multi-step
    inputs: [{name: tenant, secret: false}, {name: password, secret: true}]
    steps:
      - {id: ask, ask: {inputs: [{name: otp, secret: true}]}}
      - id: go
        request: {method: POST, url: "https://full.example/login", body: {p: "{password}", o: "{otp}"}}
        capture: {session: {from: "cookie:sid", secret: true, lifetime: 20m}}
    renew: {from: go}
    logout: {id: out, request: {method: DELETE, url: "https://full.example/login"}}
    place: [{in: cookie, name: sid, value: "{session}"}]
    untestable: it has no account
  - id: one
    kind: oauth1
    client_inputs: [{name: tenant, secret: false}, {name: private_key, secret: true}]
    oauth1:
      signature: RSA-SHA1
      request: {url: "https://full.example/r", params: {x: "{tenant}"}}
      authorize: {url: "https://full.example/a"}
      token: {url: "https://full.example/t"}
      private_key: "{private_key}"
  - id: signed
    kind: aws-sigv4
    inputs: [{name: tenant, secret: false}, {name: access_key_id, secret: false}, {name: secret_access_key, secret: true}]
    sigv4: {service: s3, region: "{tenant}"}
  - id: digest
    kind: digest
    base_url: https://digest.full.example
    inputs: [{name: username, secret: false}, {name: password, secret: true}]
    probe: {path: /d, base_url: "https://files.full.example/x"}
probe: {path: /me, query: {fields: "{tenant}"}}
actions:
  - id: make
    title: Make
    description: Makes.
    status: unverified
    compute: [{name: sum, value: 'string(count + 1) + tenant'}]
    request: {method: POST, path: /x, base_url: "https://files.full.example", body: {template: {query: "{ me { id } }", n: "{sum}", list: ["{name}"]}}}
    input: {type: object, additionalProperties: false, required: [count], properties: {count: {type: integer}, name: {type: string}}}
`

func TestWrongExtendedDefinitions(t *testing.T) {
	tests := []struct {
		name, old, new string
		line           int
		field, reason  string
	}{
		{"setup text", "{redirect_uri} and", "{redirect_url} and", 8, "auth[0].setup.steps[0]", "{redirect_url}"},
		{"unknown in derive", "value: 'tenant.split", "value: 'tennant.split", 16, "auth[0].derive[0].value", "did you mean tenant"},
		{"no such function", "split(", "splitt(", 16, "auth[0].derive[0].value", "CEL"},
		{"no CEL", `'tenant.split("-")[0]'`, `'tenant.('`, 16, "auth[0].derive[0].value", "CEL"},
		{"a computed value in a URL", "/sites/{realm}", "/sites/{proof}", 30, "auth[0].follow_up[0].request.url", "{proof} is a secret"},
		{"a captured secret in a URL", "/{cloud}\"", "/{pin}\"", 34, "auth[0].follow_up[1].request.url", "{pin} is a secret"},
		{"a later capture", "/sites/{realm}", "/sites/{site}", 30, "auth[0].follow_up[0].request.url", "{site}"},
		{"client secret in a header", "{client_id}\", X-Proof", "{client_secret}\", X-Proof", 15, "auth[0].headers.Client-Id", "{client_secret} is there while connecting only"},
		{"a secret for the browser", `hint: "{hint}"`, `hint: "{private_key}"`, 23, "auth[0].oauth.authorize.params.hint", "{private_key} is a secret"},
		{"what is not kept", "X-Proof: \"{proof}\"", "X-Proof: \"{hint}\"", 15, "auth[0].headers.X-Proof", "{hint} is there while connecting only"},
		{"no key for private_key_jwt", "{name: private_key, type", "{name: other_key, type", 21, "auth[0].oauth.client_assertion.key", "{private_key}"},
		{"unknown client_auth", "client_auth: private_key_jwt", "client_auth: magic", 20, "auth[0].oauth.client_auth", "secret-as-user"},
		{"tls without a certificate", "client_auth: private_key_jwt\n      client_assertion: {key: \"{private_key}\", claims: {iss: \"{client_id}\", aud: \"{token_url}\", deep: [{x: \"{half}\"}]}}\n      tls: {certificate: \"{chain}\", key: \"{private_key}\"}", "client_auth: tls", 18, "auth[0].oauth.tls", "missing"},
		{"a claim deep down", `{x: "{half}"}`, `{x: "{hallf}"}`, 21, "auth[0].oauth.client_assertion.claims.deep[0].x", "did you mean {half}"},
		{"a mistyped claim", `{x: "{half}"}`, `{x: "{half"}`, 21, "auth[0].oauth.client_assertion.claims.deep[0].x", "brace"},
		{"a certificate from nowhere", `certificate: "{chain}"`, `certificate: "{chan}"`, 22, "auth[0].oauth.tls.certificate", "{chan}"},
		{"an open value in a token URL", "https://{area}.full.example/token", "https://{realm}.full.example/token", 24, "auth[0].oauth.callback.realm", "needs a pattern"},
		{"an open value in the host", "base_url: \"https://api.full.example/{tenant}\"", "base_url: \"https://{realm}.full.example/{tenant}\"", 24, "auth[0].oauth.callback.realm", "needs a pattern"},
		{"a bad callback pattern", `pattern: "eu|us"`, `pattern: "eu|("`, 24, "auth[0].oauth.callback.area.pattern", "RE2"},
		{"a half URL", "https://{area}.full.example/token", "/token", 25, "auth[0].oauth.token.url", "whole URL"},
		{"an escaped URL", "https://{area}.full.example/token", "{area}/token", 25, "auth[0].oauth.token.url", "{+area}"},
		{"no endpoint", "metadata: {url: \"https://full.example/.well-known/openid-configuration\", issuer: \"https://full.example\"}", "budget: {requests: 1, per: 1m}", 23, "auth[0].oauth.authorize.url", "missing"},
		{"a budget of no time", "      token: {url: \"https://{area}", "      budget: {requests: 1, per: 10ms}\n      token: {url: \"https://{area}", 25, "auth[0].oauth.budget.per", "windows of 1s"},
		{"a budget of ages", "probe: {path: /me", "budget: {requests: 1, per: 1000h}\nprobe: {path: /me", 67, "budget.per", "744h"},
		{"a budget of everything", "probe: {path: /me", "budget: {requests: 2000000000, per: 1h}\nprobe: {path: /me", 67, "budget.requests", "bounds nothing"},
		{"a budget of somebody", "probe: {path: /me", "budget: {requests: 1, per: 1h, of: team}\nprobe: {path: /me", 67, "budget.of", "client"},
		{"a value twice", "values: {org: org_id}", "values: {tenant: org_id}", 18, "auth[0].oauth", "tenant has the name of an input"},
		{"a derived input", "name: half", "name: tenant", 16, "auth[0].derive[0].name", "name of an input"},
		{"a condition of text", `cloud != "" && org != ""`, `cloud + org`, 33, "auth[0].follow_up[1].when", "not true or false"},
		{"a condition on nothing", `org != ""`, `ogr != ""`, 33, "auth[0].follow_up[1].when", "ogr is no input"},
		{"step twice", "id: pick", "id: sites", 32, "auth[0].follow_up[1].id", "already"},
		{"a step of two kinds", "{id: ask, ask:", "{id: ask, sign: {name: s, key: k, claims: {}}, ask:", 41, "auth[1].steps[0]", "exactly one"},
		{"a capture of a question", "{id: ask, ask:", "{id: ask, ok: 'true', ask:", 41, "auth[1].steps[0]", "belong to a step with a request"},
		{"a value that expires", "secret: false}, pin", "secret: false, lifetime: 1m}, pin", 31, "auth[0].follow_up[0].capture.cloud", "only a secret"},
		{"a bad header name", "header:X-Pin", "header:X Pin", 31, "auth[0].follow_up[0].capture.pin.from", "no name of a header"},
		{"a body of a GET", "{method: POST, url: \"https://full.example/login\"", "{url: \"https://full.example/login\"", 43, "auth[1].steps[1].request.body", "GET"},
		{"a host of values", "https://full.example/login\", body", "https://{tenant}.login.example/x\", body", 43, "auth[1].steps[1].request.url", "listed in hosts"},
		{"an answer before its question", "      - {id: ask, ask: {inputs: [{name: otp, secret: true}]}}\n", "", 42, "auth[1].steps[0].request.body.o", "{otp}"},
		{"no step to renew from", "renew: {from: go}", "renew: {from: goo}", 45, "auth[1].renew.from", "did you mean go"},
		{"a logout that learns", "{id: out, request:", "{id: out, capture: {x: {from: a, secret: false}}, request:", 46, "auth[1].logout", "nothing is kept"},
		{"no token set", "token: default", "token: defaults", 36, "auth[0].place[0].token", "did you mean default"},
		{"an answer in place", "value: \"{session}\"", "value: \"{otp}\"", 47, "auth[1].place[0]", "{otp} is there while connecting only"},
		{"neither probe nor reason", "probe: {path: /me, query: {fields: \"{tenant}\"}}\n", "", 6, "auth[0].untestable", "there is no probe"},
		{"probe and reason", "    probe: {path: /d", "    untestable: why\n    probe: {path: /d", 66, "auth[4].untestable", "has a probe"},
		{"RSA without a key", "      private_key: \"{private_key}\"\n", "", 52, "auth[2].oauth1.private_key", "missing"},
		{"no access key", "{name: access_key_id, secret: false}, ", "", 61, "auth[3].sigv4", "{access_key_id}"},
		{"no user name", "{name: username, secret: false}, ", "", 62, "auth[4].digest", "{username}"},
		{"a base URL elsewhere", "base_url: \"https://files.full.example/x\"", "base_url: \"https://evil.example/x\"", 66, "auth[4].probe.base_url", "nor one of hosts"},
		{"an action elsewhere", "base_url: \"https://files.full.example\", body", "base_url: \"https://evil.example\", body", 74, "actions[0].request.base_url", "nor one of hosts"},
		{"a base URL that a method cannot fill", "    inputs: [{name: tenant, secret: false}, {name: password, secret: true}]\n", "    inputs: [{name: password, secret: true}]\n", 37, "auth[1]", "base URL needs {tenant}"},
		{"a leaf from nowhere", `list: ["{name}"]`, `list: ["{nam}"]`, 74, "actions[0].request.body.template.list[0]", "did you mean {name}"},
		{"an argument that the template drops", `list: ["{name}"]`, `list: []`, 75, "actions[0].input.properties.name", "no part"},
		{"computed of nothing", "string(count + 1)", "string(cuont + 1)", 73, "actions[0].compute[0].value", "did you mean count"},
		{"computed over an argument", "name: sum", "name: count", 73, "actions[0].compute[0].name", "already"},
		{"a secret in an action", `n: "{sum}"`, `n: "{password}"`, 74, "actions[0].request.body.template.n", "{password} is a secret"},
		{"client inputs without a client", "    kind: digest\n", "    kind: digest\n    client_inputs: [{name: z, secret: false}]\n", 64, "auth[4].client_inputs", "no auth config"},
	}
	directory := t.TempDir()
	if apps, defects := ValidateDir(write(t, directory, "full.yaml", full)); len(apps) != 1 || len(defects) != 0 {
		t.Fatal(definitionErrors(defects))
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(full, test.old, test.new, 1)
			if text == full {
				t.Fatal("nothing is spoilt")
			}
			_, defects := ValidateDir(write(t, directory, "full.yaml", text))
			for _, d := range defects {
				if d.Line == test.line && d.Column > 0 && (d.Field == test.field || strings.HasPrefix(d.Field, test.field+".")) && strings.Contains(d.Reason, test.reason) {
					return
				}
			}
			t.Errorf("%v", definitionErrors(defects))
		})
	}
}
