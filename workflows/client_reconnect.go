package workflows

import (
	"context"

	"connectedapps/connection"
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
	n, err := c.count(ctx, sharersQuery(id, account, authConfig))
	return n > 0, err
}

// sharersQuery finds the open connections of the app, other than this one, that may be of the same grant.
func sharersQuery(id connection.ID, account, authConfig string) visibilityQuery {
	q := openQuery(TypeConnection, id.Environment()).with(AttributeApp, id.App()).with(AttributeAccount, account).
		and("WorkflowId != '%s'", quote(ConnectionWorkflowID(id)))
	if authConfig == "" {
		return q.and("%s IS NULL", AttributeAuthConfig.GetName())
	}
	return q.with(AttributeAuthConfig, authConfig)
}
