package workflows

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

func identified(int) (*activities.ProbeReport, error) {
	return &activities.ProbeReport{Tested: "it", Identity: ada}, nil
}

func TestASessionConnects(t *testing.T) {
	r := &recorder{plan: keyPlan(), probe: identified}
	v := newVisit(t, r)
	v.in.Notify = "platform"
	first := v.look(time.Second)
	claimed := v.claim(time.Minute)
	begun := v.start(2 * time.Minute)
	meanwhile := v.look(3 * time.Minute)
	v.provide(4*time.Minute, begun)
	result, took := v.play()

	if first.State != SessionOpen || first.Expires.Sub(first.Created) != sessionDefault || !first.Admits(tokenHash) || first.BrowserSHA256 != "" || first.ReturnTo != v.in.ReturnTo {
		t.Errorf("at first %+v", first)
	}
	if state, ok := claimed.result.(ConnectSessionState); !ok || state.State != SessionClaimed || !state.ClaimedBy(browserHash) || state.Claimed.IsZero() || claimed.err != nil {
		t.Errorf("the claim: %+v", claimed)
	}
	answer, _ := begun.result.(Reconnecting)
	if in := answer.Connect; in.Mode != ModeSession || in.Method != "api-key" || in.Values["host"] == "" || in.Owner != "team-7" ||
		in.DisplayName != "Address book" || len(in.Fingerprint) != 64 || answer.Plan == nil || answer.Plan.Flow != activities.FlowInput {
		t.Errorf("begun: %+v %v", answer, begun.err)
	}
	if meanwhile.State != SessionConnecting || meanwhile.Connect == nil || meanwhile.Connect.Fingerprint != answer.Connect.Fingerprint {
		t.Errorf("meanwhile %+v", meanwhile)
	}
	if result.State != SessionConnected || result.Result == nil || result.Result.Identity != ada || result.Problem != nil || took > 10*time.Minute {
		t.Errorf("after %s: %+v", took, result)
	}
	if d := result.Delivery; d == nil || d.State != DeliveryDelivered || d.Sink != "platform" || d.Type != activities.MessageSessionConnected {
		t.Errorf("%+v", d)
	}
	if len(r.alerts.notified) != 1 {
		t.Fatalf("%d messages", len(r.alerts.notified))
	}
	told := r.alerts.notified[0]
	if told.ID != result.Delivery.Message || !strings.HasPrefix(told.ID, "msg_") || told.Message.Timestamp.IsZero() {
		t.Errorf("%+v", told)
	}
	told.Message.Timestamp = time.Time{}
	text, err := json.Marshal(told.Message)
	if want := `{"type":"connect-session.connected","timestamp":"0001-01-01T00:00:00Z","data":{"session":"s1","environment":"development",` +
		`"app":"sandbox","connection":"development/sandbox/test","owner":"team-7","toolkit":"default","status":"Active","account":"ada@example.com"}}`; err != nil || string(text) != want {
		t.Errorf("%s %v", text, err)
	}
	if r.count("AdoptCandidate") != 1 || len(r.gates) != 1 || len(r.gates[0].Toolkits["default"]) != 2 {
		t.Errorf("it is no new connection like any other: %v %+v", r.calls, r.gates)
	}
}

func TestALinkIsClaimedOnce(t *testing.T) {
	v := newVisit(t, &recorder{plan: keyPlan()})
	claim := func(after time.Duration, token, browser string) *reply {
		return v.send(after, UpdateClaim, ClaimSession{TokenSHA256: token, BrowserSHA256: browser})
	}
	guessed := claim(time.Second, otherHash, browserHash)
	empty := claim(2*time.Second, "", browserHash)
	nobody := claim(3*time.Second, tokenHash, "")
	early := v.start(4 * time.Second)
	still := v.look(5 * time.Second)
	first := claim(time.Minute, tokenHash, browserHash)
	second := claim(2*time.Minute, tokenHash, otherHash)
	again := claim(3*time.Minute, strings.ToUpper(tokenHash), browserHash)
	foreign := v.send(4*time.Minute, UpdateStart, StartSession{BrowserSHA256: otherHash})
	unnamed := v.send(5*time.Minute, UpdateStart, StartSession{})
	late := claim(30*time.Minute, tokenHash, browserHash)
	result, took := v.play()

	for _, answer := range []*reply{guessed, empty, early, second, foreign, unnamed} {
		v.refused(answer, connection.ErrLinkInvalid, true)
	}
	v.refused(nobody, connection.ErrInvalidInput, true)
	if still.State != SessionOpen {
		t.Errorf("a refused claim has used it up: %+v", still)
	}
	was, _ := first.result.(ConnectSessionState)
	if is, ok := again.result.(ConnectSessionState); !ok || is.State != SessionClaimed || !is.Claimed.Equal(was.Claimed) {
		t.Errorf("the same browser again: %+v", again)
	}
	if late.completed && late.err == nil {
		t.Errorf("claimed at its end: %+v", late)
	}
	if result.State != SessionExpired || took != sessionDefault || v.r.count("ValidateConnect") != 0 {
		t.Errorf("after %s: %+v", took, result)
	}
}

// Two browsers that press at the same moment: one has it.
func TestTwoBrowsersAtOnce(t *testing.T) {
	v := newVisit(t, &recorder{plan: keyPlan()})
	one, other := &reply{}, &reply{}
	v.RegisterDelayedCallback(func() {
		v.UpdateWorkflow(UpdateClaim, "1", one, ClaimSession{TokenSHA256: tokenHash, BrowserSHA256: browserHash})
		v.UpdateWorkflow(UpdateClaim, "2", other, ClaimSession{TokenSHA256: tokenHash, BrowserSHA256: otherHash})
	}, time.Minute)
	v.play()
	if (one.err == nil) == (other.err == nil) {
		t.Errorf("%+v, %+v", one, other)
	}
}

func TestAnUnusedLinkExpires(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	v := newVisit(t, r)
	v.in.Notify, v.in.Life = "platform", 2*time.Hour
	r.alerts.notify = func(n int, _ activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error) {
		if n == 1 { // so that there is time to look
			return nil, connection.RateLimited("the sink platform answered 503", time.Hour)
		}
		return &activities.DeliverAlertReport{Delivered: true}, nil
	}
	at := 2*time.Hour + time.Minute
	late := v.claim(at)
	cancelled := v.send(at, UpdateCancel, Reason{})
	waiting := v.look(at + time.Minute)
	result, took := v.play()
	v.refused(late, connection.ErrSessionClosed, true)
	v.refused(cancelled, connection.ErrSessionClosed, true)
	if !strings.Contains(late.err.Error(), "this link has expired") {
		t.Error(late.err)
	}
	if waiting.State != SessionExpired || waiting.Delivery == nil || waiting.Delivery.State != DeliveryPending {
		t.Errorf("%+v", waiting)
	}
	if result.State != SessionExpired || result.Delivery.State != DeliveryDelivered || took < 3*time.Hour || result.Ended.Sub(result.Created) != 2*time.Hour {
		t.Errorf("after %s: %+v", took, result)
	}
	data := r.alerts.notified[1].Message.Data
	if len(r.alerts.notified) != 2 || !reflect.DeepEqual(r.alerts.notified[0], r.alerts.notified[1]) || data.Status != "" || data.Problem == nil || data.Connection != testID {
		t.Errorf("%+v", r.alerts.notified)
	}
}

func TestAStartIsJoinedOrRefused(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	v := newVisit(t, r)
	v.in.Actions = []string{"b", "a"}
	choose := func(after time.Duration, in StartSession) *reply {
		in.BrowserSHA256 = browserHash
		return v.send(after, UpdateStart, in)
	}
	v.claim(time.Second)
	fixed := []*reply{
		choose(10*time.Second, StartSession{Values: map[string]string{"host": "https://evil.example"}}),
		choose(11*time.Second, StartSession{Actions: []string{"a", "b", "c"}}),
		choose(12*time.Second, StartSession{Access: "read-write"}),
	}
	begun := choose(time.Minute, StartSession{Method: "api-key", Values: map[string]string{"port": "1"}})
	joined := choose(2*time.Minute, StartSession{Method: "api-key", Access: "actions", Actions: []string{"a", "b"}, Values: map[string]string{"port": "1", "host": "https://app.example"}})
	other := choose(3*time.Minute, StartSession{Method: "api-key"})
	v.provide(4*time.Minute, begun)
	result, _ := v.play()

	for _, answer := range fixed {
		v.refused(answer, connection.ErrInvalidInput, false)
	}
	is, _ := joined.result.(Reconnecting)
	if was, ok := begun.result.(Reconnecting); !ok || is.Connect.Fingerprint != was.Connect.Fingerprint || is.Plan == nil ||
		is.Connect.Values["port"] != "1" || !slices.Equal(is.Connect.Actions, []string{"a", "b"}) {
		t.Errorf("joined: %+v %v", joined.result, joined.err)
	}
	v.refused(other, connection.ErrConnectionIDTaken, false)
	if problem, _ := connection.AsProblem(other.err); problem == nil || problem.Remedy != "cancel that one first" {
		t.Errorf("%v", other.err)
	}
	if result.State != SessionConnected || r.count("ValidateConnect") != 2 { // the session's and ConnectApp's
		t.Errorf("%+v %v", result, r.calls)
	}
}

// Whoever presses twice at once has one connect.
func TestTwoStartsAtOnceAreOneConnect(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	v := newVisit(t, r)
	v.claim(time.Second)
	first, second := v.start(time.Minute), v.start(time.Minute)
	v.provide(2*time.Minute, first)
	result, _ := v.play()
	one, _ := first.result.(Reconnecting)
	if other, ok := second.result.(Reconnecting); !ok || one.Connect.Fingerprint != other.Connect.Fingerprint || result.State != SessionConnected {
		t.Errorf("%+v, %+v: %+v", first, second, result)
	}
}

func TestAChoiceThatCannotBeStartsNothing(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"ValidateConnect": connection.Refused(connection.ErrAuthConfigNotFound, "there is none", "")}}
	v := newVisit(t, r)
	v.claim(time.Second)
	refused := v.start(time.Minute)
	after := v.look(2 * time.Minute)
	result, _ := v.play()
	v.refused(refused, connection.ErrAuthConfigNotFound, false)
	if after.State != SessionClaimed || after.Connect != nil || result.State != SessionExpired || r.count("ValidateConnect") != 1 {
		t.Errorf("%+v, %+v", after, result)
	}
}

// A connect that came to nothing is not the end while the link lives.
func TestAFailedConnectIsTriedAgain(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	v := newVisit(t, r)
	v.claim(time.Second)
	v.start(time.Minute)
	v.giveUp(2 * time.Minute)
	between := v.look(3 * time.Minute)
	again := v.start(4 * time.Minute)
	v.provide(5*time.Minute, again)
	result, _ := v.play()
	if between.State != SessionClaimed || between.Problem == nil || !strings.Contains(between.Problem.Message, "not today") {
		t.Errorf("between %+v", between)
	}
	if result.State != SessionConnected || result.Problem != nil || result.Result == nil {
		t.Errorf("%+v, %v", result, again.err)
	}
}

func TestASessionFailsWithItsLastProblem(t *testing.T) {
	for name, test := range map[string]struct{ gaveUp, ends time.Duration }{
		"before the link expired":      {2 * time.Minute, sessionDefault},
		"after it, in an open connect": {2 * time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan()}
			v := newVisit(t, r)
			v.in.Notify = "platform"
			v.claim(time.Second)
			v.start(time.Minute)
			open := v.look(test.gaveUp - time.Second)
			v.giveUp(test.gaveUp)
			result, took := v.play()
			if open.State != SessionConnecting {
				t.Errorf("before the end: %+v", open)
			}
			if result.State != SessionFailed || result.Problem == nil || !strings.Contains(result.Problem.Message, "not today") || took != test.ends {
				t.Errorf("after %s: %+v", took, result)
			}
			if told := r.alerts.notified; len(told) != 1 || told[0].Message.Type != activities.MessageSessionFailed || told[0].Message.Data.Problem == nil {
				t.Errorf("%+v", told)
			}
		})
	}
}

// ModeSession is the session's alone: a start from outside, and a child of something
// else or of another environment's session, make nothing.
func TestAForgedSessionConnectIsRefused(t *testing.T) {
	forged := request()
	forged.Mode = ModeSession
	child := func(t *testing.T, id string) (*testsuite.TestWorkflowEnvironment, *recorder) {
		r := &recorder{plan: keyPlan(), fail: map[string]error{"ValidateConnect": connection.Refused(connection.ErrUnknownApp, "it got as far as this", "")}}
		env := newEnvironment(t, r)
		env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: Queue})
		env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
			return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: ConnectWorkflowID(testID)}),
				TypeConnectApp, forged).Get(ctx, nil)
		}, workflow.RegisterOptions{Name: "parent"})
		return env, r
	}
	t.Run("without a parent", func(t *testing.T) {
		r := &recorder{plan: keyPlan()}
		env := newEnvironment(t, r)
		env.ExecuteWorkflow(TypeConnectApp, forged)
		if connection.TypeOf(env.GetWorkflowError()) != connection.ErrInvalidInput || len(r.calls) != 0 {
			t.Errorf("%v, %v", env.GetWorkflowError(), r.calls)
		}
	})
	for _, id := range []string{"connect-session", "connect-session/production/s1", "connection/" + testID.String(), "x/connect-session/development/s1"} {
		t.Run(id, func(t *testing.T) {
			env, r := child(t, id)
			env.ExecuteWorkflow("parent")
			if connection.TypeOf(env.GetWorkflowError()) != connection.ErrInvalidInput || len(r.calls) != 0 {
				t.Errorf("%v, %v", env.GetWorkflowError(), r.calls)
			}
		})
	}
	t.Run("the control", func(t *testing.T) {
		env, r := child(t, "connect-session/development/s1")
		env.ExecuteWorkflow("parent")
		if connection.TypeOf(env.GetWorkflowError()) != connection.ErrUnknownApp || len(r.calls) != 1 {
			t.Errorf("%v, %v", env.GetWorkflowError(), r.calls)
		}
	})
}

// A session under another environment's ID, or none of a session, cannot connect: that
// is ConnectApp's to see, since a history is replayed without its workflow's ID.
func TestASessionUnderAnotherIDConnectsNothing(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	v := newVisit(t, r)
	v.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: ConnectSessionWorkflowID("production", "s1"), TaskQueue: Queue})
	v.claim(time.Second)
	v.start(time.Minute)
	after := v.look(2 * time.Minute)
	result, _ := v.play()
	if after.State != SessionClaimed || after.Problem == nil || after.Problem.Field != "mode" || result.State != SessionFailed || r.count("ValidateConnect") != 1 {
		t.Errorf("%+v, %+v", after, result)
	}
}

// What is no session fails before it is one.
func TestNonsenseIsNoSession(t *testing.T) {
	for name, spoil := range map[string]func(*ConnectSessionInput){
		"another environment": func(in *ConnectSessionInput) { in.Environment = "production" },
		"another app":         func(in *ConnectSessionInput) { in.App = "github" },
		"a token":             func(in *ConnectSessionInput) { in.TokenSHA256 = "secret" },
		"no token":            func(in *ConnectSessionInput) { in.TokenSHA256 = "" },
		"too long":            func(in *ConnectSessionInput) { in.Life = sessionMax + 1 },
		"over already":        func(in *ConnectSessionInput) { in.Life = -1 },
		"no connection":       func(in *ConnectSessionInput) { in.Connection = "" },
		"a sink's URL":        func(in *ConnectSessionInput) { in.Notify = "https://hooks.example" },
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisit(t, &recorder{})
			spoil(&v.in)
			v.ExecuteWorkflow(TypeConnectSession, v.in)
			if connection.TypeOf(v.GetWorkflowError()) != connection.ErrInvalidInput {
				t.Error(v.GetWorkflowError())
			}
		})
	}
}
