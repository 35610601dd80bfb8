package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestTokenAnswers(t *testing.T) {
	const old = "refresh-token-0"
	day := 24 * time.Hour
	tests := []struct {
		name, body string
		headers    []string
		access     string
		refresh    string
		lifetime   time.Duration
		scopes     []string
	}{
		{name: "standard", body: `{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r1","scope":"b a"}`,
			access: "a", refresh: "r1", lifetime: time.Hour, scopes: []string{"a", "b"}},
		{name: "missing expires_in", body: `{"access_token":"a","refresh_token":"r1"}`, access: "a", refresh: "r1"},
		{name: "text expires_in", body: `{"access_token":"a","expires_in":"3600"}`, access: "a", refresh: old, lifetime: time.Hour},
		{name: "fractional expires_in", body: `{"access_token":"a","expires_in":3599.5}`, access: "a", refresh: old, lifetime: 3599500 * time.Millisecond},
		{name: "negative expires_in", body: `{"access_token":"a","expires_in":-1}`, access: "a", refresh: old},
		{name: "zero expires_in", body: `{"access_token":"a","expires_in":0}`, access: "a", refresh: old},
		{name: "huge expires_in", body: `{"access_token":"a","expires_in":99999999999999999999999}`, access: "a", refresh: old, lifetime: maxLifetime},
		{name: "null expires_in", body: `{"access_token":"a","expires_in":null,"refresh_token":null,"scope":null}`, access: "a", refresh: old},
		{name: "exponent expires_in", body: `{"access_token":"a","expires_in":8.64e4}`, access: "a", refresh: old, lifetime: day},
		{name: "any case of token_type", body: `{"access_token":"a","token_type":"bEaReR"}`, access: "a", refresh: old},
		{name: "refresh absent keeps the old", body: `{"access_token":"a"}`, access: "a", refresh: old},
		{name: "refresh empty keeps the old", body: `{"access_token":"a","refresh_token":""}`, access: "a", refresh: old},
		{name: "comma scopes", body: `{"access_token":"a","scope":"repo,gist"}`, access: "a", refresh: old, scopes: []string{"gist", "repo"}},
		{name: "array scopes", body: `{"access_token":"a","scope":["b","a","a"]}`, access: "a", refresh: old, scopes: []string{"a", "b"}},
		{name: "no scope is not nothing said", body: `{"access_token":"a","scope":""}`, access: "a", refresh: old, scopes: []string{}},
		{name: "form", body: "access_token=a&refresh_token=r1&expires_in=60&scope=repo%2Cgist", headers: []string{"Content-Type: application/x-www-form-urlencoded"},
			access: "a", refresh: "r1", lifetime: time.Minute, scopes: []string{"gist", "repo"}},
		{name: "form called JSON", body: "access_token=a&refresh_token=r1", access: "a", refresh: "r1"},
		{name: "JSON called text", body: `{"access_token":"a","refresh_token":"r1"}`, headers: []string{"Content-Type: text/plain"}, access: "a", refresh: "r1"},
		{name: "JSON called HTML", body: `{"access_token":"a","refresh_token":"r1"}`, headers: []string{"Content-Type: text/html"}, access: "a", refresh: "r1"},
		{name: "byte order mark", body: "\ufeff" + `{"access_token":"a","refresh_token":"r1"}`, access: "a", refresh: "r1"},
		{name: "truncated after the tokens", body: `{"refresh_token":"r1","access_token":"a","expires_`, access: "a", refresh: "r1"},
		{name: "truncated before the access token", body: `{"refresh_token":"r1","access_tok`, access: "", refresh: "r1", lifetime: salvagedLifetime},
		{name: "truncated inside the access token", body: `{"refresh_token":"r1","access_token":"a`, access: "", refresh: "r1", lifetime: salvagedLifetime},
		{name: "broken number", body: `{"refresh_token":"r1","access_token":"a","expires_in":3600.}`, access: "a", refresh: "r1"},
		{name: "garbage after", body: `{"refresh_token":"r1","access_token":"a"}<!-- took 3 ms -->`, access: "a", refresh: "r1"},
		{name: "duplicate keys", body: `{"access_token":"x","refresh_token":"r1","access_token":"a","refresh_token":""}`, access: "a", refresh: "r1"},
		{name: "duplicate null", body: `{"access_token":"a","refresh_token":"r1","refresh_token":null}`, access: "a", refresh: "r1"},
		{name: "an error beside a rotated token", body: `{"error":"temporarily_unavailable","refresh_token":"r1"}`, access: "", refresh: "r1", lifetime: salvagedLifetime},
	}
	m := methodOf(t, "sandbox", "oauth")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := answering(200, test.body, test.headers...)
			grant, err := refresh(t, m, p, old)
			if err != nil {
				t.Fatal(err)
			}
			got := grant.Tokens[connection.DefaultToken]
			if got.Access.Reveal() != test.access || got.Refresh.Reveal() != test.refresh || got.Lifetime != test.lifetime {
				t.Errorf("access %q, refresh %q, lifetime %v", got.Access.Reveal(), got.Refresh.Reveal(), got.Lifetime)
			}
			if !slices.Equal(got.Scopes, test.scopes) || (got.Scopes == nil) != (test.scopes == nil) {
				t.Errorf("scopes %#v, want %#v", got.Scopes, test.scopes)
			}
			if len(p.asked) != 1 {
				t.Errorf("asked %d times", len(p.asked))
			}
		})
	}
}

func TestTokenRefusals(t *testing.T) {
	const old = "refresh-token-0"
	tests := []struct {
		name, app string
		status    int
		body      string
		headers   []string
		want      string
		verdict   connection.Verdict
		retry     bool
		wait      time.Duration
	}{
		{name: "invalid_grant", status: 400, body: `{"error":"invalid_grant"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked},
		{name: "invalid_grant as 403", status: 403, body: `{"error":"invalid_grant"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked},
		{name: "invalid_grant as 500 is not final", status: 500, body: `{"error":"invalid_grant"}`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "invalid_client", status: 401, body: `{"error":"invalid_client"}`, want: connection.ErrClientMisconfigured, verdict: connection.ClientMisconfigured},
		{name: "unauthorized_client", status: 400, body: `{"error":"unauthorized_client"}`, want: connection.ErrClientMisconfigured, verdict: connection.ClientMisconfigured},
		{name: "401 without words", status: 401, body: ``, want: connection.ErrClientMisconfigured, verdict: connection.ClientMisconfigured},
		{name: "invalid_scope", status: 400, body: `{"error":"invalid_scope"}`, want: connection.ErrScopeMissing, verdict: connection.ScopeLost},
		{name: "503", status: 503, body: `<html>`, headers: []string{"Retry-After: 7"}, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true, wait: 7 * time.Second},
		{name: "429", status: 429, body: ``, headers: []string{"Retry-After: 30"}, want: connection.ErrRateLimited, verdict: connection.RateLimit, retry: true, wait: 30 * time.Second},
		{name: "slow_down", status: 400, body: `{"error":"slow_down"}`, want: connection.ErrRateLimited, verdict: connection.RateLimit, retry: true, wait: time.Second},
		{name: "temporarily_unavailable", status: 400, body: `{"error":"temporarily_unavailable"}`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "HTML with 200", status: 200, body: `<html>maintenance</html>`, headers: []string{"Content-Type: text/html"}, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "empty 200", status: 200, body: ``, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "array", status: 200, body: `[]`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "redirect", status: 302, body: ``, headers: []string{"Location: https://evil.example/"}, want: connection.ErrRejectedInput, verdict: connection.RejectedInput},
		{name: "invalid_request", status: 400, body: `{"error":"invalid_request"}`, want: connection.ErrRejectedInput, verdict: connection.RejectedInput},
		{name: "only the token presented comes back", status: 200, body: `{"error":"invalid_grant","refresh_token":"refresh-token-0"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked},
		{name: "nothing but the token presented", status: 200, body: `{"refresh_token":"refresh-token-0"}`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "200 with an error", app: "github", status: 200, body: `{"error":"bad_refresh_token","error_description":"expired"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked},
		{name: "form error with 200", app: "github", status: 200, body: `error=incorrect_client_credentials`, want: connection.ErrClientMisconfigured, verdict: connection.ClientMisconfigured},
		{name: "ok false", app: "slack", status: 200, body: `{"ok":false,"error":"invalid_refresh_token"}`, want: connection.ErrReconnectRequired, verdict: connection.Revoked},
		{name: "ok false, transient", app: "slack", status: 200, body: `{"ok":false,"error":"internal_error"}`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
		{name: "larger than 1 MiB", status: 200, body: `{"access_token":"a","x":"` + strings.Repeat("x", maxTokenAnswer) + `"}`, want: connection.ErrProviderUnavailable, verdict: connection.Transient, retry: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app := test.app
			if app == "" {
				app = "sandbox"
			}
			p := answering(test.status, test.body, test.headers...)
			grant, err := refresh(t, methodOf(t, app, "oauth"), p, old)
			if grant != nil {
				t.Fatalf("a grant: %+v", grant)
			}
			problem := problemOf(t, err)
			if problem.Type != test.want || problem.Verdict != test.verdict || problem.Retryable != test.retry || problem.RetryAfter != test.wait {
				t.Errorf("%+v", problem)
			}
			if len(p.asked) != 1 {
				t.Errorf("asked %d times: %v", len(p.asked), p.asked)
			}
		})
	}
}

// The same refusal means something else for a code, since a person is there.
func TestRefusedCode(t *testing.T) {
	m := methodOf(t, "sandbox", "oauth")
	in := ExchangeInput{Client: testClient, Code: connection.NewSecret("secret-code"), Verifier: connection.NewSecret("secret-verifier"),
		RedirectURI: "https://gateway.example/callback", Values: map[string]string{"base_url": "https://provider.example"}}
	_, err := m.ExchangeCode(context.Background(), answering(400, `{"error":"invalid_grant"}`).client(), in)
	if problem := problemOf(t, err); problem.Type != connection.ErrAuthorizationFailed || problem.Remedy != "authorize again" {
		t.Errorf("%+v", problem)
	}
	_, err = m.ExchangeCode(context.Background(), broken(errors.New("reset")).client(), in)
	if problem := problemOf(t, err); problem.Type != connection.ErrProviderUnavailable || !problem.Retryable {
		t.Errorf("%+v", problem)
	}
}

func TestNamedTokenSets(t *testing.T) {
	m := methodOf(t, "slack", "oauth")
	body := `{"ok":true,"access_token":"bot","token_type":"bot","scope":"chat:write,users:read","team":{"id":"T1","name":"Acme"},
		"authed_user":{"id":"U1","access_token":"person","refresh_token":"person-refresh","expires_in":43200,"scope":"search:read"}}`
	grant, err := m.ExchangeCode(context.Background(), answering(200, body).client(), ExchangeInput{Client: testClient, Code: connection.NewSecret("c")})
	if err != nil {
		t.Fatal(err)
	}
	bot, person := grant.Tokens[connection.DefaultToken], grant.Tokens["user"]
	if bot.Access.Reveal() != "bot" || !slices.Equal(bot.Scopes, []string{"chat:write", "users:read"}) {
		t.Errorf("bot %+v", bot)
	}
	if person.Access.Reveal() != "person" || person.Refresh.Reveal() != "person-refresh" || person.Lifetime != 12*time.Hour {
		t.Errorf("person %+v", person)
	}
	if grant.Identity != (connection.Identity{Account: "T1", Label: "Acme"}) || grant.Values["team_id"] != "T1" {
		t.Errorf("identity %+v, values %v", grant.Identity, grant.Values)
	}
}

// An absolute expiry is measured on the provider's own clock.
func TestExpiryForms(t *testing.T) {
	now, err := http.ParseTime(testDate)
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[TimeForm]string{
		FormSeconds: "7200", FormMilliseconds: "7200000", FormDuration: "2h",
		FormEpoch: fmt.Sprint(now.Unix() + 7200), FormEpochMillis: fmt.Sprint((now.Unix() + 7200) * 1000),
		FormISO: now.Add(2 * time.Hour).Format(time.RFC3339), FormDate: now.Add(2 * time.Hour).Format(http.TimeFormat),
	} {
		if got, ok := form.length(text, now, maxLifetime); !ok || got != 2*time.Hour {
			t.Errorf("%s: %v %v", form, got, ok)
		}
	}
	if got, ok := FormEpoch.length(fmt.Sprint(now.Unix()+7200), time.Time{}, maxLifetime); ok {
		t.Errorf("without the provider's clock: %v", got)
	}
}

// Whatever the provider says, the library's error must not be what is shown:
// it prints the body.
func TestLibraryNeverLeaksTheBody(t *testing.T) {
	const canary = "CANARY-in-the-body-of-the-answer"
	for _, status := range []int{200, 302, 400, 401, 403, 429, 500} {
		for _, body := range []string{canary, `{"x":"` + canary + `"}`, `<html>` + canary, `{"error":{"x":"` + canary + `"}}`} {
			_, err := refresh(t, methodOf(t, "sandbox", "oauth"), answering(status, body), "old")
			if err == nil {
				t.Fatalf("%d %s: no error", status, body)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) {
				t.Errorf("%d: %s", status, text)
			}
		}
	}
}
