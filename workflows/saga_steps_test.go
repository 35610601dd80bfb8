package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/testsuite"
)

// Whatever step fails for good, is cancelled in the middle, or never ends, a connect
// leaves nothing: compensations run in reverse, after the step they undo is over.
func TestASagaLeavesNothing(t *testing.T) {
	refused := connection.Refused(connection.ErrReconnectRequired, "no", "")
	endings := map[string]func(r *recorder, w *world, step string){
		"fails for good": nil,
		"is cancelled": func(_ *recorder, w *world, _ string) {
			w.env.UpdateWorkflow(UpdateCancel, "cancel", &reply{}, Reason{})
		},
		"is cancelled outside":   func(_ *recorder, w *world, _ string) { w.env.CancelWorkflow() },
		"fails and is cancelled": func(_ *recorder, w *world, _ string) { w.env.CancelWorkflow() },
	}
	for _, step := range []string{"ValidateConnect", "BeginAuthorization", "ExchangeCode", "StoreCredential", "AdvanceLogin", "ProbeConnection", "AdoptCandidate"} {
		for _, oauth := range []bool{true, false} {
			if oauth && (step == "StoreCredential" || step == "AdvanceLogin") || !oauth && (step == "ExchangeCode" || step == "BeginAuthorization") {
				continue
			}
			for ending, act := range endings {
				t.Run(fmt.Sprintf("%s %s, oauth %t", step, ending, oauth), func(t *testing.T) {
					r := &recorder{plan: keyPlan(), fail: map[string]error{}}
					if oauth {
						r.plan = oauthPlan()
					}
					fails := strings.HasPrefix(ending, "fails")
					r.login = func(int, activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
						if fails && step == "AdvanceLogin" {
							return nil, refused
						}
						return loginDone(), nil
					}
					if step != "AdvanceLogin" {
						r.login = nil
					}
					if fails {
						r.fail[step] = refused
						r.probe = func(int) (*activities.ProbeReport, error) {
							if step == "ProbeConnection" {
								return nil, refused
							}
							return &activities.ProbeReport{Tested: "it"}, nil
						}
					}
					done := false
					w := newWorld(t, r, func(w *world, now string) {
						if act != nil && now == step && !done {
							done = true
							act(r, w, step)
						}
					})
					in := request()
					in.Review = true
					began := w.env.Now()
					err := w.play(oauth, in)
					if sealed := step == "AdoptCandidate" && !fails; sealed { // past the point where it can be cancelled
						if w.adopted == "" || len(w.revoked) > 0 || len(w.stored) != 1 {
							t.Errorf("%v: an adopted credential was undone: %+v", err, w)
						}
						return
					}
					if err == nil {
						t.Fatal("it succeeded")
					}
					if step == "ValidateConnect" && ending != "is cancelled" && (w.log != nil || r.count("DiscardAttempts")+r.count("RevokeGrant") > 0) {
						t.Errorf("something was done: %v", w.log)
					}
					waits := ending == "fails for good" && step != "ValidateConnect" && step != "AdoptCandidate"
					if took := w.env.Now().Sub(began); waits != (took >= sessionLife) {
						t.Errorf("over after %s", took)
					}
					w.clean()
				})
			}
		}
	}
}

// The ways to end between two steps: nobody comes, and somebody says no.
func TestASagaThatWaitsLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(env *testsuite.TestWorkflowEnvironment){
		"nobody comes": func(*testsuite.TestWorkflowEnvironment) {},
		"cancelled": func(env *testsuite.TestWorkflowEnvironment) {
			env.UpdateWorkflow(UpdateCancel, "c", &reply{}, Reason{})
		},
		"cancelled outside": func(env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() },
	} {
		for _, at := range []string{"link", "review"} {
			t.Run(at+", "+name, func(t *testing.T) {
				r := &recorder{plan: keyPlan()}
				w := newWorld(t, r, nil)
				in := request()
				in.Review = true
				if at == "review" {
					w.env.RegisterDelayedCallback(func() {
						w.env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry", Fingerprint: "f"})
					}, 0)
				}
				w.env.RegisterDelayedCallback(func() { end(w.env) }, time.Hour)
				w.env.ExecuteWorkflow(TypeConnectApp, in)
				if connection.TypeOf(w.env.GetWorkflowError()) != connection.ErrSessionClosed && name != "cancelled outside" {
					t.Error(w.env.GetWorkflowError())
				}
				w.clean()
			})
		}
	}
}

// Whoever has the ID already keeps it: a connect that cannot reserve obtains nothing.
func TestASagaThatCannotReserve(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	w := newWorld(t, r, nil)
	w.env.OnWorkflow(TypeConnection, anyArgument, anyArgument).Return(testsuite.ErrMockStartChildWorkflowFailed)
	err := w.play(false, request())
	if err == nil || r.count("StoreCredential")+r.count("DiscardAttempts") > 0 || len(w.log) != 0 {
		t.Errorf("%v %v", err, w.log)
	}
}

// What a connect removes beside the adoption is removed before it is undone.
func TestASagaThatIsTidyingIsUndoneAfterThat(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"AdoptCandidate": connection.Refused(connection.ErrReconnectRequired, "no", "")}}
	w := newWorld(t, r, nil)
	discard := r.discard
	r.discard = func(in activities.DiscardInput) *activities.DiscardReport {
		if in.Keep != "" {
			time.Sleep(20 * time.Millisecond) // in earnest, as in newWorld
		}
		return discard(in)
	}
	if err := w.play(false, request()); connection.TypeOf(err) != connection.ErrReconnectRequired {
		t.Error(err)
	}
	if r.count("DiscardAttempts") != 2 {
		t.Errorf("nothing was removed beside the adoption: %v", r.calls)
	}
	w.clean()
}
