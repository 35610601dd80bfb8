package workflows

import (
	"context"

	"connectedapps/connection"
)

// RotateAuthConfig replaces the secrets of an auth config by those that wait in the
// inbox. It answers when they have been proven and are current. An error means that
// the old ones stay: ErrClientMisconfigured and ErrTestFailed that the app refuses the new ones.
func (c *Client) RotateAuthConfig(ctx context.Context, app, name string, in Rotate) (RotateResult, error) {
	var result RotateResult
	err := c.authConfig(ctx, app, name, UpdateRotate, in, &result)
	return result, err
}

// RetireAuthConfig keeps new connections from using an auth config; those that have it go on.
func (c *Client) RetireAuthConfig(ctx context.Context, app, name string, in Retire) (AuthConfigState, error) {
	var state AuthConfigState
	err := c.authConfig(ctx, app, name, UpdateRetire, in, &state)
	return state, err
}

// DeleteAuthConfig destroys an auth config that nobody uses; ErrAuthConfigInUse names who does.
func (c *Client) DeleteAuthConfig(ctx context.Context, app, name string) error {
	return c.authConfig(ctx, app, name, UpdateDelete, struct{}{}, nil)
}

func (c *Client) authConfig(ctx context.Context, app, name, update string, in, out any) error {
	err := c.update(ctx, AuthConfigWorkflowID(c.Environment, app, name), update, in, out)
	if connection.TypeOf(err) == connection.ErrConnectionNotFound {
		return authConfigMissing(c.Environment, app, name)
	}
	return err
}

// AuthConfigUser is a connection that uses an auth config.
type AuthConfigUser struct {
	Connection connection.ID     `json:"connection"`
	Status     connection.Status `json:"status"`
}

// usable are the statuses of connections in the order in which they tell most of an auth config.
var usable = []connection.Status{connection.Active, connection.Error, connection.Expired, connection.Paused, connection.Pending}

// AuthConfigUsers answers up to n connections that use an auth config, those that
// work first, and how many there are.
func (c *Client) AuthConfigUsers(ctx context.Context, app, name string, n int) ([]AuthConfigUser, int, error) {
	users := Filter{App: app, AuthConfig: name}
	count, err := c.count(ctx, users.query(c.Environment))
	if err != nil {
		return nil, 0, err
	}
	var first []AuthConfigUser
	for _, status := range usable {
		if len(first) >= min(n, count) {
			break
		}
		users.Status = status
		rows, _, err := c.List(ctx, users, n-len(first), nil)
		if err != nil {
			return nil, 0, err
		}
		for _, row := range rows {
			first = append(first, AuthConfigUser{Connection: row.ID, Status: row.Status})
		}
	}
	return first, count, nil
}

// UsersOf implements [activities.Workflows].
func (c *Client) UsersOf(ctx context.Context, app, name string, n int) ([]connection.ID, int, error) {
	users, count, err := c.AuthConfigUsers(ctx, app, name, n)
	ids := make([]connection.ID, len(users))
	for i, user := range users {
		ids[i] = user.Connection
	}
	return ids, count, err
}

// CountAuthConfigUsers fills in how many connections use each auth config.
func (c *Client) CountAuthConfigUsers(ctx context.Context, rows []AuthConfigRow) error {
	for i := range rows {
		_, count, err := c.AuthConfigUsers(ctx, rows[i].App, rows[i].Name, 0)
		if err != nil {
			return err
		}
		rows[i].UsedBy = &count
	}
	return nil
}
