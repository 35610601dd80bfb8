package workflows

import (
	"fmt"

	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ConnectSession is a link that a platform hands to one person: whoever opens it first
// may make the connection that it names, with ConnectApp as its child. It is over when
// that has succeeded, the link has expired or somebody cancels it, and runs until the
// platform was told. That it came to nothing is a result, not an error.
func ConnectSession(ctx workflow.Context, in ConnectSessionInput) (*ConnectSessionState, error) {
	if err := in.check(); err != nil {
		return nil, final(why(err))
	}
	s := newConnectSession(ctx, in)
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	return s.run(ctx)
}

// connectSession is one run of ConnectSession.
type connectSession struct {
	state ConnectSessionState

	mutex       workflow.Mutex // of what begins or ends a connect
	child       workflow.ChildWorkflowFuture
	cancelChild workflow.CancelFunc
	begun       Reconnecting // the connect that child is
	starts      int          // how many starts were taken
	cancel      *Reason      // why it is being cancelled
}

func newConnectSession(ctx workflow.Context, in ConnectSessionInput) *connectSession {
	created := workflow.GetInfo(ctx).WorkflowStartTime
	s := &connectSession{mutex: workflow.NewMutex(ctx)}
	s.state = ConnectSessionState{ConnectSessionInput: in, State: SessionOpen, Created: created, Expires: created.Add(in.life())}
	return s
}

func (s *connectSession) run(ctx workflow.Context) (*ConnectSessionState, error) {
	s.publish(ctx)
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	s.live(ctx, quiet)
	if ctx.Err() != nil { // it was cancelled: whoever waits for its end is told all the same
		ctx = quiet
	}
	s.tell(ctx)
	if err := workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) }); err != nil {
		return nil, err
	}
	return &s.state, nil
}

// live waits for the end: of a connect, of the link, or by somebody. A connect that is
// open outlasts the link; it has an end of its own.
func (s *connectSession) live(ctx, quiet workflow.Context) {
	timed, stop := workflow.WithCancel(quiet)
	defer stop()
	expiry := workflow.NewTimerWithOptions(timed, s.state.Expires.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: "the link expires"})
	for !s.state.State.Over() {
		waiting := ctx
		if s.cancel != nil {
			waiting = quiet
		}
		err := workflow.Await(waiting, func() bool {
			return !s.mutex.IsLocked() && (s.state.State.Over() || s.concluded() || s.child == nil && expiry.IsReady())
		})
		switch {
		case err != nil:
			s.stop(quiet, Reason{Reason: "its run was cancelled in Temporal"})
		case s.state.State.Over():
		case s.concluded():
			s.conclude(quiet)
		default:
			s.expire(quiet)
		}
	}
}

// begin starts the connect, which outlives this workflow should that be terminated.
// The mutex is held.
func (s *connectSession) begin(quiet workflow.Context, begun Reconnecting) (Reconnecting, error) {
	childContext, cancel := workflow.WithCancel(quiet)
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(childContext, workflow.ChildWorkflowOptions{
		WorkflowID: ConnectWorkflowID(s.state.Connection), TaskQueue: Queue,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON, WaitForCancellation: true,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("connect %s as %s, by the session %s", begun.Plan.AppName, s.state.Connection, s.state.Session),
	}), TypeConnectApp, begun.Connect)
	err := child.GetChildWorkflowExecution().Get(quiet, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return Reconnecting{}, final(anotherConnect(s.state.Connection))
	}
	if err != nil {
		return Reconnecting{}, final(why(err))
	}
	s.child, s.cancelChild, s.begun = child, cancel, begun
	s.state.State, s.state.Connect, s.state.Problem = SessionConnecting, &s.begun.Connect, nil
	s.show(quiet)
	return begun, nil
}

func anotherConnect(id connection.ID) *connection.Problem {
	return connection.Refused(connection.ErrConnectionIDTaken, fmt.Sprintf("another connect of %s is under way", id), "cancel that one first")
}

// concluded reports whether the connect is over, one way or another.
func (s *connectSession) concluded() bool { return s.child != nil && s.child.IsReady() }

// conclude takes in how the connect ended. One that came to nothing is not the end
// while the link lives: the person may try again.
func (s *connectSession) conclude(ctx workflow.Context) {
	var result ConnectResult
	err := s.child.Get(ctx, &result)
	s.child, s.cancelChild = nil, nil
	if err == nil {
		s.state.Result = &result
		s.end(ctx, SessionConnected, nil)
		return
	}
	if s.cancel != nil {
		s.end(ctx, SessionCancelled, s.cancel.cancelled())
		return
	}
	s.state.State, s.state.Problem = SessionClaimed, cameToNothing(err)
	s.show(ctx)
}

// cameToNothing is why a connect that is over has made no connection.
func cameToNothing(err error) *connection.Problem {
	if problem, ok := connection.AsProblem(err); ok {
		return problem
	}
	message := "the connect was ended from outside"
	if temporal.IsCanceledError(err) {
		message = wasCancelled
	}
	return connection.Refused(connection.ErrSessionClosed, message, "try again")
}

// expire ends a session whose link has expired.
func (s *connectSession) expire(ctx workflow.Context) {
	if s.state.Problem != nil {
		s.end(ctx, SessionFailed, s.state.Problem)
		return
	}
	s.end(ctx, SessionExpired, connection.Refused(connection.ErrSessionClosed, "nobody has used the link in time", "create a new session"))
}

// stop ends the session, or has its connect undo itself first, which ends it then.
func (s *connectSession) stop(quiet workflow.Context, reason Reason) {
	if s.mutex.Lock(quiet) != nil {
		return // the context cannot be cancelled
	}
	defer s.mutex.Unlock()
	if s.concluded() {
		s.conclude(quiet)
	}
	if s.state.State.Over() || s.cancel != nil {
		return
	}
	s.cancel = &reason
	if s.child == nil {
		s.end(quiet, SessionCancelled, reason.cancelled())
		return
	}
	s.cancelChild()
}

// cancelled is the problem of a session that was cancelled for that reason.
func (r Reason) cancelled() *connection.Problem {
	message := "the connect session was cancelled"
	if r.Reason != "" {
		message += ": " + connection.Bound(r.Reason, 200)
	}
	return connection.Refused(connection.ErrSessionClosed, message, "create a new session")
}

func (s *connectSession) end(ctx workflow.Context, state SessionState, problem *connection.Problem) {
	s.state.State, s.state.Problem, s.state.Ended = state, problem, workflow.Now(ctx)
	s.show(ctx)
}
