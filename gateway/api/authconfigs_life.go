package api

import (
	"context"
	"net/http"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

type (
	rotateInput struct {
		AuthConfigPath
		Keyed
		Body Rotation
	}
	retireInput struct {
		AuthConfigPath
		Keyed
		Body *Retirement
	}
	deleteAuthConfigInput struct {
		AuthConfigPath
		Keyed
	}
	rotatedAnswer struct{ Body Rotated }
)

func (a *api) registerAuthConfigLife() {
	life := func(id, method, path, summary, description string) operation {
		return operation{id: id, method: method, path: authConfigPath + path, tag: "Auth configs", role: access.Admin, summary: summary, description: description}
	}
	register(a, life("rotate-auth-config", http.MethodPost, "/rotate", "Replace the secrets",
		"Replaces the secrets of an auth config once the new ones have been proven; until then the old ones stay. Connections need nothing. Trouble at the "+
			"app is waited for, ten minutes at most: give an Idempotency-Key, and repeat the request with it while it is answered TemporalUnavailable."), a.rotate)
	register(a, life("retire-auth-config", http.MethodPost, "/retire", "Retire an auth config",
		"Keeps new connections from using an auth config, or lets them again with undo. Those that have it go on."), a.retire)
	register(a, life("delete-auth-config", http.MethodDelete, "", "Delete an auth config",
		"Deletes an auth config with its secrets. AuthConfigInUse while connections use it. The client at the app stays."),
		func(ctx context.Context, in *deleteAuthConfigInput) (*nothing, error) {
			if err := in.check(); err != nil {
				return nil, err
			}
			return nil, at(ctx).Client.DeleteAuthConfig(ctx, in.App, in.Name)
		})
}

func (a *api) rotate(ctx context.Context, in *rotateInput) (*rotatedAnswer, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	e := at(ctx)
	state, err := e.Client.DescribeAuthConfig(ctx, in.App, in.Name)
	if err != nil {
		return nil, err
	}
	if state.Public {
		return nil, connection.InvalidInput("secrets", "a public client has no secret to rotate", "give a client with a secret an auth config of its own")
	}
	if in.Body.ClientID != "" && in.Body.ClientID != state.ClientID {
		return nil, connection.InvalidInput("client_id", "the client ID of this auth config is "+state.ClientID+", and a rotation keeps it",
			"give the other client an auth config of its own, and reconnect with it")
	}
	app, err := a.catalogue.App(in.App)
	if err != nil {
		return nil, err
	}
	method, err := app.Method(state.Method)
	if err != nil {
		return nil, err
	}
	given := in.Body.Secrets.plain()
	_, secrets, err := connectors.CheckInputs(mentioned(secretInputs(method), nil, given), nil, given)
	if err == nil && len(secrets) == 0 {
		err = connection.InvalidInput("client_secret", "there is no new secret", "give the secret that is to replace the present one")
	}
	if err != nil {
		return nil, inField("secrets", err)
	}
	request := workflows.Rotate{ClientID: in.Body.ClientID, Expires: valueOf(in.Body.Expires)}
	if request.Inbox, err = e.Leave(ctx, secrets); err != nil {
		return nil, err
	}
	result, err := e.Client.RotateAuthConfig(ctx, in.App, in.Name, request)
	return &rotatedAnswer{Rotated{listOf(result.Changed), result.Proof, result.Reason, result.Rotated, result.Expires}}, err
}

func (a *api) retire(ctx context.Context, in *retireInput) (*authConfigAnswer, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	state, err := at(ctx).Client.RetireAuthConfig(ctx, in.App, in.Name, workflows.Retire{Undo: in.Body != nil && in.Body.Undo})
	return &authConfigAnswer{authConfigOf(state)}, err
}
