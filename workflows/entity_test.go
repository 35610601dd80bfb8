package workflows

import (
	"context"
	"slices"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// activeState is a connection that has just been connected.
func activeState() State {
	return State{ID: testID, DisplayName: "Test", Kind: connection.OAuth2Code, Renewable: true, Created: time.Unix(1, 0),
		Look:     activities.Look{Status: connection.Active, Verdict: connection.OK, Grant: "g", Generation: 1},
		Toolkits: []connection.Toolkit{{Name: "default", Actions: []string{"a"}}}}
}

func entityEnvironment(t *testing.T, r *recorder) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := newEnvironment(t, r)
	env.RegisterWorkflowWithOptions(Connection, workflow.RegisterOptions{Name: "entity"})
	env.RegisterWorkflowWithOptions(r.alert, workflow.RegisterOptions{Name: TypeAlert, DisableAlreadyRegisteredCheck: true})
	return env
}

// disconnectAfter ends the scenario, so that the test environment comes to an end.
func disconnectAfter(env *testsuite.TestWorkflowEnvironment, after time.Duration) *reply {
	answer := &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateDisconnect, "end", answer, Reason{}) }, after)
	return answer
}

func state(t *testing.T, env *testsuite.TestWorkflowEnvironment) State {
	t.Helper()
	return described[State](t, env)
}

func TestAHealthyConnectionDoesNothing(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	answer := disconnectAfter(env, 100*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if looks := r.count("WatchConnection"); looks < 100 {
		t.Errorf("%d looks in 100 hours", looks)
	}
	if len(r.gates) != 1 || !r.gates[0].Closed {
		t.Errorf("the gate was written %d times: %+v", len(r.gates), r.gates)
	}
	if result, _ := answer.result.(DisconnectResult); result.Revocation != activities.RevocationDone {
		t.Errorf("%+v", answer)
	}
	want := []string{"WriteGate", "RevokeGrant", "DiscardAttempts", "DestroyCredential"}
	if have := slices.DeleteFunc(slices.Clone(r.calls), func(c string) bool { return c == "WatchConnection" }); !slices.Equal(have, want) {
		t.Errorf("%v", have)
	}
}

func TestNewsOfADeadCredentialStopsTheWatch(t *testing.T) {
	r := &recorder{watch: func(n int, in activities.WatchInput) (*activities.Look, error) {
		look := in.Reported
		look.Status, look.Verdict, look.Reason = connection.Expired, connection.Revoked, "revoked"
		return &look, nil
	}}
	env := entityEnvironment(t, r)
	env.RegisterDelayedCallback(func() {
		s := state(t, env)
		if s.Look.Status != connection.Expired || s.Transitions[len(s.Transitions)-1].What != string(connection.Expired) {
			t.Errorf("%+v", s)
		}
	}, 10*time.Hour)
	disconnectAfter(env, 1000*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if looks := r.count("WatchConnection"); looks != 1 {
		t.Errorf("a dead connection was looked at %d times", looks)
	}
	if r.gates[0].Status != connection.Expired {
		t.Errorf("the gate: %+v", r.gates)
	}
}

func TestARejectionOfAnotherGrantIsIgnored(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalCredentialRejected, CredentialRejected{Grant: "old", Reason: "x"}) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		if s := state(t, env); s.Look.Status != connection.Active {
			t.Errorf("%+v", s.Look)
		}
		env.SignalWorkflow(SignalCredentialRejected, CredentialRejected{Grant: "g", Reason: "dead"})
	}, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		if s := state(t, env); s.Look.Status != connection.Expired || s.Look.Reason != "dead" {
			t.Errorf("%+v", s.Look)
		}
	}, 3*time.Hour+time.Minute)
	var before int
	env.RegisterDelayedCallback(func() { before = r.count("WatchConnection") }, 4*time.Hour)
	disconnectAfter(env, 50*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if n := r.count("WatchConnection"); n != before {
		t.Errorf("an expired connection was looked at %d times", n-before)
	}
}

func TestAPausedConnectionIsNotAsked(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	test, refresh := &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdatePause, "1", &reply{}, Reason{}) }, time.Minute)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateTest, "2", test, struct{}{})
		env.UpdateWorkflow(UpdateRefresh, "3", refresh, struct{}{})
	}, 2*time.Hour)
	disconnectAfter(env, 3*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if connection.TypeOf(test.err) != connection.ErrConnectionPaused || connection.TypeOf(refresh.err) != connection.ErrConnectionPaused ||
		r.count("ProbeConnection")+r.count("RefreshCredential") != 0 {
		t.Errorf("%v %v %v", test.err, refresh.err, r.calls)
	}
}

// A wait that the app asks for is told at once: waiting it out would hold up
// whatever a person asks next.
func TestATestThatMeetsARateLimitIsToldAtOnce(t *testing.T) {
	r := &recorder{probe: func(int) (*activities.ProbeReport, error) {
		return nil, connection.RateLimited("the app asks to wait", 10*time.Minute)
	}}
	env := entityEnvironment(t, r)
	test := &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateTest, "1", test, struct{}{}) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		result, _ := test.result.(TestResult)
		if !test.completed || result.Passed || result.Problem == nil || result.Problem.Type != connection.ErrRateLimited {
			t.Errorf("a minute later: %+v", test)
		}
	}, time.Hour+time.Minute)
	disconnectAfter(env, 2*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if n := r.count("ProbeConnection"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAPausedConnectionIsLeftAloneUntilItIsResumed(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	pause, resume := &reply{}, &reply{}
	var paused int
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdatePause, "1", pause, Reason{}) }, time.Minute)
	env.RegisterDelayedCallback(func() { paused = r.count("WatchConnection") }, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		if n := r.count("WatchConnection"); n != paused {
			t.Errorf("%d looks while paused", n-paused)
		}
		env.UpdateWorkflow(UpdateResume, "2", resume, Reason{})
	}, 50*time.Hour)
	disconnectAfter(env, 100*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if pause.err != nil || resume.err != nil || r.count("WatchConnection") <= paused {
		t.Errorf("%v %v %d", pause.err, resume.err, r.count("WatchConnection"))
	}
	if r.gates[0].Status != connection.Paused || r.gates[1].Status != connection.Active {
		t.Errorf("%+v", r.gates)
	}
}

// The same changes, with a continue-as-new after every one of them, lose nothing.
func TestContinueAsNewLosesNothing(t *testing.T) {
	changes := []func(env *testsuite.TestWorkflowEnvironment, answer *reply){
		func(env *testsuite.TestWorkflowEnvironment, answer *reply) {
			env.UpdateWorkflow(UpdatePutToolkit, "1", answer, PutToolkit{Name: "second", Actions: []string{"b", "a", "a"}})
		},
		func(env *testsuite.TestWorkflowEnvironment, answer *reply) {
			env.UpdateWorkflow(UpdateRename, "2", answer, Rename{DisplayName: "Renamed"})
		},
		func(env *testsuite.TestWorkflowEnvironment, answer *reply) {
			env.UpdateWorkflow(UpdatePause, "3", answer, Reason{Reason: "why not"})
		},
	}
	carried := activeState()
	for i, change := range changes {
		r := &recorder{}
		env := entityEnvironment(t, r)
		answer := &reply{}
		env.RegisterDelayedCallback(func() {
			change(env, answer)
			env.SignalWorkflow(SignalContinueAsNew, struct{}{})
		}, time.Hour)
		env.ExecuteWorkflow("entity", carried)
		var next *workflow.ContinueAsNewError
		if err := env.GetWorkflowError(); !workflow.IsContinueAsNewError(err) {
			t.Fatalf("step %d: %v", i, err)
		} else if !asContinue(err, &next) {
			t.Fatalf("step %d: %v", i, err)
		}
		if answer.err != nil || !answer.completed {
			t.Fatalf("step %d: the update was lost: %+v", i, answer)
		}
		carried = carriedState(t, next)
		if carried.Runs != i+1 {
			t.Errorf("run %d", carried.Runs)
		}
	}
	if carried.DisplayName != "Renamed" || carried.Look.Status != connection.Paused || len(carried.Toolkits) != 2 ||
		!slices.Equal(carried.Toolkits[1].Actions, []string{"a", "b"}) || carried.Look.Grant != "g" {
		t.Errorf("%+v", carried)
	}
}

func TestAReservationWhoseConnectIsGoneCleansUp(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute} {
		r := &recorder{}
		env := entityEnvironment(t, r)
		began := env.Now()
		var looked time.Duration
		env.RegisterActivityWithOptions(func(context.Context, activities.WatchSessionInput) error {
			looked = env.Now().Sub(began)
			return nil
		}, activity.RegisterOptions{Name: "WatchConnectSession", DisableAlreadyRegisteredCheck: true})
		pending := State{ID: testID, Session: &Session{WorkflowID: "connect", RunID: "1", LookAfter: after}, Look: activities.Look{Status: connection.Pending}}
		env.ExecuteWorkflow("entity", pending)
		if err := env.GetWorkflowError(); err != nil {
			t.Fatal(err)
		}
		if r.count("DestroyCredential") == 0 || r.count("DiscardAttempts") == 0 {
			t.Errorf("%v", r.calls)
		}
		if looked < after || after == 0 && looked > time.Second {
			t.Errorf("the first look was %s after the start, not %s", looked, after)
		}
	}
}
