package workflows

import (
	"context"
	"fmt"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
)

// CreateAuthConfig stores a client registration or shared credential, whose
// secrets wait in the inbox, and answers when Vault has it.
func (c *Client) CreateAuthConfig(ctx context.Context, in activities.StoreAuthConfigInput) (AuthConfigState, error) {
	var state AuthConfigState
	if _, _, err := activities.CheckAuthConfig(c.Catalogue, in); err != nil {
		return state, err
	}
	workflowID := AuthConfigWorkflowID(c.Environment, in.App, in.Name)
	start := c.Temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: Queue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            fmt.Sprintf("auth config %s for %s", in.Name, in.App),
	}, TypeAuthConfig, AuthConfigInput{Environment: c.Environment, StoreAuthConfigInput: in})
	err := c.updateWithStart(ctx, workflowID, start, updateCreated, created{ClientID: in.ClientID, Inbox: in.Inbox, Request: requestID(ctx, updateCreated)}, &state)
	return state, err
}

// DescribeAuthConfig answers what is known of an auth config, without its secrets.
func (c *Client) DescribeAuthConfig(ctx context.Context, app, name string) (AuthConfigState, error) {
	var state AuthConfigState
	missing := authConfigMissing(c.Environment, app, name)
	workflowID := AuthConfigWorkflowID(c.Environment, app, name)
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return state, problem(err, missing)
	}
	if described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return state, missing
	}
	value, err := c.Temporal.QueryWorkflow(ctx, workflowID, "", QueryDescribe)
	if err == nil {
		err = value.Get(&state)
	}
	return state, problem(err, missing)
}

// AuthConfigRow is an auth config in a list.
type AuthConfigRow struct {
	Environment string              `json:"environment"`
	App         string              `json:"app"`
	Name        string              `json:"name"`
	Kind        connection.AuthKind `json:"kind"`
	// Status is "Active", "Error" once the app has refused the client, or [StatusRetired].
	Status connection.Status `json:"status"`
	// UsedBy is how many connections use it; nil where nobody has counted.
	UsedBy *int `json:"used_by,omitempty"`
}

// ListAuthConfigs answers one page of the environment's auth configs; app "" is all apps.
func (c *Client) ListAuthConfigs(ctx context.Context, app string, pageSize int, page []byte) ([]AuthConfigRow, []byte, error) {
	return listPage(ctx, c, openQuery(TypeAuthConfig, c.Environment).with(AttributeApp, app), pageSize, page, authConfigRow)
}

func authConfigRow(execution *workflowpb.WorkflowExecutionInfo) (AuthConfigRow, bool) {
	parts := strings.Split(execution.GetExecution().GetWorkflowId(), "/")
	if len(parts) != 4 {
		return AuthConfigRow{}, false
	}
	fields := execution.GetSearchAttributes().GetIndexedFields()
	return AuthConfigRow{Environment: parts[1], App: parts[2], Name: parts[3],
		Kind: connection.AuthKind(text(fields, AttributeAuthKind)), Status: connection.Status(text(fields, AttributeStatus))}, true
}
