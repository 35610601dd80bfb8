package workflows

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"connectedapps/activities"
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
	return actionProgressOf(described), nil
}

// CancelAction asks a [Client.RunAction] with that key to stop, which must not be "". One
// that waits ends at once; one whose request has left may be carried out by the app
// all the same. ErrInvalidInput says that there is none, or that it is over.
func (c *Client) CancelAction(ctx context.Context, id connection.ID, key, reason string) error {
	handle := c.Temporal.GetActivityHandle(client.GetActivityHandleOptions{ActivityID: actionActivityID(id, key)})
	err := handle.Cancel(ctx, client.CancelActivityOptions{Reason: connection.Bound(reason, 200)})
	return problem(err, connection.InvalidInput("run", "there is no such run of an action, or it is over", "look at it before cancelling it"))
}

func actionProgressOf(described *client.ActivityExecutionDescription) ActionProgress {
	progress := ActionProgress{Attempt: int(described.Attempt)}
	if next := described.RawResponse.GetInfo().GetNextAttemptScheduleTime(); next != nil { // the SDK makes 1970 of none
		progress.Next = next.AsTime()
	}
	if failure := described.GetLastFailure(); failure != nil {
		progress.Reason = why(failure).Message
	}
	return progress
}

// notKnown reports, as ErrOutcomeUnknown, an action that was run with this key before and
// may have had its effect: another run could have it twice.
func (c *Client) notKnown(ctx context.Context, in activities.CallActionInput) error {
	before, err := c.ActionRun(ctx, in.Connection, in.IdempotencyKey)
	switch {
	case connection.TypeOf(err) == connection.ErrInvalidInput: // there was none
		return nil
	case err != nil:
		return err
	case before.Problem != nil && before.Problem.Type == connection.ErrOutcomeUnknown:
		return before.Problem
	case before.CutOff:
		return connection.Refused(connection.ErrOutcomeUnknown, "this key's action was cut off before it had ended; it may have been carried out",
			"look in the app whether it happened before doing it again with a fresh key")
	}
	return nil
}

// sameRequest refuses a key that another request has used: its answer would be taken for this one's.
func sameRequest(ctx context.Context, handle client.ActivityHandle, in activities.CallActionInput) error {
	described, err := handle.Describe(ctx, client.DescribeActivityOptions{IncludeInput: true})
	if err != nil {
		return problem(err, connection.Internal("run action"))
	}
	var before activities.CallActionInput
	if err := described.GetInput(&before); err != nil {
		return connection.Internal("run action")
	}
	same, err := sameAsked(before, in)
	if err != nil {
		return connection.Internal("run action")
	}
	if same {
		return nil
	}
	return connection.InvalidInput("idempotency_key", fmt.Sprintf("this key was used for another request, of the action %s", before.Action),
		"use a fresh key, or repeat exactly that request to get its answer")
}

// sameAsked compares what is asked of the app. How long is waited for it, how much of the
// answer is taken, and in whose share it runs are left out: a repetition may differ in
// those, and must get the first one's answer all the same, not the advice to do it twice.
func sameAsked(one, other activities.CallActionInput) (bool, error) {
	one.WaitForReconnect, one.MaxBytes, one.Owner = false, 0, ""
	other.WaitForReconnect, other.MaxBytes, other.Owner = false, 0, ""
	a, err := json.Marshal(one)
	if err != nil {
		return false, err
	}
	b, err := json.Marshal(other)
	return bytes.Equal(a, b), err
}
