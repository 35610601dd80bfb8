package workflows

import "go.temporal.io/sdk/workflow"

// versionPrepared marks connects that wait for attempts which are being written
// before they remove all of them; older histories replay without. It may go once no
// connect is open that was cancelled before there was this version: after a day.
const versionPrepared = "attempts-awaited"

// preparation is the context for a step that writes an attempt to Vault, and what to
// call when the step is over. It runs to its end if the connect is cancelled
// meanwhile: what it stored after everything was removed would be left behind.
func (c *connect) preparation(ctx workflow.Context) (workflow.Context, func()) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	c.preparing++
	return quiet, func() { c.preparing-- }
}

// allPrepared waits until no attempt is being written any more.
func (c *connect) allPrepared(ctx workflow.Context) error {
	if c.preparing == 0 || workflow.GetVersion(ctx, versionPrepared, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	return workflow.Await(ctx, func() bool { return c.preparing == 0 })
}
