package workflows

import (
	"fmt"

	"connectedapps/activities"

	"go.temporal.io/sdk/workflow"
)

// RunActionInput is one use of an action, as a child workflow. It is public contract.
type RunActionInput struct {
	activities.CallActionInput
}

// RunAction runs one action of a toolkit as a child of somebody else's workflow:
// one activity, with the options that let it keep its promises.
func RunAction(ctx workflow.Context, in RunActionInput) (*activities.CallActionResult, error) {
	result, err := callAction.do(ctx, ActionOptions(in.CallActionInput),
		fmt.Sprintf("%s on %s", in.Action, in.Connection), in.CallActionInput)
	if err != nil {
		return nil, final(why(err))
	}
	return result, nil
}
