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
	stored := c.progress.Stored
	message := c.activation(ctx)
	id := ConnectionWorkflowID(c.in.Connection)
	if err := workflow.SignalExternalWorkflow(ctx, id, "", signalActivate, message).Get(ctx, nil); err != nil {
		return connection.Refused(connection.ErrSessionClosed, "the connection that this is for is gone", "start the connect again")
	}
	answered, err := workflow.AwaitWithTimeout(ctx, activationAnswer, func() bool { return c.reply != nil && c.reply.Grant == stored.Ref.Grant })
	if err != nil || !answered {
		return connection.VaultUnavailable("the credential could not be put in place within a day")
	}
	if c.reply.Problem != nil {
		return c.reply.Problem
	}
	if err := c.tidy(ctx, stored.Ref.Grant); err != nil {
		workflow.GetLogger(ctx).Warn("attempts of a finished connect are left to the sweep", "error", err.Error())
	}
	c.progress.Result = c.result(message)
	c.enter(ctx, PhaseActive)
	return nil
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
