package workflows

import (
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// heard collects the alerts that are raised in an environment. They live on by themselves.
func heard(env *testsuite.TestWorkflowEnvironment) *[]AlertInput {
	var all []AlertInput
	env.RegisterWorkflowWithOptions(func(_ workflow.Context, in AlertInput) error {
		all = append(all, in)
		return nil
	}, workflow.RegisterOptions{Name: TypeAlert, DisableAlreadyRegisteredCheck: true})
	return &all
}

// mayLive fails the test unless the one alert says that a grant may still be good at the app.
func mayLive(t *testing.T, alerts []AlertInput) {
	t.Helper()
	if len(alerts) != 1 {
		t.Fatalf("%d alerts: %+v", len(alerts), alerts)
	}
	a := alerts[0]
	if a.Kind != connection.AlertGrantMayLive || a.Connection != testID || a.Environment != "development" || a.App != "sandbox" || a.Name == "" ||
		!strings.Contains(a.Reason, "did not take the revocation within a day") ||
		!strings.HasPrefix(a.Remedy, "end the authorization in the app's own settings, then: connected-apps alerts resolve alert/"+testID.String()+"/grant-may-live-") {
		t.Errorf("%+v", a)
	}
}

var appIsDown = connection.ProviderUnavailable("the app does not answer", 0)

// A disconnect whose revocation is given up is done all the same, and a person is told.
func TestAGrantThatOutlivesItsConnectionIsAlerted(t *testing.T) {
	for name, failure := range map[string]error{
		"the app does not answer": appIsDown,
		"the app refuses":         connection.Refused(connection.ErrProviderUnavailable, "no", ""),
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{fail: map[string]error{"RevokeGrant": failure}}
			env := entityEnvironment(t, r)
			alerts := heard(env)
			answer := disconnectAfter(env, time.Hour)
			env.ExecuteWorkflow("entity", activeState())
			if err := env.GetWorkflowError(); err != nil {
				t.Fatalf("closed as failed, though the alert says it: %v", err)
			}
			mayLive(t, *alerts)
			result, _ := answer.result.(DisconnectResult)
			// The test environment ends what is tried for ever after ten tries.
			if failure == appIsDown && (result.Revocation != "pending" || r.count("RevokeGrant") != 10) {
				t.Errorf("%q after %d tries", result.Revocation, r.count("RevokeGrant"))
			} else if failure != appIsDown && result.Revocation != "given-up" {
				t.Errorf("answered %q", result.Revocation)
			}
			if r.count("DestroyCredential") != 1 {
				t.Errorf("Vault: %v", r.calls)
			}
		})
	}
}

// A disconnect that works tells nobody.
func TestARevocationThatWorksIsNoAlert(t *testing.T) {
	env := entityEnvironment(t, &recorder{})
	alerts := heard(env)
	disconnectAfter(env, time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if err := env.GetWorkflowError(); err != nil || len(*alerts) != 0 {
		t.Errorf("%v %+v", err, *alerts)
	}
}

// A connect that is undone, and cannot end the grant it has obtained, says so.
func TestAGrantThatOutlivesItsConnectIsAlerted(t *testing.T) {
	in := request()
	in.Review, in.Owner = true, "team-a"
	r := &recorder{plan: keyPlan(), fail: map[string]error{"RevokeGrant": appIsDown}}
	env := newEnvironment(t, r)
	alerts := heard(env)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry"})
	}, 0)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateCancel, "2", &reply{}, Reason{}) }, time.Minute)
	env.ExecuteWorkflow(TypeConnectApp, in)
	if connection.TypeOf(env.GetWorkflowError()) != connection.ErrSessionClosed {
		t.Error(env.GetWorkflowError())
	}
	mayLive(t, *alerts)
	if a := (*alerts)[0]; a.Owner != "team-a" || a.Account != "ada" || r.count("DestroyCredential") == 0 {
		t.Errorf("%+v %v", a, r.calls)
	}
}

// A grant that a reconnect has replaced and the app does not end is alerted too;
// the connection itself works on, and its recovery does not resolve that alert.
func TestAReplacedGrantThatLivesOnIsAlerted(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"RevokeGrant": appIsDown}}
	s := newScene(t, r)
	alerts := heard(s.TestWorkflowEnvironment)
	begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
	s.provide(2*time.Hour, "2", begun)
	var before []AlertInput
	s.at(50*time.Hour, func() {
		before = *alerts
		r.discard = func(activities.DiscardInput) *activities.DiscardReport { return &activities.DiscardReport{} }
		delete(r.fail, "RevokeGrant")
	})
	after := s.state(50 * time.Hour)
	s.play(living(), 60*time.Hour)
	mayLive(t, before)
	if after.Look.Status != connection.Active || len(after.Alerts.Open) != 0 || after.Alerts.Raised != 1 || len(*alerts) != 1 {
		t.Errorf("%+v, %d alerts", after, len(*alerts))
	}
}
