package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// authConfigEnvironment plays an AuthConfig of the test's name.
func authConfigEnvironment(t *testing.T, r *recorder) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := newEnvironment(t, r)
	env.RegisterActivityWithOptions(answer(r, "StoreAuthConfig", func(in activities.StoreAuthConfigInput) *activities.StoreAuthConfigReport {
		return &activities.StoreAuthConfigReport{Method: in.Method, Kind: string(connection.OAuth2Code)}
	}), activity.RegisterOptions{Name: "StoreAuthConfig"})
	env.RegisterActivityWithOptions(func(context.Context, activities.DestroyAuthConfigInput) error {
		r.called("DestroyAuthConfig")
		return nil
	}, activity.RegisterOptions{Name: "DestroyAuthConfig"})
	return env
}

func authConfigInput() AuthConfigInput {
	return AuthConfigInput{Environment: "development", StoreAuthConfigInput: activities.StoreAuthConfigInput{
		App: "sandbox", Name: "shared", Method: "oauth", ClientID: "id", Inbox: "entry"}}
}

// nextAuthConfig is the input of the next run.
func nextAuthConfig(t *testing.T, err error) AuthConfigInput {
	t.Helper()
	var next *workflow.ContinueAsNewError
	var in AuthConfigInput
	if !errors.As(err, &next) {
		t.Fatalf("it was not continued as new: %v", err)
	}
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// An auth config goes through its life with a new run after every step, and is the same.
func TestAnAuthConfigContinuesAsNewAnywhere(t *testing.T) {
	r := &recorder{}
	in := authConfigInput()
	steps := []func(env *testsuite.TestWorkflowEnvironment){
		func(env *testsuite.TestWorkflowEnvironment) {
			env.UpdateWorkflow(updateCreated, "1", &reply{}, created{Inbox: "entry", ClientID: "id"})
		},
		func(*testsuite.TestWorkflowEnvironment) {},
		func(env *testsuite.TestWorkflowEnvironment) {
			env.SignalWorkflow(SignalClientRefused, ClientRefused{Code: "invalid_client"})
		},
		func(*testsuite.TestWorkflowEnvironment) {},
	}
	for i, step := range steps {
		env := authConfigEnvironment(t, r)
		heard(env)
		env.RegisterDelayedCallback(func() { step(env) }, time.Hour)
		env.RegisterDelayedCallback(func() {
			env.SetContinueAsNewSuggested(true)
			env.SignalWorkflow("wake", nil) // a signal that nobody knows
		}, 2*time.Hour)
		env.ExecuteWorkflow(TypeAuthConfig, in)
		in = nextAuthConfig(t, env.GetWorkflowError())
		want := connection.Active
		if i >= 2 {
			want = connection.Error
		}
		if in.State == nil || in.State.Status != want || in.State.ClientID != "id" || in.State.Method != "oauth" || in.State.Created.IsZero() {
			t.Fatalf("after step %d: %+v", i, in.State)
		}
	}
	if n := r.count("StoreAuthConfig"); n != 1 {
		t.Errorf("its secrets were collected %d times", n)
	}
}
