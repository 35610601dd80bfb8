package workflows

import (
	"context"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"
)

// Registry is the part of Temporal's worker, replayer and test environment that registers workflows.
type Registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}

// Register registers every workflow under its public name.
func Register(r Registry) {
	r.RegisterWorkflowWithOptions(ConnectApp, workflow.RegisterOptions{Name: TypeConnectApp})
	r.RegisterWorkflowWithOptions(ConnectSession, workflow.RegisterOptions{Name: TypeConnectSession})
	r.RegisterWorkflowWithOptions(Connection, workflow.RegisterOptions{Name: TypeConnection})
	r.RegisterWorkflowWithOptions(AuthConfig, workflow.RegisterOptions{Name: TypeAuthConfig})
	r.RegisterWorkflowWithOptions(RunAction, workflow.RegisterOptions{Name: TypeRunAction})
	r.RegisterWorkflowWithOptions(Alert, workflow.RegisterOptions{Name: TypeAlert})
	r.RegisterWorkflowWithOptions(AlertSinks, workflow.RegisterOptions{Name: TypeAlertSinks})
	r.RegisterWorkflowWithOptions(SweepVault, workflow.RegisterOptions{Name: TypeSweepVault})
}

var _ activities.Workflows = (*Client)(nil)

// CredentialRejected implements [activities.Workflows].
func (c *Client) CredentialRejected(ctx context.Context, ref connection.CredentialRef, verdict connection.Verdict, reason string) error {
	return c.Temporal.SignalWorkflow(ctx, ConnectionWorkflowID(ref.Connection), "", SignalCredentialRejected,
		CredentialRejected{Grant: ref.Grant, Generation: ref.Generation, Verdict: verdict, Reason: reason})
}

// WorkFailed implements [activities.Workflows].
func (c *Client) WorkFailed(ctx context.Context, ref connection.CredentialRef, trouble connection.WorkTrouble) error {
	return c.Temporal.SignalWorkflow(ctx, ConnectionWorkflowID(ref.Connection), "", SignalWorkFailed,
		WorkFailed{Grant: ref.Grant, Trouble: trouble})
}

// ClientRefused implements [activities.Workflows].
func (c *Client) ClientRefused(ctx context.Context, app, name, rotation, code string) error {
	return c.Temporal.SignalWorkflow(ctx, AuthConfigWorkflowID(c.Environment, app, name), "", SignalClientRefused,
		ClientRefused{Code: code, Rotation: rotation})
}

// SinkGone implements [activities.Workflows].
func (c *Client) SinkGone(ctx context.Context, name, reason string) error {
	err := c.Temporal.SignalWorkflow(ctx, AlertSinksWorkflowID(c.Environment), "", SignalSinkGone, SinkGone{Name: name, Reason: reason})
	return problem(err, activities.NoSink(name))
}

// SessionOpen implements [activities.Workflows].
func (c *Client) SessionOpen(ctx context.Context, id connection.ID, runID string) (bool, error) {
	return c.isOpen(ctx, ConnectWorkflowID(id), runID)
}

// ConnectionOpen implements [activities.Workflows].
func (c *Client) ConnectionOpen(ctx context.Context, id connection.ID) (bool, error) {
	return c.isOpen(ctx, ConnectionWorkflowID(id), "")
}

// EachOpenConnection implements [activities.Workflows].
func (c *Client) EachOpenConnection(ctx context.Context, each func(connection.ID)) error {
	var page []byte
	for {
		rows, next, err := c.List(ctx, Filter{}, openAtOnce, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			each(row.ID)
		}
		if len(next) == 0 {
			return nil
		}
		page = next
	}
}

// openAtOnce is how many open connections a page has: as many as Temporal gives.
const openAtOnce = 1000

// Disconnected implements [activities.Workflows].
func (c *Client) Disconnected(ctx context.Context, id connection.ID) (time.Time, error) {
	at, _, err := c.ended(ctx, id)
	return at, err
}

func (c *Client) isOpen(ctx context.Context, workflowID, runID string) (bool, error) {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, runID)
	if err != nil {
		told := problem(err, absent(workflowID))
		if connection.TypeOf(told) == connection.ErrConnectionNotFound {
			return false, nil
		}
		return false, told
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
