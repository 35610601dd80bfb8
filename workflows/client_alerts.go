package workflows

import (
	"context"
	"fmt"
	"strings"
	"time"

	"connectedapps/connection"

	workflowpb "go.temporal.io/api/workflow/v1"
)

// AlertFilter narrows a list of alerts; "" leaves a field open.
type AlertFilter struct {
	// IDPrefix is how the alert's ID begins, such as "alert/development/github/".
	IDPrefix   string
	App        string
	Kind       connection.AlertKind
	Owner      string
	Connection connection.ID
}

// AlertRow is an open alert in a list.
type AlertRow struct {
	// ID is the alert's, and that of its workflow.
	ID          string               `json:"id"`
	Kind        connection.AlertKind `json:"kind"`
	Environment string               `json:"environment"`
	App         string               `json:"app"`
	// Connection is set for an alert about a connection, AuthConfig (its name) for one about an auth config.
	Connection connection.ID `json:"connection,omitempty"`
	AuthConfig string        `json:"auth_config,omitempty"`
	Name       string        `json:"name,omitempty"`
	Owner      string        `json:"owner,omitempty"`
	Since      time.Time     `json:"since"`
	// Reason is "" where it is sealed, and Vault does not say just now how to open it.
	Reason string `json:"reason,omitempty"`
}

// ListAlerts answers one page of open alerts, newest first, and the token of the next
// page (nil at the end). A resolved alert is not listed, though it may still be delivered.
func (c *Client) ListAlerts(ctx context.Context, filter AlertFilter, pageSize int, page []byte) ([]AlertRow, []byte, error) {
	return listPage(ctx, c, filter.query(c.Environment), pageSize, page, c.alertRow)
}

func (f AlertFilter) query(environment string) visibilityQuery {
	q := openQuery(TypeAlert, environment).and("%s IS NOT NULL", AttributeAlertKind.GetName()).
		with(AttributeApp, f.App).with(AttributeAlertKind, string(f.Kind)).with(AttributeOwner, f.Owner)
	if f.IDPrefix != "" {
		q = q.and("WorkflowId STARTS_WITH '%s'", quote(f.IDPrefix))
	}
	if f.Connection != "" {
		q = q.and("WorkflowId STARTS_WITH 'alert/%s/'", quote(f.Connection.String()))
	}
	return q
}

func (c *Client) alertRow(execution *workflowpb.WorkflowExecutionInfo) (AlertRow, bool) {
	id := execution.GetExecution().GetWorkflowId()
	about, ok := parseAlertID(id)
	if !ok {
		return AlertRow{}, false
	}
	fields := execution.GetSearchAttributes().GetIndexedFields()
	row := AlertRow{ID: id, Kind: connection.AlertKind(text(fields, AttributeAlertKind)), Environment: about.Environment, App: about.App,
		Connection: about.Connection, AuthConfig: about.AuthConfig, Name: text(fields, AttributeName), Owner: text(fields, AttributeOwner),
		Since: execution.GetStartTime().AsTime()}
	memo := execution.GetMemo().GetFields()
	row.Reason = remembered[string](c.values(), memo, memoReason)
	if since := remembered[time.Time](c.values(), memo, memoSince); !since.IsZero() {
		row.Since = since
	}
	return row, true
}

// AlertEnvironment answers which environment an alert is of, by its ID; ErrInvalidInput
// when it is no alert's ID.
func AlertEnvironment(id string) (string, error) {
	about, ok := parseAlertID(id)
	if !ok {
		return "", connection.InvalidInput("alert", fmt.Sprintf("%q is not the ID of an alert", connection.Bound(id, 200)),
			"take one of: connected-apps alerts list")
	}
	return about.Environment, nil
}

// parseAlertID is the inverse of alertWorkflowID, as far as the subject goes.
func parseAlertID(id string) (AlertSubject, bool) {
	parts := strings.Split(id, "/")
	switch {
	case len(parts) == 5 && parts[0] == "alert":
		about, err := connection.ParseID(strings.Join(parts[1:4], "/"))
		return AlertSubject{Environment: about.Environment(), App: about.App(), Connection: about}, err == nil
	case len(parts) == 6 && parts[0] == "alert" && parts[1] == "auth-config":
		_, err := connection.NewID(parts[2], parts[3], parts[4])
		return AlertSubject{Environment: parts[2], App: parts[3], AuthConfig: parts[4]}, err == nil
	default:
		return AlertSubject{}, false
	}
}

// DescribeAlert answers everything that is known of an alert, open or resolved.
func (c *Client) DescribeAlert(ctx context.Context, id string) (AlertState, error) {
	var state AlertState
	if err := c.ofThisEnvironment(id); err != nil {
		return state, err
	}
	answer, err := c.Temporal.QueryWorkflow(ctx, id, "", QueryDescribe)
	if err == nil {
		err = answer.Get(&state)
	}
	return state, problem(err, noAlert(id))
}

// ResolveAlert says that a person has taken care of an alert. One that is resolved already stays as it is.
func (c *Client) ResolveAlert(ctx context.Context, id, reason string) (AlertState, error) {
	var state AlertState
	if err := c.ofThisEnvironment(id); err != nil {
		return state, err
	}
	err := c.update(ctx, id, UpdateResolve, Reason{Reason: reason}, &state)
	if connection.TypeOf(err) == connection.ErrConnectionNotFound {
		return state, noAlert(id)
	}
	return state, err
}

func (c *Client) ofThisEnvironment(id string) error {
	environment, err := AlertEnvironment(id)
	if err == nil && environment != c.Environment {
		return connection.Refused(connection.ErrUnknownEnvironment, fmt.Sprintf("this is %s, not %s", c.Environment, environment),
			"use the client of that environment")
	}
	return err
}

func noAlert(id string) *connection.Problem {
	return connection.Refused(connection.ErrAlertNotFound, "there is no open alert "+connection.Bound(id, 200), "see: connected-apps alerts list")
}
