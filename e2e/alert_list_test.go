package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// listedAlerts are the alerts of some connections that the command line lists, by connection.
func listedAlerts(t *testing.T, of []string, arguments ...string) map[string]workflows.AlertRow {
	t.Helper()
	var rows []workflows.AlertRow
	if err := json.Unmarshal([]byte(must(t, append([]string{"alerts", "list", "--output", "json"}, arguments...)...)), &rows); err != nil {
		t.Fatal(err)
	}
	found := map[string]workflows.AlertRow{}
	for _, row := range rows {
		for _, name := range of {
			if row.Connection != id(name) {
				continue
			}
			if _, twice := found[name]; twice {
				t.Errorf("%s is listed twice", name)
			}
			found[name] = row
		}
	}
	return found
}

// The list of every environment holds what is open and nothing else. What a person
// has taken care of leaves it, and is raised no second time.
func TestAlertsAreListedAndResolved(t *testing.T) {
	const dead, narrowed, well = "listed-expired", "listed-narrowed", "listed-well"
	all := []string{dead, narrowed, well}
	shortLived(t)
	family := newGrant(t, dead)
	narrow(t, newGrant(t, narrowed))
	newGrant(t, well)
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": family}, nil)
	alert := alarmed(t, dead, connection.Expired, connection.AlertExpired)
	open := alarmed(t, narrowed, connection.Error, connection.AlertScopeLost)

	var listed map[string]workflows.AlertRow
	eventually(t, "both are listed", func() bool { listed = listedAlerts(t, all); return len(listed) == 2 })
	for name, want := range map[string]struct {
		id   string
		kind connection.AlertKind
	}{dead: {alert, connection.AlertExpired}, narrowed: {open, connection.AlertScopeLost}} {
		row := listed[name]
		if row.ID != want.id || row.Kind != want.kind || row.Environment != environment || row.App != "sandbox" || row.Since.IsZero() ||
			row.Reason != becomes(t, name, status(t, name), 1).Look.Reason {
			t.Errorf("%s is listed as %+v", name, row)
		}
	}
	if found := listedAlerts(t, all, "--environment", "production"); len(found) != 0 {
		t.Errorf("listed in production: %+v", found)
	}
	if found := listedAlerts(t, all, "--kind", "expired"); len(found) != 1 || found[dead].ID != alert {
		t.Errorf("listed as expired: %+v", found)
	}

	var resolved workflows.AlertState
	if err := json.Unmarshal([]byte(must(t, "alerts", "resolve", alert, "--reason", "somebody knows", "--output", "json")), &resolved); err != nil || resolved.ID != alert || resolved.Resolved.IsZero() {
		t.Errorf("%+v %v", resolved, err)
	}
	over(t, alert, "somebody knows")
	eventually(t, "it is no longer listed", func() bool {
		listed = listedAlerts(t, all)
		return len(listed) == 1 && listed[narrowed].ID == open
	})
	if _, err := s.client.Test(within(t, time.Minute), id(dead)); err != nil { // the trouble is seen once more
		t.Error(err)
	}
	if described := becomes(t, dead, connection.Expired, 1); described.Alerts.Raised != 1 {
		t.Errorf("a resolved alert was raised again: %+v", described.Alerts)
	}
	if done := reconnect(t, dead, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	recovered(t, dead, alert, "somebody knows")
}
