package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

func TestEveryWayToSignIn(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	basic := base64.StdEncoding.EncodeToString([]byte(w.secrets.BasicUsername + ":" + w.secrets.BasicPassword))
	for _, test := range []struct {
		auth, kind, secret string
		query              string
		headers            []string
	}{
		{auth: "oauth", secret: tokens.Access, headers: bearer(tokens.Access)},
		{auth: "personal_token", kind: "personal_token", secret: w.secrets.PersonalToken, headers: bearer(w.secrets.PersonalToken)},
		{auth: "api_key_header", kind: "api_key", secret: w.secrets.APIKey, headers: []string{"X-API-Key", w.secrets.APIKey}},
		{auth: "api_key_query", kind: "api_key", secret: w.secrets.APIKey, query: "?api_key=" + w.secrets.APIKey},
		{auth: "headers", kind: "headers", secret: state.PairSecret(w.secrets.HeaderID, w.secrets.HeaderSecret),
			headers: []string{"X-Sandbox-Id", w.secrets.HeaderID, "X-Sandbox-Secret", w.secrets.HeaderSecret}},
		{auth: "basic", kind: "basic", secret: state.PairSecret(w.secrets.BasicUsername, w.secrets.BasicPassword),
			headers: []string{"Authorization", "Basic " + basic}},
	} {
		t.Run(test.auth, func(t *testing.T) {
			w := w.in(t)
			me := func() reply { return w.call("GET", "/api/v1/me"+test.query, "", test.headers...) }
			if got := me().want(200); got.field("id") != "ada" || got.field("auth") != test.auth {
				t.Errorf("me answered %s", got.body)
			}
			entry := w.lastEntry("api")
			if entry.Auth != test.auth || entry.Account != "ada" || entry.Credential != ledger.Fingerprint(test.secret) || entry.Path != "/api/v1/me" {
				t.Errorf("ledger has %+v", entry)
			}
			if test.kind == "" {
				return
			}
			w.call("POST", "/admin/credentials", `{"kind":"`+test.kind+`","revoked":true}`).want(200)
			refused := me().want(401)
			contains(t, []byte(refused.header.Get("WWW-Authenticate")), `error="invalid_token"`)
			w.call("POST", "/admin/credentials", `{"kind":"`+test.kind+`","revoked":false}`).want(200)
			me().want(200)
		})
	}
	t.Run("none", func(t *testing.T) {
		w := w.in(t)
		refused := w.call("GET", "/api/v1/me", "").want(401)
		if got := refused.header.Get("WWW-Authenticate"); got != `Bearer realm="sandbox"` {
			t.Errorf("WWW-Authenticate %q", got)
		}
	})
	t.Run("refresh token as access token", func(t *testing.T) {
		w := w.in(t)
		w.call("GET", "/api/v1/me", "", bearer(tokens.Refresh)...).want(401)
	})
}

func TestPaging(t *testing.T) {
	w := newWorld(t)
	key := []string{"X-API-Key", w.secrets.APIKey}
	seen := map[string]bool{}
	path, pages := "/api/v1/contacts?limit=10", 0
	for path != "" {
		var page struct {
			Items []state.Contact `json:"items"`
			Next  string          `json:"next_cursor"`
		}
		answer := w.call("GET", path, "", key...).want(200).into(&page)
		for _, contact := range page.Items {
			seen[contact.ID] = true
		}
		pages++
		link := answer.header.Get("Link")
		if (page.Next == "") != (link == "") {
			t.Fatalf("next_cursor %q but Link %q", page.Next, link)
		}
		path = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	}
	if pages != 3 || len(seen) != 25 {
		t.Errorf("%d contacts on %d pages, want 25 on 3", len(seen), pages)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=many", "cursor=%21"} {
		w.call("GET", "/api/v1/contacts?"+query, "", key...).want(422)
	}
}

func TestContactLifeCycle(t *testing.T) {
	w := newWorld(t)
	key := []string{"X-API-Key", w.secrets.APIKey}
	id := w.call("POST", "/api/v1/contacts", `{"name":"Emmy","email":"emmy@example.test"}`, key...).want(201).field("id")
	changed := w.call("PATCH", "/api/v1/contacts/"+id, `{"phone":"123"}`, key...).want(200)
	if changed.field("name") != "Emmy" || changed.field("phone") != "123" {
		t.Errorf("changed to %s", changed.body)
	}
	grace := w.connect("grace", allScopes)
	w.call("GET", "/api/v1/contacts/"+id, "", bearer(grace.Access)...).want(404)
	w.call("DELETE", "/api/v1/contacts/"+id, "", bearer(grace.Access)...).want(404)
	w.call("DELETE", "/api/v1/contacts/"+id, "", key...).want(204)
	w.call("GET", "/api/v1/contacts/"+id, "", key...).want(404)
	for _, body := range []string{`{}`, `{"name":" "}`, `{"name":"A","email":"nowhere"}`, `[]`} {
		w.call("POST", "/api/v1/contacts", body, key...).want(422)
	}
}

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	create := func(body, key string) reply {
		return w.call("POST", "/api/v1/contacts", body, "X-API-Key", w.secrets.APIKey, "Idempotency-Key", key)
	}
	first := create(`{"name":"Once"}`, "k1").want(201)
	again := create(`{"name":"Once"}`, "k1").want(201)
	if first.field("id") != again.field("id") || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("answered %s, then %s", first.body, again.body)
	}
	if entry := w.lastEntry("api"); entry.IdempotencyKey != "k1" {
		t.Errorf("ledger has %+v", entry)
	}
	contains(t, create(`{"name":"Other"}`, "k1").want(422).body, "idempotency_key_reused")
	if other := create(`{"name":"Once"}`, "k2").want(201); other.field("id") == first.field("id") {
		t.Error("another key got the first contact")
	}
}

func TestCreatedKeySignsIn(t *testing.T) {
	w := newWorld(t)
	grace := w.connect("grace", allScopes)
	created := w.call("POST", "/api/v1/keys", `{"name":"robot"}`, bearer(grace.Access)...).want(201)
	me := w.call("GET", "/api/v1/me", "", "X-API-Key", created.field("key")).want(200)
	if me.field("id") != "grace" {
		t.Errorf("me answered %s", me.body)
	}
	w.call("POST", "/admin/credentials", `{"id":"`+created.field("id")+`","revoked":true}`).want(200)
	w.call("GET", "/api/v1/me", "", "X-API-Key", created.field("key")).want(401)
	w.call("GET", "/api/v1/me", "", "X-API-Key", w.secrets.APIKey).want(200)
}

func TestLimitedSlowAndEcho(t *testing.T) {
	w := newWorld(t)
	key := []string{"X-API-Key", w.secrets.APIKey}
	w.set(`{"rate_limit":{"requests":2,"window":"10s"}}`)
	limited := func() reply { return w.call("GET", "/api/v1/limited", "", key...) }
	limited().want(200)
	limited().want(200)
	w.clock.Advance(3500 * time.Millisecond)
	if refused := limited().want(429); refused.header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", refused.header.Get("Retry-After"))
	}
	w.clock.Advance(6500 * time.Millisecond)
	limited().want(200)

	w.call("GET", "/api/v1/slow?seconds=2.5", "", key...).want(200)
	if slept := w.clock.Slept(); slept != 2500*time.Millisecond {
		t.Errorf("slept %s", slept)
	}
	w.call("GET", "/api/v1/slow?seconds=NaN", "", key...).want(422)

	echo := w.call("POST", "/api/v1/echo?a=1&api_key=shh", `{"deep":[1,2]}`, append(key, "X-Trace", "t1")...).want(200)
	contains(t, echo.body, `"body":{"deep":[1,2]}`)
	contains(t, echo.body, `"X-Trace":["t1"]`)
	if bytes.Contains(echo.body, []byte(w.secrets.APIKey)) || bytes.Contains(echo.body, []byte("shh")) {
		t.Errorf("echo told a credential: %s", echo.body)
	}
	w.call("GET", "/api/v1/nowhere", "", key...).want(404)
}

func TestConcurrentCalls(t *testing.T) {
	w := newWorld(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
	defer client.CloseIdleConnections()
	const calls = 500
	var all sync.WaitGroup
	for i := range calls {
		request := w.request("POST", "/api/v1/contacts", fmt.Sprintf(`{"name":"Number %d"}`, i))
		request.Header.Set("X-API-Key", w.secrets.APIKey)
		all.Go(func() {
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
			if response.StatusCode != http.StatusCreated {
				t.Errorf("status %d", response.StatusCode)
			}
		})
	}
	all.Wait()
	var summary ledger.Summary
	w.call("GET", "/ledger/summary", "").into(&summary)
	if summary.API.Total != calls || summary.API.ByStatus["201"] != calls || summary.API.ByAuth["api_key_header"] != calls {
		t.Errorf("ledger counts %+v", summary.API)
	}
}

// TestNoSecretAtRest looks for every secret a client was given in every file but the credentials file.
func TestNoSecretAtRest(t *testing.T) {
	w := newWorld(t)
	w.set(`{"rotation":"grace_same"}`)
	code := w.authorize("ada", allScopes)
	first := w.redeem(code).pair()
	second := w.refresh(first.Refresh).pair()
	key := w.call("POST", "/api/v1/keys", `{}`, bearer(second.Access)...).want(201).field("key")
	w.call("GET", "/api/v1/me?api_key="+w.secrets.APIKey, "").want(200)
	w.call("GET", "/api/v1/me", "", bearer(w.secrets.PersonalToken)...).want(200)
	secrets := []string{code, first.Refresh, first.Access, second.Refresh, second.Access, key, verifier,
		w.secrets.APIKey, w.secrets.PersonalToken, w.secrets.HeaderSecret, w.secrets.BasicPassword, w.secrets.ClientSecret}
	found := map[string]int{}
	for _, name := range []string{"state.db", "ledger.jsonl", "credentials.json"} {
		raw, err := os.ReadFile(filepath.Join(w.config.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if bytes.Contains(raw, []byte(secret)) {
				found[name]++
			}
		}
	}
	if len(found) != 1 || found["credentials.json"] != 5 { // the control: what is meant to be there is found
		t.Errorf("secrets found by file: %v", found)
	}
	info, err := os.Stat(w.opened.CredentialsPath())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials file: %v, %v", info.Mode(), err)
	}
}

func TestHelpPage(t *testing.T) {
	w := newWorld(t)
	contains(t, w.call("GET", "/", "").want(200).body, w.config.Issuer)
}
