package workflows

import (
	"context"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// registrationWorld is an auth config with its activities, and what it raised.
type registrationWorld struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment
	rec *recorder
	// prove answers the nth proof; nil proves by a connection.
	prove func(n int) (*activities.ProveRotationReport, error)
	users int
	watch func(in activities.WatchAuthConfigInput) *activities.WatchAuthConfigReport
	// staged and retired are what Vault holds; calls are in rec.
	staged  []string
	retired []bool
	alerts  []string
	watched []activities.WatchAuthConfigInput
}

func newRegistration(t *testing.T) *registrationWorld {
	t.Helper()
	w := &registrationWorld{t: t, rec: &recorder{}}
	var suite testsuite.WorkflowTestSuite
	w.env = suite.NewTestWorkflowEnvironment()
	patient(w.env)
	w.env.RegisterWorkflowWithOptions(AuthConfig, workflow.RegisterOptions{Name: TypeAuthConfig})
	w.env.RegisterWorkflowWithOptions(func(ctx workflow.Context, in AlertInput) error {
		w.alerts = append(w.alerts, string(in.Kind))
		var resolved AlertResolved
		channel := workflow.GetSignalChannel(ctx, signalAlertResolved)
		if ok, _ := channel.ReceiveWithTimeout(ctx, 100*time.Hour, &resolved); ok { // the environment waits for children
			w.alerts = append(w.alerts, string(in.Kind)+" over: "+resolved.Resolution)
		}
		return nil
	}, workflow.RegisterOptions{Name: TypeAlert})
	add := func(name string, f any) { w.env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name}) }
	add("StoreAuthConfig", answer(w.rec, "StoreAuthConfig", func(activities.StoreAuthConfigInput) *activities.StoreAuthConfigReport {
		return &activities.StoreAuthConfigReport{Method: "oauth", Kind: string(connection.OAuth2Code)}
	}))
	add("StageRotation", answer(w.rec, "StageRotation", func(in activities.StageRotationInput) *activities.StageRotationReport {
		w.staged = append(w.staged, in.Rotation)
		return &activities.StageRotationReport{Changed: []string{"client_secret"}}
	}))
	add("ProveRotation", func(_ context.Context, in activities.ProveRotationInput) (*activities.ProveRotationReport, error) {
		n := w.rec.called("ProveRotation")
		if len(w.staged) != 1 || w.staged[0] != in.Rotation {
			w.t.Errorf("%s is proven while %q are staged", in.Rotation, w.staged)
		}
		if w.prove == nil {
			return &activities.ProveRotationReport{Proof: "connection " + testID.String()}, nil
		}
		report, err := w.prove(n)
		return report, connection.Boundary("ProveRotation", err)
	})
	unstage := func(name string) func(context.Context, activities.EndRotationInput) error {
		return func(context.Context, activities.EndRotationInput) error {
			w.rec.called(name)
			if err := w.rec.fail[name]; err != nil {
				w.rec.fail[name] = nil
				return connection.Boundary(name, err)
			}
			w.staged = nil
			return nil
		}
	}
	add("CommitRotation", unstage("CommitRotation"))
	add("AbandonRotation", unstage("AbandonRotation"))
	add("RetireAuthConfig", func(_ context.Context, in activities.RetireAuthConfigInput) error {
		w.retired = append(w.retired, in.Retired)
		return nil
	})
	add("CountAuthConfigUsers", answer(w.rec, "CountAuthConfigUsers", func(activities.CountAuthConfigUsersInput) *activities.CountAuthConfigUsersReport {
		report := &activities.CountAuthConfigUsersReport{Count: w.users}
		for range min(w.users, 5) {
			report.Connections = append(report.Connections, testID)
		}
		return report
	}))
	add("DestroyAuthConfig", func(context.Context, activities.DestroyAuthConfigInput) error {
		w.rec.called("DestroyAuthConfig")
		return nil
	})
	add("WatchAuthConfig", func(_ context.Context, in activities.WatchAuthConfigInput) (*activities.WatchAuthConfigReport, error) {
		w.watched = append(w.watched, in)
		if report := w.watch(in); report != nil {
			return report, nil
		}
		return nil, connection.LookAgain("not yet", time.Hour).Temporal()
	})
	return w
}

func (w *registrationWorld) after(d time.Duration, f func()) { w.env.RegisterDelayedCallback(f, d) }

// update sends one; what it answers is in the reply.
func (w *registrationWorld) update(name, id string, in any) *reply {
	r := &reply{}
	w.env.UpdateWorkflow(name, id, r, in)
	return r
}

// run runs it for a day of the test's time, and answers its last state.
func (w *registrationWorld) run() AuthConfigState {
	w.t.Helper()
	w.after(24*time.Hour, w.env.CancelWorkflow)
	w.env.ExecuteWorkflow(TypeAuthConfig, AuthConfigInput{Environment: "development",
		StoreAuthConfigInput: activities.StoreAuthConfigInput{App: "sandbox", Name: "demo", ClientID: "client", Inbox: "first"}})
	if !w.env.IsWorkflowCompleted() {
		w.t.Fatal("it did not end")
	}
	return described[AuthConfigState](w.t, w.env)
}
