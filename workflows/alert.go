package workflows

import "go.temporal.io/sdk/workflow"

// Alert is one trouble that people should know of, open until it is over.
func Alert(ctx workflow.Context, in AlertInput) error {
	workflow.GetSignalChannel(ctx, signalAlertResolved).Receive(ctx, nil)
	return nil
}
