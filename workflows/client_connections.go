package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
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
	for _, pending := range described.GetPendingActivities() {
		if pending.GetActivityType().GetName() == "WatchConnection" {
			if at := pending.GetScheduledTime(); at != nil {
				d.NextLook = at.AsTime()
			}
			d.LastLook = pending.GetLastFailure().GetMessage()
		}
	}
	if c.Facts != nil {
		if d.Facts, err = c.Facts.Facts(ctx, id); err != nil && !errors.Is(err, connection.ErrAbsent) {
			return d, err
		}
	}
	return d, nil
}

// Filter narrows a list of connections; "" leaves a field open.
type Filter struct {
	App        string
	Status     connection.Status
	Owner      string
	AuthConfig string
}

// Row is a connection in a list.
type Row struct {
	ID          connection.ID       `json:"id"`
	App         string              `json:"app"`
	Name        string              `json:"name"`
	Environment string              `json:"environment"`
	Status      connection.Status   `json:"status"`
	AuthKind    connection.AuthKind `json:"auth_kind,omitempty"`
	Account     string              `json:"account,omitempty"`
	Owner       string              `json:"owner,omitempty"`
	AuthConfig  string              `json:"auth_config,omitempty"`
	Toolkits    []string            `json:"toolkits,omitempty"`
	// LastUsed is exact to the hour; zero when never.
	LastUsed time.Time `json:"last_used,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Created  time.Time `json:"created"`
}

// List answers one page of open connections, newest first, and the token of the next page (nil at the end).
func (c *Client) List(ctx context.Context, filter Filter, pageSize int, page []byte) ([]Row, []byte, error) {
	query := []string{"WorkflowType = '" + TypeConnection + "'", "ExecutionStatus = 'Running'"}
	for _, condition := range []struct{ attribute, value string }{
		{AttributeEnvironment.GetName(), c.Environment}, {AttributeApp.GetName(), filter.App}, {AttributeStatus.GetName(), string(filter.Status)},
		{AttributeOwner.GetName(), filter.Owner}, {AttributeAuthConfig.GetName(), filter.AuthConfig},
	} {
		if condition.value != "" {
			query = append(query, fmt.Sprintf("%s = '%s'", condition.attribute, quote(condition.value)))
		}
	}
	answer, err := c.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(pageSize), NextPageToken: page, Query: strings.Join(query, " AND "),
	})
	if err != nil {
		return nil, nil, problem(err, connection.Internal("list"))
	}
	rows := make([]Row, 0, len(answer.GetExecutions()))
	for _, execution := range answer.GetExecutions() {
		if row, ok := rowOf(execution); ok {
			rows = append(rows, row)
		}
	}
	return rows, answer.GetNextPageToken(), nil
}

// Exact replaces the hourly "last used" of rows by what Vault knows to the
// minute: one small read each. It does nothing for a client without Facts.
func (c *Client) Exact(ctx context.Context, rows []Row) error {
	if c.Facts == nil {
		return nil
	}
	for i := range rows {
		facts, err := c.Facts.Facts(ctx, rows[i].ID)
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return err
		}
		if facts.LastUsed.After(rows[i].LastUsed) {
			rows[i].LastUsed = facts.LastUsed
		}
	}
	return nil
}

// quote keeps text inside a visibility query's quotation marks.
func quote(text string) string { return strings.ReplaceAll(text, "'", "''") }

func rowOf(execution *workflowpb.WorkflowExecutionInfo) (Row, bool) {
	id, err := connection.ParseID(strings.TrimPrefix(execution.GetExecution().GetWorkflowId(), "connection/"))
	if err != nil {
		return Row{}, false
	}
	fields := execution.GetSearchAttributes().GetIndexedFields()
	return Row{
		ID: id, App: id.App(), Environment: id.Environment(), Name: text(fields, AttributeName),
		Status:   connection.Status(text(fields, AttributeStatus)),
		AuthKind: connection.AuthKind(text(fields, AttributeAuthKind)),
		Account:  text(fields, AttributeAccount), Owner: text(fields, AttributeOwner),
		AuthConfig: text(fields, AttributeAuthConfig),
		Toolkits:   value[[]string](fields, AttributeToolkit.GetName()),
		LastUsed:   value[time.Time](fields, AttributeLastUsed.GetName()),
		Expires:    value[time.Time](fields, AttributeExpires.GetName()),
		Created:    execution.GetStartTime().AsTime(),
	}, true
}

func text(fields map[string]*commonpb.Payload, key temporal.SearchAttributeKeyKeyword) string {
	return value[string](fields, key.GetName())
}

func value[T any](fields map[string]*commonpb.Payload, name string) T {
	var v T
	if payload, ok := fields[name]; ok {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &v) // absent or of another type: the zero value
	}
	return v
}

// RunAction runs one action of a toolkit as a standalone activity and answers
// its result. The key makes it happen once: a second call with the same key gets
// the first one's answer, as long as the namespace remembers it, and runs it
// again only if it failed. "" makes a fresh key.
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
	if in.IdempotencyKey == "" {
		in.IdempotencyKey = uuid.NewString()
	}
	activityID := "action/" + in.Connection.String() + "/" + in.IdempotencyKey
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
	var result activities.CallActionResult
	if err := handle.Get(ctx, &result); err != nil {
		return nil, problem(err, connection.Internal("run action"))
	}
	return &result, nil
}
