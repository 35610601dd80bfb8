// Package clock is the sandbox's only source of time, so that a test can move it.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
	// Sleep returns nil once d has passed, or the context's error if that ends first.
	// A d of zero or less returns at once.
	Sleep(ctx context.Context, d time.Duration) error
}

// System is the computer's own clock.
type System struct{}

// Now is the present in UTC.
func (System) Now() time.Time { return time.Now().UTC() }

// Sleep waits in real time.
func (System) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
