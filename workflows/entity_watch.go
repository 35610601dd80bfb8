package workflows

import (
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// watched reports whether something is to be looked at. An Expired or Paused
// connection waits for a person and costs nothing.
func (e *entity) watched() bool {
	switch e.state.Look.Status {
	case connection.Pending:
		return e.state.Session != nil
	case connection.Active, connection.Error:
		return true
	case connection.Expired, connection.Paused, connection.Leaving:
		return false
	default:
		return false
	}
}

// ensureWatch starts the one long activity that fits the status, if none is running.
func (e *entity) ensureWatch(ctx workflow.Context) error {
	if e.watch != nil || !e.watched() {
		return nil
	}
	watchCtx, cancel := workflow.WithCancel(ctx)
	e.cancelWatch = cancel
	if e.pending() {
		e.watch = e.watchSession(watchCtx)
		return nil
	}
	e.toldWork = e.state.Look.Work
	e.watch = watchConnection.start(watchCtx, fair(watching, e.state.Owner, e.state.ID), "refresh and probe; returns only with news",
		activities.WatchInput{Connection: e.state.ID, Policy: e.state.Policy, Reported: e.state.Look})
	return nil
}

// watchSession ends when the connect is over that this is reserved for. Most take less
// than the time before the first look, and cost none.
func (e *entity) watchSession(ctx workflow.Context) workflow.Future {
	session := *e.state.Session
	start := func(ctx workflow.Context) workflow.Future {
		return watchSession.start(ctx, watchingSession, "is the connect still under way?",
			activities.WatchSessionInput{Connection: e.state.ID, RunID: session.RunID})
	}
	if session.LookAfter == 0 {
		return start(ctx)
	}
	over, settle := workflow.NewFuture(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := workflow.NewTimerWithOptions(ctx, session.LookAfter, workflow.TimerOptions{Summary: "the connect is under way"}).Get(ctx, nil)
		if err == nil {
			err = start(ctx).Get(ctx, nil)
		}
		settle.SetError(err)
	})
	return over
}

// harvest takes what a watch that ended by itself has to say.
func (e *entity) harvest(ctx workflow.Context) {
	watch := e.watch
	e.watch = nil
	if e.pending() {
		if err := watch.Get(ctx, nil); err == nil {
			e.released = true // the connect is over and has not activated this
		} else {
			e.breathe(ctx, err)
		}
		return
	}
	var look *activities.Look
	if err := watch.Get(ctx, &look); err != nil {
		e.breathe(ctx, err)
		return
	}
	e.see(ctx, e.withWork(*look))
}

// withWork is what a watch has seen, with trouble at work that came or went since the
// watch was started: of that it could say nothing.
func (e *entity) withWork(look activities.Look) activities.Look {
	if e.state.Look.Work != e.toldWork {
		look.Work = e.state.Look.Work
	}
	return look
}

func (e *entity) breathe(ctx workflow.Context, err error) {
	workflow.GetLogger(ctx).Error("a watch ended with an error", "error", err.Error())
	if _, err := workflow.AwaitWithTimeout(ctx, rewatchAfter, func() bool { return e.over() || e.activate != nil || e.replan }); err != nil {
		workflow.GetLogger(ctx).Info("the pause was cut short", "error", err.Error())
	}
}

// stopWatch cancels the watch and waits until it is gone: two at once would look
// twice. That it was cancelled is no news, whichever way it says so; news it
// carried nevertheless is taken.
func (e *entity) stopWatch(ctx workflow.Context) {
	e.replan = false
	watch := e.watch
	if watch == nil {
		return
	}
	e.cancelWatch()
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	var look *activities.Look
	err := watch.Get(quiet, &look)
	pending := e.pending()
	e.watch = nil
	if err == nil && pending {
		e.released = e.activate == nil
		return
	}
	if err == nil && look != nil && e.watched() {
		e.see(quiet, e.withWork(*look))
	}
}

// see takes over what a look found, and tells whoever must know: first the gate,
// then people.
func (e *entity) see(ctx workflow.Context, look activities.Look) {
	old := e.state.Look
	if look.Grant != old.Grant && old.Grant != "" {
		return // of a grant that has been replaced meanwhile
	}
	e.state.Look = look
	if look.Status != old.Status {
		e.note(ctx, string(look.Status), look.Reason)
	}
	if look.Status != old.Status || look.Reason != old.Reason {
		e.openGate(ctx)
	}
	e.publish(ctx)
	e.settleAlerts(ctx)
}

// openGate projects the state for whoever acts. It is repeated until Vault takes it.
func (e *entity) openGate(ctx workflow.Context) {
	err := writeGate.do(ctx, vaultWork, "tell whoever acts", activities.WriteGateInput{Connection: e.state.ID, Gate: e.gate()})
	if err != nil {
		workflow.GetLogger(ctx).Error("the gate was not written", "error", err.Error())
	}
}

func (e *entity) gate() connection.Gate {
	gate := connection.Gate{Status: e.state.Look.Status, Reason: e.state.Look.Reason, Grant: e.state.Look.Grant,
		Closed: e.disconnect != nil, Toolkits: map[string][]string{}}
	for _, toolkit := range e.state.Toolkits {
		gate.Toolkits[toolkit.Name] = toolkit.Actions
	}
	return gate
}

func (e *entity) note(ctx workflow.Context, what, reason string) {
	e.state.Transitions = append(e.state.Transitions, Transition{At: workflow.Now(ctx), What: what, Reason: reason})
	if extra := len(e.state.Transitions) - transitionsKept; extra > 0 {
		e.state.Transitions = slices.Delete(e.state.Transitions, 0, extra)
	}
}
