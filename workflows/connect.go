package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ConnectApp makes a connection, or leaves nothing behind: validate, reserve,
// obtain the credential, test it, have it reviewed if asked, create the toolkit
// and activate. A person may take a day over it, fail and try again.
func ConnectApp(ctx workflow.Context, in ConnectInput) (*ConnectResult, error) {
	c := &connect{in: in, undo: &saga{}, beginning: workflow.NewMutex(ctx)}
	if err := c.listen(ctx); err != nil {
		return nil, err
	}
	return c.run(ctx)
}

// connect is one run of ConnectApp.
type connect struct {
	in       ConnectInput
	progress Progress
	plan     *activities.ConnectPlan
	until    time.Time
	undo     *saga

	pending   []*event // what people and callbacks brought, in order
	current   *event   // the one that is being tried
	auto      *event   // the credential that is obtained without anybody
	attempt   string   // whose candidate is being tested
	candidate *activities.StoredReport
	values    map[string]string // the inputs that the candidate was stored with
	answer    *said             // to the question that is open
	device    *device
	devices   int            // how many codes were asked for
	beginning workflow.Mutex // of device authorizations: two who ask at once get one code
	approve   *Approve
	cancel    *Reason
	tested    bool                // a credential has passed: no other is wanted
	sealed    bool                // past the point where it can be cancelled
	failure   *connection.Problem // why it is being undone
	preparing int                 // attempts that are being written to Vault
	handing   int                 // credentials handed over by the Connection that were not answered
	reply     *activated
}

func (c *connect) run(ctx workflow.Context) (*ConnectResult, error) {
	c.until = workflow.Now(ctx).Add(sessionLife)
	c.progress = Progress{Connection: c.in.Connection, DisplayName: c.name(), RequestedBy: c.in.RequestedBy,
		Owner: c.in.Owner, Mode: c.in.Mode, Until: c.until}
	problem := c.steps(ctx)
	if problem != nil {
		c.failure = problem
		c.undo.run(ctx)
		c.progress.Problem = problem
		phase := PhaseFailed
		if c.cancel != nil || ctx.Err() != nil {
			phase = PhaseCancelled
		}
		c.enter(ctx, phase)
	}
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) && c.handing == 0 }); err != nil {
		return nil, err
	}
	if problem != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return c.progress.Result, final(problem)
}

func (c *connect) steps(ctx workflow.Context) *connection.Problem {
	if problem := c.validate(ctx); problem != nil {
		return problem
	}
	if problem := c.reserve(ctx); problem != nil {
		return problem
	}
	if problem := c.obtain(ctx); problem != nil {
		return problem
	}
	if problem := c.review(ctx); problem != nil {
		return problem
	}
	return c.activate(ctx)
}

func (c *connect) validate(ctx workflow.Context) *connection.Problem {
	c.enter(ctx, PhaseValidating)
	if problem := c.rightful(ctx); problem != nil {
		return problem
	}
	plan, err := validateConnect.do(ctx, vaultWork, "check what is asked for", c.in.ConnectRequest)
	if err != nil {
		return why(err)
	}
	c.plan, c.progress.Plan, c.values = plan, plan, plan.Values
	if plan.Flow == activities.FlowAutomatic {
		c.auto = &event{credential: &ProvideCredential{}}
		c.pending = append(c.pending, c.auto)
	}
	return nil
}

// rightful refuses a replacement that the Connection itself has not started, and a
// connect of a session that no session of that environment has.
func (c *connect) rightful(ctx workflow.Context) *connection.Problem {
	parent := ""
	if execution := workflow.GetInfo(ctx).ParentWorkflowExecution; execution != nil {
		parent = execution.ID
	}
	switch c.in.Mode {
	case "":
		return nil
	case ModeReplace:
		if parent != ConnectionWorkflowID(c.in.Connection) {
			return connection.InvalidInput("mode", "only the Connection replaces its credential", "send it the update "+UpdateReconnect)
		}
		return nil
	case ModeSession:
		if !strings.HasPrefix(parent, ConnectSessionWorkflowID(c.in.Connection.Environment(), "")) {
			return connection.InvalidInput("mode", "only a connect session has connects of its own", "leave it out, or create a session and send it the update "+UpdateStart)
		}
		return nil
	default:
		return connection.InvalidInput("mode", "there is no such mode", `leave it out, or use "`+ModeReplace+`"`)
	}
}

// reserve takes the ID by starting the Connection, Pending. It outlives this
// workflow, and cleans itself up should this workflow die without a word. A
// replacement reserves nothing: the Connection is there, and has started this.
func (c *connect) reserve(ctx workflow.Context) *connection.Problem {
	if c.in.Mode == ModeReplace {
		return nil
	}
	c.enter(ctx, PhaseReserving)
	info := workflow.GetInfo(ctx)
	session := Session{WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID, LookAfter: activities.SessionLook}
	id := ConnectionWorkflowID(c.in.Connection)
	c.undo.add("give the reservation up", func(ctx workflow.Context) error {
		return workflow.SignalExternalWorkflow(ctx, id, "", signalRelease, release{Session: session}).Get(ctx, nil)
	})
	// Not on a context that can be cancelled: the SDK would pass the cancellation on
	// to the child, and both would clean up.
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	state := State{ID: c.in.Connection, DisplayName: c.name(), Owner: c.in.Owner, AuthConfig: c.in.AuthConfig,
		Kind: c.plan.Kind, Method: c.plan.Method, Session: &session, Look: activities.Look{Status: connection.Pending}}
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(quiet, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: Queue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("%s: %s", c.plan.AppName, c.in.Connection),
		TypedSearchAttributes: state.reserved(),
	}), TypeConnection, state)
	err := child.GetChildWorkflowExecution().Get(quiet, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return connection.Refused(connection.ErrConnectionIDTaken, fmt.Sprintf("there is a connection %s already", c.in.Connection),
			"choose another name, or disconnect that one first")
	}
	if err != nil {
		return why(err)
	}
	return nil
}

// review waits for a person's yes, where one was asked for.
func (c *connect) review(ctx workflow.Context) *connection.Problem {
	if !c.in.Review {
		return nil
	}
	c.enter(ctx, PhaseReview)
	if problem := c.await(ctx, func() bool { return c.approve != nil }); problem != nil {
		return problem
	}
	if len(c.approve.Actions) > 0 {
		c.plan.Actions = slices.Sorted(slices.Values(c.approve.Actions))
	}
	return nil
}

// await blocks until what is wanted has come, the session is over, or it was cancelled.
func (c *connect) await(ctx workflow.Context, wanted func() bool) *connection.Problem {
	left := c.until.Sub(workflow.Now(ctx))
	came, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: max(left, time.Second),
		TimerOptions: workflow.TimerOptions{Summary: "the session ends"}}, func() bool { return wanted() || c.cancel != nil })
	switch {
	case err != nil || c.cancel != nil:
		reason := wasCancelled
		if c.cancel != nil && c.cancel.Reason != "" {
			reason += ": " + c.cancel.Reason
		}
		return connection.Refused(connection.ErrSessionClosed, reason, "start a new one when you are ready")
	case !came:
		return connection.Refused(connection.ErrSessionClosed, "nobody finished the connect within a day", "start a new one")
	}
	return nil
}

// wasCancelled begins the message of a connect that somebody has cancelled; a reason may follow.
const wasCancelled = "the connect was cancelled"

// cancelled reports whether somebody has ended a connect that ended with this problem.
func cancelled(problem *connection.Problem) bool {
	return problem.Type == connection.ErrSessionClosed && strings.HasPrefix(problem.Message, wasCancelled)
}

func (c *connect) name() string { return c.in.name() }

func (in ConnectInput) name() string {
	if in.DisplayName != "" {
		return in.DisplayName
	}
	return in.Connection.Slug()
}

// fresh is a random name for a grant or an attempt, remembered by the history.
func fresh(ctx workflow.Context) string {
	var name string
	random := workflow.SideEffect(ctx, func(workflow.Context) any { return randomName() })
	if err := random.Get(&name); err != nil {
		workflow.GetLogger(ctx).Error("a random name could not be read back", "error", err)
	}
	return name
}
