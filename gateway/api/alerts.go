package api

import (
	"context"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// AlertPath is embedded by the input of every operation on an alert about a connection.
type AlertPath struct {
	ConnectionPath
	Alert string `path:"alert" maxLength:"80" example:"expired-1" doc:"The last part of the alert's ID."`
}

func (p *AlertPath) alert() string {
	return "alert/" + p.Environment + "/" + p.App + "/" + p.Name + "/" + p.Alert
}

// AuthConfigAlertPath is embedded by the input of every operation on an alert about an auth config.
type AuthConfigAlertPath struct {
	AuthConfigPath
	Alert string `path:"alert" maxLength:"80" example:"client-refused-1" doc:"The last part of the alert's ID."`
}

func (p *AuthConfigAlertPath) alert() string {
	return "alert/auth-config/" + p.Environment + "/" + p.App + "/" + p.Name + "/" + p.Alert
}

type (
	alertsInput struct {
		Page
		App        string `query:"app" maxLength:"63" doc:"Only those about this app."`
		Kind       string `query:"kind" enum:"expired,client-refused,scope-lost,failing,expiring,grant-may-live" doc:"Only those of this kind."`
		Owner      string `query:"owner" maxLength:"200" doc:"Only those about connections of this owner."`
		Connection string `query:"connection" maxLength:"191" doc:"Only those about this connection, by its ID."`
	}
	alertInput           struct{ AlertPath }
	authConfigAlertInput struct{ AuthConfigAlertPath }
	resolveInput         struct {
		AlertPath
		Keyed
		Body *Reasoned
	}
	resolveAuthConfigInput struct {
		AuthConfigAlertPath
		Keyed
		Body *Reasoned
	}
	alertsAnswer struct{ Body AlertList }
	alertAnswer  struct{ Body AlertDetails }
)

const (
	alertPath           = "/alerts/{environment}/{app}/{name}/{alert}"
	authConfigAlertPath = "/alerts/auth-config/{environment}/{app}/{name}/{alert}"
)

func (a *api) registerAlerts() {
	alert := func(id, method, path, summary, description string, role access.Role) operation {
		return operation{id: id, method: method, path: path, tag: "Alerts", role: role, summary: summary, description: description}
	}
	register(a, alert("list-alerts", http.MethodGet, "/alerts", "List open alerts",
		"Lists what people should know of, page by page. One that is resolved is not listed; it can be shown as long as the namespace remembers it.", access.Viewer), a.listAlerts)
	register(a, alert("show-alert", http.MethodGet, alertPath, "Show an alert about a connection",
		"Answers everything that is known of an alert, open or resolved, and what became of its messages.", access.Viewer),
		func(ctx context.Context, in *alertInput) (*alertAnswer, error) { return describeAlert(ctx, in.alert()) })
	register(a, alert("show-auth-config-alert", http.MethodGet, authConfigAlertPath, "Show an alert about an auth config",
		"Answers everything that is known of an alert, open or resolved, and what became of its messages.", access.Viewer),
		func(ctx context.Context, in *authConfigAlertInput) (*alertAnswer, error) {
			return describeAlert(ctx, in.alert())
		})
	register(a, alert("resolve-alert", http.MethodPost, alertPath+"/resolve", "Resolve an alert about a connection",
		"Says that a person has taken care of it. What is new of its trouble after that is another alert.", access.Operator),
		func(ctx context.Context, in *resolveInput) (*alertAnswer, error) {
			return resolveAlert(ctx, in.alert(), in.Body)
		})
	register(a, alert("resolve-auth-config-alert", http.MethodPost, authConfigAlertPath+"/resolve", "Resolve an alert about an auth config",
		"Says that a person has taken care of it. What is new of its trouble after that is another alert.", access.Operator),
		func(ctx context.Context, in *resolveAuthConfigInput) (*alertAnswer, error) {
			return resolveAlert(ctx, in.alert(), in.Body)
		})
}

func (a *api) listAlerts(ctx context.Context, in *alertsInput) (*alertsAnswer, error) {
	all, err := a.listed(ctx, in.Environment)
	if err != nil {
		return nil, err
	}
	filter := workflows.AlertFilter{App: in.App, Kind: connection.AlertKind(in.Kind), Owner: in.Owner, Connection: connection.ID(in.Connection)}
	if in.Connection != "" {
		if filter.Connection, err = connection.ParseID(in.Connection); err != nil {
			return nil, err
		}
	}
	bound := []any{"alerts", in.Environment, filter}
	rows, next, err := pages(all, in.Page, bound, func(e backend.Environment, n int, token []byte) ([]workflows.AlertRow, []byte, error) {
		return e.Client.ListAlerts(ctx, filter, n, token)
	})
	if err != nil {
		return nil, err
	}
	out := AlertList{Items: make([]AlertItem, len(rows)), NextCursor: next}
	for i, row := range rows {
		out.Items[i] = AlertItem{ID: row.ID, Kind: string(row.Kind), Environment: row.Environment, App: row.App, Connection: row.Connection.String(),
			AuthConfig: row.AuthConfig, Name: row.Name, Owner: row.Owner, Since: row.Since, Reason: row.Reason}
	}
	return &alertsAnswer{out}, nil
}

func describeAlert(ctx context.Context, id string) (*alertAnswer, error) {
	if err := checkAlert(ctx, id); err != nil {
		return nil, err
	}
	state, err := at(ctx).Client.DescribeAlert(ctx, id)
	return &alertAnswer{alertOf(state)}, err
}

func resolveAlert(ctx context.Context, id string, body *Reasoned) (*alertAnswer, error) {
	if err := checkAlert(ctx, id); err != nil {
		return nil, err
	}
	reason := ""
	if body != nil {
		reason = body.Reason
	}
	state, err := at(ctx).Client.ResolveAlert(ctx, id, reason)
	return &alertAnswer{alertOf(state)}, err
}

// checkAlert makes sure that the ID is of the environment whose role was checked: an
// environment may be called as a part of another alert's ID is.
func checkAlert(ctx context.Context, id string) error {
	environment, err := workflows.AlertEnvironment(id)
	if err == nil && environment != at(ctx).Name {
		err = connection.Refused(connection.ErrAlertNotFound, "there is no such alert", "list the open ones")
	}
	return err
}

func alertOf(s workflows.AlertState) AlertDetails {
	out := AlertDetails{ID: s.ID, Kind: string(s.Kind), Environment: s.Environment, App: s.App, Connection: s.Connection.String(), AuthConfig: s.AuthConfig,
		Name: s.Name, Owner: s.Owner, Account: s.Account, Reason: s.Reason, Remedy: s.Remedy, Verdict: string(s.Verdict), Count: s.Count,
		Scopes: s.Scopes, Expires: s.Expires, Opened: s.Opened, Resolved: s.Resolved, Resolution: s.Resolution, Deliveries: []Delivery{}}
	for _, d := range s.Deliveries {
		out.Deliveries = append(out.Deliveries, Delivery{d.Sink, d.Message, d.Type, string(d.State), d.Since, d.At, d.Reason})
	}
	return out
}
