package workflows

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

func TestARotationIsStagedProvenAndMadeCurrent(t *testing.T) {
	w := newRegistration(t)
	var first *reply
	w.after(time.Minute, func() { w.env.SignalWorkflow(SignalClientRefused, ClientRefused{Code: "invalid_client"}) })
	w.after(2*time.Minute, func() { first = w.update(UpdateRotate, "r1", Rotate{Inbox: "second"}) })
	// What was said of the old secret and comes late is not the new one's.
	w.after(time.Hour, func() { w.env.SignalWorkflow(SignalClientRefused, ClientRefused{Code: "invalid_client"}) })
	state := w.run()
	if first.err != nil {
		t.Fatal(first.err)
	}
	result := first.result.(RotateResult)
	if result.Proof != "connection development/sandbox/test" || len(result.Changed) != 1 || result.Rotated.IsZero() {
		t.Errorf("answered %+v", result)
	}
	if state.Status != connection.Active || state.Reason != "" || state.Rotation != "r1" || len(w.staged) != 0 {
		t.Errorf("state %+v, staged %q", state, w.staged)
	}
	if got := strings.Join(w.alerts, "; "); got != "client-refused; client-refused over: its secret was rotated" {
		t.Errorf("alerts: %s", got)
	}
	if w.rec.count("CommitRotation") != 1 || w.rec.count("AbandonRotation") != 0 {
		t.Errorf("calls %q", w.rec.calls)
	}
}

func TestWhatARotationComesTo(t *testing.T) {
	refused := connection.Refused(connection.ErrClientMisconfigured, "the app refuses the new secret", "rotate again")
	tests := map[string]struct {
		prove      func(n int) (*activities.ProveRotationReport, error)
		fail       map[string]error
		want       string // error
		proof      string
		proofs     int // at least
		committed  bool
		stagedNone bool
	}{
		"refused": {prove: func(int) (*activities.ProveRotationReport, error) { return nil, refused }, want: connection.ErrClientMisconfigured, proofs: 1},
		"the app is away, then back": {prove: func(n int) (*activities.ProveRotationReport, error) {
			if n < 4 {
				return nil, connection.ProviderUnavailable("away", 503)
			}
			return &activities.ProveRotationReport{Proof: activities.ProofClientCredentials}, nil
		}, proof: activities.ProofClientCredentials, proofs: 4, committed: true},
		"the app stays away": {prove: func(int) (*activities.ProveRotationReport, error) {
			return nil, connection.ProviderUnavailable("away", 503)
		}, want: connection.ErrProviderUnavailable, proofs: 10},
		"unproven": {prove: func(int) (*activities.ProveRotationReport, error) {
			return &activities.ProveRotationReport{Proof: activities.ProofNone, Reason: "no connection uses it"}, nil
		}, proof: activities.ProofNone, proofs: 1, committed: true},
		"the worker dies in the commit": {fail: map[string]error{"CommitRotation": connection.Internal("killed")},
			proof: "connection development/sandbox/test", proofs: 1, committed: true},
		"the inbox is empty": {fail: map[string]error{"StageRotation": connection.InvalidInput("inbox", "gone", "again")},
			want: connection.ErrInvalidInput},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newRegistration(t)
			w.prove, w.rec.fail = test.prove, test.fail
			var answered *reply
			w.after(time.Minute, func() { answered = w.update(UpdateRotate, "r1", Rotate{Inbox: "second"}) })
			state := w.run()
			if got := connection.TypeOf(answered.err); got != test.want {
				t.Fatalf("answered %q: %v", got, answered.err)
			}
			if test.committed {
				if result := answered.result.(RotateResult); result.Proof != test.proof {
					t.Errorf("proof %q", result.Proof)
				}
			}
			if (state.Rotation == "r1") != test.committed || len(w.staged) != 0 || w.rec.count("ProveRotation") < test.proofs {
				t.Errorf("rotation %q, staged %q, %d proofs", state.Rotation, w.staged, w.rec.count("ProveRotation"))
			}
			if abandoned := w.rec.count("AbandonRotation") == 1; abandoned == test.committed {
				t.Errorf("calls %q", w.rec.calls)
			}
		})
	}
}

// The proof fails if another rotation's secrets lie beside these.
func TestTwoRotationsTakeTurns(t *testing.T) {
	w := newRegistration(t)
	w.prove = func(n int) (*activities.ProveRotationReport, error) {
		if n < 3 {
			return nil, connection.ProviderUnavailable("away", 503)
		}
		return &activities.ProveRotationReport{Proof: activities.ProofNone}, nil
	}
	var first, second *reply
	w.after(time.Minute, func() {
		first = w.update(UpdateRotate, "r1", Rotate{Inbox: "second"})
		second = w.update(UpdateRotate, "r2", Rotate{Inbox: "third"})
	})
	state := w.run()
	if first.err != nil || second.err != nil || state.Rotation != "r2" || w.rec.count("CommitRotation") != 2 {
		t.Errorf("%v, %v, state %+v, calls %q", first.err, second.err, state, w.rec.calls)
	}
}

func TestARotationThatIsCancelledTakesBackWhatItStaged(t *testing.T) {
	w := newRegistration(t)
	w.prove = func(int) (*activities.ProveRotationReport, error) {
		return nil, connection.RateLimited("wait", time.Minute)
	}
	w.after(time.Minute, func() { w.update(UpdateRotate, "r1", Rotate{Inbox: "second"}) })
	w.after(2*time.Minute, w.env.CancelWorkflow)
	w.run()
	if len(w.staged) != 0 || w.rec.count("AbandonRotation") != 1 {
		t.Errorf("staged %q, calls %q", w.staged, w.rec.calls)
	}
}

func TestOnlyAnUnusedAuthConfigIsDeleted(t *testing.T) {
	w := newRegistration(t)
	w.users = 7
	var used, unused, late *reply
	w.after(time.Minute, func() { used = w.update(UpdateDelete, "d1", struct{}{}) })
	w.after(time.Hour, func() { w.users = 0; unused = w.update(UpdateDelete, "d2", struct{}{}) })
	w.after(2*time.Hour, func() { late = w.update(UpdateRetire, "late", Retire{}) })
	state := w.run()
	if got := connection.TypeOf(used.err); got != connection.ErrAuthConfigInUse || !strings.Contains(used.err.Error(), "7 connections use development/sandbox/demo") ||
		!strings.Contains(used.err.Error(), "and 2 more") {
		t.Errorf("answered %v", used.err)
	}
	if unused.err != nil || w.rec.count("DestroyAuthConfig") != 1 || w.env.GetWorkflowError() != nil {
		t.Errorf("%v, calls %q, ended with %v", unused.err, w.rec.calls, w.env.GetWorkflowError())
	}
	if len(w.retired) != 3 || !w.retired[0] || w.retired[1] || !w.retired[2] || state.Retired {
		t.Errorf("retired %v", w.retired)
	}
	if late != nil && late.err == nil && late.completed {
		t.Errorf("a deleted auth config answered %+v", late.result)
	}
}

func TestRetireAndBack(t *testing.T) {
	w := newRegistration(t)
	var retired, back *reply
	w.after(time.Minute, func() { retired = w.update(UpdateRetire, "1", Retire{}) })
	w.after(time.Hour, func() { back = w.update(UpdateRetire, "2", Retire{Undo: true}) })
	w.run()
	if retired.err != nil || !retired.result.(AuthConfigState).Retired || back.err != nil || back.result.(AuthConfigState).Retired {
		t.Errorf("%+v, %+v", retired, back)
	}
}

// An end that is known is warned of as its days come, and a rotation takes the warning back.
func TestAnEndIsWarnedOf(t *testing.T) {
	w := newRegistration(t)
	days := []int{14, 3}
	w.watch = func(in activities.WatchAuthConfigInput) *activities.WatchAuthConfigReport {
		if len(days) == 0 || in.Warned == days[len(days)-1] {
			return nil
		}
		due := days[0]
		days = days[1:]
		return &activities.WatchAuthConfigReport{Warned: due}
	}
	end := w.env.Now().Add(10 * 24 * time.Hour)
	w.after(time.Minute, func() { w.update(UpdateRotate, "r1", Rotate{Inbox: "second", Expires: end}) })
	w.after(12*time.Hour, func() { days = nil; w.update(UpdateRotate, "r2", Rotate{Inbox: "third"}) })
	state := w.run()
	if got := strings.Join(w.alerts, "; "); got != "expiring; expiring over: its secret was rotated" {
		t.Errorf("alerts: %s", got)
	}
	if !state.Expires.IsZero() || state.Warned != 0 || len(state.Alerts.Open) != 0 {
		t.Errorf("state %+v", state)
	}
	for _, in := range w.watched {
		if !in.Expires.Equal(end) {
			t.Errorf("watched %+v", in)
		}
	}
	if err := w.env.GetWorkflowError(); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

// The next run knows the end, the warning and the open alert, and watches on.
func TestAnAuthConfigContinuesAsNew(t *testing.T) {
	w := newRegistration(t)
	w.watch = func(in activities.WatchAuthConfigInput) *activities.WatchAuthConfigReport {
		if in.Warned == 0 {
			return &activities.WatchAuthConfigReport{Warned: 14}
		}
		return nil
	}
	end := w.env.Now().Add(10 * 24 * time.Hour)
	w.after(time.Minute, func() { w.update(UpdateRotate, "r1", Rotate{Inbox: "second", Expires: end}) })
	w.after(time.Hour, func() {
		w.env.SetContinueAsNewSuggested(true)
		w.env.SignalWorkflow(SignalClientRefused, ClientRefused{Code: "of the old secret"})
	})
	w.run()
	var next *workflow.ContinueAsNewError
	if !errors.As(w.env.GetWorkflowError(), &next) {
		t.Fatalf("ended with %v", w.env.GetWorkflowError())
	}
	var in AuthConfigInput
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	if s := in.State; s == nil || s.Warned != 14 || !s.Expires.Equal(end) || s.Rotation != "r1" || len(s.Alerts.Open) != 1 || s.Status != connection.Active {
		t.Fatalf("carried %+v", in.State)
	}
	again := newRegistration(t)
	again.watch = w.watch
	patient(again.env)
	again.after(time.Hour, again.env.CancelWorkflow)
	again.env.ExecuteWorkflow(TypeAuthConfig, in)
	if again.rec.count("StoreAuthConfig") != 0 || len(again.watched) == 0 || again.watched[0].Warned != 14 {
		t.Errorf("calls %q, watched %+v", again.rec.calls, again.watched)
	}
}
