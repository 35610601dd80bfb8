package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// CreateConnectSession creates a link for one person to make a connection with, and
// answers the session as it is then. Everything that can be is checked before: the app,
// the method and what goes with it, the sink. That the connection's ID is free is seen
// by the connect. A Method is kept by its ID. A session of the same name, open or
// remembered still, is an ErrConnectionIDTaken.
func (c *Client) CreateConnectSession(ctx context.Context, in ConnectSessionInput) (ConnectSessionState, error) {
	if in.Environment != c.Environment {
		return ConnectSessionState{}, connection.Refused(connection.ErrUnknownEnvironment,
			fmt.Sprintf("this is %s, not %s", c.Environment, connection.Bound(in.Environment, 63)), "use the client of that environment")
	}
	if err := in.check(); err != nil {
		return ConnectSessionState{}, err
	}
	method, err := activities.CheckPart(c.Catalogue, in.ConnectRequest)
	if err != nil {
		return ConnectSessionState{}, err
	}
	if method != nil {
		in.Method = method.ID
	}
	if err := c.checkNotify(ctx, in.Notify); err != nil {
		return ConnectSessionState{}, err
	}
	_, err = c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: ConnectSessionWorkflowID(in.Environment, in.Session), TaskQueue: Queue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            fmt.Sprintf("a link to connect %s", in.Connection),
	}, TypeConnectSession, in)
	var taken *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &taken) {
		return ConnectSessionState{}, connection.Refused(connection.ErrConnectionIDTaken, "there is a connect session "+in.Session+" already", "choose another name")
	}
	if err != nil {
		return ConnectSessionState{}, problem(err, connection.ConnectSessionNotFound(in.Session))
	}
	return c.ConnectSession(ctx, in.Session)
}

// checkNotify refuses a sink that would never tell anybody; "" is none.
func (c *Client) checkNotify(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	sinks, err := c.Sinks(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sinks, func(sink SinkState) bool { return sink.Name == name })
	switch {
	case i < 0:
		return activities.NoSink(name)
	case sinks[i].Disabled != "":
		return connection.InvalidInput("notify", fmt.Sprintf("the alert sink %s is disabled: %s", name, sinks[i].Disabled),
			"give it a new URL or key: connected-apps alerts sinks rotate "+name)
	default:
		return nil
	}
}

// ClaimConnectSession uses a link up, for the browser whose secret's hash is given. The
// same browser gets the same answer again. ErrLinkInvalid: the token is another, or
// another browser was first. ErrSessionClosed: the session is over.
func (c *Client) ClaimConnectSession(ctx context.Context, session string, in ClaimSession) (ConnectSessionState, error) {
	var state ConnectSessionState
	err := c.session(ctx, session, UpdateClaim, in, &state)
	return state, err
}

// StartConnectSession begins the connect that the person chose, or joins the very same
// one that is open; another one that is open is an ErrConnectionIDTaken. What it answers
// goes on as any connect does: by its plan's flow, pass Connect to [Client.RequestLink],
// [Client.RequestDevice] or [Client.Connect]. A choice that cannot be is refused before
// anything is sent: a secret among its values is written nowhere.
func (c *Client) StartConnectSession(ctx context.Context, session string, in StartSession) (Reconnecting, error) {
	state, err := c.ConnectSession(ctx, session)
	if err != nil {
		return Reconnecting{}, err
	}
	if state.State.Over() {
		return Reconnecting{}, state.closed()
	}
	connect, err := state.connect(in)
	if err == nil {
		_, err = activities.Plan(c.Catalogue, connect.ConnectRequest)
	}
	if err != nil {
		return Reconnecting{}, err
	}
	var begun Reconnecting
	err = c.session(ctx, session, UpdateStart, in, &begun)
	return begun, err
}

// CancelConnectSession ends a session and undoes its connect. It answers after 15 seconds
// at most: the state is connecting still where undoing takes longer. A session that was
// cancelled, or is being, is answered as it is; one that ended otherwise is an ErrSessionClosed.
func (c *Client) CancelConnectSession(ctx context.Context, session string, in Reason) (ConnectSessionState, error) {
	var state ConnectSessionState
	err := c.session(ctx, session, UpdateCancel, in, &state)
	if connection.TypeOf(err) != connection.ErrSessionClosed {
		return state, err
	}
	ended, failed := c.ConnectSession(ctx, session)
	if failed == nil && (ended.State == SessionCancelled || !ended.State.Over()) { // what is open, and closed to this, is being cancelled
		return ended, nil
	}
	return state, err
}

// ConnectSession answers everything that is known of a session, also after it is over.
// ErrConnectSessionNotFound: there never was one, or it is forgotten. ErrSessionClosed:
// its run was terminated.
func (c *Client) ConnectSession(ctx context.Context, session string) (ConnectSessionState, error) {
	var state ConnectSessionState
	if err := connection.CheckSlug("session", session); err != nil {
		return state, err
	}
	answer, err := c.Temporal.QueryWorkflowWithOptions(ctx, &client.QueryWorkflowWithOptionsRequest{
		WorkflowID: ConnectSessionWorkflowID(c.Environment, session), QueryType: QueryDescribe,
		// A run that was terminated would answer for ever that it is open.
		QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY,
	})
	if err == nil && answer.QueryRejected != nil {
		return state, state.closed()
	}
	if err == nil {
		err = answer.QueryResult.Get(&state)
	}
	return state, problem(err, connection.ConnectSessionNotFound(session))
}

// session sends an update to a session; one whose run is closed says how it ended.
func (c *Client) session(ctx context.Context, session, name string, in, out any) error {
	if err := connection.CheckSlug("session", session); err != nil {
		return err
	}
	err := c.update(ctx, ConnectSessionWorkflowID(c.Environment, session), name, in, out)
	if connection.TypeOf(err) != connection.ErrConnectionNotFound {
		return err
	}
	state, failed := c.ConnectSession(ctx, session)
	switch {
	case failed != nil:
		return failed
	case state.State.Over():
		return state.closed()
	default:
		return err
	}
}
