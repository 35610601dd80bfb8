package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
)

// perParent is how many actions one parent runs, one after the other.
const perParent = 10

// actionBars compare actions that a workflow runs.
func actionBars() []bar {
	return []bar{{
		name: "action-in-workflow", what: "an action from a workflow, CallAction as an activity",
		floor: "the same request in a bare activity", target: "p50 ≤ 1.10, +0 events",
		run: func(ctx context.Context, r *rig) (*result, error) {
			return actionPair(ctx, r, oursActivity, floorActivity, 1.10)
		},
	}, {
		name: "action-as-child", what: "an action as a child workflow, RunAction",
		floor: "a bare child with a bare activity", target: "p50 ≤ 1.05, +0 events",
		run: func(ctx context.Context, r *rig) (*result, error) {
			return actionPair(ctx, r, oursChild, floorChild, 1.05)
		},
	}}
}

// actionPair compares two kinds of parent. An operation lasts from the parent's command
// to the workflow task in which it goes on, by the server's clock in the history, so
// that neither the parent's own start nor this process counts.
func actionPair(ctx context.Context, r *rig, ours, floor string, ratio float64) (*result, error) {
	id, err := r.connectQuiet(ctx, "bench-action")
	if err != nil {
		return nil, err
	}
	defer r.disconnect(ctx, id)
	found := &result{}
	events := map[string]float64{}
	kind := func(kind string) side {
		return side{name: kind, block: func(ctx context.Context) ([]time.Duration, error) {
			took, n, err := r.parent(ctx, kind, id, perParent)
			events[kind] = float64(n) / perParent
			return took, err
		}}
	}
	if found.Rounds, err = r.pairs(ctx, kind(ours), kind(floor), 5); err != nil {
		return nil, err
	}
	found.Checks = append(found.Checks, over(found.Rounds, byP50, atMost("p50 over the floor's", 0, ratio, "")),
		atMost("history events over the floor's", events[ours]-events[floor], 0, "").exact())
	actions := map[string]float64{}
	for _, kind := range []string{ours, floor} {
		kinds, err := r.counting(ctx, func() error { _, _, err := r.parent(ctx, kind, id, perParent); return err })
		if err != nil {
			return nil, err
		}
		actions[kind] = (total(kinds) - 1) / perParent // without the parent's own start
	}
	found.Checks = append(found.Checks, atMost("server actions over the floor's", actions[ours]-actions[floor], 0, "").exact())
	found.Figures = []figure{{"history events of an operation", events[ours], ""}, {"server actions of an operation", actions[ours], ""},
		{"CPU of the workers over the floor's", over(found.Rounds, byCPU(groupWorkers), check{}).Have, ""},
		{"CPU of Temporal over the floor's", over(found.Rounds, byCPU(groupTemporal), check{}).Have, ""}}
	return found, nil
}

// parent runs one parent and answers how long each of its operations took, and how many
// events they left: the parent's own, without its start and end, and its children's.
func (r *rig) parent(ctx context.Context, kind string, id connection.ID, times int) ([]time.Duration, int, error) {
	action, same := listContacts(id)
	run, err := r.client.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: parentQueue, WorkflowExecutionTimeout: 5 * time.Minute},
		"Parent", parentInput{Kind: kind, Times: times, Bare: same, Action: action})
	if err != nil {
		return nil, 0, err
	}
	if err := run.Get(ctx, nil); err != nil {
		return nil, 0, fmt.Errorf("parent of %s: %w", kind, err)
	}
	events, err := r.history(ctx, run.GetID(), run.GetRunID())
	if err != nil {
		return nil, 0, err
	}
	took, children, err := operations(events)
	if err != nil {
		return nil, 0, err
	}
	if len(took) != times {
		return nil, 0, fmt.Errorf("the history of %s holds %d operations, not %d", kind, len(took), times)
	}
	// Start, the first task with its scheduling and start, and the end are the parent's.
	left := len(events) - 5
	for _, child := range children {
		own, err := r.history(ctx, child.GetWorkflowExecution().GetWorkflowId(), child.GetWorkflowExecution().GetRunId())
		if err != nil {
			return nil, 0, err
		}
		left += len(own)
	}
	return took, left, nil
}

// operations reads how long each activity or child took from a history in which they
// run one after the other.
func operations(events []*historypb.HistoryEvent) (took []time.Duration, children []*historypb.ChildWorkflowExecutionCompletedEventAttributes, err error) {
	var began time.Time
	over := false
	for _, e := range events {
		switch e.GetEventType() { //nolint:exhaustive // the others neither begin nor end one
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			if !began.IsZero() {
				return nil, nil, errors.New("two operations at once")
			}
			began = e.GetEventTime().AsTime()
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			over = true
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
			over = true
			children = append(children, e.GetChildWorkflowExecutionCompletedEventAttributes())
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			if over {
				took = append(took, e.GetEventTime().AsTime().Sub(began))
				began, over = time.Time{}, false
			}
		}
	}
	return took, children, nil
}

// clientBars compare actions that a program runs without a workflow of its own.
func clientBars() []bar {
	return []bar{{
		name: "action-from-client", what: "an action from a client, as the command line, the console and MCP run it: a standalone activity",
		floor: "a bare workflow with a bare activity", target: "p50 ≤ 0.6, 1 server action",
		run: clientAction,
	}, {
		name: "actions-sustained", what: "actions a second, 16 callers, from a client",
		floor: "the same request in a bare standalone activity, 16 callers", target: "rate ≥ 0.95",
		run: sustained,
	}}
}

func clientAction(ctx context.Context, r *rig) (*result, error) {
	id, err := r.connectQuiet(ctx, "bench-client")
	if err != nil {
		return nil, err
	}
	defer r.disconnect(ctx, id)
	found := &result{}
	ours := side{name: "ours", block: func(ctx context.Context) ([]time.Duration, error) { return timed(ctx, 10, r.standaloneOurs(id)) }}
	floor := side{name: "floor", block: func(ctx context.Context) ([]time.Duration, error) { return timed(ctx, 10, r.workflowFloor(id)) }}
	if found.Rounds, err = r.pairs(ctx, ours, floor, 5); err != nil {
		return nil, err
	}
	// An action that lasts beyond its first heartbeat, since the machine is busy, is one
	// more: the least of three blocks is what it costs.
	least := math.Inf(1)
	for again := 0; again < 3 && least != 1; again++ {
		kinds, err := r.counting(ctx, func() error { _, err := ours.block(ctx); return err })
		if err != nil {
			return nil, err
		}
		least = min(least, total(kinds)/10)
	}
	found.Checks = []check{over(found.Rounds, byP50, atMost("p50 over the floor's", 0, 0.6, "")),
		equal("server actions", least, 1, "").exact()}
	found.Figures = []figure{{"CPU of the workers over the floor's", over(found.Rounds, byCPU(groupWorkers), check{}).Have, ""},
		{"CPU of Temporal over the floor's", over(found.Rounds, byCPU(groupTemporal), check{}).Have, ""}}
	return found, nil
}

// timed runs one operation after the other.
func timed(ctx context.Context, times int, do func(context.Context) error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, times)
	for range times {
		began := time.Now()
		if err := do(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

func (r *rig) standaloneOurs(id connection.ID) func(context.Context) error {
	action, _ := listContacts(id)
	return func(ctx context.Context) error {
		answer, err := r.client.RunAction(ctx, action)
		return answered(answer, err)
	}
}

func answered(answer *activities.CallActionResult, err error) error {
	if err == nil && answer.Status != 200 {
		err = fmt.Errorf("status %d", answer.Status)
	}
	return err
}

func (r *rig) workflowFloor(id connection.ID) func(context.Context) error {
	_, same := listContacts(id)
	return func(ctx context.Context) error {
		run, err := r.bare.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: floorQueue}, "BareAction", same)
		if err != nil {
			return err
		}
		var answer getResult
		return run.Get(ctx, &answer)
	}
}
