package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/client"
)

// callers are those who run actions at once.
const callers = 16

func sustained(ctx context.Context, r *rig) (*result, error) {
	id, err := r.connectQuiet(ctx, "bench-sustained")
	if err != nil {
		return nil, err
	}
	defer r.disconnect(ctx, id)
	each := 320
	if r.short {
		each = 2 * callers
	}
	found := &result{}
	ours := side{name: "ours", block: func(ctx context.Context) ([]time.Duration, error) { return crowd(ctx, each, r.standaloneOurs(id)) }}
	floor := side{name: "floor", block: func(ctx context.Context) ([]time.Duration, error) { return crowd(ctx, each, r.standaloneFloor(id)) }}
	if found.Rounds, err = r.pairs(ctx, ours, floor, 4); err != nil {
		return nil, err
	}
	found.Checks = []check{over(found.Rounds, byRate, atLeast("rate over the floor's", 0, 0.95, ""))}
	found.Figures = []figure{
		{"actions a second", over(found.Rounds, func(m round) float64 { return m.Ours.PerSecond }, check{}).Have, "1/s"},
		{"bare activities a second", over(found.Rounds, func(m round) float64 { return m.Floor.PerSecond }, check{}).Have, "1/s"},
		{"CPU of the workers over the floor's", over(found.Rounds, byCPU(groupWorkers), check{}).Have, ""}}
	return found, nil
}

// crowd lets the callers run so many operations in all, as fast as they can.
func crowd(ctx context.Context, times int, do func(context.Context) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([]time.Duration, times)
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(times) && ctx.Err() == nil; i = next.Add(1) - 1 {
				began := time.Now()
				if err := do(ctx); err != nil {
					cancel(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	return took, context.Cause(ctx)
}

// standaloneFloor runs the bare activity without a workflow.
func (r *rig) standaloneFloor(id connection.ID) func(context.Context) error {
	_, same := listContacts(id)
	return func(ctx context.Context) error {
		handle, err := r.bare.ExecuteActivity(ctx, client.StartActivityOptions{ID: r.unique(),
			TaskQueue: egressQueue, StartToCloseTimeout: time.Minute}, "Get", same)
		if err != nil {
			return err
		}
		var answer getResult
		return handle.Get(ctx, &answer)
	}
}

var uniques atomic.Int64

// unique is an ID that was not used before on this stack.
func (r *rig) unique() string { return fmt.Sprintf("bench-%d", uniques.Add(1)) }
