package api

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// authConfigPath is the path of one auth config; its three names are those of a connection's.
const authConfigPath = "/auth-configs/{environment}/{app}/{name}"

// shownUsers is how many connections of an auth config are named.
const shownUsers = 100

// clientSecret is what an OAuth client registration asks for beside its public ID.
var clientSecret = connectors.Input{Name: "client_secret", Title: "Client secret", Secret: true}

// AuthConfigPath is embedded by the input of every operation on one auth config.
type AuthConfigPath struct {
	Environment string `path:"environment" maxLength:"63" example:"development" doc:"The auth config's environment."`
	App         string `path:"app" maxLength:"63" example:"github" doc:"The app's ID."`
	Name        string `path:"name" maxLength:"63" example:"acme" doc:"The auth config's name."`
}

func (p *AuthConfigPath) check() error {
	_, err := connection.NewID(p.Environment, p.App, p.Name)
	return err
}

// AuthConfigList is one page of auth configs.
type AuthConfigList struct {
	Items      []AuthConfigItem `json:"items" doc:"The auth configs, newest first within each environment."`
	NextCursor string           `json:"next_cursor,omitempty" doc:"Asks for the page after this one; left out at the end."`
}

type (
	authConfigsInput struct {
		Page
		App   string `query:"app" maxLength:"63" doc:"Only those of this app."`
		Count bool   `query:"count" doc:"Count the connections that use each. It takes a question each."`
	}
	authConfigInput       struct{ AuthConfigPath }
	createAuthConfigInput struct {
		Keyed
		Body AuthConfigRequest
	}
	authConfigsAnswer struct{ Body AuthConfigList }
	authConfigAnswer  struct{ Body AuthConfig }
)

func (in *createAuthConfigInput) environment() string { return in.Body.Environment }

func (a *api) registerAuthConfigs() {
	register(a, operation{id: "list-auth-configs", method: http.MethodGet, path: "/auth-configs", tag: "Auth configs", role: access.Viewer,
		summary: "List auth configs", description: "Lists client registrations and shared credentials, page by page, without their secrets."}, a.listAuthConfigs)
	register(a, operation{id: "create-auth-config", method: http.MethodPost, path: "/auth-configs", tag: "Auth configs", role: access.Admin, status: http.StatusCreated,
		summary: "Create an auth config", description: "Stores a client registration, or a shared credential, in the environment's Vault, and answers when it is there."}, a.createAuthConfig)
	register(a, operation{id: "show-auth-config", method: http.MethodGet, path: authConfigPath, tag: "Auth configs", role: access.Viewer,
		summary: "Show an auth config", description: "Answers what is known of an auth config, without its secrets, and which connections use it."}, a.showAuthConfig)
}

func (a *api) listAuthConfigs(ctx context.Context, in *authConfigsInput) (*authConfigsAnswer, error) {
	all, err := a.listed(ctx, in.Environment)
	if err != nil {
		return nil, err
	}
	bound := []any{"auth-configs", in.Environment, in.App}
	rows, next, err := pages(all, in.Page, bound, func(e backend.Environment, n int, token []byte) ([]workflows.AuthConfigRow, []byte, error) {
		rows, next, err := e.Client.ListAuthConfigs(ctx, in.App, n, token)
		if err == nil && in.Count {
			err = e.Client.CountAuthConfigUsers(ctx, rows)
		}
		return rows, next, err
	})
	if err != nil {
		return nil, err
	}
	out := AuthConfigList{Items: make([]AuthConfigItem, len(rows)), NextCursor: next}
	for i, row := range rows {
		out.Items[i] = AuthConfigItem{ID: row.Environment + "/" + row.App + "/" + row.Name, Environment: row.Environment, App: row.App, Name: row.Name,
			AuthKind: string(row.Kind), Status: string(row.Status), UsedBy: row.UsedBy}
	}
	return &authConfigsAnswer{out}, nil
}

func (a *api) createAuthConfig(ctx context.Context, in *createAuthConfigInput) (*authConfigAnswer, error) {
	body, e := in.Body, at(ctx)
	request := activities.StoreAuthConfigInput{App: body.App, Name: body.Name, Method: body.Method, ClientID: body.ClientID, Values: body.Values,
		Scopes: body.Scopes, Expires: valueOf(body.Expires)}
	method, _, err := activities.CheckAuthConfig(a.catalogue, request)
	if err != nil {
		return nil, err
	}
	request.Method = method.ID
	secrets, err := registration(method, body)
	if err != nil {
		return nil, err
	}
	if request.Inbox, err = e.Leave(ctx, secrets); err != nil {
		return nil, err
	}
	state, err := e.Client.CreateAuthConfig(ctx, request)
	return &authConfigAnswer{authConfigOf(state)}, err
}

// registration are the secrets of a new auth config, checked.
func registration(method *connectors.Method, body AuthConfigRequest) (map[string]connection.Secret, error) {
	inputs := secretInputs(method)
	if body.Public && method.NeedsClient() {
		inputs = inputs[:0:0]
		for _, input := range secretInputs(method) {
			if input.Name != clientSecret.Name {
				inputs = append(inputs, input)
			}
		}
	}
	_, checked, err := connectors.CheckInputs(inputs, nil, body.Secrets.plain())
	return checked, inField("secrets", err)
}

// secretInputs are the secrets that an auth config of a method has.
func secretInputs(method *connectors.Method) []connectors.Input {
	all := method.Inputs
	var out []connectors.Input
	if method.NeedsClient() {
		all = method.ClientInputs
		if activities.NeedsClientSecret(method) {
			out = append(out, clientSecret)
		}
	}
	for _, input := range all {
		if input.Secret {
			out = append(out, input)
		}
	}
	return out
}

func (a *api) showAuthConfig(ctx context.Context, in *authConfigInput) (*authConfigAnswer, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	client := at(ctx).Client
	state, err := client.DescribeAuthConfig(ctx, in.App, in.Name)
	if err != nil {
		return nil, err
	}
	out := authConfigOf(state)
	users, count, err := client.AuthConfigUsers(ctx, in.App, in.Name, shownUsers)
	if err != nil {
		return nil, err
	}
	out.UsedBy = &count
	for _, user := range users {
		out.Users = append(out.Users, AuthConfigUser{user.Connection.String(), string(user.Status)})
	}
	return &authConfigAnswer{out}, nil
}
