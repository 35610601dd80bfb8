package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// Test asks the app whether the connection works, now.
func (c *Client) Test(ctx context.Context, id connection.ID) (TestResult, error) {
	var result TestResult
	err := c.entity(ctx, id, UpdateTest, struct{}{}, &result)
	return result, err
}

// Refresh renews the credential, now.
func (c *Client) Refresh(ctx context.Context, id connection.ID) (RefreshResult, error) {
	var result RefreshResult
	err := c.entity(ctx, id, UpdateRefresh, struct{}{}, &result)
	return result, err
}

// PutToolkit creates or replaces a toolkit; it answers when the gate has it.
func (c *Client) PutToolkit(ctx context.Context, id connection.ID, in PutToolkit) (connection.Toolkit, error) {
	var toolkit connection.Toolkit
	app, err := c.Catalogue.App(id.App())
	if err != nil {
		return toolkit, err
	}
	for _, action := range in.Actions {
		if _, err := app.Action(action); err != nil {
			return toolkit, err
		}
	}
	err = c.entity(ctx, id, UpdatePutToolkit, in, &toolkit)
	return toolkit, err
}

// DeleteToolkit removes a toolkit.
func (c *Client) DeleteToolkit(ctx context.Context, id connection.ID, name string) error {
	return c.entity(ctx, id, UpdateDeleteToolkit, DeleteToolkit{Name: name}, nil)
}

// Rename changes the display name.
func (c *Client) Rename(ctx context.Context, id connection.ID, name string) error {
	return c.entity(ctx, id, UpdateRename, Rename{DisplayName: name}, nil)
}

// SetPolicy changes how the connection looks after itself, and answers the policy it then has.
func (c *Client) SetPolicy(ctx context.Context, id connection.ID, in SetPolicy) (connection.Policy, error) {
	var policy connection.Policy
	if in.Idle != nil {
		policy.Idle = *in.Idle
	}
	if in.ProbeEvery != nil {
		policy.ProbeEvery = *in.ProbeEvery
	}
	if err := policy.Check(); err != nil {
		return policy, err
	}
	err := c.entity(ctx, id, UpdateSetPolicy, in, &policy)
	return policy, err
}

// Pause stops everything that is asked of the provider; Resume starts it again.
func (c *Client) Pause(ctx context.Context, id connection.ID, reason string) error {
	return c.entity(ctx, id, UpdatePause, Reason{Reason: reason}, nil)
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, id connection.ID, reason string) error {
	return c.entity(ctx, id, UpdateResume, Reason{Reason: reason}, nil)
}

// Disconnect revokes the grant at the provider where it offers that, destroys
// the credential and ends the connection.
func (c *Client) Disconnect(ctx context.Context, id connection.ID, reason string) (DisconnectResult, error) {
	var result DisconnectResult
	err := c.entity(ctx, id, UpdateDisconnect, Reason{Reason: reason}, &result)
	return result, err
}

func (c *Client) entity(ctx context.Context, id connection.ID, name string, in, out any) error {
	if _, err := connection.ParseID(id.String()); err != nil {
		return err
	}
	err := c.update(ctx, ConnectionWorkflowID(id), name, in, out)
	if connection.TypeOf(err) == connection.ErrConnectionNotFound {
		return c.gone(ctx, id, err)
	}
	return err
}

// Description is everything that is known of a connection, without its secrets.
type Description struct {
	State
	// Facts are the exact times of last use, test and refresh, from Vault; zero where this caller may not read them.
	Facts connection.Facts `json:"facts,omitzero"`
	// FactsProblem says why Vault did not tell the facts; nil where it did, or was not asked.
	FactsProblem *connection.Problem `json:"facts_problem,omitempty"`
	// NextLook is when the watch looks next; zero while nothing is watched.
	NextLook time.Time `json:"next_look,omitzero"`
	// LastLook is what the watch said when it last found no news.
	LastLook string `json:"last_look,omitempty"`
	RunID    string `json:"run_id"`
}

// Describe answers everything that is known of an open connection.
func (c *Client) Describe(ctx context.Context, id connection.ID) (Description, error) {
	var d Description
	if _, err := connection.ParseID(id.String()); err != nil {
		return d, err
	}
	workflowID := ConnectionWorkflowID(id)
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return d, problem(err, connection.NotFound(id))
	}
	if described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return d, c.gone(ctx, id, connection.NotFound(id))
	}
	value, err := c.Temporal.QueryWorkflow(ctx, workflowID, "", QueryDescribe)
	if err == nil {
		err = value.Get(&d.State)
	}
	if err != nil {
		return d, problem(err, connection.NotFound(id))
	}
	d.RunID = described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	var renewed time.Time
	for _, pending := range described.GetPendingActivities() {
		if pending.GetActivityType().GetName() == "WatchConnection" {
			if at := pending.GetScheduledTime(); at != nil {
				d.NextLook = at.AsTime()
			}
			failure := pending.GetLastFailure()
			converter.DecodeCommonFailureAttributes(c.values(), failure)
			d.LastLook = failure.GetMessage()
			renewed = c.renewed(failure)
		}
	}
	if c.Facts != nil {
		if d.Facts, err = c.Facts.Facts(ctx, id); err != nil && !errors.Is(err, connection.ErrAbsent) {
			d.FactsProblem = connection.VaultUnavailable("Vault did not tell when it was last used, tested and refreshed")
			if told, ok := connection.AsProblem(err); ok {
				d.FactsProblem = told
			}
		}
	}
	if renewed.After(d.Facts.LastRefresh) {
		d.Facts.LastRefresh = renewed
	}
	return d, nil
}

// renewed is when a look last saw that the credential had been renewed; zero where it did not say.
func (c *Client) renewed(failure *failurepb.Failure) time.Time {
	var said connection.Problem
	if err := c.values().FromPayloads(failure.GetApplicationFailureInfo().GetDetails(), &said); err != nil {
		return time.Time{}
	}
	return said.Renewed
}

// RunAction runs one action of a toolkit as a standalone activity and answers
// its result. The key makes it happen once: a second call with the same key gets
// the first one's answer, as long as the namespace remembers it, and runs it
// again only if it failed. One whose outcome is not known is not run again but
// answered as that, ErrOutcomeUnknown. "" makes a fresh key.
func (c *Client) RunAction(ctx context.Context, in activities.CallActionInput) (*activities.CallActionResult, error) {
	app, err := c.Catalogue.App(in.Connection.App())
	if err != nil {
		return nil, err
	}
	action, err := app.Action(in.Action)
	if err != nil {
		return nil, err
	}
	if err := action.CheckArguments(in.Arguments); err != nil {
		return nil, err
	}
	given := in.IdempotencyKey != ""
	if !given {
		in.IdempotencyKey = uuid.NewString()
	} else if !action.Repeatable() {
		if err := c.notKnown(ctx, in); err != nil {
			return nil, err
		}
	}
	activityID := actionActivityID(in.Connection, in.IdempotencyKey)
	options := StandaloneActionOptions(in)
	options.ID = activityID
	options.ActivityIDConflictPolicy = enumspb.ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING
	options.ActivityIDReusePolicy = enumspb.ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	options.Summary = fmt.Sprintf("%s on %s", in.Action, in.Connection)
	handle, err := c.Temporal.ExecuteActivity(ctx, options, "CallAction", in)
	var started *serviceerror.ActivityExecutionAlreadyStarted
	if errors.As(err, &started) {
		handle, err = c.Temporal.GetActivityHandle(client.GetActivityHandleOptions{ActivityID: activityID}), nil
	}
	if err != nil {
		return nil, problem(err, connection.Internal("run action"))
	}
	if given {
		if err := sameRequest(ctx, handle, in); err != nil {
			return nil, err
		}
	}
	var result activities.CallActionResult
	if err := handle.Get(ctx, &result); err != nil {
		return nil, problem(err, connection.Internal("run action"))
	}
	return &result, nil
}
