package e2e

import (
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// asked is what the app was asked by one grant.
func asked(t *testing.T, family string, mark int) (tokens, requests int) {
	t.Helper()
	own := map[string]bool{}
	for _, e := range s.since(t, 0) {
		if e.Kind == "token" && e.Family == family && e.IssuedAccess != "" {
			own[e.IssuedAccess] = true
		}
	}
	all := s.since(t, mark)
	return count(all, func(e entry) bool { return e.Kind == "token" && e.Family == family }),
		count(all, func(e entry) bool { return e.Kind == "api" && own[e.Credential] })
}

// Of three connections whose tokens live for seconds, only the one that is kept fresh
// asks the app by itself: one on demand renews when it is used, and a paused one not
// even then. Pausing ends the alert that was open.
func TestOnlyAConnectionThatIsKeptFreshAsksByItself(t *testing.T) {
	const fresh, onDemand, paused = "kept-fresh", "on-demand", "paused"
	shortLived(t)
	narrowed := newGrant(t, paused)
	narrow(t, narrowed)
	kept, used := newGrant(t, fresh), newGrant(t, onDemand)
	idle := connection.OnDemand
	if policy, err := s.client.SetPolicy(within(t, time.Minute), id(onDemand), workflows.SetPolicy{Idle: &idle}); err != nil || policy.Idle != idle {
		t.Fatalf("%+v %v", policy, err)
	}
	alert := alarmed(t, paused, connection.Error, connection.AlertScopeLost)
	if err := s.client.Pause(within(t, time.Minute), id(paused), "for a test"); err != nil {
		t.Fatal(err)
	}
	if described := becomes(t, paused, connection.Paused, 0); described.Look.Reason != "for a test" || described.Alerts.Raised != 1 {
		t.Errorf("%+v, alerts %+v", described.Look, described.Alerts)
	}
	over(t, alert, "it was paused")

	time.Sleep(time.Second) // what was under way is over
	mark := s.mark(t)
	time.Sleep(12 * time.Second)
	if tokens, _ := asked(t, kept, mark); tokens < 2 {
		t.Errorf("what is kept fresh was renewed %d times in 12 s: the test proves nothing", tokens)
	}
	for name, family := range map[string]string{onDemand: used, paused: narrowed} {
		if tokens, requests := asked(t, family, mark); tokens != 0 || requests != 0 {
			t.Errorf("%s: %d token requests and %d others in 12 s in which nobody used it", name, tokens, requests)
		}
	}
	mark = s.mark(t)
	_, err := run(t, paused, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrConnectionPaused)
	if result, err := run(t, onDemand, "whoami", map[string]any{}); err != nil || result.Status != http.StatusOK {
		t.Errorf("%+v %v", result, err)
	}
	if tokens, requests := asked(t, used, mark); tokens != 1 || requests != 1 {
		t.Errorf("an action on demand took %d renewals and %d requests", tokens, requests)
	}
	if tokens, requests := asked(t, narrowed, mark); tokens != 0 || requests != 0 {
		t.Errorf("an action of a paused connection took %d renewals and %d requests", tokens, requests)
	}
	if described := becomes(t, onDemand, connection.Active, 0); described.Policy.Idle != idle || described.Alerts.Raised != 0 {
		t.Errorf("%+v", described.State)
	}
}
