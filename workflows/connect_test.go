package workflows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

func keyPlan() activities.ConnectPlan {
	return activities.ConnectPlan{AppName: "Sandbox", Method: "api-key", MethodTitle: "API key", Kind: connection.APIKey, Flow: activities.FlowInput,
		Actions: []string{"a", "b"}, Toolkit: "default"}
}

func oauthPlan() activities.ConnectPlan {
	plan := keyPlan()
	plan.Method, plan.Kind, plan.Flow, plan.GatewayURL = "oauth", connection.OAuth2Code, activities.FlowBrowser, "https://gateway.example"
	return plan
}

func request() ConnectInput {
	return ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: testID}, Fingerprint: "f"}
}

func TestAConnectRunsItsStepsInOrder(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	env := newEnvironment(t, r)
	answer := &reply{}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateProvideCredential, "1", answer, ProvideCredential{Inbox: "entry", Fingerprint: "f"})
	}, 0)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	var result ConnectResult
	if err := env.GetWorkflowResult(&result); err != nil || result.Status != connection.Active || !slices.Equal(result.Toolkit.Actions, []string{"a", "b"}) {
		t.Fatalf("%+v %v", result, err)
	}
	want := []string{"ValidateConnect", "StoreCredential", "ProbeConnection", "DiscardAttempts", "AdoptCandidate"}
	if have := slices.DeleteFunc(slices.Clone(r.calls), func(c string) bool { return c == "WatchConnection" }); !sameButForTidying(have, want) {
		t.Errorf("%v", have)
	}
	if gate := r.gates[0]; gate.Status != connection.Active || len(gate.Toolkits["default"]) != 2 {
		t.Errorf("the gate was not opened by the adoption: %+v", gate)
	}
	progress, ok := answer.result.(Progress)
	if !answer.completed || answer.err != nil || !ok || progress.Test == nil {
		t.Errorf("the update answered %+v", answer)
	}
}

// sameButForTidying compares calls whose last two run beside one another.
func sameButForTidying(have, want []string) bool {
	if len(have) != len(want) || len(want) < 2 {
		return false
	}
	most := len(want) - 2
	return slices.Equal(have[:most], want[:most]) && slices.Equal(slices.Sorted(slices.Values(have[most:])), slices.Sorted(slices.Values(want[most:])))
}

func TestAnAbandonedConnectIsUndoneAfterADay(t *testing.T) {
	r := &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) {
		return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
	}}
	env := newEnvironment(t, r)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry"})
	}, 0)
	began := env.Now()
	env.ExecuteWorkflow(TypeConnectApp, request())
	if kind := connection.TypeOf(env.GetWorkflowError()); kind != connection.ErrSessionClosed {
		t.Fatalf("%v", env.GetWorkflowError())
	}
	if took := env.Now().Sub(began); took < sessionLife || took > sessionLife+time.Hour {
		t.Errorf("ended after %s", took)
	}
	want := []string{"ValidateConnect", "StoreCredential", "ProbeConnection", "DiscardAttempts", "RevokeGrant", "DestroyCredential"}
	if !slices.Equal(r.calls[:len(want)], want) {
		t.Errorf("%v", r.calls)
	}
}

func TestACancelledConnectIsUndone(t *testing.T) {
	for name, cancel := range map[string]func(cancelUpdate, cancelWorkflow func()){
		"by update":   func(update, _ func()) { update() },
		"in Temporal": func(_, workflow func()) { workflow() },
	} {
		t.Run(name, func(t *testing.T) {
			in := request()
			in.Review = true
			r := &recorder{plan: keyPlan()}
			env := newEnvironment(t, r)
			env.RegisterDelayedCallback(func() {
				env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry"})
			}, 0)
			env.RegisterDelayedCallback(func() {
				cancel(func() { env.UpdateWorkflow(UpdateCancel, "2", &reply{}, Reason{Reason: "no"}) }, env.CancelWorkflow)
			}, time.Minute)
			env.ExecuteWorkflow(TypeConnectApp, in)
			if env.GetWorkflowError() == nil {
				t.Fatal("it succeeded")
			}
			for _, call := range []string{"DiscardAttempts", "RevokeGrant", "DestroyCredential"} {
				if r.count(call) == 0 {
					t.Errorf("%s was not called: %v", call, r.calls)
				}
			}
			if r.count("AdoptCandidate") != 0 {
				t.Error("it was adopted")
			}
		})
	}
}

func TestAFailedTestIsCorrected(t *testing.T) {
	r := &recorder{plan: keyPlan(), probe: func(n int) (*activities.ProbeReport, error) {
		if n == 1 {
			return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
		}
		return &activities.ProbeReport{Tested: "it"}, nil
	}}
	env := newEnvironment(t, r)
	first, second := &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "1", first, ProvideCredential{Inbox: "wrong"}) }, 0)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "2", second, ProvideCredential{Inbox: "right"}) }, time.Minute)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if progress, _ := first.result.(Progress); progress.Phase != PhaseTestFailed || progress.Problem == nil || progress.Problem.Type != connection.ErrTestFailed {
		t.Errorf("the first answer: %+v", first.result)
	}
	if progress, _ := second.result.(Progress); progress.Problem != nil {
		t.Errorf("the second answer: %+v", progress.Problem)
	}
}

// authorize drives an OAuth connect up to the callback that the test sends.
func authorize(t *testing.T, callbacks func(attempt string, send func(AuthorizationReceived))) (*recorder, Progress, error) {
	t.Helper()
	return authorizeWith(t, &recorder{plan: oauthPlan()}, callbacks)
}

func authorizeWith(t *testing.T, r *recorder, callbacks func(attempt string, send func(AuthorizationReceived))) (*recorder, Progress, error) {
	t.Helper()
	env := newEnvironment(t, r)
	link := &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRequestLink, "1", link, RequestLink{Fingerprint: "f"}) }, 0)
	env.RegisterDelayedCallback(func() {
		attempt := link.result.(Link).Attempt
		if want := "https://gateway.example/connect/" + testID.String() + "/" + attempt; link.result.(Link).URL != want {
			t.Errorf("link %s", link.result.(Link).URL)
		}
		env.UpdateWorkflow(UpdateBeginAuthorization, "2", &reply{}, BeginAuthorization{Attempt: attempt, StateSHA256: stateHash})
	}, time.Second)
	env.RegisterDelayedCallback(func() {
		callbacks(link.result.(Link).Attempt, func(in AuthorizationReceived) { env.SignalWorkflow(SignalAuthorization, in) })
	}, 2*time.Second)
	env.ExecuteWorkflow(TypeConnectApp, request())
	var progress Progress
	if value, err := env.QueryWorkflow(QueryProgress); err == nil {
		_ = value.Get(&progress)
	}
	return r, progress, env.GetWorkflowError()
}

const stateHash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestACallbackIsExchangedOnce(t *testing.T) {
	r, progress, err := authorize(t, func(attempt string, send func(AuthorizationReceived)) {
		good := AuthorizationReceived{Attempt: attempt, StateSHA256: stateHash, Inbox: "code"}
		send(good)
		send(good)
	})
	if err != nil || r.count("ExchangeCode") != 1 || progress.Phase != PhaseActive {
		t.Errorf("%v, %d exchanges, %s", err, r.count("ExchangeCode"), progress.Phase)
	}
}

func TestACallbackThatDoesNotFitChangesNothing(t *testing.T) {
	r, _, err := authorize(t, func(attempt string, send func(AuthorizationReceived)) {
		send(AuthorizationReceived{Attempt: attempt, StateSHA256: "another", Inbox: "code"})
		send(AuthorizationReceived{Attempt: "unknown", StateSHA256: stateHash, Inbox: "code"})
	})
	if connection.TypeOf(err) != connection.ErrSessionClosed || r.count("ExchangeCode") != 0 {
		t.Errorf("%v, %d exchanges", err, r.count("ExchangeCode"))
	}
}

// OAuth 1.0a has no state: the temporary token binds the callback in its stead.
func TestAnAppsOwnStateReplacesOurs(t *testing.T) {
	own := strings.Repeat("ab", 32)
	r, progress, err := authorizeWith(t, &recorder{plan: oauthPlan(), begun: activities.BeginAuthorizationResult{URL: "u", StateSHA256: own}},
		func(attempt string, send func(AuthorizationReceived)) {
			send(AuthorizationReceived{Attempt: attempt, StateSHA256: stateHash, Inbox: "forged"})
			send(AuthorizationReceived{Attempt: attempt, StateSHA256: own, Inbox: "code"})
		})
	if err != nil || r.count("ExchangeCode") != 1 || progress.Phase != PhaseActive || progress.Attempts[0].StateSHA256 != own {
		t.Errorf("%v, %d exchanges, %+v", err, r.count("ExchangeCode"), progress.Attempts)
	}
	r, _, _ = authorizeWith(t, &recorder{plan: oauthPlan(), begun: activities.BeginAuthorizationResult{URL: "u", StateSHA256: own}},
		func(attempt string, send func(AuthorizationReceived)) {
			send(AuthorizationReceived{Attempt: attempt, StateSHA256: stateHash, Inbox: "forged"})
		})
	if r.count("ExchangeCode") != 0 {
		t.Error("a callback with the state that was replaced was taken")
	}
}

func TestALinkIsRefusedToAnotherRequest(t *testing.T) {
	r := &recorder{plan: oauthPlan()}
	env := newEnvironment(t, r)
	answer, twice := &reply{}, &reply{}
	link := &reply{}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateRequestLink, "1", answer, RequestLink{Fingerprint: "another"})
		env.UpdateWorkflow(UpdateRequestLink, "2", link, RequestLink{Fingerprint: "f"})
	}, 0)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateBeginAuthorization, "3", &reply{}, BeginAuthorization{Attempt: link.result.(Link).Attempt, StateSHA256: stateHash})
	}, linkLife-time.Minute)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateBeginAuthorization, "4", twice, BeginAuthorization{Attempt: link.result.(Link).Attempt, StateSHA256: stateHash})
	}, linkLife-30*time.Second)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if connection.TypeOf(answer.err) != connection.ErrConnectionIDTaken {
		t.Errorf("%v", answer.err)
	}
	if connection.TypeOf(twice.err) != connection.ErrLinkInvalid {
		t.Errorf("a used link: %v", twice.err)
	}
}

func TestARefusedRequestEndsBeforeAnythingIsReserved(t *testing.T) {
	r := &recorder{plan: keyPlan(), fail: map[string]error{"ValidateConnect": connection.Refused(connection.ErrUnknownApp, "unknown", "")}}
	env := newEnvironment(t, r)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if connection.TypeOf(env.GetWorkflowError()) != connection.ErrUnknownApp || !slices.Equal(r.calls, []string{"ValidateConnect"}) {
		t.Errorf("%v %v", env.GetWorkflowError(), r.calls)
	}
}

// Once a credential has passed, the review wants a yes or a no and nothing else;
// whoever asks for more is told at once instead of being kept waiting.
func TestAReviewTakesNoOtherCredential(t *testing.T) {
	in := request()
	in.Review = true
	r := &recorder{plan: keyPlan()}
	env := newEnvironment(t, r)
	late, twice, wrong, yes := &reply{}, &reply{}, &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry"}) }, 0)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateProvideCredential, "2", late, ProvideCredential{Inbox: "another"})
		env.UpdateWorkflow(UpdateTest, "3", twice, struct{}{})
		env.UpdateWorkflow(UpdateApprove, "4", wrong, Approve{Actions: []string{"unheard-of"}})
	}, time.Minute)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateApprove, "5", yes, Approve{Actions: []string{"a"}}) }, 2*time.Minute)
	env.ExecuteWorkflow(TypeConnectApp, in)
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if connection.TypeOf(late.err) != connection.ErrSessionClosed || twice.err != nil || connection.TypeOf(wrong.err) != connection.ErrActionNotInToolkit {
		t.Errorf("%v, %v, %v", late.err, twice.err, wrong.err)
	}
	if progress, _ := yes.result.(Progress); progress.Result == nil || !slices.Equal(progress.Result.Toolkit.Actions, []string{"a"}) {
		t.Errorf("%+v %v", yes.result, yes.err)
	}
}
