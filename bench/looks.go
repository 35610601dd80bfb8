package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func lookBars() []bar {
	return []bar{
		{name: "look", what: "a healthy look at a connection: what it costs Temporal", run: healthyLooks,
			floor: "a bare activity that ends with the time of its next attempt", target: "0 events, ≤ 1 action, ≤ 2.1 writes"},
		{name: "history", what: "what 500 looks leave behind in Temporal", run: lookHistory,
			floor: "5 events of a bare workflow with one activity", target: "constant size; ≤ 10 events more for an hour in which it was used"},
	}
}

const (
	// looked is how many are looked at together, once a second each, and lookFor how long a round counts.
	looked, lookedShort   = 40, 8
	lookFor, lookForShort = 20 * time.Second, 6 * time.Second
	// lookApart is where the floor's namespace is: counted apart by the server's own label.
	lookApart = "staging"
	lookQueue = "bench-looks"
)

// writes are the operations of the persistence layer that change something. The range
// deletes with which queues forget what is done follow from the clock, not from looks.
var writes = []string{"CreateWorkflowExecution", "UpdateWorkflowExecution", "ConflictResolveWorkflowExecution", "SetWorkflowExecution",
	"AppendHistoryNodes", "AppendRawHistoryNodes", "AddHistoryTasks", "CreateTasks", "CreateTaskQueue", "UpdateTaskQueue"}

// lookCost is what looks have cost in one namespace.
type lookCost struct {
	looks           float64
	actions, writes map[string]float64
}

func (c counters) lookCost(namespace string) lookCost {
	in := "namespace=" + namespace
	cost := lookCost{looks: c.sum("service_requests_total", in, "operation=RespondActivityTaskFailed", "service_name=frontend"),
		actions: c.actions(namespace), writes: map[string]float64{}}
	for _, operation := range writes {
		if n := c.sum("persistence_requests_total", in, "operation="+operation); n > 0 {
			cost.writes[operation] = n
		}
	}
	return cost
}

// healthyLooks lets both sides look at the same time, each in a namespace of its own:
// the server counts them apart, and the machine treats them alike.
func healthyLooks(ctx context.Context, r *rig) (*result, error) {
	s, err := r.stack()
	if err != nil {
		return nil, err
	}
	defer s.close()
	count, window := looked, lookFor
	if r.short {
		count, window = lookedShort, lookForShort
	}
	stop, err := s.bareLooks(ctx, count)
	if err != nil {
		return nil, fmt.Errorf("the floor: %w", err)
	}
	defer stop()
	f, err := s.newFlock(ctx, "look")
	if err != nil {
		return nil, err
	}
	defer f.end(ctx, r)
	now := time.Now()
	err = f.grow(ctx, r, count, func(int) member {
		return member{issued: now, expires: now.Add(24 * time.Hour), refreshable: true, probeEvery: time.Second}
	})
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, 5*time.Second); err != nil { // the first looks are over
		return nil, err
	}
	var events, actions, written, bareActions, bareWritten, looks, vault []float64
	seen := map[string]float64{}
	for i := range r.rounds {
		had, err := s.events(ctx, f.ids)
		if err != nil {
			return nil, err
		}
		before, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		asked, err := r.auditing(ctx, func() error { return sleep(ctx, window) })
		if err != nil {
			return nil, err
		}
		after, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		has, err := s.events(ctx, f.ids)
		if err != nil {
			return nil, err
		}
		grown := after.since(before)
		ours, floor := grown.lookCost(environment), grown.lookCost(lookApart)
		if ours.looks == 0 || floor.looks == 0 {
			return nil, fmt.Errorf("nobody looked: %v and %v looks", ours.looks, floor.looks)
		}
		looks, events = append(looks, ours.looks), append(events, float64(has-had))
		actions, written = append(actions, total(ours.actions)/ours.looks), append(written, total(ours.writes)/ours.looks)
		bareActions, bareWritten = append(bareActions, total(floor.actions)/floor.looks), append(bareWritten, total(floor.writes)/floor.looks)
		vault = append(vault, float64(len(byWorker(asked)))/ours.looks)
		for name, n := range ours.writes {
			seen[name] += n
		}
		r.say("round %d of %d: %.0f looks, %.3f actions and %.3f writes each; the floor %.3f and %.3f", i+1, r.rounds, ours.looks,
			last(actions), last(written), last(bareActions), last(bareWritten))
	}
	return &result{Checks: []check{
		across(events, atMost("events of all looks of a round", 0, 0, "")).exact(),
		across(actions, atMost("server actions of a look", 0, 1, "")),
		across(written, atMost("persistence writes of a look", 0, 2.1, "")),
	}, Figures: []figure{
		{"looks in a round", median(looks), ""},
		{"the floor's actions", median(bareActions), ""},
		{"the floor's writes", median(bareWritten), ""},
		{"operations of Vault for a look with its probe", median(vault), ""},
	}, Note: "Written were " + kinds(seen) + ". A task is created only where no poller waits at that moment. " +
		"The ends of a round cut looks in two, so that a round may count one action or write more or less than it has looks."}, nil
}

// across is a check of the figure of each round: the median counts.
func across(all []float64, c check) check {
	c.Have, c.Low, c.High = median(all), least(all), most(all)
	c.Met = c.Have <= c.Want
	if c.AtLeast {
		c.Met = c.Have >= c.Want
	}
	return c
}

func last(all []float64) float64 { return all[len(all)-1] }

// kinds names what was counted, for a person who asks what a figure is made of.
func kinds(counts map[string]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %.0f", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

// bareLooks runs the floor: as many workflows, each of which is one activity that asks
// the app the same question and ends with the time of its next attempt.
func (s *stack) bareLooks(ctx context.Context, count int) (stop func(), err error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.ready.Temporal, Namespace: lookApart, Logger: quiet{}})
	if err != nil {
		return nil, err
	}
	w := worker.New(c, lookQueue, worker.Options{})
	key := s.sandbox.credentials["api_key"]
	look := func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.ready.Sandbox+"/api/v1/me", nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-API-Key", key)
		if err := fetch(request, nil); err != nil {
			return err
		}
		return temporal.NewApplicationErrorWithOptions("again", "Again", temporal.ApplicationErrorOptions{
			Category: temporal.ApplicationErrorCategoryBenign, NextRetryDelay: time.Second})
	}
	w.RegisterActivityWithOptions(look, activity.RegisterOptions{Name: "BareLook"})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute,
			RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1}})
		return workflow.ExecuteActivity(ctx, "BareLook").Get(ctx, nil)
	}, workflow.RegisterOptions{Name: "BareLooks"})
	if err := w.Start(); err != nil {
		c.Close()
		return nil, err
	}
	id := func(i int) string { return fmt.Sprintf("bare-look-%d", i) }
	stop = func() {
		for i := range count {
			_ = c.TerminateWorkflow(context.WithoutCancel(ctx), id(i), "", "it was measured") // the stack is thrown away
		}
		w.Stop()
		c.Close()
	}
	for i := range count {
		if _, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id(i), TaskQueue: lookQueue}, "BareLooks"); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

// events is how many events all of the connections have.
func (s *stack) events(ctx context.Context, ids []connection.ID) (int64, error) {
	var all int64
	for _, id := range ids {
		left, err := s.left(ctx, id)
		if err != nil {
			return 0, err
		}
		all += left.events
	}
	return all, nil
}
