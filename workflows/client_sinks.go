package workflows

import (
	"context"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// CreateSink makes an alert sink, whose secrets wait in the inbox, and answers when Vault has it.
func (c *Client) CreateSink(ctx context.Context, in CreateSink) (SinkState, error) {
	var state SinkState
	if err := CheckSink(in); err != nil {
		return state, err
	}
	start := c.Temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: AlertSinksWorkflowID(c.Environment), TaskQueue: Queue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "alert sinks of " + c.Environment,
	}, TypeAlertSinks, AlertSinksState{Environment: c.Environment})
	err := c.updateWithStart(ctx, AlertSinksWorkflowID(c.Environment), start, UpdateSinkCreate, in, &state)
	return state, err
}

// RotateSink gives a sink a new key or a new URL, which wait in the inbox, and enables
// it if it was disabled. A replaced key is signed with for another day.
func (c *Client) RotateSink(ctx context.Context, in RotateSink) (SinkState, error) {
	var state SinkState
	err := c.sinks(ctx, in.Name, UpdateSinkRotate, in, &state)
	return state, err
}

// DeleteSink destroys a sink. What is still on its way to it is given up.
func (c *Client) DeleteSink(ctx context.Context, name string) error {
	return c.sinks(ctx, name, UpdateSinkDelete, NamedSink{Name: name}, nil)
}

// TestSink sends a test message and answers what became of it. That it was not taken
// is an answer, not an error.
func (c *Client) TestSink(ctx context.Context, name string) (SinkTest, error) {
	var result SinkTest
	err := c.sinks(ctx, name, UpdateSinkTest, NamedSink{Name: name}, &result)
	return result, err
}

// Sinks answers the environment's alert sinks, without their secrets.
func (c *Client) Sinks(ctx context.Context) ([]SinkState, error) {
	var state AlertSinksState
	answer, err := c.Temporal.QueryWorkflow(ctx, AlertSinksWorkflowID(c.Environment), "", QueryDescribe)
	if err == nil {
		err = answer.Get(&state)
	}
	err = problem(err, activities.NoSink(""))
	if connection.TypeOf(err) == connection.ErrSinkNotFound {
		return nil, nil // nobody has ever made one
	}
	return state.Sinks, err
}

func (c *Client) sinks(ctx context.Context, name, update string, in, out any) error {
	if err := connection.CheckSlug("name", name); err != nil {
		return err
	}
	err := c.update(ctx, AlertSinksWorkflowID(c.Environment), update, in, out)
	if connection.TypeOf(err) == connection.ErrConnectionNotFound {
		return activities.NoSink(name)
	}
	return err
}
