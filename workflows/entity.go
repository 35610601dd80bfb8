package workflows

import (
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// transitionsKept bounds a connection's own history of changes.
const transitionsKept = 100

// rewatchAfter is the pause before watching again after a watch that ended with
// an error nobody expected: a defect must not become a busy loop.
const rewatchAfter = time.Minute

// Connection owns one connection's state for its life. A healthy one does
// nothing here: the watch returns only with news. Its input is its state, so that
// it can continue as new at any time. It comes by a pointer: a call by reflection has
// its arguments on the stack for as long as it lasts, and the stack of a cached
// workflow would be twice as large for that.
func Connection(ctx workflow.Context, in *State) error {
	e := &entity{state: in, mutex: workflow.NewMutex(ctx)}
	if err := e.listen(ctx); err != nil {
		return err
	}
	return e.run(ctx)
}

// entity is one run of Connection.
type entity struct {
	state *State
	mutex workflow.Mutex // one change at a time

	watch       workflow.Future
	cancelWatch workflow.CancelFunc
	toldWork    *connection.WorkTrouble // the trouble at work that the watch knows of
	replan      bool                    // the watch must be started anew with what is known now

	child       workflow.ChildWorkflowFuture // the reconnect that is under way
	cancelChild workflow.CancelFunc
	connecting  Reconnecting // what the child was asked for
	answers     []tried      // what it answered to credentials that were handed over
	endings     int          // replaced grants that are being ended

	activate   *activate
	rejections []CredentialRejected
	failedWork []WorkFailed
	released   bool
	disconnect *Reason
	revocation string // what became of it; "" while it is not known
	ended      bool   // nothing is left but to close
	renew      bool   // continue as new, asked for by signal
}

func (e *entity) run(ctx workflow.Context) error {
	first := e.state.Created.IsZero()
	if first {
		e.state.Created = workflow.Now(ctx)
		e.note(ctx, string(connection.Pending), "being connected")
	}
	e.announce(ctx, first)
	for {
		if err := e.ensureWatch(ctx); err != nil {
			return err
		}
		err := workflow.Await(ctx, func() bool {
			return e.watch != nil && e.watch.IsReady() || e.replan || e.activate != nil ||
				len(e.rejections) > 0 || len(e.failedWork) > 0 || e.over() || e.reconnected() || e.wantsContinue(ctx)
		})
		if err != nil && e.disconnect == nil { // cancelled from outside: the same as a disconnect
			e.disconnect = &Reason{Reason: "the workflow was cancelled"}
		}
		next, err := e.turnOver(ctx)
		if next || err != nil {
			return err
		}
	}
}

// turnOver does the one thing that is due, holding the turn: gates written by two
// at once could land in the wrong order. It reports whether this run is over.
func (e *entity) turnOver(ctx workflow.Context) (bool, error) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	if err := e.mutex.Lock(quiet); err != nil {
		return true, err
	}
	defer e.mutex.Unlock()
	switch {
	case e.over():
		return true, e.end(quiet)
	case e.activate != nil:
		e.adopt(ctx)
	case e.reconnected():
		e.concludeReconnect(ctx)
	case len(e.rejections) > 0:
		e.takeRejection(ctx)
	case len(e.failedWork) > 0:
		e.takeFailedWork(ctx)
	case e.watch != nil && e.watch.IsReady():
		e.harvest(ctx)
	case e.replan:
		e.stopWatch(ctx)
	case e.wantsContinue(ctx):
		return e.continueAsNew(ctx)
	}
	return false, nil
}

// continueAsNew starts a new run with the state, once nothing is left to do in
// this one. What came meanwhile is done first, and the next turn tries again.
func (e *entity) continueAsNew(ctx workflow.Context) (bool, error) {
	e.stopWatch(ctx)
	e.mutex.Unlock() // handlers that wait for the turn finish first
	err := workflow.Await(ctx, afterOthers(func() bool { return workflow.AllHandlersFinished(ctx) || e.over() }))
	if lockErr := e.mutex.Lock(ctx); lockErr != nil || err != nil || e.over() || e.activate != nil || len(e.rejections) > 0 || len(e.failedWork) > 0 || e.replan || e.occupied() {
		return false, lockErr
	}
	e.state.Runs++
	return true, workflow.NewContinueAsNewError(ctx, TypeConnection, e.state)
}

func (e *entity) over() bool { return e.disconnect != nil || e.released }

func (e *entity) pending() bool { return e.state.Look.Status == connection.Pending }

// occupied reports what the next run would know nothing of: its children and the
// work in the background are this run's. Each is over within days.
func (e *entity) occupied() bool { return e.child != nil || e.endings > 0 }

func (e *entity) wantsContinue(ctx workflow.Context) bool {
	return !e.occupied() && (e.renew || workflow.GetInfo(ctx).GetContinueAsNewSuggested())
}
