package activities

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// Leases must be rare: each is a write to Vault.
func TestALeaseIsForMany(t *testing.T) {
	for name, test := range map[string]struct{ requests, taken, writes int }{
		"a hundredth of a large one": {5000, 1000, 20},
		"ten of a usual one":         {400, 100, 10},
		"a quarter of a small one":   {8, 8, 4},
		"one of the smallest":        {2, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vault, reads := newStore(), new(atomic.Int64)
				b := newBudgets(&Activities{Documents: vault, AuthConfigs: countingReads{configStore{vault}, reads}})
				of := allowance{app: "sandbox", owner: "api/connections/acme", rule: connectors.Budget{Requests: test.requests, Per: time.Hour}}
				var all sync.WaitGroup
				for range test.taken { // all at once: one leases, and the others wait for it
					all.Go(func() {
						if err := b.take(background, of); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				writes := vault.budgets["sandbox/api/connections/acme"].version
				if writes != test.writes || reads.Load() != int64(test.writes) {
					t.Errorf("%d reads and %d writes for %d requests, want %d of each", reads.Load(), writes, test.taken, test.writes)
				}
			})
		})
	}
}

func TestWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := newStore()
		a := &Activities{Documents: vault, AuthConfigs: configStore{vault}}
		b, late := newBudgets(a), newBudgets(a)
		of := allowance{app: "sandbox", owner: "api/connections/acme", rule: connectors.Budget{Requests: 40, Per: time.Minute}}
		take := func(b *budgets, n int) (err error) {
			for range n {
				if err = b.take(background, of); err != nil {
					return err
				}
			}
			return nil
		}
		if err := take(b, 31); err != nil { // four leases of ten
			t.Fatal(err)
		}
		demandWait(t, take(late, 1), time.Minute)
		time.Sleep(50 * time.Second)
		demandWait(t, take(late, 1), 10*time.Second)
		time.Sleep(10 * time.Second)
		// What was leased of the old window is not spent in the new one.
		if err := take(b, 40); err != nil {
			t.Fatal(err)
		}
		demandWait(t, take(b, 1), time.Minute)
		demandWait(t, take(late, 1), time.Minute)
	})
}

// A budget that is used up is not asked about by everybody who waits for it.
func TestADryBudgetIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault, reads := newStore(), new(atomic.Int64)
		b := newBudgets(&Activities{Documents: vault, AuthConfigs: countingReads{configStore{vault}, reads}})
		of := allowance{app: "sandbox", owner: "api/connections/acme", rule: connectors.Budget{Requests: 1, Per: time.Hour}}
		for range 100 {
			_ = b.take(background, of)
		}
		if n := reads.Load(); n != 2 {
			t.Errorf("%d reads of Vault, want one for the slot and one to learn that there are no more", n)
		}
		delete(vault.budgets, "sandbox/api/connections/acme") // an operator has made room
		time.Sleep(dryMemory)
		if err := b.take(background, of); err != nil {
			t.Errorf("after the room was made: %v", err)
		}
	})
}

// countingReads is a Vault that takes its time and counts how often it is asked.
type countingReads struct {
	configStore
	reads *atomic.Int64
}

func (c countingReads) ReadBudget(ctx context.Context, app, owner string) (connection.BudgetWindow, int, error) {
	c.reads.Add(1)
	time.Sleep(10 * time.Millisecond) // as Vault takes it; a bubble's time
	return c.configStore.ReadBudget(ctx, app, owner)
}

func TestOldWindowsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := newStore()
		b := newBudgets(&Activities{Documents: vault, AuthConfigs: configStore{vault}})
		take := func(i int) {
			of := allowance{app: "sandbox", owner: ownBudget(connection.ID("development/sandbox/c") + connection.ID(strings.Repeat("x", i+1))),
				rule: connectors.Budget{Requests: 4, Per: time.Minute}}
			if err := b.take(background, of); err != nil {
				t.Fatal(err)
			}
		}
		for i := range pruneAt {
			take(i)
		}
		time.Sleep(2 * time.Minute)
		take(pruneAt)
		if n := len(b.held); n != 1 {
			t.Errorf("%d budgets are remembered, want the present one", n)
		}
	})
}
