package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/api/workflowservice/v1"
)

func herdBars() []bar {
	return []bar{{name: "herd", what: "connections that are due at once, after the worker was away", run: runHerd,
		floor: "the token endpoint's budget, as the operator has declared it", target: "drained within the budget and 10 %, none expired"}}
}

const (
	herdShort, herdRateShort = 60, 10
	// herdPer is the budget's window.
	herdPer = 10 * time.Second
	// herdStack is the number of its stack.
	herdStack = 4
	// herdArmed is how many are made due a second, at the least, while the worker is away.
	herdArmed = 60
)

// herdRun is one run of it.
type herdRun struct {
	*flock
	rate     int           // requests a second, as declared
	declared time.Duration // what the budget needs for all
	began    time.Time     // when the worker came back
	expires  time.Time     // of all their tokens
	mark     int           // of the ledger
	before   counters
}

// runHerd stops the worker, as an outage does, makes all of them due, and lets it go on.
func runHerd(ctx context.Context, r *rig) (*result, error) {
	count, rate := r.herd, r.herdRate
	if r.short {
		count, rate = herdShort, herdRateShort
	}
	budget := fmt.Sprintf("sandbox:token=%d/%s", rate*int(herdPer/time.Second), herdPer)
	s, err := r.ownStack(ctx, herdStack, r.bin, "CONNECTED_APPS_BUDGETS="+budget)
	if err != nil {
		return nil, err
	}
	defer s.close()
	h := herdRun{rate: rate, declared: time.Duration(count) * time.Second / time.Duration(rate)}
	if h.flock, err = s.newFlock(ctx, "herd"); err != nil {
		return nil, err
	}
	now := time.Now()
	err = h.grow(ctx, r, count, func(int) member {
		return member{issued: now, expires: now.Add(30 * 24 * time.Hour), refreshable: true, probeEvery: connection.ProbeMax}
	})
	if err != nil {
		return nil, err
	}
	if err := h.awaitLooks(ctx, count); err != nil {
		return nil, err
	}
	if h.mark, err = s.sandbox.mark(ctx); err != nil {
		return nil, err
	}
	if h.before, err = s.view.counters(ctx); err != nil {
		return nil, err
	}
	away := time.Now()
	if err := syscall.Kill(s.worker(), syscall.SIGSTOP); err != nil {
		return nil, err
	}
	defer func() { _ = syscall.Kill(s.worker(), syscall.SIGCONT) }() // one that stands still cannot be told to end
	h.began = away.Add(time.Duration(count/herdArmed+5) * time.Second)
	h.expires = h.began.Add(margin) // every one is due when the worker is back, and lives for the whole margin
	if err := h.due(ctx, count, func(int) (issued, expires time.Time) { return h.expires.Add(-life), h.expires }); err != nil {
		return nil, err
	}
	if err := h.lookNow(ctx, count); err != nil {
		return nil, err
	}
	if late := time.Since(h.began); late > 0 {
		return nil, fmt.Errorf("making them due took %s too long", late)
	}
	r.say("%d wait, and the worker comes back in %s; the budget is %s, which is %s for all", count, time.Until(h.began).Round(time.Second), budget, h.declared)
	if err := sleep(ctx, time.Until(h.began)); err != nil {
		return nil, err
	}
	if err := syscall.Kill(s.worker(), syscall.SIGCONT); err != nil {
		return nil, err
	}
	return h.drain(ctx, r)
}

// drain waits until all are renewed and looks what that took.
func (h *herdRun) drain(ctx context.Context, r *rig) (*result, error) {
	s, count := h.stack, len(h.ids)
	cpu, err := h.cpu()
	if err != nil {
		return nil, err
	}
	for done := 0; done < count; {
		if err := sleep(ctx, 5*time.Second); err != nil {
			return nil, err
		}
		tokens, err := s.sandbox.since(ctx, h.mark, "token")
		if err != nil {
			return nil, err
		}
		done = len(tokens)
		r.say("%d of %d after %s", done, count, time.Since(h.began).Round(time.Second))
		if time.Since(h.began) > 3*h.declared+time.Minute {
			return nil, errors.New("they are not renewed within three times what the budget needs")
		}
	}
	spent, err := h.cpu()
	if err != nil {
		return nil, err
	}
	if err := h.awaitGeneration(ctx, count, 2, time.Minute); err != nil {
		return nil, err
	}
	after, err := s.view.counters(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := s.sandbox.since(ctx, h.mark, "token")
	if err != nil {
		return nil, err
	}
	var stored atomic.Int64 // when the last was stored, in nanoseconds after the worker came back
	var late, ended atomic.Int64
	err = together(ctx, count, flockWriters, func(ctx context.Context, i int) error {
		found, err := s.admin.Documents().Read(ctx, connection.CredentialRef{Connection: h.ids[i]})
		if err != nil {
			return err
		}
		if found.WrittenAt.After(h.expires) {
			late.Add(1)
		}
		if found.Rejected != nil {
			ended.Add(1)
		}
		for took := int64(found.WrittenAt.Sub(h.began)); ; {
			old := stored.Load()
			if took <= old || stored.CompareAndSwap(old, took) {
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	expired, err := h.expired(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Duration(stored.Load())
	cost := after.since(h.before).lookCost(environment)
	return &result{Checks: []check{
		atMost(fmt.Sprintf("time until the last of %d is renewed, over what the budget needs", count), took.Seconds()/h.declared.Seconds(), 1.1, ""),
		// One that was let through at the end of a window may arrive in the next.
		atMost("requests in any window of the budget, over the budget", float64(h.busiest(tokens))/float64(h.rate*int(herdPer/time.Second)), 1.05, ""),
		atMost("token requests for a connection", float64(len(tokens))/float64(count), 1, "").exact(),
		atMost("connections that are Expired, or whose credential was rejected", float64(expired)+float64(ended.Load()), 0, "").exact(),
	}, Figures: []figure{
		{"connections", float64(count), ""}, {"requests a second by the budget", float64(h.rate), ""},
		{"time the budget needs", h.declared.Seconds(), "s"}, {"time it took", took.Seconds(), "s"},
		{"tokens that ended before they were renewed", float64(late.Load()), ""},
		{"looks for a connection", cost.looks / float64(count), ""},
		{"CPU for a connection: worker, Temporal and Vault", milliseconds(spent-cpu) / float64(count), "ms"},
	}, Note: "The worker is stopped while all are made due, so that their looks wait in Temporal's queue. Their tokens live for the margin of " +
		margin.String() + " when it comes back; a budget that needs longer than that lets some end first, which no order can prevent."}, nil
}

// cpu is the processor time of worker, Temporal and Vault so far.
func (h *herdRun) cpu() (time.Duration, error) {
	var all time.Duration
	for _, pid := range []int{h.stack.worker(), h.stack.ready.PIDs["temporal"], h.stack.ready.PIDs["vault"]} {
		used, err := processCPU(pid)
		if err != nil {
			return 0, err
		}
		all += used
	}
	return all, nil
}

// busiest is the most requests in a window of the budget. The worker's begin with a
// lease, and the first request of each arrives a while later: of all whiles up to two
// seconds it takes the one that fits best.
func (h *herdRun) busiest(tokens []ledgerEntry) int {
	slices.SortFunc(tokens, func(a, b ledgerEntry) int { return a.Time.Compare(b.Time) })
	least := len(tokens)
	for while := time.Duration(0); while <= 2*time.Second; while += 20 * time.Millisecond {
		var ends time.Time
		most, count := 0, 0
		for _, t := range tokens {
			if !t.Time.Before(ends) {
				ends, count = t.Time.Add(herdPer-while), 0
			}
			count++
			most = max(most, count)
		}
		least = min(least, most)
	}
	return least
}

// expired counts the connections that need a person, by Temporal's list.
func (h *herdRun) expired(ctx context.Context) (int64, error) {
	answer, err := h.stack.client.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: "WorkflowType = '" + workflows.TypeConnection + "' AND ExecutionStatus = 'Running' AND " +
			workflows.AttributeStatus.GetName() + " = '" + string(connection.Expired) + "'"})
	return answer.GetCount(), err
}
