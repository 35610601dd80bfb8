package workflows

import (
	"context"
	"time"

	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
)

// gone says precisely why there is no connection to act on: it was disconnected at a
// time, or was never made. said is what is true while its workflow is open still.
func (c *Client) gone(ctx context.Context, id connection.ID, said error) error {
	at, open, err := c.ended(ctx, id)
	switch {
	case err == nil && open:
		return said
	case err == nil && !at.IsZero():
		return connection.Disconnected(id, at)
	default: // the plain word is true whatever Temporal could not tell
		return connection.NotFound(id)
	}
}

// ended answers when a connection was disconnected, and whether its workflow is open.
// The time is zero while it is open, for one whose connect came to nothing, for one
// that was terminated, and once the namespace has forgotten it.
func (c *Client) ended(ctx context.Context, id connection.ID) (at time.Time, open bool, err error) {
	workflowID := ConnectionWorkflowID(id)
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		told := problem(err, absent(workflowID))
		if connection.TypeOf(told) == connection.ErrConnectionNotFound {
			return at, false, nil
		}
		return at, false, told
	}
	info := described.GetWorkflowExecutionInfo()
	status := info.GetStatus()
	over := status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED || status == enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
	connected := text(info.GetSearchAttributes().GetIndexedFields(), AttributeStatus) != string(connection.Pending)
	if over && connected {
		at = info.GetCloseTime().AsTime()
	}
	return at, status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
