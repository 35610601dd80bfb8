package workflows

import (
	"context"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/client"
)

// actionActivityID is the ID of a standalone action.
func actionActivityID(id connection.ID, key string) string {
	return "action/" + id.String() + "/" + key
}

// ActionProgress says how far a standalone action has come.
type ActionProgress struct {
	// Attempt that runs or, while none does, comes next; counted from 1.
	Attempt int
	// Reason is why the last attempt was not the end; "" when there was none.
	Reason string
	// Next is when the next attempt is due; zero while one runs.
	Next time.Time
}

// ActionProgress asks how far a [Client.RunAction] with that key has come, which must not be "".
func (c *Client) ActionProgress(ctx context.Context, id connection.ID, key string) (ActionProgress, error) {
	handle := c.Temporal.GetActivityHandle(client.GetActivityHandleOptions{ActivityID: actionActivityID(id, key)})
	described, err := handle.Describe(ctx, client.DescribeActivityOptions{IncludeLastFailure: true})
	if err != nil {
		return ActionProgress{}, problem(err, connection.Internal("describe action"))
	}
	progress := ActionProgress{Attempt: int(described.Attempt)}
	if next := described.RawResponse.GetInfo().GetNextAttemptScheduleTime(); next != nil { // the SDK makes 1970 of none
		progress.Next = next.AsTime()
	}
	if failure := described.GetLastFailure(); failure != nil {
		progress.Reason = why(failure).Message
	}
	return progress, nil
}
