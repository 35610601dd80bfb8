package activities

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
)

// A spender that was stopped after its intent, for longer than its budget, does not
// present the token when it goes on: another has, and a second use ends the grant.
func TestATokenIsNotPresentedAfterItsBudget(t *testing.T) {
	w := newWorld(t, "strict")
	synctest.Test(t, func(t *testing.T) {
		stopped, other := w.inside(), w.inside()
		var held atomic.Bool
		w.vault.faults(nil, nil, func(d connection.Document) error {
			if d.Intent != nil {
				if held.CompareAndSwap(false, true) {
					time.Sleep(budget + time.Second)
					if stored, err := w.renew(other); err != nil || stored.Generation != 2 {
						t.Errorf("the other: generation %d, %v", stored.Generation, err)
					}
				}
			}
			return nil
		})
		stored, err := w.renew(stopped)
		if err != nil || stored.Generation != 2 {
			t.Errorf("the one that was stopped: generation %d, %v", stored.Generation, err)
		}
		if got := w.provider.ledger(); len(got) != 1 {
			t.Errorf("presented %q", got)
		}
		if now := w.vault.peek(w.ref); now.Generation != 2 || now.Rejected != nil {
			t.Errorf("stored %+v", now.Document)
		}
	})
}

// One that was held up, and whom nobody has overtaken, announces itself anew.
func TestALateSpenderAnnouncesItselfAnew(t *testing.T) {
	w := newWorld(t, "strict")
	synctest.Test(t, func(t *testing.T) {
		a := w.inside()
		var held atomic.Bool
		announced := 0
		w.vault.faults(nil, nil, func(d connection.Document) error {
			if d.Intent != nil {
				announced++
				if held.CompareAndSwap(false, true) {
					time.Sleep(presentWithin + time.Second)
				}
			}
			return nil
		})
		stored, err := w.renew(a)
		if err != nil || stored.Generation != 2 || announced != 2 || len(w.provider.ledger()) != 1 {
			t.Errorf("generation %d after %d intents and %q: %v", stored.Generation, announced, w.provider.ledger(), err)
		}
	})
}
