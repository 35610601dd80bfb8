package workflows

import (
	"fmt"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// listen registers every handler before anything blocks.
func (e *entity) listen(ctx workflow.Context) error {
	receiveAll(ctx,
		taking(ctx, signalActivate, func(in activate) {
			if e.expects(in) {
				e.activate = &in
			}
		}),
		taking(ctx, signalTried, func(in tried) { e.answers = append(e.answers, in) }),
		taking(ctx, signalRelease, func(in release) {
			if e.pending() && e.state.Session != nil && *e.state.Session == in.Session {
				e.released = true
			}
		}),
		taking(ctx, SignalContinueAsNew, func(struct{}) { e.renew = true }),
		taking(ctx, SignalCredentialRejected, func(in CredentialRejected) { e.rejections = append(e.rejections, in) }),
		taking(ctx, SignalWorkFailed, func(in WorkFailed) { e.failedWork = append(e.failedWork, in) }))
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (State, error) { return *e.state, nil }); err != nil {
		return err
	}
	return takeUpdates(ctx, map[string]any{
		UpdateTest: e.test, UpdateRefresh: e.refresh, UpdatePutToolkit: e.putToolkit, UpdateDeleteToolkit: e.deleteToolkit,
		UpdateReconnect: e.reconnect, UpdateCredentials: e.updateCredentials,
		UpdateRename: e.rename, UpdateSetPolicy: e.setPolicy, UpdatePause: e.pause, UpdateResume: e.resume, UpdateDisconnect: e.disconnectNow,
	})
}

// expects reports whether the message is of the connect that is this connection's
// now: the one that reserved it, or the reconnect it has started itself.
func (e *entity) expects(in activate) bool {
	session := e.state.Session
	if open := e.state.Reconnect; open != nil {
		session = &open.Session
	}
	if session == nil || in.ReplyTo != session.WorkflowID {
		return false
	}
	// Histories from before there were reconnects name no run.
	return in.RunID == session.RunID || in.RunID == "" && e.pending()
}

// takeRejection takes the provider's last word on a credential, from whoever heard it.
func (e *entity) takeRejection(ctx workflow.Context) {
	in := e.rejections[0]
	e.rejections = e.rejections[1:]
	if in.Grant == e.state.Look.Grant && e.watched() && !e.pending() {
		e.expire(ctx, in.Reason)
	}
}

func (e *entity) expire(ctx workflow.Context, reason string) {
	look := e.state.Look
	look.Status, look.Verdict = connection.Expired, connection.Revoked
	look.Reason, look.Remedy = reason, connection.AuthenticateAgain(e.state.ID)
	e.see(ctx, look)
	e.replan = true
}

// ready takes the turn, and refuses what the status does not allow.
func (e *entity) ready(ctx workflow.Context) error {
	if err := e.mutex.Lock(ctx); err != nil {
		return err
	}
	var problem *connection.Problem
	switch {
	case e.disconnect != nil:
		problem = connection.Disconnecting(e.state.ID)
	case e.over():
		problem = connection.NotFound(e.state.ID)
	case e.pending():
		problem = connection.Refused(connection.ErrConnectionPending, fmt.Sprintf("%s is still being connected", e.state.ID), "finish connecting it, or cancel that: connected-apps connect "+e.state.ID.String()+" --cancel")
	default:
		return nil
	}
	e.mutex.Unlock()
	return final(problem)
}

// askable is ready, for what asks the app: a paused connection asks it nothing.
func (e *entity) askable(ctx workflow.Context) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	if e.state.Look.Status != connection.Paused {
		return nil
	}
	e.mutex.Unlock()
	return final(connection.PausedByPerson(e.state.ID))
}

func (e *entity) test(ctx workflow.Context, _ struct{}) (TestResult, error) {
	if err := e.askable(ctx); err != nil {
		return TestResult{}, err
	}
	defer e.mutex.Unlock()
	report, err := probeConnection.do(ctx, fair(asked, e.state.Owner, e.state.ID), "test, on request", activities.ProbeInput{Ref: connection.CredentialRef{Connection: e.state.ID}})
	if err != nil {
		problem := why(err)
		e.note(ctx, "Test failed", connection.Bound(problem.Message, 1000))
		e.takeWord(ctx, problem)
		workflow.SetCurrentDetails(ctx, e.details())
		return TestResult{Problem: problem, Status: e.state.Look.Status}, nil
	}
	if report.Untestable {
		return TestResult{Report: report, Status: e.state.Look.Status}, nil
	}
	if e.watched() {
		look := e.state.Look
		look.Work = nil
		if len(look.Lost) == 0 { // scopes that are gone do not come back by a test that needs none of them
			look.Status, look.Verdict, look.Reason, look.Remedy = connection.Active, connection.OK, "", ""
		}
		look.Generation = report.Ref.Generation
		look.Identity = report.Identity.Over(look.Identity)
		e.replan = look.Status != e.state.Look.Status
		e.see(ctx, look)
	}
	return TestResult{Passed: true, Report: report, Status: e.state.Look.Status}, nil
}

func (e *entity) refresh(ctx workflow.Context, _ struct{}) (RefreshResult, error) {
	if err := e.askable(ctx); err != nil {
		return RefreshResult{}, err
	}
	defer e.mutex.Unlock()
	report, err := refreshStep.do(ctx, fair(asked, e.state.Owner, e.state.ID), "refresh, on request", activities.RefreshInput{Ref: connection.CredentialRef{Connection: e.state.ID}})
	if err != nil {
		problem := why(err)
		e.takeWord(ctx, problem)
		return RefreshResult{}, final(problem)
	}
	e.state.Look.Generation = report.Ref.Generation
	e.note(ctx, "Refreshed", "on request")
	if e.state.Look.Status == connection.Error && alerting(ctx) {
		if look := e.state.Look; look.Verdict == connection.ClientMisconfigured { // the app has just taken the client
			look.Status, look.Verdict, look.Reason, look.Remedy = connection.Active, connection.OK, "", ""
			e.see(ctx, look)
		}
		e.replan = true // the watch looks at once whether the rest is well too
	}
	return RefreshResult{Generation: report.Ref.Generation, Expires: report.ExpiresAt, Status: e.state.Look.Status}, nil
}

// takeWord takes what the app said to a person's request as what it is: the last word
// on the credential, or a refusal of the client, of which the watch sees at once what it means.
func (e *entity) takeWord(ctx workflow.Context, problem *connection.Problem) {
	switch {
	case !e.watched():
	case problem.Type == connection.ErrReconnectRequired:
		e.expire(ctx, problem.Message)
	case problem.Verdict == connection.ClientMisconfigured && e.state.Look.Status != connection.Error && alerting(ctx):
		e.replan = true
	}
}

func (e *entity) rename(ctx workflow.Context, in Rename) error {
	if in.DisplayName == "" {
		return final(connection.InvalidInput("display_name", "a name is needed", "give one"))
	}
	if err := e.ready(ctx); err != nil {
		return err
	}
	defer e.mutex.Unlock()
	e.state.DisplayName = connection.Bound(in.DisplayName, 200)
	e.note(ctx, "Renamed", e.state.DisplayName)
	e.publish(ctx)
	return nil
}

func (e *entity) pause(ctx workflow.Context, in Reason) error {
	return e.turn(ctx, connection.Paused, in.Reason, connection.Active, connection.Error)
}

func (e *entity) resume(ctx workflow.Context, in Reason) error {
	return e.turn(ctx, connection.Active, in.Reason, connection.Paused)
}

// turn sets a status by a person's will, from one of the given ones; the same twice is harmless.
func (e *entity) turn(ctx workflow.Context, to connection.Status, reason string, from ...connection.Status) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	defer e.mutex.Unlock()
	look := e.state.Look
	if look.Status == to {
		return nil
	}
	if !slices.Contains(from, look.Status) {
		return final(connection.Refused(connection.ErrInvalidInput, fmt.Sprintf("%s is %s", e.state.ID, look.Status), "reconnect it first"))
	}
	look.Status, look.Verdict, look.Reason, look.Remedy = to, "", reason, ""
	e.see(ctx, look)
	e.replan = true
	return nil
}

func (e *entity) disconnectNow(ctx workflow.Context, in Reason) (DisconnectResult, error) {
	if err := e.ready(ctx); err != nil {
		return DisconnectResult{}, err
	}
	e.disconnect = &in
	e.mutex.Unlock()
	answered, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: disconnectAnswer,
		TimerOptions: workflow.TimerOptions{Summary: "answer even if the app does not"}}, func() bool { return e.ended })
	if err != nil || !answered {
		return DisconnectResult{Revocation: "pending"}, nil
	}
	return DisconnectResult{Revocation: e.revocation}, nil
}
