package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// sinksMax bounds the sinks of an environment: each is an activity for every message.
const sinksMax = 20

// AlertSinks is the entity of where an environment's alerts are delivered: what may
// be known of each sink here, its URL and keys in Vault.
func AlertSinks(ctx workflow.Context, in AlertSinksState) error {
	s := &alertSinks{state: in, mutex: workflow.NewMutex(ctx)}
	if err := s.listen(ctx); err != nil {
		return err
	}
	workflow.SetCurrentDetails(ctx, s.details())
	err := workflow.Await(ctx, func() bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() })
	if err == nil {
		err = workflow.Await(ctx, afterOthers(func() bool { return workflow.AllHandlersFinished(ctx) }))
	}
	if err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, TypeAlertSinks, s.state)
}

type alertSinks struct {
	state AlertSinksState
	mutex workflow.Mutex // one change at a time
}

func (s *alertSinks) listen(ctx workflow.Context) error {
	receive(ctx, SignalSinkGone, func(in SinkGone) {
		if sink := s.find(in.Name); sink != nil && sink.Disabled == "" {
			sink.Disabled, sink.DisabledAt = in.Reason, workflow.Now(ctx)
			workflow.SetCurrentDetails(ctx, s.details())
		}
	})
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (AlertSinksState, error) { return s.state, nil }); err != nil {
		return err
	}
	return takeUpdates(ctx, map[string]any{UpdateSinkCreate: s.create, UpdateSinkRotate: s.rotate, UpdateSinkDelete: s.delete, UpdateSinkTest: s.test})
}

// find answers the sink of that name; nil for none.
func (s *alertSinks) find(name string) *SinkState {
	for i := range s.state.Sinks {
		if s.state.Sinks[i].Name == name {
			return &s.state.Sinks[i]
		}
	}
	return nil
}

// create makes a sink, and answers when Vault has it.
func (s *alertSinks) create(ctx workflow.Context, in CreateSink) (SinkState, error) {
	if err := CheckSink(in); err != nil {
		return SinkState{}, final(why(err))
	}
	if err := s.mutex.Lock(ctx); err != nil {
		return SinkState{}, err
	}
	defer s.mutex.Unlock()
	if s.find(in.Name) != nil {
		return SinkState{}, final(activities.SinkTaken(in.Name))
	}
	if len(s.state.Sinks) >= sinksMax {
		return SinkState{}, final(connection.InvalidInput("name", fmt.Sprintf("there are %d alert sinks already", sinksMax), "delete one first: connected-apps alerts sinks delete"))
	}
	report, err := storeSink.do(ctx, vaultWork, "collect the secrets of "+in.Name+" from the inbox and store them",
		activities.StoreSinkInput{Name: in.Name, Kind: in.Kind, Inbox: in.Inbox})
	if err != nil {
		return SinkState{}, final(why(err))
	}
	sink := SinkState{Name: in.Name, Kind: in.Kind, Host: report.Host, Created: workflow.Now(ctx)}
	s.state.Sinks = append(s.state.Sinks, sink)
	slices.SortFunc(s.state.Sinks, func(a, b SinkState) int { return strings.Compare(a.Name, b.Name) })
	workflow.SetCurrentDetails(ctx, s.details())
	return sink, nil
}

// rotate gives a sink what the inbox holds, and enables it again.
func (s *alertSinks) rotate(ctx workflow.Context, in RotateSink) (SinkState, error) {
	if err := s.mutex.Lock(ctx); err != nil {
		return SinkState{}, err
	}
	defer s.mutex.Unlock()
	sink := s.find(in.Name)
	if sink == nil {
		return SinkState{}, final(activities.NoSink(in.Name))
	}
	report, err := storeSink.do(ctx, vaultWork, "collect what is new of "+in.Name+" from the inbox and store it",
		activities.StoreSinkInput{Name: in.Name, Kind: sink.Kind, Inbox: in.Inbox, Rotate: true})
	if err != nil {
		return SinkState{}, final(why(err))
	}
	sink.Host, sink.Rotated, sink.Disabled, sink.DisabledAt = report.Host, workflow.Now(ctx), "", time.Time{}
	workflow.SetCurrentDetails(ctx, s.details())
	return *sink, nil
}

func (s *alertSinks) delete(ctx workflow.Context, in NamedSink) error {
	if err := s.mutex.Lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if s.find(in.Name) == nil {
		return final(activities.NoSink(in.Name))
	}
	if err := destroySink.do(ctx, vaultWork, "destroy the secrets of "+in.Name, activities.DestroySinkInput{Name: in.Name}); err != nil {
		return final(why(err))
	}
	s.state.Sinks = slices.DeleteFunc(s.state.Sinks, func(sink SinkState) bool { return sink.Name == in.Name })
	workflow.SetCurrentDetails(ctx, s.details())
	return nil
}

// test sends a test message and answers at once what became of it.
func (s *alertSinks) test(ctx workflow.Context, in NamedSink) (SinkTest, error) {
	if s.find(in.Name) == nil {
		return SinkTest{}, final(activities.NoSink(in.Name))
	}
	info := workflow.GetCurrentUpdateInfo(ctx)
	about := AlertState{ID: AlertSinksWorkflowID(s.state.Environment),
		AlertInput: AlertInput{AlertSubject: AlertSubject{Environment: s.state.Environment}, AlertNews: AlertNews{Kind: connection.AlertTest}}}
	report, err := deliverAlert.do(ctx, tryingSink, "a test message to "+in.Name, activities.DeliverAlertInput{Sink: in.Name,
		ID:      messageID(workflow.GetInfo(ctx).FirstRunID+info.ID, activities.MessageTest, 1),
		Message: about.message(activities.MessageTest, workflow.Now(ctx))})
	switch {
	case err != nil:
		problem := last(err)
		return SinkTest{DeliverAlertReport: activities.DeliverAlertReport{Status: problem.Status, Reason: problem.Message}, Problem: problem}, nil
	case !report.Delivered:
		return SinkTest{DeliverAlertReport: *report, Problem: connection.Refused(connection.ErrTestFailed, report.Reason,
			"give it a new URL or key: connected-apps alerts sinks rotate "+in.Name)}, nil
	}
	if sink := s.find(in.Name); sink != nil { // it takes messages, whatever was said of it before
		sink.Disabled, sink.DisabledAt = "", time.Time{}
		workflow.SetCurrentDetails(ctx, s.details())
	}
	return SinkTest{DeliverAlertReport: *report}, nil
}

// last is the problem of the last attempt: where the time for all attempts is over,
// it says more than that.
func last(err error) *connection.Problem {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.Unwrap() != nil {
		if problem, ok := connection.AsProblem(timeout.Unwrap()); ok {
			return problem
		}
	}
	return why(err)
}

// givenUp is why a delivery ended without being taken.
func givenUp(err error) string {
	problem := last(err)
	if problem == nil {
		return ""
	}
	return problem.Message
}

// CheckSink reports, as an ErrInvalidInput, what is wrong with a sink that can be seen without its secrets.
func CheckSink(in CreateSink) error {
	if err := connection.CheckSlug("name", in.Name); err != nil {
		return err
	}
	if !slices.Contains(connection.SinkKinds(), in.Kind) {
		return connection.InvalidInput("kind", fmt.Sprintf("%q is not a kind of sink", connection.Bound(string(in.Kind), 40)), "use webhook or slack")
	}
	return nil
}

// details is what an operator reads on top of the run in the Web UI; no secret can be in it.
func (s *alertSinks) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**Alert sinks of %s**\n\n- the log of the worker\n", s.state.Environment)
	for _, sink := range s.state.Sinks {
		fmt.Fprintf(&b, "- %s: %s %s", sink.Name, sink.Kind, sink.Host)
		if sink.Disabled != "" {
			fmt.Fprintf(&b, " **disabled** since %s: %s", sink.DisabledAt.UTC().Format(time.RFC3339), sink.Disabled)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
