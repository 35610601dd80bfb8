package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// ConnectionPath is embedded by the input of every operation on one connection.
type ConnectionPath struct {
	Environment string `path:"environment" maxLength:"63" example:"development" doc:"The connection's environment."`
	App         string `path:"app" maxLength:"63" example:"github" doc:"The app's ID."`
	Name        string `path:"name" maxLength:"63" example:"acme-bot" doc:"The last part of the connection's ID."`
}

func (p *ConnectionPath) id() (connection.ID, error) {
	return connection.NewID(p.Environment, p.App, p.Name)
}

// onePath is the path of one connection.
const onePath = "/connections/{environment}/{app}/{name}"

// ConnectionFilter narrows a list of connections; what is left out is left open.
type ConnectionFilter struct {
	Page
	Status        string    `query:"status" enum:"Active,Error,Expired,Paused,Pending,Disconnecting" doc:"Only those with this status."`
	App           string    `query:"app" maxLength:"63" doc:"Only those of this app."`
	Owner         string    `query:"owner" maxLength:"200" doc:"Only those of this owner."`
	AuthKind      string    `query:"auth_kind" maxLength:"40" doc:"Only those of this kind of authentication."`
	AuthConfig    string    `query:"auth_config" maxLength:"63" doc:"Only those that use the auth config of this name."`
	Toolkit       string    `query:"toolkit" maxLength:"63" doc:"Only those with a toolkit of this name."`
	Name          string    `query:"name" maxLength:"200" doc:"Only those with exactly this display name."`
	Account       string    `query:"account" maxLength:"200" doc:"Only those of exactly this account, as lists show it."`
	ExpiresBefore time.Time `query:"expires_before" doc:"Only those whose access is known to end before this time."`
}

// ConnectionList is one page of connections.
type ConnectionList struct {
	Items      []Connection `json:"items" doc:"The connections, newest first within each environment."`
	NextCursor string       `json:"next_cursor,omitempty" doc:"Asks for the page after this one; left out at the end."`
}

type (
	connectionsAnswer struct{ Body ConnectionList }
	detailsAnswer     struct{ Body Details }
)

type oneConnection struct{ ConnectionPath }

func (a *api) registerConnections() {
	register(a, operation{id: "list-connections", method: http.MethodGet, path: "/connections", tag: "Connections", role: access.Viewer,
		summary: "List connections",
		description: "Lists connections, page by page. A connection that was made or changed a moment ago may be missing or as it was: " +
			"the list is Temporal's visibility store, which follows within seconds. Show one to see it as it is."}, a.listConnections)
	register(a, operation{id: "show-connection", method: http.MethodGet, path: onePath, tag: "Connections", role: access.Viewer,
		summary: "Show a connection", description: "Answers everything that is known of a connection, without its secrets."},
		func(ctx context.Context, in *oneConnection) (*detailsAnswer, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			d, err := at(ctx).Client.Describe(ctx, id)
			if err != nil {
				return nil, err
			}
			return &detailsAnswer{detailsOf(d)}, nil
		})
}

func (a *api) listConnections(ctx context.Context, in *ConnectionFilter) (*connectionsAnswer, error) {
	all, err := a.listed(ctx, in.Environment)
	if err != nil {
		return nil, err
	}
	filter := workflows.Filter{App: in.App, Name: in.Name, Account: in.Account, Status: connection.Status(in.Status), Owner: in.Owner,
		Toolkit: in.Toolkit, AuthKind: connection.AuthKind(in.AuthKind), AuthConfig: in.AuthConfig, ExpiresBefore: in.ExpiresBefore}
	bound := []any{"connections", in.Environment, filter}
	rows, next, err := pages(all, in.Page, bound, func(e backend.Environment, n int, token []byte) ([]workflows.Row, []byte, error) {
		return e.Client.List(ctx, filter, n, token)
	})
	if err != nil {
		return nil, err
	}
	out := ConnectionList{Items: make([]Connection, len(rows)), NextCursor: next}
	for i, row := range rows {
		out.Items[i] = rowOf(row)
	}
	return &connectionsAnswer{out}, nil
}

// listed are the environments of a list: the one that is asked for, or all that may be
// seen. Where it cannot be told of one whether it may, the list is not to be had as a
// whole, like where one does not answer.
func (a *api) listed(ctx context.Context, environment string) ([]backend.Environment, error) {
	person := access.Of(ctx)
	if environment == "" && len(person.Away) > 0 {
		problem := connection.VaultUnavailable("the Vault of " + strings.Join(person.Away, ", ") + " cannot say just now what you may see there")
		problem.Remedy = "try again in a moment, or list one of the others by environment"
		return nil, problem
	}
	if environment == "" {
		return a.visible(person, access.Viewer), nil
	}
	e, err := a.environment(person, environment)
	if err == nil {
		err = person.Check(e.Name, access.Viewer)
	}
	return []backend.Environment{e}, err
}
