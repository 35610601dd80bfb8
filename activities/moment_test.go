package activities

import (
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
)

// An access that ends at any moment, at an app that renews none as long as it lives, is
// not sent: Vault's clock is told to the second, so it may have ended already.
func TestAnAccessThatEndsAtAnyMomentIsNotSent(t *testing.T) {
	w := newWorld(t, "strict")
	w.custom("rotation: strict", "rotation: strict\n        while_valid: false")
	synctest.Test(t, func(t *testing.T) {
		w.provider.set(func() { w.provider.clock, w.provider.life = w.vault.peekNow, time.Minute })
		a, began := w.inside(), time.Now()
		w.adopt("second")
		// It was stored with an expiry that is too late by what a second hides.
		w.token(func(token *connection.Token, now time.Time) {
			token.ExpiresAt = now.Add(time.Minute + grain - 50*time.Millisecond)
		})
		for time.Since(began) < 70*time.Second {
			if err := w.act(a); err != nil {
				t.Fatal(err)
			}
			time.Sleep(130 * time.Millisecond)
		}
	})
	if w.provider.late != 0 || len(w.provider.ledger()) != 1 {
		t.Errorf("%d requests with an expired token, %d refreshes", w.provider.late, len(w.provider.ledger()))
	}
}
