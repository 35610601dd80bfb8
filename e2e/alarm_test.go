package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// Trouble that a person must know of: one status, one alert, and what ends it.

// shortLived lets tokens live for so short a while that the watch renews them by itself.
func shortLived(t *testing.T) {
	t.Helper()
	s.sandboxSettings(t, map[string]any{"access_ttl": "5s"})
}

// newGrant connects the sandbox by OAuth, and answers the token family of the grant.
func newGrant(t *testing.T, name string) string {
	t.Helper()
	start := s.mark(t)
	afterwards(t, name)
	connectBy(t, name, "oauth")
	return familySince(t, start)
}

// afterwards disconnects a connection at the end of the test: with its tokens for
// seconds it would go on asking the app for as long as other tests have such tokens.
func afterwards(t *testing.T, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := s.client.Disconnect(ctx, id(name), "the test is over"); err != nil && connection.TypeOf(err) != connection.ErrConnectionNotFound {
			t.Errorf("disconnecting %s: %v", name, err)
		}
	})
}

// narrow takes contacts.write from a grant at the app.
func narrow(t *testing.T, family string) {
	t.Helper()
	s.sandbox(t, http.MethodPost, "/admin/narrow-grant", map[string]any{"family": family, "scopes": []string{"contacts.read", "offline_access"}}, nil)
}

// becomes waits until a connection has a status and as many open alerts, and answers what is known of it.
func becomes(t *testing.T, name string, want connection.Status, alerts int) workflows.Description {
	t.Helper()
	var described workflows.Description
	eventually(t, fmt.Sprintf("%s is %s with %d open alerts", name, want, alerts), func() bool {
		var err error
		described, err = s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && described.Look.Status == want && len(described.Alerts.Open) == alerts
	})
	return described
}

// alarmed waits for the one alert of a connection, and answers its ID. It says why
// in the same words as the status.
func alarmed(t *testing.T, name string, want connection.Status, kind connection.AlertKind) string {
	t.Helper()
	described := becomes(t, name, want, 1)
	look, open := described.Look, described.Alerts.Open[0]
	if open.News.Kind != kind || open.News.Reason != look.Reason || open.News.Remedy != look.Remedy || look.Reason == "" || look.Remedy == "" {
		t.Fatalf("the status says %+v, the alert %+v", look, open)
	}
	if described.Alerts.Raised != 1 {
		t.Errorf("%d alerts were raised", described.Alerts.Raised)
	}
	return open.WorkflowID
}

// recovered waits until a connection is well again, and checks that the one alert it
// ever raised is over, and why.
func recovered(t *testing.T, name, alert, why string) {
	t.Helper()
	if described := becomes(t, name, connection.Active, 0); described.Look.Reason != "" || described.Look.Remedy != "" || described.Alerts.Raised != 1 {
		t.Errorf("%+v, %d alerts were raised", described.Look, described.Alerts.Raised)
	}
	over(t, alert, why)
}

// over waits until an alert is resolved, for the given reason.
func over(t *testing.T, alert, why string) {
	t.Helper()
	var state workflows.AlertState
	eventually(t, alert+" is resolved", func() bool {
		var err error
		state, err = s.client.DescribeAlert(within(t, time.Minute), alert)
		return err == nil && !state.Resolved.IsZero()
	})
	if !strings.Contains(state.Resolution, why) {
		t.Errorf("%s is over because %q", alert, state.Resolution)
	}
}

// A scope that the app takes away is named. What does not need it goes on, and a
// reconnect that grants it again ends the one alert.
func TestAScopeThatIsTakenAwayIsNamed(t *testing.T) {
	const name = "narrowed"
	shortLived(t)
	narrow(t, newGrant(t, name))
	alert := alarmed(t, name, connection.Error, connection.AlertScopeLost)
	look := becomes(t, name, connection.Error, 1).Look
	if look.Verdict != connection.ScopeLost || look.Reason != "the app no longer grants: contacts.write" ||
		!strings.Contains(look.Remedy, "connected-apps reconnect "+id(name).String()) || len(look.Lost) != 1 || look.Lost[0] != "contacts.write" {
		t.Errorf("%+v", look)
	}
	if _, err := run(t, name, "list-contacts", map[string]any{"limit": 1}); err != nil {
		t.Errorf("an action that the grant covers: %v", err)
	}
	_, err := run(t, name, "create-contact", map[string]any{"name": "not made"})
	problemOf(t, err, connection.ErrScopeMissing)
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	recovered(t, name, alert, "it has recovered")
	if _, err := run(t, name, "create-contact", map[string]any{"name": "made after the reconnect"}); err != nil {
		t.Error(err)
	}
}

// A worker is killed while it waits for the answer of an app that has rotated
// already. The old token is presented once more; then a person is told, once and in time.
func TestARefreshOfUnknownOutcomeIsToldOnce(t *testing.T) {
	const name = "unknown-outcome"
	const budget = 45 * time.Second // after which an intent has no owner
	shortLived(t)
	family := newGrant(t, name)
	s.sandbox(t, http.MethodPost, "/admin/settings", map[string]any{"token_answer_delay": "3s"}, nil)
	mark := s.mark(t)
	refreshes := func() (all []entry) {
		for _, e := range s.since(t, mark) {
			if e.Kind == "token" && e.Family == family && e.GrantType == "refresh_token" {
				all = append(all, e)
			}
		}
		return all
	}
	eventually(t, "the watch renews", func() bool { return len(refreshes()) > 0 })
	s.killWorker(t)
	began := time.Now()
	s.sandbox(t, http.MethodPost, "/admin/settings", map[string]any{"token_answer_delay": "0s"}, nil)
	alert := alarmed(t, name, connection.Expired, connection.AlertExpired)
	if took := time.Since(began); took > budget+time.Minute {
		t.Errorf("it was told after %s", took)
	}
	if look := becomes(t, name, connection.Expired, 1).Look; look.Verdict != connection.Revoked || !strings.Contains(look.Reason, "outcome of a refresh unknown") ||
		!strings.Contains(look.Remedy, "reconnect") {
		t.Errorf("%+v", look)
	}
	_, err := run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	all := refreshes()
	if len(all) != 2 || all[0].Presented != all[1].Presented || all[0].Outcome != "ok" || all[1].Outcome == "ok" {
		t.Errorf("presented: %+v", all)
	}
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	recovered(t, name, alert, "it has recovered")
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
}
