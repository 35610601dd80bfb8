package workflows

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// life is one thing that happens to a connection, an hour after the last.
type life struct {
	what string
	do   func(s *lifetime)
}

// lifetime plays a list of happenings over as many runs as there are.
type lifetime struct {
	*testsuite.TestWorkflowEnvironment
	answers []*reply
}

func (s *lifetime) update(name string, in any) {
	answer := &reply{}
	s.answers = append(s.answers, answer)
	s.UpdateWorkflow(name, fmt.Sprint(len(s.answers)), answer, in)
}

func (s *lifetime) signal(name string, in any) { s.SignalWorkflow(name, in) }

// whole is a connection's life from its adoption to its last day but one.
func whole() []life {
	every, idle := 2*time.Hour, connection.OnDemand
	trouble := connection.WorkTrouble{Verdict: connection.Transient, Reason: "500 again and again", Count: 5, Since: time.Unix(50, 0), Last: time.Unix(60, 0)}
	session := activate{ReplyTo: "connect", RunID: "1", Ref: connection.CredentialRef{Connection: testID, Grant: "g", Generation: 1, Candidate: true},
		Method: "oauth", Kind: connection.OAuth2Code, Renewable: true, Identity: ada, Toolkit: connection.Toolkit{Name: "default", Actions: []string{"a"}}}
	return []life{
		{"adopted", func(s *lifetime) { s.signal(signalActivate, session) }},
		{"a toolkit", func(s *lifetime) { s.update(UpdatePutToolkit, PutToolkit{Name: "more", Actions: []string{"b", "a"}}) }},
		{"renamed", func(s *lifetime) { s.update(UpdateRename, Rename{DisplayName: "Renamed"}) }},
		{"a policy", func(s *lifetime) { s.update(UpdateSetPolicy, SetPolicy{ProbeEvery: &every, Idle: &idle}) }},
		{"work fails", func(s *lifetime) { s.signal(SignalWorkFailed, WorkFailed{Grant: "g", Trouble: trouble}) }},
		{"tested", func(s *lifetime) { s.update(UpdateTest, struct{}{}) }},
		{"refreshed", func(s *lifetime) { s.update(UpdateRefresh, struct{}{}) }},
		{"paused", func(s *lifetime) { s.update(UpdatePause, Reason{Reason: "a moment"}) }},
		{"resumed", func(s *lifetime) { s.update(UpdateResume, Reason{}) }},
		{"work of another grant", func(s *lifetime) { s.signal(SignalWorkFailed, WorkFailed{Grant: "old", Trouble: trouble}) }},
		{"work fails again", func(s *lifetime) { s.signal(SignalWorkFailed, WorkFailed{Grant: "g", Trouble: trouble}) }},
		{"rejected", func(s *lifetime) {
			s.signal(SignalCredentialRejected, CredentialRejected{Grant: "g", Generation: 2, Verdict: connection.Revoked, Reason: "revoked"})
		}},
		{"a toolkit less", func(s *lifetime) { s.update(UpdateDeleteToolkit, DeleteToolkit{Name: "more"}) }},
		{"a last test", func(s *lifetime) { s.update(UpdateTest, struct{}{}) }},
	}
}

// lived is what is left of a life: the state, the calls, the alerts.
type lived struct {
	state  State
	calls  []string
	raised []connection.AlertKind
	told   []string
	gates  []connection.Gate
}

// live plays the life with a new run after every so many steps; 0 is one run for all.
func live(t *testing.T, every int) lived {
	t.Helper()
	var out lived
	r := &recorder{}
	from := State{ID: testID, DisplayName: "Test", Session: &Session{WorkflowID: "connect", RunID: "1"}, Look: activities.Look{Status: connection.Pending}}
	steps := whole()
	for at := 0; at < len(steps); {
		upTo := len(steps)
		if every > 0 {
			upTo = min(at+every, len(steps))
		}
		s := &lifetime{TestWorkflowEnvironment: entityEnvironment(t, r)}
		s.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: ConnectionWorkflowID(testID), TaskQueue: Queue})
		s.alerts(&out)
		for i, step := range steps[at:upTo] {
			s.RegisterDelayedCallback(func() { step.do(s) }, time.Duration(i+1)*time.Hour)
		}
		s.RegisterDelayedCallback(func() { s.signal(SignalContinueAsNew, struct{}{}) }, time.Duration(upTo-at)*time.Hour+10*time.Minute)
		s.ExecuteWorkflow("entity", from)
		next := carriedFrom(t, s.GetWorkflowError())
		if next == nil {
			t.Fatalf("no next run after %s", steps[upTo-1].what)
		}
		for i, answer := range s.answers {
			if answer.err != nil || !answer.completed {
				t.Errorf("every %d: update %d after %s: %+v", every, i, steps[at].what, answer)
			}
		}
		from, at = *next, upTo
	}
	out.state = from
	out.calls = slices.DeleteFunc(r.calls, func(call string) bool { return call == "WatchConnection" })
	out.gates = r.gates
	return out
}

// alerts stands in for Alert and for what is told to one that an earlier run has raised.
func (s *lifetime) alerts(out *lived) {
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context, in AlertInput) error {
		out.raised = append(out.raised, in.Kind)
		if told, _ := workflow.GetSignalChannel(ctx, signalAlertResolved).ReceiveWithTimeout(ctx, 1000*time.Hour, nil); told {
			out.told = append(out.told, signalAlertResolved+" "+workflow.GetInfo(ctx).WorkflowExecution.ID)
		}
		return nil // the test environment waits for every child
	}, workflow.RegisterOptions{Name: TypeAlert, DisableAlreadyRegisteredCheck: true})
	s.OnSignalExternalWorkflow(anyArgument, anyArgument, anyArgument, anyArgument, anyArgument).Return(
		func(_, id, _, signal string, _ any) error {
			out.told = append(out.told, signal+" "+id)
			return nil
		})
}

// anyArgument is what the test environment's mocks take for whatever comes.
const anyArgument = "mock.Anything"

// The same life, in one run and in as many as there can be, comes out the same:
// state, gates, calls, answers and alerts.
func TestAConnectionContinuesAsNewAnywhere(t *testing.T) {
	want := live(t, 0)
	if want.state.Look.Status != connection.Expired || want.state.DisplayName != "Renamed" || len(want.state.Alerts.Open) != 1 || len(want.raised) != 3 {
		t.Fatalf("the life itself: %+v, raised %v, told %v", want.state, want.raised, want.told)
	}
	for _, every := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprintf("every %d", every), func(t *testing.T) {
			have := live(t, every)
			if a, b := timeless(t, want.state), timeless(t, have.state); a != b {
				t.Errorf("the state:\n%s\nwithout:\n%s", b, a)
			}
			if !slices.Equal(have.calls, want.calls) || !slices.Equal(have.raised, want.raised) || !slices.Equal(have.told, want.told) {
				t.Errorf("calls %v, raised %v, told %v\nwithout: %v, %v, %v", have.calls, have.raised, have.told, want.calls, want.raised, want.told)
			}
			if len(have.gates) != len(want.gates) {
				t.Errorf("%d gates, without %d", len(have.gates), len(want.gates))
			}
			if runs := (len(whole()) + every - 1) / every; have.state.Runs != runs {
				t.Errorf("%d runs, want %d", have.state.Runs, runs)
			}
		})
	}
}

// timeless is a state without what must differ: when, and in how many runs.
func timeless(t *testing.T, s State) string {
	t.Helper()
	s.Runs, s.Created = 0, time.Time{}
	s.Transitions = slices.Clone(s.Transitions)
	for i := range s.Transitions {
		s.Transitions[i].At = time.Time{}
	}
	s.Alerts.Open = slices.Clone(s.Alerts.Open)
	for i := range s.Alerts.Open {
		s.Alerts.Open[i].Since = time.Time{}
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A run that has a reconnect open does not end before it: its child would be lost.
func TestAnOpenReconnectDelaysTheNextRun(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	s := newScene(t, r)
	heard(s.TestWorkflowEnvironment)
	begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
	s.at(2*time.Hour, func() { s.SignalWorkflow(SignalContinueAsNew, struct{}{}) })
	during := s.state(3 * time.Hour)
	s.provide(4*time.Hour, "2", begun)
	s.ExecuteWorkflow("entity", living())
	next := carriedFrom(t, s.GetWorkflowError())
	if next == nil || during.Reconnect == nil || during.Runs != 0 {
		t.Fatalf("%+v", during)
	}
	if next.Runs != 1 || next.Reconnect != nil || next.Look.Grant == "g" || next.Look.Status != connection.Active || r.count("AdoptCandidate") != 1 || r.count("RevokeGrant") != 1 {
		t.Errorf("%+v %v", next, r.calls)
	}
}
