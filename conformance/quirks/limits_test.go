package quirks

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

func decode(r *http.Request, into any) bool { return json.NewDecoder(r.Body).Decode(into) == nil }

func probe(r *run) (connectors.ProbeResult, error) {
	s := connectors.Session{App: r.app, Method: r.method, Credential: r.credential(), Values: r.values, Client: r.client}
	return s.Probe(context.Background(), r.http)
}

// Every way to say "wait": the wait is found, and nobody is expired.
func TestRateLimits(t *testing.T) {
	soon := time.Now().Add(90 * time.Second)
	for _, q := range []struct {
		name, answers string
		status        int
		header        map[string]string
		content       any
	}{
		{"seconds", "", 429, map[string]string{"Retry-After": "90"}, nil},
		{"a date", "", 429, map[string]string{"Retry-After": soon.UTC().Format(http.TimeFormat)}, nil},
		{"503 with a wait", "", 503, map[string]string{"Retry-After": "90"}, nil},
		{"reset in epoch seconds", "waits: [{header: X-Reset, form: epoch}]", 429, map[string]string{"X-Reset": strconv.FormatInt(soon.Unix(), 10)}, nil},
		{"reset in epoch milliseconds", "waits: [{header: X-Reset, form: epoch-ms}]", 429, map[string]string{"X-Reset": strconv.FormatInt(soon.UnixMilli(), 10)}, nil},
		{"reset in seconds", "waits: [{header: X-Reset, form: seconds}]", 429, map[string]string{"X-Reset": "90"}, nil},
		{"in the body", "waits: [{body: retry_after, form: seconds}]", 429, nil, object{"retry_after": 90.0}},
		{"milliseconds in the body", "waits: [{body: error.retry_ms, form: milliseconds}]", 429, nil, object{"error": object{"retry_ms": 90000}}},
		{"403 with nothing left", "rate_limited: status == 403 && headers[\"x-remaining\"] == \"0\"\nwaits: [{header: X-Reset, form: epoch}]", 403,
			map[string]string{"X-Remaining": "0", "X-Reset": strconv.FormatInt(soon.Unix(), 10)}, nil},
		{"400 by code", "rate_limited: status == 400 && body.errors[0].extensions.code == \"RATELIMITED\"\nwaits: [{header: X-Reset, form: seconds}]", 400,
			map[string]string{"X-Reset": "90"}, object{"errors": []object{{"extensions": object{"code": "RATELIMITED"}}}}},
		{"200 with an error", "ok: status == 200 && body.ok == true\nrate_limited: body.error == \"ratelimited\"\nwaits: [{header: X-Reset, form: seconds}]", 200,
			map[string]string{"X-Reset": "90"}, object{"ok": false, "error": "ratelimited"}},
	} {
		t.Run(q.name, func(t *testing.T) {
			app := ""
			if q.answers != "" {
				app = "answers:\n" + indent(q.answers, 2)
			}
			r := quirk{kind: "none", app: app}.begin(t)
			r.p.api = func(*provider, *http.Request) bool { return true }
			r.p.me = func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range q.header {
					w.Header().Set(name, value)
				}
				writeJSON(w, q.status, q.content)
			}
			r.connect(t)
			_, err := probe(r)
			problem, ok := connection.AsProblem(err)
			if !ok || !problem.Retryable || problem.Verdict != connection.RateLimit && problem.Verdict != connection.Transient {
				t.Fatalf("%+v", problem)
			}
			if problem.RetryAfter < 80*time.Second || problem.RetryAfter > 95*time.Second {
				t.Errorf("it waits %s", problem.RetryAfter)
			}
		})
	}
}
