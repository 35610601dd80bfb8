package activities

import (
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// asked counts what has reached the app's API.
func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.probes + len(p.calls)
}

// demandWait checks that an error is a wait of about so long.
func demandWait(t *testing.T, err error, want time.Duration) {
	t.Helper()
	demand(t, err, connection.ErrRateLimited)
	if p, _ := connection.AsProblem(err); p.RetryAfter < want-2*time.Second || p.RetryAfter > want {
		t.Errorf("told to wait %s, want about %s", p.RetryAfter, want)
	}
}

// withBudget is a world whose app declares a budget of its API.
func withBudget(t *testing.T, declared string) *world {
	t.Helper()
	w := newWorld(t, "strict")
	w.custom("\nauth:\n", "\nbudget: {"+declared+"}\nauth:\n")
	return w
}

func TestABudgetOfTheAPIIsOneForAllWorkers(t *testing.T) {
	w := withBudget(t, "requests: 8, per: 10m")
	processes := []*Activities{w.process(), w.process()}
	for i := range 4 {
		if _, err := w.call(t, processes[i%2], CallActionInput{Action: "whoami"}); err != nil {
			t.Fatal(err)
		}
		if _, err := processes[i%2].probe(background, w.ref); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range processes {
		_, err := w.call(t, a, CallActionInput{Action: "whoami"})
		demandWait(t, err, 10*time.Minute)
		if !strings.Contains(err.Error(), "the API of Sandbox") {
			t.Errorf("%v does not say what is used up", err)
		}
		_, err = a.probe(background, w.ref)
		demandWait(t, err, 10*time.Minute)
	}
	if n := w.provider.asked(); n != 8 {
		t.Errorf("%d requests reached the app, want 8", n)
	}
	w.vault.advance(10 * time.Minute)
	if _, err := w.call(t, w.process(), CallActionInput{Action: "whoami"}); err != nil {
		t.Errorf("in the next window: %v", err)
	}
}

func TestWithoutASlotNothingIsSent(t *testing.T) {
	w := withBudget(t, "requests: 1, per: 1h")
	a := w.process()
	if _, err := a.probe(background, w.ref); err != nil {
		t.Fatal(err)
	}
	// A change that must not be sent twice waits as well, and does not count as sent.
	env := activityEnvironment(t, a)
	for range 2 {
		_, err := called(env, CallActionInput{Action: "create-contact", Arguments: []byte(`{"name":"Ada"}`)})
		demandWait(t, err, time.Hour)
	}
	// The watch takes it for a wait and not for trouble.
	look, wait, err := a.look(background, WatchInput{Connection: testID, Reported: Look{Status: connection.Error, Grant: "first"}})
	if err != nil || look.Status != connection.Error || wait < 59*time.Minute {
		t.Errorf("a look: %+v, again in %s, %v", look.Status, wait, err)
	}
	if n := w.provider.asked(); n != 1 {
		t.Errorf("%d requests reached the app, want the one there was a slot for", n)
	}
	// A token endpoint is counted apart.
	if _, err := w.renew(a); err != nil {
		t.Errorf("a renewal waits for the API's budget: %v", err)
	}
}

// An app that refuses everybody must not be probed past its budget to find out.
func TestTheConfirmingProbeIsCounted(t *testing.T) {
	w := withBudget(t, "requests: 2, per: 1h")
	w.provider.set(func() { w.provider.probe = 401 })
	_, err := w.call(t, w.process(), CallActionInput{Action: "whoami"})
	demand(t, err, connection.ErrRateLimited) // the request, the one after the renewal, and no third
	if n := w.provider.asked(); n != 2 || len(w.told.signals()) != 0 {
		t.Errorf("%d requests, told %v", n, w.told.signals())
	}
}

func TestAnOperatorsBudget(t *testing.T) {
	for name, test := range map[string]struct {
		declared string
		set      map[string]connectors.Budget
		want     int // requests of five
	}{
		"as declared":      {"requests: 3, per: 1h", nil, 3},
		"of another app":   {"requests: 3, per: 1h", map[string]connectors.Budget{"other": {}}, 3},
		"of its tokens":    {"requests: 3, per: 1h", map[string]connectors.Budget{"sandbox:token": {}}, 3},
		"less":             {"requests: 3, per: 1h", map[string]connectors.Budget{"sandbox": {Requests: 2, Per: time.Minute}}, 2},
		"more":             {"requests: 3, per: 1h", map[string]connectors.Budget{"sandbox": {Requests: 4, Per: time.Minute}}, 4},
		"removed":          {"requests: 3, per: 1h", map[string]connectors.Budget{"sandbox": {}}, 5},
		"where none is":    {"", map[string]connectors.Budget{"sandbox": {Requests: 2, Per: time.Minute}}, 2},
		"none, and no set": {"", nil, 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			if test.declared != "" {
				w = withBudget(t, test.declared)
			}
			a := w.process()
			a.Budgets = test.set
			for range 5 {
				if _, err := a.probe(background, w.ref); err != nil {
					demand(t, err, connection.ErrRateLimited)
				}
			}
			if n := w.provider.asked(); n != test.want {
				t.Errorf("%d requests reached the app, want %d", n, test.want)
			}
		})
	}
	t.Run("of a token endpoint", func(t *testing.T) {
		w := withBudget(t, "requests: 1, per: 1h, of: client")
		a := w.process()
		a.Budgets = map[string]connectors.Budget{"sandbox:token": {Requests: 1, Per: time.Hour}}
		if _, err := a.probe(background, w.ref); err != nil { // of the same client, and counted apart
			t.Fatal(err)
		}
		if _, err := w.renew(a); err != nil {
			t.Fatal(err)
		}
		w.ref.Generation++
		_, err := w.renew(a)
		demandWait(t, err, time.Hour)
		if n := len(w.provider.ledger()); n != 1 {
			t.Errorf("the token endpoint was asked %d times", n)
		}
	})
}

func TestWhoseBudgetItIs(t *testing.T) {
	const other = connection.ID("development/sandbox/other")
	for of, want := range map[string]string{"connection": "", "client": connection.ErrRateLimited} {
		w := withBudget(t, "requests: 1, per: 1h, of: "+of)
		a := w.process()
		x, err := a.access(background, w.vault.peek(w.ref), testID)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.withinBudget(background, testID, x); err != nil {
			t.Fatal(err)
		}
		demand(t, a.withinBudget(background, testID, x), connection.ErrRateLimited)
		demand(t, a.withinBudget(background, other, x), want)
		x.stored.AuthConfig = "" // then it is the connection's own, whatever the app counts by
		demand(t, a.withinBudget(background, "development/sandbox/third", x), "")
	}
}

func TestABudgetGoesWithItsConnection(t *testing.T) {
	w := withBudget(t, "requests: 1, per: 1h")
	a := w.process()
	if _, err := a.probe(background, w.ref); err != nil || len(w.vault.budgets) != 1 {
		t.Fatalf("%v, %d budgets", err, len(w.vault.budgets))
	}
	if err := a.destroy(background, DestroyInput{Ref: w.ref, Everything: true}); err != nil || len(w.vault.budgets) != 0 {
		t.Errorf("%v, %d budgets are left", err, len(w.vault.budgets))
	}
}
