package e2e

import (
	"syscall"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// Temporal is killed while a watch and a link wait for their time, and starts again on what it had stored. Both come
// when they are due, and a session that was open goes on as if nothing had been. The worker lives through it.
func TestTimersOutliveTemporal(t *testing.T) {
	const name, open, brief = "temporal-killed", "session-temporal-killed", "session-temporal-brief"
	s.sandboxSettings(t, map[string]any{"access_ttl": "30s"})
	family := newGrant(t, name)
	// A look that is due in a while, so that the kill is between its setting and its time.
	var before workflows.Description
	eventually(t, "a look is due in a while", func() bool {
		var err error
		before, err = s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && before.NextLook.After(time.Now().Add(10*time.Second))
	})
	session(t, open, 0)
	session(t, brief, 20*time.Second)
	waiting, err := s.client.ConnectSession(within(t, time.Minute), brief)
	if err != nil {
		t.Fatal(err)
	}
	worker := s.child(t, "connected-apps-worker", "CONNECTED_APPS_ENVIRONMENT="+environment)
	old := s.child(t, "devstack-temporal", "")
	mark := s.mark(t)
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	refreshed := func(e entry) bool { return e.Kind == "token" && e.Family == family && e.GrantType == "refresh_token" }
	if n := count(s.since(t, mark), refreshed); n != 0 || !killed.Before(before.NextLook) || !killed.Before(waiting.Expires) {
		t.Fatalf("%d refreshes, and a look was due at %s and the link at %s, before the kill at %s: the test proves nothing",
			n, before.NextLook, waiting.Expires, killed)
	}
	eventually(t, "another Temporal answers", func() bool {
		state, err := s.client.ConnectSession(within(t, time.Second), open)
		return err == nil && state.State == workflows.SessionOpen
	})
	if now := s.child(t, "devstack-temporal", ""); now == old {
		t.Fatalf("process %d was not killed, so this test proves nothing", old)
	}
	t.Logf("away for %s", time.Since(killed).Round(100*time.Millisecond))

	eventually(t, "the watch refreshes when it is due", func() bool { return count(s.since(t, mark), refreshed) > 0 })
	if late := time.Since(before.NextLook); late < 0 {
		t.Errorf("it was refreshed %s before it was due", -late)
	} else {
		t.Logf("refreshed within %s of when it was due", late.Round(100*time.Millisecond))
	}
	ended(t, brief, workflows.SessionExpired)
	begun := claimed(t, open)
	if progress, err := s.client.Connect(within(t, time.Minute), begun.Connect, leftBy(t, "api-key")); err != nil || progress.Problem != nil {
		t.Fatalf("%+v %v", progress, err)
	}
	ended(t, open, workflows.SessionConnected)
	leave(t, open)
	if described := becomes(t, name, connection.Active, 0); described.Alerts.Raised != 0 {
		t.Errorf("%d alerts were raised", described.Alerts.Raised)
	}
	for _, e := range s.since(t, mark) {
		if refreshed(e) && e.Outcome != "ok" {
			t.Errorf("a refresh was refused: %+v", e)
		}
	}
	if now := s.child(t, "connected-apps-worker", "CONNECTED_APPS_ENVIRONMENT="+environment); now != worker {
		t.Error("the worker was started again")
	}
}
