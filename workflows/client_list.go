package workflows

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"connectedapps/connection"

	workflowpb "go.temporal.io/api/workflow/v1"
)

// Filter narrows a list of connections; a field's zero value leaves it open.
type Filter struct {
	// IDPrefix is how the connection's ID begins, such as "development/github/".
	IDPrefix string
	App      string
	// Name is the whole display name, Account the whole account as rows have it.
	Name    string
	Account string
	Status  connection.Status
	Owner   string
	// Toolkit is the name of one of the connection's toolkits.
	Toolkit    string
	AuthKind   connection.AuthKind
	AuthConfig string
	// ExpiresBefore leaves those whose access is known to end before it.
	ExpiresBefore time.Time
}

// query says the filter in the words of Temporal's visibility.
func (f Filter) query(environment string) visibilityQuery {
	q := openQuery(TypeConnection, environment)
	if f.IDPrefix != "" {
		q = q.and("WorkflowId STARTS_WITH '%s'", quote("connection/"+f.IDPrefix))
	}
	q = q.with(AttributeApp, f.App).with(AttributeName, f.Name).with(AttributeAccount, f.Account).
		with(AttributeStatus, string(f.Status)).with(AttributeOwner, f.Owner).with(AttributeToolkit, f.Toolkit).
		with(AttributeAuthKind, string(f.AuthKind)).with(AttributeAuthConfig, f.AuthConfig)
	if !f.ExpiresBefore.IsZero() {
		q = q.and("%s < '%s'", AttributeExpires.GetName(), f.ExpiresBefore.UTC().Format(time.RFC3339))
	}
	return q
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
	// LastUsed is exact to the hour, or exact after [Client.Exact]; zero when never.
	LastUsed time.Time `json:"last_used,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Created  time.Time `json:"created"`
}

// List answers one page of open connections, newest first, and the token of the next page (nil at the end).
func (c *Client) List(ctx context.Context, filter Filter, pageSize int, page []byte) ([]Row, []byte, error) {
	return listPage(ctx, c, filter.query(c.Environment), pageSize, page, rowOf)
}

// Exact replaces the hourly "last used" of rows by what Vault knows: one small
// read each, a few at a time. It does nothing for a client without Facts. After an
// error the rows are as good as before, some of them better.
func (c *Client) Exact(ctx context.Context, rows []Row) error {
	if c.Facts == nil {
		return nil
	}
	failed := make([]error, len(rows))
	var all sync.WaitGroup
	free := make(chan struct{}, bulkAtOnce)
	for i := range rows {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			var facts connection.Facts
			facts, failed[i] = c.Facts.Facts(ctx, rows[i].ID)
			if facts.LastUsed.After(rows[i].LastUsed) {
				rows[i].LastUsed = facts.LastUsed
			}
		})
	}
	all.Wait()
	for _, err := range failed {
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return err
		}
	}
	return nil
}

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
