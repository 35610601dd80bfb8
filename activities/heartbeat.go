package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
)

// firstBeat and beatEvery fit a heartbeat time-out of three seconds: a dead worker is
// noticed in that time and its work goes on half a second later, and a beat may be two
// seconds late. What is over before the first beat costs none at all, as a healthy look is.
const firstBeat, beatEvery = time.Second, 750 * time.Millisecond

// pulse heartbeats from a while into an attempt until it is stopped, so that a
// short attempt costs none. Each beat repeats what was last said.
type pulse struct {
	ctx  context.Context
	done chan struct{}

	mu   sync.Mutex
	said string
}

func startPulse(ctx context.Context) *pulse {
	p := &pulse{ctx: ctx, done: make(chan struct{})}
	go func() {
		timer := time.NewTimer(firstBeat)
		defer timer.Stop()
		for {
			select {
			case <-p.done:
				return
			case <-ctx.Done():
				return
			case <-timer.C:
				p.mu.Lock()
				said := p.said
				p.mu.Unlock()
				activity.RecordHeartbeat(ctx, said)
				timer.Reset(beatEvery)
			}
		}
	}()
	return p
}

// say leaves a detail at once; a later attempt finds it if this one dies.
func (p *pulse) say(detail string) {
	p.mu.Lock()
	p.said = detail
	p.mu.Unlock()
	activity.RecordHeartbeat(p.ctx, detail)
}

func (p *pulse) stop() { close(p.done) }

// beating is an activity that heartbeats while it runs.
func beating[In, Out any](f func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		pulse := startPulse(ctx)
		defer pulse.stop()
		return f(ctx, in)
	}
}

// beatingAct is the same for an activity that answers nothing.
func beatingAct[In any](f func(context.Context, In) error) func(context.Context, In) error {
	return func(ctx context.Context, in In) error {
		pulse := startPulse(ctx)
		defer pulse.stop()
		return f(ctx, in)
	}
}

// pause waits, and reports false when the context ended first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
