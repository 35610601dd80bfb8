package workflows

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// scene is a connection that is reconnected, as the real Connection and the real ConnectApp play it.
type scene struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T
	r *recorder
}

var ada = connection.Identity{Account: "ada", Label: "ada@example.com"}

// living is a connection of ada's with two toolkits.
func living() State {
	s := activeState()
	s.Kind, s.Method, s.Look.Identity = connection.APIKey, "api-key", ada
	s.Values = map[string]string{"host": "https://app.example"}
	s.Toolkits = append(s.Toolkits, connection.Toolkit{Name: "more", Actions: []string{"a", "b", "gone"}})
	return s
}

// newScene leaves the replaced grant to be ended once something was adopted.
func newScene(t *testing.T, r *recorder) *scene {
	t.Helper()
	if r.probe == nil {
		r.probe = func(int) (*activities.ProbeReport, error) {
			return &activities.ProbeReport{Tested: "it", Identity: ada}, nil
		}
	}
	r.discard = func(activities.DiscardInput) *activities.DiscardReport {
		if r.count("AdoptCandidate") > 0 {
			return &activities.DiscardReport{Candidates: []connection.CredentialRef{{Connection: testID, Grant: "g", Candidate: true}}}
		}
		return &activities.DiscardReport{}
	}
	env := entityEnvironment(t, r)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: ConnectionWorkflowID(testID), TaskQueue: Queue})
	return &scene{TestWorkflowEnvironment: env, t: t, r: r}
}

func (s *scene) at(after time.Duration, do func()) { s.RegisterDelayedCallback(do, after) }

// send sends an update to the Connection, toConnect to the connect that it has started.
func (s *scene) send(after time.Duration, id, name string, message any) *reply {
	answer := &reply{}
	s.at(after, func() { s.UpdateWorkflow(name, id, answer, message) })
	return answer
}

func (s *scene) toConnect(after time.Duration, id, name string, message func() any) *reply {
	answer := &reply{}
	s.at(after, func() {
		if err := s.UpdateWorkflowByID(ConnectWorkflowID(testID), name, id, answer, message()); err != nil {
			answer.err = err
		}
	})
	return answer
}

// provide hands a secret to the connect that the reply began.
func (s *scene) provide(after time.Duration, id string, begun *reply) *reply {
	return s.toConnect(after, id, UpdateProvideCredential, func() any {
		b, ok := begun.result.(Reconnecting)
		if !ok {
			s.t.Errorf("no reconnect was begun: %+v", begun)
		}
		return ProvideCredential{Inbox: "new", Fingerprint: b.Connect.Fingerprint}
	})
}

func (s *scene) state(after time.Duration) *State {
	var found State
	s.at(after, func() { found = state(s.t, s.TestWorkflowEnvironment) })
	return &found
}

// play runs the scene until the connection is disconnected.
func (s *scene) play(from State, until time.Duration) {
	s.t.Helper()
	disconnectAfter(s.TestWorkflowEnvironment, until)
	s.ExecuteWorkflow("entity", from)
	if err := s.GetWorkflowError(); err != nil {
		s.t.Fatal(err)
	}
}

func TestAReconnectReplacesTheCredential(t *testing.T) {
	for name, from := range map[connection.Status]connection.Status{
		connection.Active: connection.Active, connection.Expired: connection.Active,
		connection.Error: connection.Active, connection.Paused: connection.Paused,
	} {
		t.Run(string(name), func(t *testing.T) {
			r := &recorder{plan: keyPlan()}
			s := newScene(t, r)
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{RequestedBy: "grace", Values: map[string]string{"port": "1"}})
			meanwhile := s.state(time.Hour + time.Minute)
			s.provide(2*time.Hour, "2", begun)
			after := s.state(3 * time.Hour)
			start := living()
			start.Look.Status, start.Look.Reason = name, "before"
			var revoked []activities.RevokeInput
			var looks int
			s.at(3*time.Hour, func() { revoked, looks = slices.Clone(r.revoked), r.count("WatchConnection") })
			s.play(start, 10*time.Hour)

			asked := begun.result.(Reconnecting).Connect
			if asked.Mode != ModeReplace || !slices.Equal(asked.Kept.Actions, []string{"a", "b", "gone"}) || asked.Method != "api-key" ||
				asked.Kept.Values["host"] == "" || asked.Values["port"] != "1" || asked.Known != ada {
				t.Errorf("asked for %+v", asked)
			}
			if meanwhile.Reconnect == nil || meanwhile.Look.Grant != "g" || meanwhile.Look.Status != name {
				t.Errorf("meanwhile %+v", meanwhile)
			}
			if after.Look.Status != from || after.Look.Grant == "g" || after.Reconnect != nil || !reflect.DeepEqual(after.Toolkits, start.Toolkits) || after.Look.Identity != ada {
				t.Errorf("after it %+v", after)
			}
			if gate := r.gates[0]; gate.Status != from || gate.Grant != after.Look.Grant || len(gate.Toolkits) != 2 {
				t.Errorf("the gate: %+v", gate)
			}
			if len(revoked) != 1 || revoked[0].Ref.Grant != "g" || revoked[0].Account != ada.Label {
				t.Errorf("revoked %+v", revoked)
			}
			if last := after.Transitions[len(after.Transitions)-1]; last.What != string(from) || last.Reason != "reconnected ada@example.com; scopes not asked for: more/gone" {
				t.Errorf("%+v", after.Transitions)
			}
			switch {
			case from == connection.Paused && len(r.watched) != 0:
				t.Error("a paused connection is watched")
			case from == connection.Active && (looks == len(r.watched) || r.watched[len(r.watched)-1].Reported.Grant != after.Look.Grant):
				t.Error("the new credential is not watched")
			}
		})
	}
}

func TestAReconnectToAnotherAccountIsRefused(t *testing.T) {
	for name, allow := range map[string]bool{"refused": false, "allowed": true} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) {
				return &activities.ProbeReport{Identity: connection.Identity{Account: "eve"}}, nil
			}}
			s := newScene(t, r)
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{AllowOtherAccount: allow})
			tried := s.provide(2*time.Hour, "2", begun)
			after := s.state(3 * time.Hour)
			s.play(living(), 10*time.Hour)
			progress := progressOf(t, tried)
			if allow {
				if progress.Problem != nil || after.Look.Identity.Account != "eve" || r.count("AdoptCandidate") != 1 {
					t.Errorf("%+v, %+v", progress.Problem, after.Look)
				}
				return
			}
			if progress.Problem == nil || progress.Problem.Type != connection.ErrIdentityChanged || progress.Phase != PhaseTestFailed || progress.Test != nil {
				t.Errorf("%+v", progress)
			}
			if after.Look.Identity != ada || after.Look.Grant != "g" || r.count("AdoptCandidate") != 0 {
				t.Errorf("%+v %v", after.Look, r.calls)
			}
		})
	}
}

func TestAReconnectThatDoesNotSucceedChangesNothing(t *testing.T) {
	failing := func(int) (*activities.ProbeReport, error) {
		return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
	}
	for name, cancel := range map[string]bool{"cancelled": true, "nobody finishes it": false} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), probe: failing}
			s := newScene(t, r)
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
			tried := s.provide(2*time.Hour, "2", begun)
			if cancel {
				s.toConnect(3*time.Hour, "3", UpdateCancel, func() any { return Reason{Reason: "not now"} })
			}
			again := s.send(40*time.Hour, "4", UpdateReconnect, ReconnectInput{RequestedBy: "another"})
			after := s.state(39 * time.Hour)
			var grant string
			s.at(41*time.Hour, func() { grant = r.watched[len(r.watched)-1].Reported.Grant })
			s.play(living(), 50*time.Hour)
			if p := progressOf(t, tried); p.Phase != PhaseTestFailed {
				t.Errorf("%+v", p)
			}
			if after.Look.Grant != "g" || after.Look.Status != connection.Active || after.Reconnect != nil || grant != "g" || r.count("AdoptCandidate") != 0 {
				t.Errorf("%+v, watched %q", after, grant)
			}
			if again.err != nil {
				t.Errorf("another reconnect: %v", again.err)
			}
			want := Transition{What: "Reconnect failed", Reason: "nobody finished the connect within a day"}
			if cancel {
				want = Transition{What: "Reconnect cancelled", Reason: "not now"}
			}
			if last := after.Transitions[len(after.Transitions)-1]; last.What != want.What || last.Reason != want.Reason {
				t.Errorf("%+v", after.Transitions)
			}
			if slices.IndexFunc(r.revoked, func(in activities.RevokeInput) bool { return in.Ref.Candidate }) >= 0 {
				t.Errorf("revoked %+v", r.revoked)
			}
		})
	}
}

func TestOneReconnectAtATime(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	s := newScene(t, r)
	first := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{RequestedBy: "grace"})
	same := s.send(2*time.Hour, "2", UpdateReconnect, ReconnectInput{RequestedBy: "grace"})
	other := s.send(3*time.Hour, "3", UpdateReconnect, ReconnectInput{RequestedBy: "eve"})
	stolen := s.toConnect(3*time.Hour, "4", UpdateProvideCredential, func() any { return ProvideCredential{Inbox: "x", Fingerprint: "eve"} })
	s.send(2*time.Hour+time.Minute, "5", UpdatePutToolkit, PutToolkit{Name: "third", Actions: []string{"c"}})
	s.send(2*time.Hour+2*time.Minute, "6", UpdateReconnect, ReconnectInput{RequestedBy: "grace"})
	renewed := s.state(4 * time.Hour)
	s.at(3*time.Hour+time.Minute, func() { s.SignalWorkflow(SignalContinueAsNew, struct{}{}) })
	s.provide(5*time.Hour, "7", first)
	disconnectAfter(s.TestWorkflowEnvironment, 10*time.Hour)
	s.ExecuteWorkflow("entity", living())
	one, _ := first.result.(Reconnecting)
	two, _ := same.result.(Reconnecting)
	if same.err != nil || one.Connect.Fingerprint == "" || one.Connect.Fingerprint != two.Connect.Fingerprint {
		t.Errorf("%+v, %+v", first, same)
	}
	if connection.TypeOf(other.err) != connection.ErrConnectionIDTaken || connection.TypeOf(stolen.err) != connection.ErrConnectionIDTaken {
		t.Errorf("%v; %v", other.err, stolen.err)
	}
	if renewed.Reconnect == nil {
		t.Error("it was continued as new while a reconnect was open")
	}
	// It is continued as new once the reconnect is over.
	var next State
	if err := s.GetWorkflowError(); err == nil {
		t.Error("it was not continued as new")
	} else if carried := carriedFrom(t, err); carried != nil {
		next = *carried
	}
	if next.Reconnect != nil || next.Look.Grant == "g" || len(next.Toolkits) != 3 {
		t.Errorf("%+v", next)
	}
}

func TestADisconnectEndsTheReconnectFirst(t *testing.T) {
	r := &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) {
		return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
	}}
	s := newScene(t, r)
	begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
	s.provide(2*time.Hour, "2", begun)
	answer := disconnectAfter(s.TestWorkflowEnvironment, 3*time.Hour)
	began := s.Now()
	s.ExecuteWorkflow("entity", living())
	if err := s.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if took := s.Now().Sub(began); took > 4*time.Hour {
		t.Errorf("it took %s", took)
	}
	if err := s.GetWorkflowErrorByID(ConnectWorkflowID(testID)); err == nil {
		t.Error("the reconnect was not cancelled")
	}
	if result, _ := answer.result.(DisconnectResult); result.Revocation != activities.RevocationDone {
		t.Errorf("%+v", answer)
	}
	calls := slices.DeleteFunc(slices.Clone(r.calls), func(c string) bool { return c == "WatchConnection" })
	want := []string{"WriteGate", "DiscardAttempts", "RevokeGrant", "DiscardAttempts", "DestroyCredential"}
	if !slices.Equal(calls[len(calls)-len(want):], want) {
		t.Errorf("%v", calls)
	}
}

// A reconnect that waits for its credential to be taken over cannot be cancelled:
// it must be answered, or the disconnect would wait for it and it for the disconnect.
func TestADisconnectAnswersAReconnectThatIsActivating(t *testing.T) {
	env := newEnvironment(t, &recorder{})
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: ConnectionWorkflowID(testID), TaskQueue: Queue})
	env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		ctx.Done().Receive(ctx, nil)
		me := workflow.GetInfo(ctx).WorkflowExecution
		message := activate{ReplyTo: me.ID, RunID: me.RunID, Ref: connection.CredentialRef{Grant: "new"}}
		if err := workflow.SignalExternalWorkflow(quiet, ConnectionWorkflowID(testID), "", signalActivate, message).Get(quiet, nil); err != nil {
			return err
		}
		var reply activated
		workflow.GetSignalChannel(quiet, signalActivated).Receive(quiet, &reply)
		return final(reply.Problem)
	}, workflow.RegisterOptions{Name: "activating"})
	env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		state := living()
		e := &entity{state: &state, mutex: workflow.NewMutex(ctx)}
		if err := e.listen(ctx); err != nil {
			return err
		}
		childCtx, cancel := workflow.WithCancel(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: ConnectWorkflowID(testID), WaitForCancellation: true}))
		child := workflow.ExecuteChildWorkflow(childCtx, "activating")
		var execution workflow.Execution
		if err := child.GetChildWorkflowExecution().Get(ctx, &execution); err != nil {
			return err
		}
		e.child, e.cancelChild = child, cancel
		e.state.Reconnect = &OpenReconnect{Session: Session{WorkflowID: execution.ID, RunID: execution.RunID}}
		e.stopReconnect(ctx)
		if connection.TypeOf(child.Get(ctx, nil)) != connection.ErrConnectionNotFound {
			t.Errorf("the reconnect ended with %v", child.Get(ctx, nil))
		}
		return nil
	}, workflow.RegisterOptions{Name: "ending"})
	env.ExecuteWorkflow("ending")
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
}

func TestNewCredentialsAreTested(t *testing.T) {
	r := &recorder{plan: keyPlan(), probe: func(n int) (*activities.ProbeReport, error) {
		if n == 1 {
			return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
		}
		return &activities.ProbeReport{Identity: ada}, nil
	}}
	s := newScene(t, r)
	wrong := s.send(time.Hour, "1", UpdateCredentials, NewCredentials{Inbox: "wrong"})
	other := s.send(2*time.Hour, "2", UpdateCredentials, NewCredentials{Inbox: "x", RequestedBy: "somebody else"})
	right := s.send(3*time.Hour, "3", UpdateCredentials, NewCredentials{Inbox: "right", Values: map[string]string{"port": "2"}})
	after := s.state(4 * time.Hour)
	s.play(living(), 10*time.Hour)
	if p := progressOf(t, wrong); p.Phase != PhaseTestFailed || p.Problem == nil {
		t.Errorf("%+v", p)
	}
	if connection.TypeOf(other.err) != connection.ErrConnectionIDTaken {
		t.Errorf("%v", other.err)
	}
	if p := progressOf(t, right); p.Test == nil || p.Problem != nil {
		t.Errorf("%+v", p)
	}
	if after.Look.Grant == "g" || after.Values["port"] != "2" || after.Values["host"] == "" || r.count("AdoptCandidate") != 1 {
		t.Errorf("%+v", after)
	}
}

func TestNewCredentialsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		plan activities.ConnectPlan
		fail map[string]error
		want string
	}{
		"of a kind that is authorized": {plan: oauthPlan(), want: connection.ErrInvalidInput},
		"of a device":                  {plan: devicePlan(), want: connection.ErrInvalidInput},
		"invalid": {plan: keyPlan(), want: connection.ErrUnknownAction,
			fail: map[string]error{"ValidateConnect": connection.Refused(connection.ErrUnknownAction, "unknown", "")}},
		"not stored": {plan: keyPlan(), want: "",
			fail: map[string]error{"StoreCredential": connection.InvalidInput("key", "too short", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: c.plan, fail: c.fail}
			s := newScene(t, r)
			answer := s.send(time.Hour, "1", UpdateCredentials, NewCredentials{Inbox: "x"})
			after := s.state(2 * time.Hour)
			s.play(living(), 3*time.Hour)
			if connection.TypeOf(answer.err) != c.want {
				t.Errorf("%v", answer.err)
			}
			if c.want == "" {
				if p := progressOf(t, answer); p.Problem == nil || p.Problem.Field != "key" {
					t.Errorf("%+v", p)
				}
			} else if after.Reconnect != nil {
				t.Error("a reconnect was begun")
			}
		})
	}
}

// Only the run that the Connection has started may replace its credential.
func TestAStrangersActivationIsIgnored(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	s := newScene(t, r)
	s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
	s.at(2*time.Hour, func() {
		for _, run := range []string{"", "another"} {
			s.SignalWorkflow(signalActivate, activate{ReplyTo: ConnectWorkflowID(testID), RunID: run, Ref: connection.CredentialRef{Grant: "evil"}})
		}
		s.SignalWorkflow(signalActivate, activate{ReplyTo: "connect/other", Ref: connection.CredentialRef{Grant: "evil"}})
	})
	after := s.state(3 * time.Hour)
	s.play(living(), 4*time.Hour)
	if after.Look.Grant != "g" || r.count("AdoptCandidate") != 0 {
		t.Errorf("%+v", after.Look)
	}
}

func TestNobodyElseReplaces(t *testing.T) {
	for _, mode := range []string{ModeReplace, "unheard-of"} {
		in := request()
		in.Mode = mode
		r := &recorder{plan: keyPlan()}
		env := newEnvironment(t, r)
		env.ExecuteWorkflow(TypeConnectApp, in)
		if connection.TypeOf(env.GetWorkflowError()) != connection.ErrInvalidInput || len(r.calls) != 0 {
			t.Errorf("%s: %v %v", mode, env.GetWorkflowError(), r.calls)
		}
	}
}
