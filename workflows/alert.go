package workflows

import (
	"time"

	"connectedapps/activities"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Memo of an Alert: what a list shows beside its search attributes.
const (
	memoReason = "Reason"
	memoSince  = "Since"
)

// Alert is one trouble that people should know of. It is open until its trouble is
// over or a person says so, and runs until every sink has been told or given up.
func Alert(ctx workflow.Context, in AlertInput) error {
	a := &alert{state: AlertState{ID: workflow.GetInfo(ctx).WorkflowExecution.ID, AlertInput: in}, last: map[string]workflow.Future{}}
	if a.state.Opened.IsZero() {
		a.state.Opened = workflow.Now(ctx)
	}
	if err := a.listen(ctx); err != nil {
		return err
	}
	return a.run(ctx)
}

type alert struct {
	state AlertState
	// untold are messages that no sink has been told of yet, in order.
	untold []activities.AnnounceAlertInput
	said   int // how many messages there were
	// last is the latest delivery to each sink: the next one waits for it.
	last    map[string]workflow.Future
	pending int
}

func (a *alert) run(ctx workflow.Context) error {
	a.say(ctx, activities.MessageOpened)
	for {
		err := workflow.Await(ctx, func() bool { return len(a.untold) > 0 || a.over() })
		if err != nil {
			return err // cancelled by an operator: nobody is to hear of it
		}
		if len(a.untold) == 0 {
			return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
		}
		message := a.untold[0]
		a.untold = a.untold[1:]
		a.announce(ctx, message)
	}
}

// over reports whether nothing is left to be told.
func (a *alert) over() bool { return a.resolved() && a.pending == 0 && len(a.untold) == 0 }

func (a *alert) resolved() bool { return !a.state.Resolved.IsZero() }

func (a *alert) listen(ctx workflow.Context) error {
	receive(ctx, signalAlertNews, func(in AlertNews) {
		if !a.resolved() {
			a.state.AlertNews = in
			a.say(ctx, activities.MessageUpdated)
		}
	})
	receive(ctx, signalAlertResolved, func(in AlertResolved) { a.resolve(ctx, in) })
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (AlertState, error) { return a.state, nil }); err != nil {
		return err
	}
	return workflow.SetUpdateHandler(ctx, UpdateResolve, func(ctx workflow.Context, in Reason) (AlertState, error) {
		resolution := "a person has resolved it"
		if in.Reason != "" {
			resolution += ": " + in.Reason
		}
		a.resolve(ctx, AlertResolved{Resolution: resolution, At: workflow.Now(ctx)})
		return a.state, nil
	})
}

// resolve ends the trouble, once: a second resolution changes nothing.
func (a *alert) resolve(ctx workflow.Context, in AlertResolved) {
	if a.resolved() {
		return
	}
	if in.At.IsZero() {
		in.At = workflow.Now(ctx)
	}
	a.state.Resolved, a.state.Resolution = in.At, in.Resolution
	a.say(ctx, activities.MessageResolved)
}

// say makes a message of what the alert is now, and shows it.
func (a *alert) say(ctx workflow.Context, kind string) {
	a.said++
	a.untold = append(a.untold, activities.AnnounceAlertInput{ID: messageID(workflow.GetInfo(ctx).FirstRunID, kind, a.said),
		Message: a.state.message(kind, workflow.Now(ctx))})
	a.publish(ctx)
}

// publish tells the list of alerts and the Web UI. An alert that is resolved has no
// kind there any more, so that it is no longer listed while it is still delivered.
func (a *alert) publish(ctx workflow.Context) {
	s := a.state
	err := workflow.UpsertTypedSearchAttributes(ctx, s.attributes()...)
	if err == nil {
		err = workflow.UpsertMemo(ctx, map[string]any{memoReason: s.Reason, memoSince: s.Opened})
	}
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes were refused", "error", err.Error())
	}
	workflow.SetCurrentDetails(ctx, s.details())
}

func (s AlertState) attributes() []temporal.SearchAttributeUpdate {
	kind := keyword(AttributeAlertKind, string(s.Kind))
	if !s.Resolved.IsZero() {
		kind = AttributeAlertKind.ValueUnset()
	}
	return []temporal.SearchAttributeUpdate{AttributeApp.ValueSet(s.App), AttributeEnvironment.ValueSet(s.Environment),
		keyword(AttributeName, s.Name), keyword(AttributeOwner, s.Owner), kind}
}

// announce finds out which sinks there are, and begins a delivery to each.
func (a *alert) announce(ctx workflow.Context, message activities.AnnounceAlertInput) {
	report, err := announceAlert.do(ctx, vaultWork, message.Message.Type+": write it to the log, and see who is to be told", message)
	if err != nil {
		workflow.GetLogger(ctx).Error("an alert was not announced", "error", err.Error())
		return
	}
	for _, sink := range report.Sinks {
		a.deliver(ctx, sink, message)
	}
	workflow.SetCurrentDetails(ctx, a.state.details())
}

// deliver brings a message to a sink, behind what the sink is still to be told:
// nobody hears that something is over before they have heard of it.
func (a *alert) deliver(ctx workflow.Context, sink string, message activities.AnnounceAlertInput) {
	n := len(a.state.Deliveries)
	a.state.Deliveries = append(a.state.Deliveries, Delivery{Sink: sink, Message: message.ID, Type: message.Message.Type,
		State: DeliveryPending, Since: workflow.Now(ctx)})
	before := a.last[sink]
	ended, end := workflow.NewFuture(ctx)
	a.last[sink] = ended
	a.pending++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { a.pending--; end.SetValue(nil) }()
		if before != nil {
			_ = before.Get(ctx, nil) // it only says that its turn has come
		}
		report, err := deliverAlert.do(ctx, delivering, message.Message.Type+" to "+sink,
			activities.DeliverAlertInput{Sink: sink, ID: message.ID, Message: message.Message})
		a.conclude(ctx, &a.state.Deliveries[n], report, err)
	})
}

func (a *alert) conclude(ctx workflow.Context, d *Delivery, report *activities.DeliverAlertReport, err error) {
	d.settle(workflow.Now(ctx), report, err)
	workflow.SetCurrentDetails(ctx, a.state.details())
}

// settle notes how the delivery ended.
func (d *Delivery) settle(at time.Time, report *activities.DeliverAlertReport, err error) {
	d.At = at
	switch {
	case err != nil:
		d.State, d.Reason = DeliveryGivenUp, givenUp(err)
	case report.Delivered:
		d.State = DeliveryDelivered
	default:
		d.State, d.Reason = DeliveryGivenUp, report.Reason
	}
}
