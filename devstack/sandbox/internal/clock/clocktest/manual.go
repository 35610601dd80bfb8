// Package clocktest is a clock that stands still until a test moves it.
package clocktest

import (
	"context"
	"sync"
	"time"
)

// Manual is a clock.Clock. Sleep does not wait: it moves the clock forward and returns, so that
// what a test reads afterwards is what it would have read after a real wait.
type Manual struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

// NewManual stands at start.
func NewManual(start time.Time) *Manual { return &Manual{now: start.UTC()} }

// Now is where the clock was last moved to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock forward.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// Sleep advances by d at once.
func (m *Manual) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	m.slept += d
	return ctx.Err()
}

// Slept is how long Sleep would have waited in all.
func (m *Manual) Slept() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slept
}
