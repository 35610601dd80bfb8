package activities

import (
	"time"

	"connectedapps/connection"
)

// lineMost is how long after the window's end the last place of a line is: one that
// has waited so long without a turn asks again.
const lineMost = 15 * time.Minute

// leastShare is the part of a budget that a worker counts upon which has had less of it.
const leastShare = 10

// place is how long a look that found a budget used up waits for its turn, behind all that
// this worker has told before; 0 where the budget is not used up. Other workers have
// lines of their own, so that as many are called in a window as this one had slots in
// the present one, and a third more: some connections go away meanwhile, and a slot
// that nobody takes is lost. Who comes too early goes to the end. Nothing is promised:
// whoever asks in between may take the slot.
func (b *budgets) place(of allowance) time.Duration {
	if of.unbounded() {
		return 0
	}
	held := b.slots(of.key())
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if held.left > 0 || !now.Before(held.until) {
		return 0
	}
	if held.line.Before(held.until) || held.line.Sub(held.until) > lineMost {
		held.line = held.until
	}
	at := held.line
	held.line = at.Add(of.rule.Per / time.Duration(max(held.taken, of.rule.Requests/leastShare, 1)) * 3 / 4)
	return at.Sub(now)
}

// waitForTurn is how long the watch waits after too many requests: for its place in the
// line of the budget that is used up. Where the app has said so itself, a crowd that
// was sent away comes back one by one.
func (a *Activities) waitForTurn(id connection.ID, x access, refused *connection.Problem) time.Duration {
	if refused.Status != 0 {
		wait := max(refused.RetryAfter, troubleMin)
		return wait + jitter(id.String(), wait)
	}
	wait := a.spender.budgets.place(a.apiAllowance(id, x))
	if x.method.OAuth != nil {
		wait = max(wait, a.spender.budgets.place(a.tokenBudget(id, x)))
	}
	if wait > 0 {
		return wait
	}
	return refused.RetryAfter // its window has ended meanwhile
}
