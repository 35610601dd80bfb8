package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

func scaleBars() []bar {
	return []bar{{name: "scale", what: "open connections: memory of the worker, lateness and processor time of refreshes", run: openConnections,
		floor: "1,000 connections", target: "< 100 B each uncached, ≤ 25 kB cached; lateness and CPU without an upward trend"}}
}

const (
	// A round makes so many due, so many a second, however many are open.
	dueInRound, duePerSecond = 300, 10
	dueShort                 = 20
	// dueAfter is what making them due, and the looks that plan it, may take.
	dueAfter, dueAfterShort = 12 * time.Second, 8 * time.Second
	// settleFor is how long after the last one is due a round still counts.
	settleFor = 5 * time.Second
	// idleFor is how long at least nothing is due before a round.
	idleFor, idleShort = 8 * time.Second, 2 * time.Second
	// cachedMost is how many workflows are cached for their memory; the worker caches 500.
	cachedMost, cachedShort = 450, 80
)

// size is one stack with so many open connections.
type size struct {
	open    int
	stack   *stack
	flock   *flock
	refresh int // generation that the next round makes

	alone            footprint            // after a restart: nothing is cached
	servers          map[string]int64     // resident memory then, and what is on disk
	lateness         []float64            // of each round
	busy             map[string][]float64 // processor time a second while some are due, of each round
	quiet            spending             // while none is, in all of quietFor
	quietFor         time.Duration
	rested           spending // at restedAt, when the present such time began
	restedAt         time.Time
	p50, worst       []float64
	window           time.Duration // of a round
	count            int           // refreshes in it
	resident, cached float64
	bare             float64 // of a bare workflow, cached
	swept            time.Duration
	orphans          int // that the sweep named
}

// openConnections has stacks of several sizes side by side, each with servers and a
// worker of its own, and measures one after the other in every round.
func openConnections(ctx context.Context, r *rig) (*result, error) {
	opens, due := r.sizes, dueInRound
	if r.short {
		opens, due = []int{30, 90}, dueShort
	}
	bin, err := r.telling(ctx)
	if err != nil {
		return nil, err
	}
	var sizes []*size
	defer func() {
		for _, z := range sizes {
			z.stack.close()
		}
	}()
	for i, open := range opens {
		s, err := r.ownStack(ctx, i+1, bin, memoryVariables(r.offset+stackOffset*(i+1))...)
		if err != nil {
			return nil, err
		}
		z := &size{open: open, stack: s, refresh: 2, busy: map[string][]float64{}, quiet: spending{}}
		sizes = append(sizes, z)
		if err := z.fill(ctx, r, min(due, open)); err != nil {
			return nil, fmt.Errorf("%d connections: %w", open, err)
		}
	}
	if err := sizes[len(sizes)-1].measureCached(ctx, r); err != nil {
		return nil, err
	}
	for _, z := range sizes {
		if err := z.rest(); err != nil {
			return nil, err
		}
	}
	for i := range r.rounds {
		order := slices.Clone(sizes)
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, z := range order {
			if err := z.round(ctx, r, min(due, z.open)); err != nil {
				return nil, fmt.Errorf("%d connections: %w", z.open, err)
			}
			r.say("round %d of %d, %d open: refreshed %.0f ms after it was due at p99 (%.0f at p50), %.2f ms of CPU", i+1, r.rounds, z.open,
				last(z.lateness), last(z.p50), last(z.cpu()))
		}
	}
	return told(sizes), nil
}

// fill opens the connections, restarts the worker and looks at its memory.
func (z *size) fill(ctx context.Context, r *rig, refreshable int) error {
	began := time.Now()
	var err error
	if z.flock, err = z.stack.newFlock(ctx, "open"); err != nil {
		return err
	}
	now := time.Now()
	err = z.flock.grow(ctx, r, z.open, func(i int) member {
		return member{issued: now, expires: now.Add(30 * 24 * time.Hour), refreshable: i < refreshable, probeEvery: connection.ProbeMax}
	})
	if err != nil {
		return err
	}
	if err := z.flock.awaitLooks(ctx, z.open); err != nil {
		return err
	}
	r.say("%d connections are open after %s", z.open, time.Since(began).Round(time.Second))
	if err := z.stack.restartWorker(ctx); err != nil {
		return err
	}
	if z.servers, err = z.stack.servers(); err != nil {
		return err
	}
	z.alone, err = z.stack.footprint(ctx)
	r.say("%d open: the worker has %.2f MB alive, %d goroutines, %.0f MB resident", z.open, z.alone.alive()/1e6, z.alone.Goroutines, float64(z.alone.resident)/1e6)
	if err != nil {
		return err
	}
	return z.sweep(ctx, r)
}

// sweep has Vault swept once, as the schedule does every 15 minutes.
func (z *size) sweep(ctx context.Context, r *rig) error {
	began := time.Now()
	run, err := z.stack.client.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "sweep", TaskQueue: workflows.Queue}, workflows.TypeSweepVault)
	if err != nil {
		return err
	}
	var report activities.SweepReport
	if err := run.Get(ctx, &report); err != nil {
		return fmt.Errorf("the sweep: %w", err)
	}
	z.swept, z.orphans = time.Since(began), len(report.Orphans)
	r.say("%d open: a sweep took %s", z.open, z.swept.Round(time.Millisecond))
	return nil
}

// round makes some due, evenly over a while, and looks how late each was renewed.
func (z *size) round(ctx context.Context, r *rig, count int) error {
	quiet, ahead := idleFor, dueAfter
	if r.short {
		quiet, ahead = idleShort, dueAfterShort
	}
	if err := sleep(ctx, quiet); err != nil {
		return err
	}
	if err := z.wake(); err != nil {
		return err
	}
	first := time.Now().Add(ahead)
	at := func(i int) time.Time { return first.Add(time.Duration(i) * time.Second / duePerSecond) }
	// A token whose life is nothing has no margin before its end: it is due then, to the moment.
	if err := z.flock.due(ctx, count, func(i int) (issued, expires time.Time) { return at(i), at(i) }); err != nil {
		return err
	}
	if err := z.flock.lookNow(ctx, count); err != nil {
		return err
	}
	if wait := time.Until(first); wait < ahead/4 {
		return fmt.Errorf("making them due took too long: %s were left", wait)
	} else if err := sleep(ctx, wait-time.Second); err != nil {
		return err
	}
	window := time.Duration(count)*time.Second/duePerSecond + time.Second + settleFor
	busy, err := z.spent(ctx, window)
	if err != nil {
		return err
	}
	late, err := z.late(ctx, count, at)
	if err != nil {
		return err
	}
	for name, d := range busy {
		z.busy[name] = append(z.busy[name], d.Seconds()/window.Seconds())
	}
	z.window, z.count = window, count
	z.lateness = append(z.lateness, milliseconds(quantile(late, 0.99)))
	z.p50, z.worst = append(z.p50, milliseconds(quantile(late, 0.5))), append(z.worst, milliseconds(slices.Max(late)))
	z.refresh++
	return z.rest()
}

// late is how long after it was due each new token was stored, by Vault's own clock.
func (z *size) late(ctx context.Context, count int, at func(i int) time.Time) ([]time.Duration, error) {
	if err := z.flock.awaitGeneration(ctx, count, z.refresh, time.Minute); err != nil {
		return nil, fmt.Errorf("not all were refreshed: %w", err)
	}
	documents, late := z.stack.admin.Documents(), make([]time.Duration, count)
	return late, together(ctx, count, flockWriters, func(ctx context.Context, i int) error {
		stored, err := documents.Read(ctx, connection.CredentialRef{Connection: z.flock.ids[i]})
		late[i] = stored.WrittenAt.Sub(at(i))
		return err
	})
}
