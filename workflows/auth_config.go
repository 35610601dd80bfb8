package workflows

import (
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// AuthConfig is the entity of a reusable client registration or shared
// credential: its metadata here, its secrets in Vault.
func AuthConfig(ctx workflow.Context, in AuthConfigInput) error {
	a := &authConfig{in: in}
	if in.State != nil {
		a.state, a.ready = *in.State, true
	}
	if err := a.listen(ctx); err != nil {
		return err
	}
	return a.run(ctx)
}

type authConfig struct {
	in      AuthConfigInput
	state   AuthConfigState
	ready   bool
	problem *connection.Problem
	deleted bool
}

func (a *authConfig) run(ctx workflow.Context) error {
	if !a.ready {
		a.store(ctx)
	}
	if a.problem == nil {
		a.publish(ctx)
	}
	err := workflow.Await(ctx, func() bool {
		return a.problem != nil || a.deleted || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	})
	if err != nil {
		return err
	}
	if a.deleted {
		err := destroyAuthConfig.do(ctx, vaultWork, "destroy its secrets", activities.DestroyAuthConfigInput{App: a.in.App, Name: a.in.Name})
		if err != nil {
			return final(why(err))
		}
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	if a.problem != nil || a.deleted {
		return final(a.problem)
	}
	next := a.in
	next.State = &a.state
	return workflow.NewContinueAsNewError(ctx, TypeAuthConfig, next)
}

func (a *authConfig) store(ctx workflow.Context) {
	report, err := storeAuthConfig.do(ctx, vaultWork, "collect its secrets from the inbox and store them", a.in.StoreAuthConfigInput)
	if err != nil {
		a.problem = why(err)
		return
	}
	a.state = AuthConfigState{Environment: a.in.Environment, App: a.in.App, Name: a.in.Name, Method: report.Method,
		Kind: report.Kind, ClientID: a.in.ClientID, Values: report.Values, Scopes: a.in.Scopes, Public: report.Public,
		Status: connection.Active, Created: workflow.Now(ctx)}
	a.ready = true
}

func (a *authConfig) listen(ctx workflow.Context) error {
	receive(ctx, SignalClientRefused, func(in ClientRefused) {
		a.state.Status, a.state.Reason = connection.Error, "the app refuses this client: "+in.Code
		a.publish(ctx)
	})
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (AuthConfigState, error) { return a.state, nil }); err != nil {
		return err
	}
	if err := workflow.SetUpdateHandler(ctx, updateCreated, a.created); err != nil {
		return err
	}
	return workflow.SetUpdateHandler(ctx, UpdateDelete, a.delete)
}

// created answers the request that started this entity, and refuses every other
// one: the name is taken.
func (a *authConfig) created(ctx workflow.Context, in created) (AuthConfigState, error) {
	if err := workflow.Await(ctx, func() bool { return a.ready || a.problem != nil }); err != nil {
		return AuthConfigState{}, err
	}
	if a.problem != nil {
		return AuthConfigState{}, final(a.problem)
	}
	if in.Inbox != a.in.Inbox || in.ClientID != a.in.ClientID {
		return AuthConfigState{}, final(connection.Refused(connection.ErrAuthConfigTaken,
			fmt.Sprintf("there is an auth config %s/%s/%s already", a.in.Environment, a.in.App, a.in.Name), "choose another name"))
	}
	return a.state, nil
}

func (a *authConfig) delete(ctx workflow.Context, _ struct{}) error {
	if err := workflow.Await(ctx, func() bool { return a.ready || a.problem != nil }); err != nil {
		return err
	}
	a.deleted = true
	return nil
}

func (a *authConfig) publish(ctx workflow.Context) {
	err := workflow.UpsertTypedSearchAttributes(ctx,
		AttributeApp.ValueSet(a.state.App), AttributeEnvironment.ValueSet(a.state.Environment),
		AttributeName.ValueSet(a.state.Name), AttributeStatus.ValueSet(string(a.state.Status)),
		keyword(AttributeAuthKind, a.state.Method))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes were refused", "error", err.Error())
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s/%s/%s**: **%s**\n\n- method: %s\n- client ID: %s\n- %s\n",
		a.state.Environment, a.state.App, a.state.Name, a.state.Status, a.state.Method, a.state.ClientID, a.state.Reason))
}
