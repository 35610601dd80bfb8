package e2e

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// renew has a connection continue as new, and waits until it has.
func renew(t *testing.T, name string) {
	t.Helper()
	ctx := within(t, time.Minute)
	before, err := s.client.Describe(ctx, id(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client.Temporal.SignalWorkflow(ctx, workflows.ConnectionWorkflowID(id(name)), "", workflows.SignalContinueAsNew, struct{}{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another run", func() bool {
		after, err := s.client.Describe(ctx, id(name))
		return err == nil && after.Runs == before.Runs+1
	})
}

// A connection has a new run after every step of its life, and nothing is lost: not
// what a person set, not its end, not its repair.
func TestAConnectionContinuesAsNewBetweenAnyTwoSteps(t *testing.T) {
	const name = "renewed"
	start := s.mark(t)
	connectBy(t, name, "oauth")
	works := func() {
		t.Helper()
		if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := within(t, 5*time.Minute)
	renew(t, name)
	works()
	renew(t, name)
	if _, err := s.client.PutToolkit(ctx, id(name), workflows.PutToolkit{Name: "narrow", Actions: []string{"whoami"}}); err != nil {
		t.Fatal(err)
	}
	renew(t, name)
	if err := s.client.Rename(ctx, id(name), "After three runs"); err != nil {
		t.Fatal(err)
	}
	renew(t, name)
	if err := s.client.Pause(ctx, id(name), "a moment"); err != nil {
		t.Fatal(err)
	}
	renew(t, name)
	if err := s.client.Resume(ctx, id(name), "on"); err != nil {
		t.Fatal(err)
	}
	renew(t, name)
	works()
	if _, err := s.client.Refresh(ctx, id(name)); err != nil {
		t.Fatal(err)
	}
	renew(t, name)
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	_, err := run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	eventually(t, "it is expired", func() bool { return status(t, name) == connection.Expired })
	renew(t, name)
	expired, err := s.client.Describe(ctx, id(name))
	if err != nil || len(expired.Alerts.Open) != 1 || expired.Alerts.Open[0].News.Kind != connection.AlertExpired {
		t.Errorf("%+v %v", expired.Alerts, err)
	}
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	eventually(t, "it is active again", func() bool { return status(t, name) == connection.Active })
	renew(t, name)
	works()
	last, err := s.client.Describe(ctx, id(name))
	if err != nil || last.DisplayName != "After three runs" || len(last.Toolkits) != 2 || len(last.Alerts.Open) != 0 || last.Look.Grant == expired.Look.Grant {
		t.Errorf("%+v %v", last.State, err)
	}
	if ended, err := s.client.Disconnect(ctx, id(name), "enough"); err != nil || ended.Revocation != "revoked" {
		t.Errorf("%+v %v", ended, err)
	}
	eventually(t, "it is gone", func() bool {
		_, err := s.client.Describe(ctx, id(name))
		return errors.Is(err, &connection.Problem{Type: connection.ErrConnectionNotFound})
	})
	gone(t, name)
}
