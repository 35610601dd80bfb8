package activities

import (
	"context"
	"errors"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// maxLease bounds how many slots of a budget a worker takes at once: each lease is
// a write to Vault, and what a worker that dies has leased is lost until the window ends.
const maxLease = 10

// leaseTries bounds how often a lease is asked for while other workers take theirs.
const leaseTries = 20

// budgets counts requests to token endpoints that take only so many, for all
// workers together: slots of a window are leased from Vault by compare-and-set.
type budgets struct {
	a *Activities

	mu   sync.Mutex
	held map[string]slots
}

// slots are what this worker may still use, until its own clock says that the window is over.
type slots struct {
	left  int
	until time.Time
}

func newBudgets(a *Activities) *budgets { return &budgets{a: a, held: map[string]slots{}} }

// take uses one slot, or is ErrRateLimited with the wait until there is one.
func (b *budgets) take(ctx context.Context, id connection.ID, authConfig string, rule *connectors.Budget) error {
	if rule == nil || rule.Requests <= 0 || rule.Per <= 0 {
		return nil
	}
	owner := "auth-configs/" + authConfig
	if authConfig == "" { // the client is the connection's own, and so is its budget
		owner = ownBudget(id)
	}
	key := id.App() + "/" + owner
	for range leaseTries {
		if b.use(key) {
			return nil
		}
		leased, err := b.lease(ctx, id.App(), owner, *rule)
		if errors.Is(err, connection.ErrVersionConflict) {
			continue
		}
		if err != nil {
			return err
		}
		b.mu.Lock()
		b.held[key] = slots{left: b.remaining(key) + leased.left, until: leased.until}
		b.mu.Unlock()
	}
	return connection.RateLimited("many workers are renewing at once", time.Second)
}

func ownBudget(id connection.ID) string { return "connections/" + id.Slug() }

// use takes a slot that is leased already.
func (b *budgets) use(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.remaining(key)
	if left == 0 {
		delete(b.held, key)
		return false
	}
	b.held[key] = slots{left: left - 1, until: b.held[key].until}
	return true
}

// remaining is for whoever holds the lock.
func (b *budgets) remaining(key string) int {
	if held := b.held[key]; time.Now().Before(held.until) {
		return held.left
	}
	return 0
}

// lease takes some slots of the present window. A window begins with its first lease.
func (b *budgets) lease(ctx context.Context, app, owner string, rule connectors.Budget) (slots, error) {
	window, version, err := b.a.AuthConfigs.ReadBudget(ctx, app, owner)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return slots{}, err
	}
	clock, err := b.a.Documents.Clock(ctx)
	if err != nil {
		return slots{}, err
	}
	now := clock.Now()
	if rest := window.Start.Add(rule.Per).Sub(now); window.Start.IsZero() || rest <= 0 {
		window = connection.BudgetWindow{Start: now.UTC().Round(0)}
	} else if window.Taken >= rule.Requests {
		return slots{}, connection.RateLimited("the app's token endpoint takes no more requests for now", rest)
	}
	// A quarter leaves something to the other workers where the budget is small.
	count := min(maxLease, max(rule.Requests/4, 1), rule.Requests-window.Taken)
	window.Taken += count
	if err := b.a.AuthConfigs.WriteBudget(ctx, app, owner, window, version); err != nil {
		return slots{}, err
	}
	return slots{left: count, until: time.Now().Add(window.Start.Add(rule.Per).Sub(now))}, nil
}
