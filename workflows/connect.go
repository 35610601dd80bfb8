package workflows

import (
	"fmt"
	"slices"
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
	c := &connect{in: in, undo: &saga{}}
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

	pending []*event // what people and callbacks brought, in order
	auto    *event   // the credential that is obtained without anybody
	attempt string   // whose candidate is being tested
	approve *Approve
	cancel  *Reason
	tested  bool // a credential has passed: no other is wanted
	sealed  bool // past the point where it can be cancelled
	reply   *activated
}

// event is something to obtain a credential from, or to test again.
type event struct {
	authorization *AuthorizationReceived
	credential    *ProvideCredential
	done          bool
}

func (c *connect) run(ctx workflow.Context) (*ConnectResult, error) {
	c.until = workflow.Now(ctx).Add(sessionLife)
	c.progress = Progress{Connection: c.in.Connection, DisplayName: c.name(), RequestedBy: c.in.RequestedBy,
		Owner: c.in.Owner, Until: c.until}
	problem := c.steps(ctx)
	if problem != nil {
		c.undo.run(ctx)
		c.progress.Problem = problem
		phase := PhaseFailed
		if c.cancel != nil || ctx.Err() != nil {
			phase = PhaseCancelled
		}
		c.enter(ctx, phase)
	}
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) }); err != nil {
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
	plan, err := validateConnect.do(ctx, vaultWork, "check what is asked for", c.in.ConnectRequest)
	if err != nil {
		return why(err)
	}
	c.plan, c.progress.Plan = plan, plan
	if plan.Kind == connection.OAuth2ClientCredentials || plan.Kind == connection.None {
		c.auto = &event{credential: &ProvideCredential{}}
		c.pending = append(c.pending, c.auto)
	}
	return nil
}

// reserve takes the ID by starting the Connection, Pending. It outlives this
// workflow, and cleans itself up should this workflow die without a word.
func (c *connect) reserve(ctx workflow.Context) *connection.Problem {
	c.enter(ctx, PhaseReserving)
	info := workflow.GetInfo(ctx)
	session := Session{WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID}
	id := ConnectionWorkflowID(c.in.Connection)
	c.undo.add("give the reservation up", func(ctx workflow.Context) error {
		return workflow.SignalExternalWorkflow(ctx, id, "", signalRelease, release{Session: session}).Get(ctx, nil)
	})
	// Not on a context that can be cancelled: the SDK would pass the cancellation on
	// to the child, and both would clean up.
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(quiet, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: Queue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("%s: %s", c.plan.AppName, c.in.Connection),
	}), TypeConnection, State{ID: c.in.Connection, DisplayName: c.name(), Owner: c.in.Owner, AuthConfig: c.in.AuthConfig,
		Kind: c.plan.Kind, Method: c.plan.Method, Session: &session, Look: activities.Look{Status: connection.Pending}})
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

// activate hands the tested credential to the Connection, which adopts it, opens
// the gate and answers. From here on the connect cannot be cancelled: undoing
// would revoke what the Connection may already be using.
func (c *connect) activate(ctx workflow.Context) *connection.Problem {
	c.sealed = true
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.enter(ctx, PhaseActivating)
	stored := c.progress.Stored
	toolkit := connection.Toolkit{Name: c.plan.Toolkit, Actions: slices.Sorted(slices.Values(c.plan.Actions))}
	message := activate{ReplyTo: workflow.GetInfo(ctx).WorkflowExecution.ID, Ref: stored.Ref,
		Method: c.plan.Method, Kind: c.plan.Kind, AuthConfig: c.in.AuthConfig, Digest: c.plan.Digest,
		Identity: stored.Identity, Scopes: stored.Scopes, Renewable: stored.Renewable, Expires: stored.Expires, Toolkit: toolkit}
	id := ConnectionWorkflowID(c.in.Connection)
	if err := workflow.SignalExternalWorkflow(ctx, id, "", signalActivate, message).Get(ctx, nil); err != nil {
		return connection.Refused(connection.ErrSessionClosed, "the reservation is gone", "start the connect again")
	}
	answered, err := workflow.AwaitWithTimeout(ctx, activationAnswer, func() bool { return c.reply != nil && c.reply.Grant == stored.Ref.Grant })
	if err != nil || !answered {
		return connection.VaultUnavailable("the credential could not be put in place within a day")
	}
	if c.reply.Problem != nil {
		return c.reply.Problem
	}
	if err := c.discardOthers(ctx, stored.Ref.Grant); err != nil {
		workflow.GetLogger(ctx).Warn("attempts of a finished connect are left to the sweep", "error", err.Error())
	}
	c.progress.Result = &ConnectResult{Connection: c.in.Connection, Status: connection.Active,
		Identity: stored.Identity, Toolkit: toolkit, Scopes: stored.Scopes}
	c.enter(ctx, PhaseActive)
	return nil
}

// await blocks until what is wanted has come, the session is over, or it was cancelled.
func (c *connect) await(ctx workflow.Context, wanted func() bool) *connection.Problem {
	left := c.until.Sub(workflow.Now(ctx))
	came, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: max(left, time.Second),
		TimerOptions: workflow.TimerOptions{Summary: "the session ends"}}, func() bool { return wanted() || c.cancel != nil })
	switch {
	case err != nil || c.cancel != nil:
		reason := "the connect was cancelled"
		if c.cancel != nil && c.cancel.Reason != "" {
			reason += ": " + c.cancel.Reason
		}
		return connection.Refused(connection.ErrSessionClosed, reason, "start a new one when you are ready")
	case !came:
		return connection.Refused(connection.ErrSessionClosed, "nobody finished the connect within a day", "start a new one")
	}
	return nil
}

func (c *connect) name() string {
	if c.in.DisplayName != "" {
		return c.in.DisplayName
	}
	return c.in.Connection.Slug()
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
