package workflows

import (
	"context"
	"fmt"

	"connectedapps/connection"

	"go.temporal.io/api/workflowservice/v1"
)

// Reconnect begins to replace the credential of a connection, or joins the very same
// reconnect that is open. What it answers goes on as any connect does: by its plan's
// flow, pass Connect to [Client.RequestLink], [Client.RequestDevice] or
// [Client.Connect]; progress, questions and cancelling are by the connection's ID.
// The connection works on with what it has until the new credential has passed its test.
func (c *Client) Reconnect(ctx context.Context, id connection.ID, in ReconnectInput) (Reconnecting, error) {
	var begun Reconnecting
	err := c.entity(ctx, id, UpdateReconnect, in, &begun)
	return begun, err
}

// UpdateCredentials replaces secrets that were typed in, and answers after the test
// with how far the reconnect has come: a secret that did not pass changes nothing,
// and may be corrected by the same call. [Client.AwaitConnect] waits until one that
// passed is in place.
func (c *Client) UpdateCredentials(ctx context.Context, id connection.ID, in NewCredentials) (Progress, error) {
	var progress Progress
	err := c.entity(ctx, id, UpdateCredentials, in, &progress)
	return progress, err
}

// OthersShareGrant implements [activities.Workflows]. account is what the list of
// connections shows; one that is not known might be any. It counts in Temporal's
// visibility store, which may lag by seconds.
func (c *Client) OthersShareGrant(ctx context.Context, id connection.ID, account, authConfig string) (bool, error) {
	answer, err := c.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: sharersQuery(id, account, authConfig)})
	if err != nil {
		return false, problem(err, connection.Internal("count"))
	}
	return answer.GetCount() > 0, nil
}

// sharersQuery finds the open connections of the app, other than this one, that may be of the same grant.
func sharersQuery(id connection.ID, account, authConfig string) string {
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND %s = '%s' AND %s = '%s' AND WorkflowId != '%s'",
		TypeConnection, AttributeEnvironment.GetName(), quote(id.Environment()), AttributeApp.GetName(), quote(id.App()),
		quote(ConnectionWorkflowID(id)))
	if authConfig == "" {
		query += fmt.Sprintf(" AND %s IS NULL", AttributeAuthConfig.GetName())
	} else {
		query += fmt.Sprintf(" AND %s = '%s'", AttributeAuthConfig.GetName(), quote(authConfig))
	}
	if account != "" {
		query += fmt.Sprintf(" AND %s = '%s'", AttributeAccount.GetName(), quote(account))
	}
	return query
}
