package workflows

import (
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// AuthConfig is the entity of a reusable client registration or shared
// credential: its metadata here, its secrets in Vault.
func AuthConfig(ctx workflow.Context, in AuthConfigInput) error {
	a := &authConfig{in: in, mutex: workflow.NewMutex(ctx)}
	if in.State != nil {
		a.state, a.ready = *in.State, true
	}
	if err := a.listen(ctx); err != nil {
		return err
	}
	err := a.run(ctx)
	if temporal.IsCanceledError(err) { // a rotation that was cut short takes back what it staged
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		if waitErr := workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) }); waitErr != nil {
			return waitErr
		}
	}
	return err
}

type authConfig struct {
	in      AuthConfigInput
	state   AuthConfigState
	mutex   workflow.Mutex // of what changes the state: one thing at a time
	ready   bool
	problem *connection.Problem
	deleted bool // asked to be, by a run of before there was a count
	gone    bool // nothing is in Vault any more
	refused []ClientRefused

	watch       workflow.Future
	cancelWatch workflow.CancelFunc
	replan      bool // what is watched has changed
}

func (a *authConfig) run(ctx workflow.Context) error {
	if !a.ready {
		a.store(ctx)
	}
	if a.problem == nil {
		a.publish(ctx)
	}
	for {
		a.ensureWatch(ctx)
		err := workflow.Await(ctx, func() bool {
			return a.over() || a.replan || len(a.refused) > 0 || a.watch != nil && a.watch.IsReady() || continueSuggested(ctx)
		})
		if err != nil {
			return err
		}
		if done, err := a.turnOver(ctx); done || err != nil {
			return err
		}
	}
}

func (a *authConfig) over() bool { return a.problem != nil || a.deleted || a.gone }

func continueSuggested(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// turnOver does the one thing that is due. It reports whether this run is over.
func (a *authConfig) turnOver(ctx workflow.Context) (bool, error) {
	if err := a.mutex.Lock(ctx); err != nil {
		return true, err
	}
	defer a.mutex.Unlock()
	switch {
	case a.over():
		return true, a.end(ctx)
	case len(a.refused) > 0:
		a.takeRefusal(ctx)
	case a.watch != nil && a.watch.IsReady():
		a.harvest(ctx)
	case a.replan:
		a.stopWatch(ctx)
	case continueSuggested(ctx):
		return a.continueAsNew(ctx)
	}
	return false, nil
}

// end answers whoever still waits, and says of what was open that it is over.
func (a *authConfig) end(ctx workflow.Context) error {
	a.stopWatch(ctx)
	if a.deleted {
		err := destroyAuthConfig.do(ctx, vaultWork, "destroy its secrets", activities.DestroyAuthConfigInput{App: a.in.App, Name: a.in.Name})
		if err != nil {
			return final(why(err))
		}
	}
	a.settleAlerts(ctx)
	a.mutex.Unlock()
	err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	if lockErr := a.mutex.Lock(ctx); lockErr != nil || err != nil {
		return lockErr
	}
	return final(a.problem)
}

// continueAsNew starts a new run with the state, once nothing is left to do in this one.
func (a *authConfig) continueAsNew(ctx workflow.Context) (bool, error) {
	a.stopWatch(ctx)
	a.mutex.Unlock() // handlers that wait for their turn finish first
	err := workflow.Await(ctx, afterOthers(func() bool { return workflow.AllHandlersFinished(ctx) || a.over() }))
	if lockErr := a.mutex.Lock(ctx); lockErr != nil || err != nil || a.over() || len(a.refused) > 0 {
		return false, lockErr
	}
	next := a.in
	next.State = &a.state
	return true, workflow.NewContinueAsNewError(ctx, TypeAuthConfig, next)
}

func (a *authConfig) store(ctx workflow.Context) {
	report, err := storeAuthConfig.do(ctx, vaultWork, "collect its secrets from the inbox and store them", a.in.StoreAuthConfigInput)
	if err != nil {
		a.problem = why(err)
		return
	}
	a.state = AuthConfigState{Environment: a.in.Environment, App: a.in.App, Name: a.in.Name, Method: report.Method,
		Kind: report.Kind, ClientID: a.in.ClientID, Values: report.Values, Scopes: a.in.Scopes, Public: report.Public,
		Status: connection.Active, Created: workflow.Now(ctx), Expires: a.in.Expires}
	a.ready = true
}

func (a *authConfig) listen(ctx workflow.Context) error {
	receive(ctx, SignalClientRefused, func(in ClientRefused) { a.refused = append(a.refused, in) })
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (AuthConfigState, error) { return a.state, nil }); err != nil {
		return err
	}
	return takeUpdates(ctx, map[string]any{updateCreated: a.created, UpdateRotate: a.rotate, UpdateRetire: a.retire, UpdateDelete: a.delete})
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
			fmt.Sprintf("there is an auth config %s already", a.label()), "choose another name"))
	}
	return a.state, nil
}

// label is how people name it.
func (a *authConfig) label() string { return a.in.Environment + "/" + a.in.App + "/" + a.in.Name }

func (a *authConfig) publish(ctx workflow.Context) {
	status := string(a.state.Status)
	if a.state.Retired && a.state.Status == connection.Active {
		status = StatusRetired
	}
	err := workflow.UpsertTypedSearchAttributes(ctx,
		AttributeApp.ValueSet(a.state.App), AttributeEnvironment.ValueSet(a.state.Environment),
		AttributeName.ValueSet(a.state.Name), AttributeStatus.ValueSet(status),
		keyword(AttributeAuthKind, a.state.Kind))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes were refused", "error", err.Error())
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**: **%s**\n\n- method: %s\n- client ID: %s\n- %s\n",
		a.label(), status, a.state.Method, a.state.ClientID, a.state.Reason))
}
