package api

import (
	"sync"
	"time"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/settings"
)

// budget counts requests per account in fixed windows. It is forgotten at a restart.
type budget struct {
	mu      sync.Mutex
	clock   clock.Clock
	windows map[string]window
}

type window struct {
	start time.Time
	spent int
}

func newBudget(now clock.Clock) *budget { return &budget{clock: now, windows: map[string]window{}} }

// spend takes one request from the account's budget. A positive retryAfter means that there was none left,
// and when there will be.
func (b *budget) spend(account string, limit settings.RateLimit) (remaining int, retryAfter time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	open := b.windows[account]
	if now.Sub(open.start) >= limit.Window.Std() {
		open = window{start: now}
	}
	if open.spent >= limit.Requests {
		return 0, open.start.Add(limit.Window.Std()).Sub(now)
	}
	open.spent++
	b.windows[account] = open
	return limit.Requests - open.spent, 0
}
