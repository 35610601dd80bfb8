package workflows

import (
	"slices"

	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// activate hands the tested credential to the Connection, which adopts it, opens
// the gate and answers. From here on the connect cannot be cancelled: undoing
// would revoke what the Connection may already be using.
func (c *connect) activate(ctx workflow.Context) *connection.Problem {
	c.sealed = true
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.enter(ctx, PhaseActivating)
	message := c.activation(ctx)
	tidied := c.tidyMeanwhile(ctx, message.Ref.Grant)
	problem := c.handOver(ctx, message)
	if err := tidied(problem == nil); err != nil {
		workflow.GetLogger(ctx).Warn("attempts of a finished connect are left to the sweep", "error", err.Error())
	}
	if problem != nil {
		return problem
	}
	c.progress.Result = c.result(message)
	c.enter(ctx, PhaseActive)
	return nil
}

// handOver tells the Connection and waits for its answer.
func (c *connect) handOver(ctx workflow.Context, message activate) *connection.Problem {
	id := ConnectionWorkflowID(c.in.Connection)
	if err := workflow.SignalExternalWorkflow(ctx, id, "", signalActivate, message).Get(ctx, nil); err != nil {
		return connection.Refused(connection.ErrSessionClosed, "the connection that this is for is gone", "start the connect again")
	}
	answered, err := workflow.AwaitWithTimeout(ctx, activationAnswer, func() bool { return c.reply != nil && c.reply.Grant == message.Ref.Grant })
	if err != nil || !answered {
		return connection.VaultUnavailable("the credential could not be put in place within a day")
	}
	return c.reply.Problem
}

// activation is what the Connection is told. A replacement creates no toolkit.
func (c *connect) activation(ctx workflow.Context) activate {
	stored, execution := c.progress.Stored, workflow.GetInfo(ctx).WorkflowExecution
	message := activate{ReplyTo: execution.ID, RunID: execution.RunID, Ref: stored.Ref,
		Method: c.plan.Method, Kind: c.plan.Kind, AuthConfig: c.in.AuthConfig, Digest: c.plan.Digest,
		Identity: stored.Identity, Scopes: stored.Scopes, Renewable: stored.Renewable, Expires: stored.Expires,
		Values: c.values, Missing: stored.Missing, Actions: slices.Sorted(slices.Values(c.plan.Actions))}
	if c.in.Mode != ModeReplace {
		message.Toolkit = connection.Toolkit{Name: c.plan.Toolkit, Actions: message.Actions}
	}
	// What cannot be renewed is looked at by the probe from now on: its own words are
	// what it is to be compared with, since a token's answer may write scopes otherwise.
	if tested := c.progress.Test; !stored.Renewable && tested != nil && tested.Scopes != nil {
		message.Scopes = tested.Scopes
	}
	return message
}

// versionTidy marks connects that remove what was not adopted while the Connection
// adopts the rest; older histories replay it after that. It may go once no connect is
// open that began before there was this version: after a day.
const versionTidy = "tidy-meanwhile"

// tidyMeanwhile begins to remove what will not be adopted, and answers what waits for
// the end of that, which must be called: undoing the connect removes the rest. adopted
// is whether the grant was.
func (c *connect) tidyMeanwhile(ctx workflow.Context, keep string) func(adopted bool) error {
	if workflow.GetVersion(ctx, versionTidy, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return func(adopted bool) error {
			if !adopted {
				return nil
			}
			return c.tidy(ctx, keep)
		}
	}
	tidied, settle := workflow.NewFuture(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) { settle.SetError(c.tidy(ctx, keep)) })
	return func(bool) error { return tidied.Get(ctx, nil) }
}

// tidy removes what was not adopted. After a replacement the Connection does: the
// credential that was replaced is among it, and revoking that may take long.
func (c *connect) tidy(ctx workflow.Context, keep string) error {
	if c.in.Mode == ModeReplace {
		return c.stopDevice(ctx)
	}
	return c.discardOthers(ctx, keep)
}

func (c *connect) result(message activate) *ConnectResult {
	stored := c.progress.Stored
	result := &ConnectResult{Connection: c.in.Connection, Status: connection.Active, Identity: stored.Identity,
		Toolkit: message.Toolkit, Scopes: stored.Scopes, Missing: stored.Missing, Uncovered: c.reply.Uncovered}
	if c.reply.Status != "" {
		result.Status = c.reply.Status
	}
	if i := slices.IndexFunc(c.reply.Toolkits, func(t connection.Toolkit) bool { return t.Name == c.plan.Toolkit }); i >= 0 {
		result.Toolkit = c.reply.Toolkits[i]
	}
	return result
}
