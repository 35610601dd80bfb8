package main

import (
	"context"
	"fmt"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

const (
	// resets is how many looks are asked for by Reset, and seconds how many come by
	// themselves a second apart.
	resets, resetsShort   = 500, 16
	seconds, secondsShort = 60, 5
	// usedHours is how many hours of use are tried, and a year has at most.
	usedHours, hoursOfYear = 5, 8760
	// resetWithin bounds the wait for one look.
	resetWithin = 30 * time.Second
)

// leftBehind is what Temporal keeps of a connection.
type leftBehind struct {
	events, bytes int64
	attempt       int32 // of the watch
}

func (s *stack) left(ctx context.Context, id connection.ID) (leftBehind, error) {
	described, err := s.client.Temporal.DescribeWorkflowExecution(ctx, workflows.ConnectionWorkflowID(id), "")
	if err != nil {
		return leftBehind{}, err
	}
	info := described.GetWorkflowExecutionInfo()
	found := leftBehind{events: info.GetHistoryLength(), bytes: info.GetHistorySizeBytes()}
	for _, pending := range described.GetPendingActivities() {
		if pending.GetActivityType().GetName() == "WatchConnection" && pending.GetLastFailure() != nil {
			found.attempt = pending.GetAttempt()
		}
	}
	return found, nil
}

// lookNow asks for a look at once, which is what Reset in the Web UI does.
func (s *stack) lookNow(ctx context.Context, id connection.ID) error {
	_, err := s.client.Temporal.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
		Namespace: s.client.Namespace(), Execution: &commonpb.WorkflowExecution{WorkflowId: workflows.ConnectionWorkflowID(id)}, Activity: &workflowservice.ResetActivityRequest_Type{Type: "WatchConnection"}})
	return err
}

// lookHistory looks again and again and asks what it has left.
func lookHistory(ctx context.Context, r *rig) (*result, error) {
	s, err := r.stack()
	if err != nil {
		return nil, err
	}
	defer s.close()
	byReset, bySecond := resets, seconds
	if r.short {
		byReset, bySecond = resetsShort, secondsShort
	}
	f, err := s.newFlock(ctx, "history")
	if err != nil {
		return nil, err
	}
	defer f.end(ctx, r)
	now := time.Now()
	err = f.grow(ctx, r, 2, func(i int) member {
		every := []time.Duration{connection.ProbeMax, time.Second}[i]
		return member{issued: now, expires: now.Add(24 * time.Hour), refreshable: true, probeEvery: every}
	})
	if err != nil {
		return nil, err
	}
	watched, paced := f.ids[0], f.ids[1]
	for _, id := range f.ids {
		if err := s.awaitLook(ctx, id, time.Time{}); err != nil {
			return nil, err
		}
	}
	began, err := s.left(ctx, watched)
	if err != nil {
		return nil, err
	}
	var state []float64 // bytes of the mutable state, over each half
	for half := range 2 {
		before, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		for i := range byReset / 2 {
			if err := s.lookOnce(ctx, watched); err != nil {
				return nil, fmt.Errorf("look %d: %w", half*byReset/2+i, err)
			}
		}
		after, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		state = append(state, after.since(before).stateBytes(environment))
		r.say("%d looks by Reset: mutable state %.0f bytes", (half+1)*(byReset/2), last(state))
	}
	ended, err := s.left(ctx, watched)
	if err != nil {
		return nil, err
	}
	grew, slow, err := s.bySecond(ctx, paced, bySecond)
	if err != nil {
		return nil, err
	}
	before, err := s.view.counters(ctx)
	if err != nil {
		return nil, err
	}
	perHour, err := s.usedHours(ctx, watched)
	if err != nil {
		return nil, err
	}
	after, err := s.view.counters(ctx)
	if err != nil {
		return nil, err
	}
	use := after.since(before).lookCost(environment)
	delete(use.actions, "grpc_ResetActivity") // ours, to see it at once
	return &result{Checks: []check{
		atMost("events after the looks by Reset, more than before", float64(ended.events-began.events), 0, "").exact(),
		atMost("bytes of history more than before", float64(ended.bytes-began.bytes), 0, "").exact(),
		atMost("bytes of mutable state in the second half of the looks, over the first", state[1]/state[0], 1.01, ""),
		atMost(fmt.Sprintf("events after %d looks a second apart, more than before", slow), float64(grew), 0, "").exact(),
		across(perHour, atMost("events of an hour in which it was used", 0, 10, "")).exact(),
	}, Figures: []figure{
		{"events of a connection that is looked at", float64(began.events), ""},
		{"bytes of its history", float64(began.bytes), "bytes"},
		{"bytes of its mutable state", state[1], "bytes"},
		{"looks by Reset", float64(byReset), ""},
		{"server actions of an hour of use, its two looks among them", total(use.actions) / usedHours, ""},
		{"persistence writes of it, and of the Reset that shows it at once", total(use.writes) / usedHours, ""},
		{"events after a year in which nobody uses it", float64(began.events), ""},
		{"events of a year in which it is used every hour", float64(began.events) + hoursOfYear*median(perHour), ""},
	}, Note: "Temporal suggests to continue as new at 4,096 events or 4 MB, so that the history of a year of use is a few runs, none longer than that. " +
		"The state that goes over keeps the last hundred transitions."}, nil
}

// stateBytes is the mean size of the mutable states that were written in a namespace.
func (c counters) stateBytes(namespace string) float64 {
	labels := []string{"namespace=" + namespace, "archetype=workflow", "operation=SessionStats"}
	return c.sum("mutable_state_size_bytes_sum", labels...) / c.sum("mutable_state_size_bytes_count", labels...)
}

// lookOnce asks for a look and waits until it is over.
func (s *stack) lookOnce(ctx context.Context, id connection.ID) error {
	described, err := s.client.Temporal.DescribeWorkflowExecution(ctx, workflows.ConnectionWorkflowID(id), "")
	if err != nil {
		return err
	}
	var before time.Time
	for _, pending := range described.GetPendingActivities() {
		before = pending.GetLastAttemptCompleteTime().AsTime()
	}
	if err := s.lookNow(ctx, id); err != nil {
		return err
	}
	return s.awaitLook(ctx, id, before)
}

// awaitLook waits until a look has ended after a time: what is pending says what it
// saw, and waits for the next.
func (s *stack) awaitLook(ctx context.Context, id connection.ID, after time.Time) error {
	return until(ctx, resetWithin, func() (bool, error) {
		described, err := s.client.Temporal.DescribeWorkflowExecution(ctx, workflows.ConnectionWorkflowID(id), "")
		if err != nil {
			return false, err
		}
		for _, pending := range described.GetPendingActivities() {
			if pending.GetActivityType().GetName() == "WatchConnection" && pending.GetLastFailure() != nil &&
				pending.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED && pending.GetLastAttemptCompleteTime().AsTime().After(after) {
				return true, nil
			}
		}
		return false, nil
	})
}

// bySecond lets a connection be looked at a second apart, and answers how many events
// that has left and how many looks there were.
func (s *stack) bySecond(ctx context.Context, id connection.ID, count int) (grew int64, looks int32, err error) {
	began, err := s.left(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	ended := began
	err = until(ctx, time.Duration(3*count)*time.Second+resetWithin, func() (bool, error) {
		now, err := s.left(ctx, id)
		if err == nil && now.attempt > 0 { // 0 while it has just begun
			ended = now
		}
		return ended.attempt-began.attempt >= int32(count), err
	})
	return ended.events - began.events, ended.attempt - began.attempt, err
}

// usedHours notes that a connection was used, an hour further each time, as an action
// does, and answers how many events each has left.
func (s *stack) usedHours(ctx context.Context, id connection.ID) ([]float64, error) {
	var grew []float64
	for hour := range usedHours {
		began, err := s.left(ctx, id)
		if err != nil {
			return nil, err
		}
		at := time.Now().Add(time.Duration(hour) * 61 * time.Minute)
		if err := s.admin.Documents().Note(ctx, connection.CredentialRef{Connection: id}, map[connection.Fact]time.Time{connection.FactLastUsed: at}); err != nil {
			return nil, err
		}
		if err := s.lookNow(ctx, id); err != nil {
			return nil, err
		}
		err = until(ctx, resetWithin, func() (bool, error) {
			now, err := s.left(ctx, id)
			if err != nil || now.events == began.events || now.attempt == 0 {
				return false, err
			}
			grew = append(grew, float64(now.events-began.events))
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return grew, nil
}
