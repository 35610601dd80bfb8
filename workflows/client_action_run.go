package workflows

import (
	"context"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// ActionRun is everything that is known of a standalone action: what was asked, how
// far it has come and, once it is over, how it ended.
type ActionRun struct {
	ActionProgress
	Input activities.CallActionInput
	// Over: nothing follows. Then one of Result and Problem is set.
	Over    bool
	Result  *activities.CallActionResult
	Problem *connection.Problem
	// CutOff: it was cancelled, terminated or out of time, and did not end by itself.
	CutOff bool
}

// ActionRun looks at a [Client.RunAction] with that key, without running anything,
// for as long as the namespace remembers it. ErrInvalidInput says that it does not.
func (c *Client) ActionRun(ctx context.Context, id connection.ID, key string) (ActionRun, error) {
	var run ActionRun
	missing := connection.InvalidInput("run", "there is no such run of an action, or it has been forgotten since", "run the action again")
	handle := c.Temporal.GetActivityHandle(client.GetActivityHandleOptions{ActivityID: actionActivityID(id, key)})
	described, err := handle.Describe(ctx, client.DescribeActivityOptions{IncludeInput: true, IncludeLastFailure: true, IncludeOutcome: true})
	if err != nil {
		return run, problem(err, missing)
	}
	if err := described.GetInput(&run.Input); err != nil {
		return run, connection.Internal("describe action")
	}
	run.ActionProgress = actionProgressOf(described)
	run.Over = described.Status != enumspb.ACTIVITY_EXECUTION_STATUS_RUNNING
	run.CutOff = described.Status == enumspb.ACTIVITY_EXECUTION_STATUS_CANCELED ||
		described.Status == enumspb.ACTIVITY_EXECUTION_STATUS_TERMINATED || described.Status == enumspb.ACTIVITY_EXECUTION_STATUS_TIMED_OUT
	switch {
	case !run.Over:
	case described.HasResult():
		run.Result = new(activities.CallActionResult)
		if err := described.GetResult(run.Result); err != nil {
			return run, connection.Internal("describe action")
		}
	default:
		run.Problem = connection.Internal("the action")
		if failure := described.GetOutcomeFailure(); failure != nil {
			run.Problem = why(failure)
		}
	}
	return run, nil
}
