package workflows

import (
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

func TestACancelledSession(t *testing.T) {
	for name, claimed := range map[string]bool{"that nobody opened": false, "that somebody opened": true} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan()}
			v := newVisit(t, r)
			v.in.Notify = "platform"
			if claimed {
				v.claim(time.Second)
			}
			answer := v.send(time.Minute, UpdateCancel, Reason{Reason: "changed our minds"})
			result, took := v.play()
			if state, ok := answer.result.(ConnectSessionState); !ok || state.State != SessionCancelled || answer.err != nil {
				t.Errorf("%+v", answer)
			}
			if result.State != SessionCancelled || took != time.Minute || !strings.Contains(result.Problem.Message, "changed our minds") {
				t.Errorf("after %s: %+v", took, result)
			}
			if told := r.alerts.notified; len(told) != 1 || told[0].Message.Type != activities.MessageSessionCancelled {
				t.Errorf("%+v", told)
			}
		})
	}
}

// An open connect is undone first, whoever cancels.
func TestACancelUndoesTheOpenConnect(t *testing.T) {
	for _, by := range []string{"update", "Temporal"} {
		t.Run(by, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) {
				return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
			}}
			v := newVisit(t, r)
			v.in.Notify = "platform"
			v.claim(time.Second)
			begun := v.start(time.Minute)
			v.provide(2*time.Minute, begun) // leaves a candidate that is not right
			answer := &reply{}
			if by == "update" {
				answer = v.send(3*time.Minute, UpdateCancel, Reason{Reason: "no"})
			} else {
				v.RegisterDelayedCallback(v.CancelWorkflow, 3*time.Minute)
			}
			var undone []string
			r.alerts.notify = func(int, activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error) {
				undone = append(undone, r.calls...)
				return &activities.DeliverAlertReport{Delivered: true}, nil
			}
			result, took := v.play()
			if state, ok := answer.result.(ConnectSessionState); by == "update" && (!ok || state.State != SessionCancelled) {
				t.Errorf("%+v", answer)
			}
			if result.State != SessionCancelled || result.Delivery == nil || result.Delivery.State != DeliveryDelivered || took > 4*time.Minute {
				t.Errorf("after %s: %+v", took, result)
			}
			if said := strings.Join(undone, " "); !strings.Contains(said, "DiscardAttempts RevokeGrant DestroyCredential") || r.count("AdoptCandidate") != 0 {
				t.Errorf("told before it was undone: %s", said)
			}
		})
	}
}

// A revocation that takes long holds up the end, and not the answer.
func TestACancelThatTakesLongIsAnswered(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"RevokeGrant": connection.RateLimited("later", 3*time.Hour)},
		probe: func(int) (*activities.ProbeReport, error) {
			return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
		}, deaf: true}
	v := newVisit(t, r)
	v.claim(time.Second)
	begun := v.start(time.Minute)
	v.provide(2*time.Minute, begun)
	answer := v.send(3*time.Minute, UpdateCancel, Reason{})
	refused := v.start(4 * time.Minute)
	again := v.send(4*time.Minute, UpdateCancel, Reason{})
	v.RegisterDelayedCallback(func() {
		if state, ok := answer.result.(ConnectSessionState); !ok || state.State != SessionConnecting {
			t.Errorf("%+v", answer)
		}
		v.r.mu.Lock()
		delete(v.r.fail, "RevokeGrant")
		v.r.mu.Unlock()
	}, 5*time.Minute)
	result, took := v.play()
	v.refused(refused, connection.ErrSessionClosed, true)
	v.refused(again, connection.ErrSessionClosed, true)
	if result.State != SessionCancelled || took < time.Hour {
		t.Errorf("after %s: %+v", took, result)
	}
}

// Past the point of no return a cancel says so, and the connection stays.
func TestACancelThatIsTooLate(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"AdoptCandidate": connection.VaultUnavailable("away")}}
	v := newVisit(t, r)
	v.claim(time.Second)
	begun := v.start(time.Minute)
	v.provide(2*time.Minute, begun)
	cancelled := v.send(2*time.Minute+2*time.Second, UpdateCancel, Reason{})
	v.RegisterDelayedCallback(func() {
		v.r.mu.Lock()
		delete(v.r.fail, "AdoptCandidate")
		v.r.mu.Unlock()
	}, 2*time.Minute+3*time.Second)
	result, _ := v.play()
	v.refused(cancelled, connection.ErrSessionClosed, false)
	if result.State != SessionConnected || result.Result == nil || r.count("RevokeGrant") != 0 {
		t.Errorf("%+v %v", result, r.calls)
	}
}

// While Vault is away the choice cannot be checked; the link expires all the same, and
// whoever waits is answered.
func TestASessionEndsWhileAChoiceIsChecked(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"ValidateConnect": connection.LookAgain("away", 6*time.Minute)}}
	v := newVisit(t, r)
	v.claim(time.Second)
	waiting := v.start(time.Minute)
	result, took := v.play()
	v.refused(waiting, connection.ErrSessionClosed, false)
	if result.State != SessionExpired || took != sessionDefault || result.Connect != nil {
		t.Errorf("after %s: %+v", took, result)
	}
}

// A cancel that meets a connect which is just being started waits for it, and cancels
// it: nothing is started that nobody looks after. A start behind it is refused.
func TestACancelMeetsAConnectThatIsBeingStarted(t *testing.T) {
	v := newVisit(t, &recorder{plan: keyPlan()})
	cancelled, second := &reply{}, &reply{}
	v.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		if info.WorkflowType.Name != TypeConnectApp {
			return
		}
		v.UpdateWorkflow(UpdateCancel, "cancel", cancelled, Reason{}) // the session has not heard of its child yet
		v.UpdateWorkflow(UpdateStart, "second", second, StartSession{BrowserSHA256: browserHash, Method: "api-key", Values: map[string]string{"port": "1"}})
	})
	v.claim(time.Second)
	begun := v.start(time.Minute)
	result, took := v.play()
	if _, ok := begun.result.(Reconnecting); !ok || begun.err != nil {
		t.Errorf("%+v", begun)
	}
	if state, ok := cancelled.result.(ConnectSessionState); !ok || state.State != SessionCancelled {
		t.Errorf("%+v", cancelled)
	}
	v.refused(second, connection.ErrSessionClosed, false)
	if result.State != SessionCancelled || result.Connect == nil || took > 2*time.Minute {
		t.Errorf("after %s: %+v", took, result)
	}
}

// The link expires while a connect is being started: the connect has been begun in
// time, and the session waits for it. The test environment tells of the start of a
// workflow in place of another when that has ended.
func TestALinkExpiresWhileAConnectIsBeingStarted(t *testing.T) {
	v := newVisit(t, &recorder{plan: keyPlan()})
	v.OnWorkflow(TypeConnectApp, anything, anything).After(time.Hour).Return(ConnectApp)
	v.claim(time.Second)
	begun := v.start(time.Minute)
	meanwhile := v.look(45 * time.Minute)
	v.giveUp(3 * time.Hour)
	result, took := v.play()
	if _, ok := begun.result.(Reconnecting); !ok || meanwhile.State != SessionClaimed || result.State != SessionFailed || took != 3*time.Hour {
		t.Errorf("after %s: %+v, before that %+v, %+v", took, result, meanwhile, begun)
	}
}

// A start that waited its turn until the session was over starts nothing.
func TestAStartThatWaitedTooLong(t *testing.T) {
	v := newVisit(t, &recorder{plan: keyPlan()})
	v.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		s := newConnectSession(ctx, v.in)
		s.state.BrowserSHA256 = browserHash
		if err := s.mutex.Lock(ctx); err != nil {
			return err
		}
		var problem error
		answered := false
		workflow.Go(ctx, func(ctx workflow.Context) {
			_, problem = s.start(ctx, StartSession{BrowserSHA256: browserHash})
			answered = true
		})
		if err := workflow.Sleep(ctx, time.Minute); err != nil { // its choice has been checked meanwhile
			return err
		}
		s.end(ctx, SessionCancelled, nil)
		s.mutex.Unlock()
		if err := workflow.Await(ctx, func() bool { return answered }); err != nil {
			return err
		}
		return problem
	}, workflow.RegisterOptions{Name: "turns"})
	v.ExecuteWorkflow("turns")
	if connection.TypeOf(v.GetWorkflowError()) != connection.ErrSessionClosed || v.r.count("ValidateConnect") != 1 {
		t.Errorf("%v, %v", v.GetWorkflowError(), v.r.calls)
	}
}

func TestASinkThatIsGoneIsVisible(t *testing.T) {
	for name, test := range map[string]struct {
		notify func(int, activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error)
		reason string
		after  time.Duration
	}{
		"deleted": {func(int, activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error) {
			return &activities.DeliverAlertReport{Reason: "the sink was deleted"}, nil
		}, "the sink was deleted", sessionDefault},
		// The test environment ends any activity after ten attempts, so these are far apart.
		"away for three days": {func(int, activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error) {
			return nil, connection.RateLimited("the sink platform answered 503", 10*time.Hour)
		}, "the sink platform answered 503", sessionDefault + 70*time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan()}
			r.alerts.notify = test.notify
			v := newVisit(t, r)
			v.in.Notify = "platform"
			result, took := v.play()
			if d := result.Delivery; result.State != SessionExpired || d.State != DeliveryGivenUp || d.Reason != test.reason || d.At.IsZero() {
				t.Errorf("%+v", d)
			}
			if took < test.after || took > test.after+3*time.Hour {
				t.Errorf("after %s", took)
			}
			if !strings.Contains(result.details(), "given-up") {
				t.Error(result.details())
			}
		})
	}
}

func TestNobodyIsToldWithoutASink(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	result, _ := newVisit(t, r).play()
	if result.Delivery != nil || len(r.alerts.notified) != 0 {
		t.Errorf("%+v", result)
	}
}
