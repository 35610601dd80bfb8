package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

const (
	// minLease is how many slots of a budget a worker takes at once at most, or a
	// hundredth of the budget where that is more: each lease is a write to Vault, and
	// what a worker that dies has leased is lost until the window ends.
	minLease = 10
	// leaseTries bounds how often a lease is asked for while other workers take theirs.
	leaseTries = 20
	// dryMemory is how long Vault is not asked again about a budget that is used up.
	dryMemory = 5 * time.Second
	// pruneAt is how many budgets are remembered before those of past windows go.
	pruneAt = 1000
)

// allowance is a budget and whose it is.
type allowance struct {
	app, owner string
	rule       connectors.Budget
	// of says in words what takes no more requests.
	of string
}

// key names the budget among all that this worker holds.
func (of allowance) key() string { return of.app + "/" + of.owner }

func (of allowance) unbounded() bool { return of.rule.Requests <= 0 || of.rule.Per <= 0 }

// budgets counts requests to whatever takes only so many, for all workers
// together: slots of a window are leased from Vault by compare-and-set.
type budgets struct {
	a *Activities

	mu   sync.Mutex
	held map[string]*slots
	next int // how many there may be before the next look for old ones
}

// slots are what this worker may still use, until its own clock says that the window is over.
type slots struct {
	// turn holds one while somebody leases: the others of this process wait for the outcome.
	turn  chan struct{}
	left  int
	until time.Time
	// dry is until when it is known that there are none.
	dry time.Time
	// line is when the next look that finds none has its turn; see place.
	line time.Time
	// window is the one that these are of, and taken how many this worker has leased in it.
	window time.Time
	taken  int
}

func newBudgets(a *Activities) *budgets {
	return &budgets{a: a, held: map[string]*slots{}, next: pruneAt}
}

// withinBudget takes a slot of the API's budget, where the app has one.
func (a *Activities) withinBudget(ctx context.Context, id connection.ID, x access) error {
	return a.spender.budgets.take(ctx, a.apiAllowance(id, x))
}

// apiAllowance is what the API takes. A worker's setting wins over the definition;
// whose budget it is only the definition says.
func (a *Activities) apiAllowance(id connection.ID, x access) allowance {
	rule := connectors.Budget{}
	if x.app.Budget != nil {
		rule = *x.app.Budget
	}
	if set, ok := a.Budgets[id.App()]; ok {
		rule.Requests, rule.Per = set.Requests, set.Per
	}
	authConfig := x.stored.AuthConfig
	if rule.Of != connectors.BudgetOfClient {
		authConfig = ""
	}
	return allowance{app: id.App(), owner: apiBudget(budgetOwner(id, authConfig)), rule: rule, of: "the API of " + x.app.Name}
}

// probeWithin asks the declared question, within the API's budget.
func (a *Activities) probeWithin(ctx context.Context, id connection.ID, x access) (connectors.ProbeResult, error) {
	if err := a.withinBudget(ctx, id, x); err != nil {
		return connectors.ProbeResult{}, err
	}
	return x.session().Probe(ctx, a.Provider)
}

// tokenBudget is what the token endpoint takes, which is counted apart from the API's:
// a burst of actions cannot keep tokens from being renewed.
func (a *Activities) tokenBudget(id connection.ID, x access) allowance {
	rule := connectors.Budget{}
	if x.method.OAuth.Budget != nil {
		rule = *x.method.OAuth.Budget
	}
	if set, ok := a.Budgets[id.App()+connectors.TokenBudget]; ok {
		rule = set
	}
	return allowance{app: id.App(), owner: budgetOwner(id, x.stored.AuthConfig), rule: rule, of: "the token endpoint of " + x.app.Name}
}

// budgetOwner is the auth config, or the connection where the client is its own.
func budgetOwner(id connection.ID, authConfig string) string {
	if authConfig == "" {
		return ownBudget(id)
	}
	return "auth-configs/" + authConfig
}

func ownBudget(id connection.ID) string { return "connections/" + id.Slug() }

// apiBudget is the owner's budget of the API, beside the one of the token endpoint.
func apiBudget(owner string) string { return "api/" + owner }

// take uses one slot, or is ErrRateLimited with the wait until there is one. An
// allowance without requests or time bounds nothing.
func (b *budgets) take(ctx context.Context, of allowance) error {
	if of.unbounded() {
		return nil
	}
	held := b.slots(of.key())
	if done, err := b.use(held, of); done {
		return err
	}
	select {
	case held.turn <- struct{}{}:
		defer func() { <-held.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for range leaseTries {
		if done, err := b.use(held, of); done {
			return err
		}
		if err := b.lease(ctx, of, held); err != nil && !errors.Is(err, connection.ErrVersionConflict) {
			return err
		}
	}
	return connection.RateLimited("many workers are asking for a share of the budget of "+of.of, time.Second)
}

// slots finds what is held of a budget, and forgets past windows when there are many.
func (b *budgets) slots(key string) *slots {
	b.mu.Lock()
	defer b.mu.Unlock()
	if held, ok := b.held[key]; ok {
		return held
	}
	if len(b.held) >= b.next {
		for other, held := range b.held {
			if !time.Now().Before(held.until) {
				delete(b.held, other)
			}
		}
		b.next = max(pruneAt, 2*len(b.held))
	}
	held := &slots{turn: make(chan struct{}, 1)}
	b.held[key] = held
	return held
}

// use takes a slot that is leased already. It is done when it has one, or when it
// is known that there is none.
func (b *budgets) use(held *slots, of allowance) (done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case held.left > 0 && now.Before(held.until):
		held.left--
		return true, nil
	case now.Before(held.dry):
		return true, usedUp(of, held.until.Sub(now))
	default:
		return false, nil
	}
}

func usedUp(of allowance, rest time.Duration) error {
	return connection.RateLimited(fmt.Sprintf("the budget of %s is used up for now: %d requests in %s", of.of, of.rule.Requests, of.rule.Per), rest)
}

// lease takes some slots of the present window. A window begins with its first lease.
func (b *budgets) lease(ctx context.Context, of allowance, held *slots) error {
	window, version, err := b.a.AuthConfigs.ReadBudget(ctx, of.app, of.owner)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return err
	}
	clock, err := b.a.Documents.Clock(ctx)
	if err != nil {
		return err
	}
	now := clock.Now()
	if rest := window.Start.Add(of.rule.Per).Sub(now); window.Start.IsZero() || rest <= 0 {
		window = connection.BudgetWindow{Start: now.UTC().Round(0)}
	} else if window.Taken >= of.rule.Requests {
		b.keep(held, window, 0, rest, min(rest, dryMemory))
		return usedUp(of, rest)
	}
	count := share(of.rule.Requests, of.rule.Requests-window.Taken)
	window.Taken += count
	if err := b.a.AuthConfigs.WriteBudget(ctx, of.app, of.owner, window, version); err != nil {
		return err
	}
	b.keep(held, window, count, window.Start.Add(of.rule.Per).Sub(clock.Now()), 0)
	return nil
}

// share is how many slots to lease of those that are left: a quarter of the budget
// at most, which leaves something to the other workers where it is small.
func share(requests, left int) int {
	return min(max(minLease, requests/100), max(requests/4, 1), left)
}

// keep remembers what was leased, and for how long nobody needs to ask again.
func (b *budgets) keep(held *slots, of connection.BudgetWindow, left int, rest, dry time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !held.window.Equal(of.Start) {
		held.window, held.taken = of.Start, 0
	}
	held.taken += left
	held.left, held.until, held.dry = left, now.Add(rest), now.Add(dry)
}
