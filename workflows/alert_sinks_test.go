package workflows

import (
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// at sends an update at a time and answers its reply.
func at(env *testsuite.TestWorkflowEnvironment, after time.Duration, update string, in any) *reply {
	answer := &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(update, after.String(), answer, in) }, after)
	return answer
}

// turnedOver ends the scenario with a continue-as-new and answers what is carried over.
func turnedOver(t *testing.T, env *testsuite.TestWorkflowEnvironment, after time.Duration, in AlertSinksState) AlertSinksState {
	t.Helper()
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, after)
	at(env, after+time.Second, UpdateSinkDelete, NamedSink{Name: "nobody"}) // whatever: something must wake it
	env.ExecuteWorkflow(TypeAlertSinks, in)
	var next *workflow.ContinueAsNewError
	if !asContinue(env.GetWorkflowError(), &next) {
		t.Fatalf("%v", env.GetWorkflowError())
	}
	var carried AlertSinksState
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &carried); err != nil {
		t.Fatal(err)
	}
	return carried
}

func TestSinksAreMadeAndChanged(t *testing.T) {
	r := &recorder{}
	env := newEnvironment(t, r)
	second := at(env, 1*time.Minute, UpdateSinkCreate, CreateSink{Name: "ops", Kind: connection.SinkWebhook, Inbox: "a"})
	first := at(env, 2*time.Minute, UpdateSinkCreate, CreateSink{Name: "chat", Kind: connection.SinkSlack, Inbox: "b"})
	taken := at(env, 3*time.Minute, UpdateSinkCreate, CreateSink{Name: "ops", Kind: connection.SinkWebhook, Inbox: "c"})
	odd := at(env, 4*time.Minute, UpdateSinkCreate, CreateSink{Name: "mail", Kind: "mail", Inbox: "d"})
	unknown := at(env, 5*time.Minute, UpdateSinkRotate, RotateSink{Name: "nope", Inbox: "e"})
	untested := at(env, 6*time.Minute, UpdateSinkTest, NamedSink{Name: "nope"})
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(SignalSinkGone, SinkGone{Name: "ops", Reason: "it answered 410 Gone"})
		env.SignalWorkflow(SignalSinkGone, SinkGone{Name: "chat", Reason: "it answered 410 Gone"})
		env.SignalWorkflow(SignalSinkGone, SinkGone{Name: "nope", Reason: "it answered 410 Gone"})
	}, 7*time.Minute)
	rotated := at(env, 8*time.Minute, UpdateSinkRotate, RotateSink{Name: "ops", Inbox: "f"})
	carried := turnedOver(t, env, 9*time.Minute, AlertSinksState{Environment: "development"})
	for name, c := range map[string]struct {
		answer *reply
		want   string
	}{"first": {first, ""}, "second": {second, ""}, "taken": {taken, connection.ErrSinkTaken}, "odd": {odd, connection.ErrInvalidInput},
		"unknown": {unknown, connection.ErrSinkNotFound}, "untested": {untested, connection.ErrSinkNotFound}, "rotated": {rotated, ""}} {
		if !c.answer.completed || connection.TypeOf(c.answer.err) != c.want {
			t.Errorf("%s: %+v", name, c.answer)
		}
	}
	if len(carried.Sinks) != 2 || carried.Sinks[0].Name != "chat" || carried.Sinks[0].Disabled == "" || carried.Sinks[0].DisabledAt.IsZero() ||
		carried.Sinks[1].Disabled != "" || carried.Sinks[1].Rotated.IsZero() || carried.Sinks[1].Host != "https://hooks.example" {
		t.Errorf("%+v", carried)
	}
	if len(r.alerts.stored) != 3 || !r.alerts.stored[2].Rotate || r.alerts.stored[2].Kind != connection.SinkWebhook {
		t.Errorf("%+v", r.alerts.stored)
	}

	r, carried.Sinks = &recorder{}, carried.Sinks[:2]
	env = newEnvironment(t, r)
	gone := at(env, time.Minute, UpdateSinkDelete, NamedSink{Name: "ops"})
	twice := at(env, 2*time.Minute, UpdateSinkDelete, NamedSink{Name: "ops"})
	last := turnedOver(t, env, 3*time.Minute, carried)
	if gone.err != nil || connection.TypeOf(twice.err) != connection.ErrSinkNotFound || len(last.Sinks) != 1 || len(r.alerts.destroyed) != 1 {
		t.Errorf("%+v %+v %+v %v", gone, twice, last, r.alerts.destroyed)
	}
}

// A test is answered with what became of it, soon, and never waits out what a sink asks for.
func TestASinkIsTested(t *testing.T) {
	r := &recorder{}
	r.alerts.deliver = func(_ int, in activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		switch in.Sink {
		case "good":
			return &activities.DeliverAlertReport{Delivered: true, Status: 204}, nil
		case "busy":
			return nil, connection.RateLimited("the sink busy answered 429 and asks to wait", time.Hour)
		case "gone":
			return &activities.DeliverAlertReport{Status: 410, Reason: "the sink is disabled"}, nil
		default:
			return nil, connection.ProviderUnavailable("the sink bad answered 500", 500)
		}
	}
	env := newEnvironment(t, r)
	in := AlertSinksState{Environment: "development"}
	for _, name := range []string{"bad", "busy", "gone", "good"} {
		in.Sinks = append(in.Sinks, SinkState{Name: name, Kind: connection.SinkWebhook})
	}
	in.Sinks[3].Disabled = "said once"
	replies := map[string]*reply{}
	for i, sink := range in.Sinks {
		replies[sink.Name] = at(env, time.Duration(i+1)*time.Minute, UpdateSinkTest, NamedSink{Name: sink.Name})
	}
	carried := turnedOver(t, env, 6*time.Minute, in)
	for name, answer := range replies {
		result, _ := answer.result.(SinkTest)
		if !answer.completed || answer.err != nil || result.Delivered != (name == "good") || (result.Problem == nil) != (name == "good") {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	if r.alerts.attempts != 2+1+1+1 || carried.Sinks[3].Disabled != "" {
		t.Errorf("%d attempts, %+v", r.alerts.attempts, carried)
	}
	if m := r.alerts.delivered[0].Message; m.Type != activities.MessageTest || m.Data.Kind != connection.AlertTest {
		t.Errorf("%+v", m)
	}
}
