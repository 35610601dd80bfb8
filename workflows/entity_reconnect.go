package workflows

import (
	"fmt"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// reconnect has a person authenticate again: a ConnectApp of this connection's own,
// which a link, a device code or a secret then goes to.
func (e *entity) reconnect(ctx workflow.Context, in ReconnectInput) (Reconnecting, error) {
	return e.begin(ctx, in, func(*activities.ConnectPlan) *connection.Problem { return nil })
}

// begin joins the reconnect that is open, if it is the same one, or starts it.
// What is asked for is checked before the turn is taken: that may have to wait for Vault.
func (e *entity) begin(ctx workflow.Context, in ReconnectInput, fits func(*activities.ConnectPlan) *connection.Problem) (Reconnecting, error) {
	if err := e.ready(ctx); err != nil {
		return Reconnecting{}, err
	}
	request := e.replacement(in)
	e.mutex.Unlock()
	plan, err := validateConnect.do(ctx, vaultWork, "check what is asked for", request.ConnectRequest)
	if err != nil {
		return Reconnecting{}, final(why(err))
	}
	if problem := fits(plan); problem != nil {
		return Reconnecting{}, final(problem)
	}
	if err := e.ready(ctx); err != nil {
		return Reconnecting{}, err
	}
	defer e.mutex.Unlock()
	switch {
	case e.child == nil:
		return e.startReconnect(ctx, Reconnecting{Connect: e.replacement(in), Plan: plan})
	case e.connecting.Connect.Fingerprint == request.Fingerprint:
		return e.connecting, nil
	default:
		return Reconnecting{}, final(connection.Refused(connection.ErrConnectionIDTaken,
			fmt.Sprintf("another reconnect of %s is under way", e.state.ID), "finish or cancel that one first"))
	}
}

// replacement is the connect that the connection asks for: itself, with what is to be another way.
// Another method has a client registration of its own, if any.
func (e *entity) replacement(in ReconnectInput) ConnectInput {
	s := e.state
	request := activities.ConnectRequest{Connection: s.ID, Method: s.Method, AuthConfig: s.AuthConfig,
		Access: in.Access, Actions: in.Actions, Values: in.Values, Kept: activities.Kept{Values: s.Values}}
	if in.Method != "" && in.Method != s.Method {
		request.Method, request.AuthConfig = in.Method, ""
	}
	if in.AuthConfig != "" {
		request.AuthConfig = in.AuthConfig
	}
	if request.AuthConfig == "" { // its values are the connection's own from now on
		request.Kept.AuthConfig = s.AuthConfig
	}
	if len(s.Toolkits) > 0 {
		request.Toolkit = s.Toolkits[0].Name
	}
	for _, toolkit := range s.Toolkits {
		request.Kept.Actions = append(request.Kept.Actions, toolkit.Actions...)
	}
	request.Kept.Actions = slices.Compact(slices.Sorted(slices.Values(request.Kept.Actions)))
	if in.Access == "" && len(in.Actions)+len(request.Kept.Actions) == 0 {
		request.Access = connectors.AccessRead // the least that can be asked for
	}
	return ConnectInput{ConnectRequest: request, DisplayName: s.DisplayName, Owner: s.Owner, RequestedBy: in.RequestedBy,
		Mode: ModeReplace, Known: s.Look.Identity, AllowOtherAccount: in.AllowOtherAccount, Fingerprint: fingerprint(in)}
}

// changed is a copy of values with some of them replaced.
func changed(values, by map[string]string) map[string]string {
	if len(values)+len(by) == 0 {
		return nil
	}
	all := make(map[string]string, len(values)+len(by))
	for _, name := range workflow.DeterministicKeys(values) {
		all[name] = values[name]
	}
	for _, name := range workflow.DeterministicKeys(by) {
		all[name] = by[name]
	}
	return all
}

// startReconnect starts the ConnectApp. Should this workflow be ended from outside,
// it is cancelled and undoes what it did; what is alive stays as it is.
func (e *entity) startReconnect(ctx workflow.Context, connecting Reconnecting) (Reconnecting, error) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	quiet, cancel := workflow.WithCancel(quiet)
	id := ConnectWorkflowID(e.state.ID)
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(quiet, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: Queue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL, WaitForCancellation: true,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("reconnect %s: %s", connecting.Plan.AppName, e.state.ID),
	}), TypeConnectApp, connecting.Connect)
	var execution workflow.Execution
	err := child.GetChildWorkflowExecution().Get(quiet, &execution)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return Reconnecting{}, final(connection.Refused(connection.ErrConnectionIDTaken,
			fmt.Sprintf("another connect of %s is under way", e.state.ID), "cancel that one first"))
	}
	if err != nil {
		return Reconnecting{}, final(why(err))
	}
	e.child, e.cancelChild, e.connecting, e.answers = child, cancel, connecting, nil
	e.state.Reconnect = &OpenReconnect{Session: Session{WorkflowID: execution.ID, RunID: execution.RunID},
		RequestedBy: connecting.Connect.RequestedBy, Fingerprint: connecting.Connect.Fingerprint, Since: workflow.Now(ctx)}
	e.note(ctx, "Reconnecting", connection.Bound(connecting.Connect.RequestedBy, 200))
	workflow.SetCurrentDetails(ctx, e.details())
	return connecting, nil
}

// reconnected reports whether the reconnect is over, one way or another.
func (e *entity) reconnected() bool { return e.child != nil && e.child.IsReady() }

// concludeReconnect removes what the reconnect has left: the grant that was
// replaced, and candidates if it died without undoing itself. Ending grants may
// take a day and goes on in the background, without holding the turn.
func (e *entity) concludeReconnect(ctx workflow.Context) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	account := account(e.connecting.Connect.Known)
	if err := e.child.Get(quiet, nil); err != nil {
		e.noteEnd(quiet, err)
	}
	report, err := discardAttempts.do(quiet, vaultWork, "what has the reconnect left?", activities.DiscardInput{Connection: e.state.ID})
	e.child, e.cancelChild, e.state.Reconnect = nil, nil, nil
	workflow.SetCurrentDetails(quiet, e.details())
	if err != nil {
		workflow.GetLogger(ctx).Error("what a reconnect left was not removed", "error", err.Error())
		return
	}
	if len(report.Candidates) == 0 {
		return
	}
	e.endings++
	workflow.Go(quiet, func(ctx workflow.Context) {
		defer func() { e.endings-- }()
		if err := endCandidates(ctx, report.Candidates, account); err != nil {
			e.note(ctx, "Not revoked", "the replaced grant was not ended: "+why(err).Error())
			workflow.SetCurrentDetails(ctx, e.details())
			if unrevoked(err) {
				e.state.Alerts.grantMayLive(ctx, e.state.subject(), "a reconnect replaced the grant")
			}
		}
	})
}

// noteEnd says how a reconnect ended that has replaced nothing.
func (e *entity) noteEnd(ctx workflow.Context, err error) {
	problem, ok := connection.AsProblem(err)
	switch {
	case temporal.IsCanceledError(err):
		e.note(ctx, reconnectCancelled, "it was cancelled from outside")
	case ok && cancelled(problem):
		e.note(ctx, reconnectCancelled, connection.Bound(strings.TrimPrefix(strings.TrimPrefix(problem.Message, wasCancelled), ": "), 1000))
	case ok:
		e.note(ctx, reconnectFailed, connection.Bound(problem.Message, 1000))
	default:
		e.note(ctx, reconnectFailed, "it was ended from outside")
	}
}

// What a transition says of a reconnect that came to nothing.
const (
	reconnectFailed    = "Reconnect failed"
	reconnectCancelled = "Reconnect cancelled"
)

// stopReconnect cancels the reconnect and waits until it has undone itself. One
// that waits for its credential to be taken over cannot be cancelled and is told no.
func (e *entity) stopReconnect(quiet workflow.Context) {
	if e.child == nil {
		return
	}
	e.cancelChild()
	for !e.child.IsReady() {
		if err := workflow.Await(quiet, func() bool { return e.child.IsReady() || e.activate != nil }); err != nil {
			return
		}
		if in := e.activate; in != nil {
			e.activate = nil
			e.reply(quiet, *in, activated{Grant: in.Ref.Grant, Problem: connection.NotFound(e.state.ID)})
		}
	}
	e.child, e.state.Reconnect = nil, nil
}
