package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
)

func TestFailBeforeProcessing(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"fail_token_requests":{"count":2,"status":503}}`)
	w.refresh(tokens.Refresh).want(503)
	w.refresh(tokens.Refresh).want(503)
	w.refresh(tokens.Refresh).pair() // the token was not spent by the failures
	failed := w.entries("kind=token")[1]
	if failed.Outcome != "failed" || failed.Status != 503 || failed.Lost || failed.IssuedRefresh != "" {
		t.Errorf("ledger has %+v", failed)
	}
}

func TestExecuteThenFail(t *testing.T) {
	for name, object := range map[string]string{
		"answers 500": `{"fail_token_requests":{"count":1,"status":500,"after":true}}`,
		"drops":       `{"fail_token_requests":{"count":1,"drop":true,"after":true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tokens := w.connect("ada", allScopes)
			w.set(object)
			response, err := http.DefaultClient.Do(w.token("/oauth/token", refreshForm(tokens.Refresh)))
			if dropped := name == "drops"; dropped != (err != nil) {
				t.Fatalf("answered %v, %v", response, err)
			}
			if err == nil {
				response.Body.Close()
				if response.StatusCode != 500 {
					t.Errorf("status %d", response.StatusCode)
				}
			}
			entry := w.lastEntry("token")
			if entry.Outcome != ledger.OutcomeOK || !entry.Lost || entry.Generation != 2 || entry.IssuedRefresh == "" {
				t.Errorf("ledger has %+v", entry)
			}
			// The token was rotated: presenting it again is reuse.
			w.wantOAuthError(w.refresh(tokens.Refresh), "invalid_grant")
			if entry := w.lastEntry("token"); entry.Detail != "reuse" {
				t.Errorf("ledger has %+v", entry)
			}
		})
	}
}

func TestFailureOfOneGrantTypeOnly(t *testing.T) {
	w := newWorld(t)
	w.set(`{"fail_token_requests":{"count":-1,"status":500,"grant_type":"refresh_token"}}`)
	tokens := w.connect("ada", allScopes)
	for range 3 {
		w.refresh(tokens.Refresh).want(500)
	}
	w.call("POST", "/admin/settings/reset", "").want(200)
	w.refresh(tokens.Refresh).pair()
}

func TestDelays(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"token_delay":"3s","token_answer_delay":"4s","api_delay":"5s"}`)
	w.refresh(tokens.Refresh).pair()
	if slept := w.clock.Slept(); slept != 7*time.Second {
		t.Errorf("the token endpoint took %s", slept)
	}
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
	if slept := w.clock.Slept(); slept != 12*time.Second {
		t.Errorf("the API took the total to %s", slept)
	}
}

func TestDenyRefresh(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"deny_refresh":"invalid_grant"}`)
	w.wantOAuthError(w.refresh(tokens.Refresh).want(400), "invalid_grant")
	w.set(`{"deny_refresh":""}`)
	w.refresh(tokens.Refresh).pair()
}

func TestDown(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"down":true}`)
	down := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(503)
	contains(t, down.body, `"code":"unavailable"`)
	w.refresh(tokens.Refresh).pair() // only the API is down
	w.set(`{"down":false}`)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
}

func TestRevokeAccessTokensKeepsRefreshTokens(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	var revoked struct{ Revoked int }
	w.call("POST", "/admin/revoke-access-tokens", "").want(200).into(&revoked)
	if revoked.Revoked != 1 {
		t.Errorf("%d revoked", revoked.Revoked)
	}
	refused := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(401)
	contains(t, []byte(refused.header.Get("WWW-Authenticate")), `error="invalid_token"`)
	next := w.refresh(tokens.Refresh).pair()
	w.call("GET", "/api/v1/me", "", bearer(next.Access)...).want(200)
}

func TestRevokeGrant(t *testing.T) {
	w := newWorld(t)
	ada, grace := w.connect("ada", allScopes), w.connect("grace", allScopes)
	w.call("POST", "/admin/revoke-grant", `{}`).want(400)
	w.call("POST", "/admin/revoke-grant", `{"user":"ada"}`).want(200)
	w.wantOAuthError(w.refresh(ada.Refresh), "invalid_grant")
	w.call("GET", "/api/v1/me", "", bearer(ada.Access)...).want(401)
	w.refresh(grace.Refresh).pair()
	if entry := w.lastEntry("revoke"); entry.Detail != "admin" || entry.Account != "ada" {
		t.Errorf("ledger has %+v", entry)
	}
	var grants []struct {
		User string `json:"user"`
		For  string `json:"revoked_for"`
	}
	w.call("GET", "/admin/grants?user=ada", "").want(200).into(&grants)
	if len(grants) != 1 || grants[0].For != "admin" {
		t.Errorf("grants %+v", grants)
	}
	w.call("POST", "/admin/revoke-grant", `{"client":"sandbox-client"}`).want(200)
	w.call("GET", "/api/v1/me", "", bearer(grace.Access)...).want(401)
}

func TestNarrowGrantAtTheNextRefresh(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.call("POST", "/admin/narrow-grant", `{"user":"ada","scopes":["contacts.read"]}`).want(200)
	w.call("POST", "/api/v1/contacts", `{"name":"Before"}`, bearer(tokens.Access)...).want(201)
	next := w.refresh(tokens.Refresh).pair()
	if next.Scope != "contacts.read offline_access" {
		t.Errorf("scope %q", next.Scope)
	}
	refused := w.call("POST", "/api/v1/contacts", `{"name":"After"}`, bearer(next.Access)...).want(403)
	contains(t, []byte(refused.header.Get("WWW-Authenticate")), `error="insufficient_scope", scope="contacts.write"`)
}

func TestSettingsAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, object := range []string{
		`{"rotation":"sometimes"}`, `{"access_ttl":20}`, `{"access_ttl":"-1s"}`, `{"acces_ttl":"20s"}`,
		`{"fail_token_requests":{"count":1}}`, `{"rate_limit":{"requests":0,"window":"1s"}}`, `not JSON`,
	} {
		w.call("POST", "/admin/settings", object).want(400)
	}
	w.set(`{"fail_token_requests":{"count":1,"status":500,"after":true}}`)
	w.set(`{"fail_token_requests":{"count":1,"status":503}}`)
	var current struct {
		Fail struct{ After bool } `json:"fail_token_requests"`
		TTL  string               `json:"access_ttl"`
	}
	w.call("GET", "/admin/settings", "").into(&current)
	if current.Fail.After || current.TTL != "1h0m0s" {
		t.Errorf("settings are %+v", current)
	}
}

func TestStateSurvivesReopening(t *testing.T) {
	w := newWorld(t)
	first := w.connect("ada", allScopes)
	second := w.refresh(first.Refresh).pair()
	created := w.call("POST", "/api/v1/contacts", `{"name":"Kept"}`, bearer(second.Access)...).want(201).field("id")
	key := w.call("POST", "/api/v1/keys", `{"name":"kept"}`, bearer(second.Access)...).want(201).field("key")
	before := w.secrets
	seq := len(w.entries(""))

	w.reopen()

	if w.secrets != before {
		t.Error("the static credentials changed")
	}
	w.call("GET", "/api/v1/contacts/"+created, "", bearer(second.Access)...).want(200)
	w.call("GET", "/api/v1/me", "", "X-API-Key", key).want(200)
	third := w.refresh(second.Refresh).pair()
	if entry := w.lastEntry("token"); entry.Generation != 3 || entry.Seq <= uint64(seq) {
		t.Errorf("ledger has %+v after %d", entry, seq)
	}
	w.wantOAuthError(w.refresh(first.Refresh), "invalid_grant") // reuse is still noticed
	w.reopen()
	w.wantOAuthError(w.refresh(third.Refresh), "invalid_grant") // and the family still dead
	w.post("/oauth/revoke", url.Values{"token": {third.Refresh}}).want(200)
}

func TestAPIExecutesThenFails(t *testing.T) {
	for name, failure := range map[string]string{
		"answers 500": `{"count":1,"status":500,"after":true,"method":"POST","path":"/api/v1/contacts"}`,
		"drops":       `{"count":1,"drop":true,"after":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tokens := w.connect("ada", allScopes)
			w.set(`{"fail_api":` + failure + `}`)
			w.call("GET", "/api/v1/me", "").want(401) // what is refused has done nothing, and spends none
			// On a connection used before, net/http by itself sends again what has an Idempotency-Key.
			fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			create := func() (*http.Response, error) {
				request := w.request("POST", "/api/v1/contacts", `{"name":"Once"}`)
				request.Header.Set("Authorization", "Bearer "+tokens.Access)
				request.Header.Set("Idempotency-Key", "key-of-one-request")
				return fresh.Do(request)
			}
			response, err := create()
			if dropped := name == "drops"; dropped != (err != nil) {
				t.Fatalf("answered %v, %v", response, err)
			}
			want := 0
			if err == nil {
				response.Body.Close()
				want = 500
			}
			entry := w.lastEntry("api")
			if entry.Outcome != ledger.OutcomeOK || !entry.Lost || entry.Status != want || entry.IdempotencyKey == "" {
				t.Errorf("ledger has %+v", entry)
			}
			response, err = create()
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 201 || response.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("the second answer was %d: the first had no effect", response.StatusCode)
			}
		})
	}
}

func TestAPIFailsBeforeTheWork(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"fail_api":{"count":1,"status":503,"retry_after":"7s","path":"/api/v1/contacts"}}`)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
	refused := w.call("POST", "/api/v1/contacts", `{"name":"Never"}`, bearer(tokens.Access)...).want(503)
	if entry := w.lastEntry("api"); entry.Outcome != "failed" || entry.Lost || refused.header.Get("Retry-After") != "7" {
		t.Errorf("ledger has %+v", entry)
	}
	for _, contact := range w.call("GET", "/api/v1/contacts?limit=100", "", bearer(tokens.Access)...).want(200).contacts() {
		if contact == "Never" {
			t.Error("the request that failed was carried out")
		}
	}
}

func (r reply) contacts() (names []string) {
	r.t.Helper()
	var page struct{ Items []struct{ Name string } }
	r.into(&page)
	for _, item := range page.Items {
		names = append(names, item.Name)
	}
	return names
}

func TestFailedRevocationLeavesTheFamilyAlive(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	w.set(`{"fail_revocations":{"count":1,"status":503}}`)
	revoke := url.Values{"token": {tokens.Refresh}}
	w.post("/oauth/revoke", revoke).want(503)
	if entry := w.lastEntry("revoke"); entry.Family == "" || entry.Live == nil || !*entry.Live || entry.Revoked != "" {
		t.Errorf("ledger has %+v", entry)
	}
	w.post("/oauth/revoke", revoke).want(200)
	if entry := w.lastEntry("revoke"); entry.Live == nil || *entry.Live || entry.Revoked != "client" {
		t.Errorf("ledger has %+v", entry)
	}
	w.post("/oauth/revoke", revoke).want(200) // dead already
	if entry := w.lastEntry("revoke"); entry.Revoked != "" {
		t.Errorf("ledger has %+v", entry)
	}
}
