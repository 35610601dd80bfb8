package activities

import (
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connectors"
)

func TestThoseWhoWaitStandInLine(t *testing.T) {
	w := newWorld(t, "strict")
	synctest.Test(t, func(t *testing.T) {
		b := w.inside().spender.budgets
		of := allowance{app: "sandbox", owner: "auth-configs/house", rule: connectors.Budget{Requests: 60, Per: time.Minute}}
		if wait := b.place(of); wait != 0 {
			t.Errorf("where nothing is used up one waits for %s", wait)
		}
		for b.take(t.Context(), of) == nil {
		}
		// This worker had all sixty slots: it calls sixty and a third more in a minute.
		for i := range 3 {
			if wait, want := b.place(of), time.Minute+time.Duration(i)*750*time.Millisecond; (wait - want).Abs() > 10*time.Millisecond {
				t.Errorf("place %d: in %s, wanted %s", i, wait, want)
			}
		}
		var last time.Duration
		for range 10_000 { // two hours at that rate
			last = max(last, b.place(of))
		}
		if most := time.Minute + lineMost + time.Second; last > most || last < most-time.Minute {
			t.Errorf("the last place is in %s, wanted a line that ends after %s", last, most)
		}
		time.Sleep(time.Minute)
		if wait := b.place(of); wait != 0 {
			t.Errorf("in the next window one waits for %s", wait)
		}
		if wait := b.place(allowance{app: "sandbox", owner: "auth-configs/house"}); wait != 0 {
			t.Errorf("where nothing is bounded one waits for %s", wait)
		}
	})
}
