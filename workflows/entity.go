package workflows

import (
	"slices"
	"time"

	"connectedapps/activities"
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
// it can continue as new at any time.
func Connection(ctx workflow.Context, in State) error {
	e := &entity{state: in, mutex: workflow.NewMutex(ctx)}
	if err := e.listen(ctx); err != nil {
		return err
	}
	return e.run(ctx)
}

// entity is one run of Connection.
type entity struct {
	state State
	mutex workflow.Mutex // one change at a time

	watch       workflow.Future
	cancelWatch workflow.CancelFunc
	replan      bool // the watch must be started anew with what is known now

	activate   *activate
	rejections []CredentialRejected
	released   bool
	disconnect *Reason
	revocation string // what became of it; "" while it is not known
	renew      bool   // continue as new, asked for by signal
}

func (e *entity) run(ctx workflow.Context) error {
	if e.state.Created.IsZero() {
		e.state.Created = workflow.Now(ctx)
		e.note(ctx, string(connection.Pending), "being connected")
	}
	e.publish(ctx)
	for {
		if err := e.ensureWatch(ctx); err != nil {
			return err
		}
		err := workflow.Await(ctx, func() bool {
			return e.watch != nil && e.watch.IsReady() || e.replan || e.activate != nil ||
				len(e.rejections) > 0 || e.over() || e.wantsContinue(ctx)
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
	case len(e.rejections) > 0:
		e.takeRejection(ctx)
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
	err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) || e.over() })
	if lockErr := e.mutex.Lock(ctx); lockErr != nil || err != nil || e.over() || e.activate != nil || len(e.rejections) > 0 || e.replan {
		return false, lockErr
	}
	e.state.Runs++
	return true, workflow.NewContinueAsNewError(ctx, TypeConnection, e.state)
}

func (e *entity) over() bool { return e.disconnect != nil || e.released }

func (e *entity) pending() bool { return e.state.Look.Status == connection.Pending }

// watched reports whether something is to be looked at. An Expired or Paused
// connection waits for a person and costs nothing.
func (e *entity) watched() bool {
	switch e.state.Look.Status {
	case connection.Pending:
		return e.state.Session != nil
	case connection.Active, connection.Error:
		return true
	case connection.Expired, connection.Paused:
		return false
	default:
		return false
	}
}

func (e *entity) wantsContinue(ctx workflow.Context) bool {
	return e.renew || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// ensureWatch starts the one long activity that fits the status, if none is running.
func (e *entity) ensureWatch(ctx workflow.Context) error {
	e.replan = false
	if e.watch != nil || !e.watched() {
		return nil
	}
	watchCtx, cancel := workflow.WithCancel(ctx)
	e.cancelWatch = cancel
	if e.pending() {
		e.watch = watchSession.start(watchCtx, watchingSession, "is the connect still under way?",
			activities.WatchSessionInput{Connection: e.state.ID, RunID: e.state.Session.RunID})
		return nil
	}
	e.watch = watchConnection.start(watchCtx, watching, "refresh and probe; returns only with news",
		activities.WatchInput{Connection: e.state.ID, ProbeEvery: e.state.ProbeEvery, Reported: e.state.Look})
	return nil
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
	e.see(ctx, *look)
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
		e.see(quiet, *look)
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

// adopt makes the candidate that ConnectApp has tested this connection's
// credential, and answers it.
func (e *entity) adopt(ctx workflow.Context) {
	in := *e.activate
	answer := activated{Grant: in.Ref.Grant}
	before := e.state
	e.state.Look = activities.Look{Status: connection.Active, Verdict: connection.OK, Grant: in.Ref.Grant,
		Generation: in.Ref.Generation, Identity: in.Identity, Scopes: in.Scopes, Expires: in.Expires}
	e.state.Method, e.state.Kind, e.state.AuthConfig = in.Method, in.Kind, in.AuthConfig
	e.state.Digest, e.state.Renewable = in.Digest, in.Renewable
	e.state.Toolkits = withToolkit(e.state.Toolkits, in.Toolkit)
	_, err := adoptCandidate.do(ctx, vaultWork, "put the credential in place and open the gate",
		activities.AdoptInput{Ref: in.Ref, Gate: e.gate()})
	if err != nil {
		e.state = before
		answer.Problem = why(err)
	} else {
		e.state.Session = nil
		e.note(ctx, string(connection.Active), "connected "+in.Identity.Label)
		e.publish(ctx)
	}
	if err := workflow.SignalExternalWorkflow(ctx, in.ReplyTo, "", signalActivated, answer).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("the connect is gone", "error", err.Error())
	}
	if e.watch != nil { // of the session
		e.cancelWatch()
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		_ = e.watch.Get(quiet, nil) // however it ended, it is over
		e.watch = nil
	}
	e.activate = nil
}

func withToolkit(toolkits []connection.Toolkit, one connection.Toolkit) []connection.Toolkit {
	rest := withoutToolkit(toolkits, one.Name)
	rest = append(rest, one)
	slices.SortFunc(rest, func(a, b connection.Toolkit) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		default:
			return 0
		}
	})
	return rest
}

func withoutToolkit(toolkits []connection.Toolkit, name string) []connection.Toolkit {
	return slices.DeleteFunc(slices.Clone(toolkits), func(t connection.Toolkit) bool { return t.Name == name })
}

// end closes the gate, revokes at the provider, destroys in Vault and is gone.
func (e *entity) end(quiet workflow.Context) error {
	e.stopWatch(quiet)
	var unrevoked error
	if e.disconnect != nil {
		e.note(quiet, "Disconnected", e.disconnect.Reason)
		workflow.SetCurrentDetails(quiet, e.details())
		e.openGate(quiet)
		ref := connection.CredentialRef{Connection: e.state.ID}
		report, err := revokeGrant.do(quiet, revoking, "revoke the grant at the app", activities.RevokeInput{Ref: ref})
		if err != nil {
			e.revocation, unrevoked = "given-up", err
		} else {
			e.revocation = report.Outcome
		}
	}
	if err := discardCandidates(quiet, activities.DiscardInput{Connection: e.state.ID}); err != nil {
		unrevoked = err
	}
	err := destroy.do(quiet, vaultWork, "destroy the credential", activities.DestroyInput{
		Ref: connection.CredentialRef{Connection: e.state.ID}, Everything: true})
	if err != nil {
		return final(why(err))
	}
	e.mutex.Unlock() // handlers that wait for the turn are told that it is gone
	err = workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) })
	if lockErr := e.mutex.Lock(quiet); lockErr != nil || err != nil {
		return lockErr
	}
	if unrevoked != nil {
		// Closed as failed, so that it stands out: somebody must end the grant by hand.
		return final(connection.Refused(connection.ErrProviderUnavailable,
			"disconnected, but the app did not take the revocation within a day: "+why(unrevoked).Message,
			"end the authorization in the app's own settings"))
	}
	return nil
}
