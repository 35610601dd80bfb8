package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

func TestHeadersOnEverything(t *testing.T) {
	b := newBench(t, "https://connect.example")
	for _, path := range []string{testLink, testLink + "/result", "/oauth/callback", "/healthz", "/readyz", "/assets/page.css", "/nowhere"} {
		h := b.do("GET", path).Header
		for name, want := range map[string]string{"Content-Security-Policy": contentPolicy, "Referrer-Policy": "no-referrer",
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Strict-Transport-Security": "max-age=31536000"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

func TestConnectPageSaysWhoAsksForWhat(t *testing.T) {
	b := newBench(t, "https://connect.example")
	response := b.do("GET", testLink)
	page := body(t, response)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", response.StatusCode, page)
	}
	for _, want := range []string{"Atlas", "Our maps", "development", "Ada&#39;s team", "Lists the maps of the account.", "Draw a map",
		"makes changes", "maps:write", "for: Draw a map", "openid", `<button type="submit">Continue to Atlas</button>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(b.begun) != 0 || strings.Contains(page, "<script") {
		t.Error("looking must use nothing up, and needs no script")
	}
}

// TestForeignTextStaysText plants markup wherever somebody else's words are shown.
func TestForeignTextStaysText(t *testing.T) {
	const canary = `"><script>canary()</script><img src=x onerror=canary()>`
	b := newBench(t, "https://connect.example")
	b.progress.DisplayName, b.progress.RequestedBy = canary, canary
	b.progress.Plan.AppName = canary
	b.progress.Plan.Scopes = append(b.progress.Plan.Scopes, canary)
	b.progress.Plan.Actions = append(b.progress.Plan.Actions, canary)
	check := func(what, page string) {
		t.Helper()
		if !strings.Contains(page, "canary()") {
			t.Errorf("%s: the control is missing", what)
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Contains(page, `="">`) {
			t.Errorf("%s: foreign text became markup", what)
		}
	}
	check("connect page", body(t, b.do("GET", testLink)))
	b.target = authorizeURL + "&x=" + `"><script>canary()</script>`
	check("onward page", body(t, b.do("POST", testLink, fromOurPage)))
	b.progress.Attempts[0].State = workflows.AttemptFailed
	b.progress.Attempts[0].Problem = connection.Refused(connection.ErrAuthorizationFailed, canary, canary)
	check("result page", body(t, b.do("GET", testLink+"/result")))
	b.progress.Attempts[0].State, b.progress.Phase = workflows.AttemptSucceeded, workflows.PhaseChoice
	b.progress.Problem = b.progress.Attempts[0].Problem
	b.progress.Choices = &activities.Choices{Title: canary, Items: []connection.Choice{{ID: canary, Label: canary}, {ID: "2", Label: canary}}}
	check("choice page", body(t, b.do("GET", testLink+"/result")))
	b.progress.Phase, b.progress.Question = workflows.PhaseAnswer, &activities.Question{Title: canary}
	check("question page", body(t, b.do("GET", testLink+"/result")))
	b.progress.Mode, b.progress.Phase, b.progress.Attempts[0].State = workflows.ModeReplace, workflows.PhaseAuthorization, workflows.AttemptOpen
	check("reconnect page", body(t, b.do("GET", testLink)))
	b.progressErr = connection.Refused(connection.ErrSessionClosed, canary, canary)
	check("error page", body(t, b.do("GET", testLink)))
}

func TestOnlyOurHost(t *testing.T) {
	b := newBench(t, "https://connect.example")
	for host, status := range map[string]int{"connect.example": 200, "CONNECT.example:443": 200, "connect.example:80": 421,
		"evil.example": 421, "connect.example.evil.example": 421, "127.0.0.1": 421} {
		if got := b.do("GET", testLink, func(r *http.Request) { r.Host = host }).StatusCode; got != status {
			t.Errorf("host %s: got %d, want %d", host, got, status)
		}
	}
	if got := b.do("GET", "/healthz", func(r *http.Request) { r.Host = "10.0.0.7:8400" }).StatusCode; got != 200 {
		t.Errorf("health checks come by address: got %d", got)
	}
}

func TestOutcome(t *testing.T) {
	b := newBench(t, "https://connect.example")
	l := link{environment: b.gateway.environments.All()[0], id: testID, attempt: testAttempt}
	now := time.Now()
	refused := connection.Refused(connection.ErrAuthorizationFailed, "the person or the app declined the authorization", "authorize again")
	report := &activities.ProbeReport{Tested: "GET /me", Identity: connection.Identity{Account: "7", Label: "Ada"}}
	cases := map[string]struct {
		state   string
		phase   workflows.Phase
		problem *connection.Problem
		expires time.Duration
		title   string
		refresh bool
	}{
		"not used":        {workflows.AttemptOpen, workflows.PhaseAuthorization, nil, time.Minute, "Nothing has been authorized yet", false},
		"at the provider": {workflows.AttemptBegun, workflows.PhaseAuthorization, nil, time.Minute, "Waiting for Atlas", true},
		"never came back": {workflows.AttemptBegun, workflows.PhaseAuthorization, nil, -time.Minute, "This authorization is too old", false},
		"exchanging":      {workflows.AttemptExchanging, workflows.PhaseObtaining, nil, -time.Minute, "Connecting Atlas", true},
		"testing":         {workflows.AttemptSucceeded, workflows.PhaseTesting, nil, 0, "Testing", true},
		"review":          {workflows.AttemptSucceeded, workflows.PhaseReview, nil, 0, "Connected and tested", true},
		"activating":      {workflows.AttemptSucceeded, workflows.PhaseActivating, nil, 0, "Connecting Atlas", true},
		"done":            {workflows.AttemptSucceeded, workflows.PhaseActive, nil, 0, "Atlas is connected", false},
		"denied":          {workflows.AttemptFailed, workflows.PhaseAuthorization, refused, 0, "Atlas is not connected", false},
		"test failed":     {workflows.AttemptFailed, workflows.PhaseTestFailed, refused, 0, "Atlas is not connected", false},
		"cancelled":       {workflows.AttemptSucceeded, workflows.PhaseCancelled, refused, 0, "The connection was not made", false},
		"other won":       {workflows.AttemptExpired, workflows.PhaseActive, nil, 0, "The account is connected", false},
		"too old":         {workflows.AttemptExpired, workflows.PhaseAuthorization, nil, 0, "This authorization is too old", false},
	}
	for name, c := range cases {
		p := b.progress
		p.Phase, p.Problem, p.Test = c.phase, c.problem, report
		page := outcome(l, p, workflows.AttemptState{ID: testAttempt, State: c.state, Problem: c.problem, Expires: now.Add(c.expires)}, now)
		if page.Title != c.title || (page.RefreshSeconds > 0) != c.refresh {
			t.Errorf("%s: %q, refresh %d", name, page.Title, page.RefreshSeconds)
		}
		if !c.refresh && page.Next == "" && page.Link == "" {
			t.Errorf("%s: the person is left without a next step", name)
		}
		if c.problem != nil && (!page.Bad || !strings.Contains(page.Message, "declined")) {
			t.Errorf("%s: the reason is missing: %q", name, page.Message)
		}
	}
}

func TestResultWhileTemporalIsAway(t *testing.T) {
	b := newBench(t, "https://connect.example")
	b.progressErr = connection.TemporalUnavailable("away")
	response := b.do("GET", testLink+"/result")
	if page := body(t, response); response.StatusCode != 503 || !strings.Contains(page, `http-equiv="refresh"`) {
		t.Errorf("%d: %s", response.StatusCode, page)
	}
}

// forgotten is a codec that does not seal where others do.
type forgotten struct{ backend.Payloads }

func (forgotten) Status() string { return "in clear, while others seal theirs" }

func TestReadyNamesWhatIsAway(t *testing.T) {
	b := newBench(t, "https://connect.example")
	environment := b.gateway.environments.All()[0]
	environment.Vault = func(context.Context) error { return connection.VaultUnavailable("Vault is sealed") }
	environment.Temporal = func(context.Context) error { return errors.New("secret detail") }
	environment.Payloads = forgotten{}
	b.gateway.environments = backend.NewSet(environment)
	response := b.do("GET", "/readyz")
	var answer Readiness
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	want := EnvironmentReadiness{Temporal: "no answer", Vault: "Vault is sealed", Payloads: "in clear, while others seal theirs"}
	if response.StatusCode != 503 || answer.Ready || answer.Environments["development"] != want || answer.Catalogue != b.gateway.catalogue.Digest() {
		t.Errorf("%d %+v", response.StatusCode, answer)
	}
}
