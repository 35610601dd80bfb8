package workflows

import (
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

func loginDone() *activities.AdvanceLoginReport { return &activities.AdvanceLoginReport{Done: true} }

func loginAsks(step string) *activities.AdvanceLoginReport {
	return &activities.AdvanceLoginReport{Question: &activities.Question{Step: step, Title: "What is the code?"}}
}

// progressOf is what an update answered.
func progressOf(t *testing.T, r *reply) Progress {
	t.Helper()
	progress, ok := r.result.(Progress)
	if !ok || r.err != nil {
		t.Errorf("the update answered %+v, %v", r.result, r.err)
	}
	return progress
}

func TestALoginWaitsForItsAnswer(t *testing.T) {
	var given activities.AdvanceLoginInput
	r := &recorder{plan: keyPlan(), login: func(n int, in activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
		switch n {
		case 1:
			return loginAsks("code"), nil
		case 2:
			return nil, connection.InvalidInput("code", "it is wrong", "answer again")
		default:
			given = in
			return loginDone(), nil
		}
	}}
	in := request()
	in.Review = true
	env := newEnvironment(t, r)
	first, wrongStep, refused, right, late := &reply{}, &reply{}, &reply{}, &reply{}, &reply{}
	at := func(after time.Duration, name, id string, answer *reply, message any) {
		env.RegisterDelayedCallback(func() { env.UpdateWorkflow(name, id, answer, message) }, after)
	}
	at(0, UpdateProvideCredential, "1", first, ProvideCredential{Inbox: "entry"})
	at(20*time.Hour, UpdateAnswerStep, "2", wrongStep, AnswerStep{Step: "another", Inbox: "x"})
	at(21*time.Hour, UpdateAnswerStep, "3", refused, AnswerStep{Step: "code", Inbox: "wrong"})
	at(22*time.Hour, UpdateAnswerStep, "4", right, AnswerStep{Step: "code", Inbox: "right", Values: map[string]string{"a": "b"}})
	at(23*time.Hour, UpdateAnswerStep, "5", late, AnswerStep{Step: "code", Inbox: "late"})
	at(23*time.Hour+time.Minute, UpdateApprove, "6", &reply{}, Approve{})
	env.ExecuteWorkflow(TypeConnectApp, in)
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if p := progressOf(t, first); p.Phase != PhaseAnswer || p.Question == nil || p.Question.Step != "code" {
		t.Errorf("the first answer: %+v", p)
	}
	if connection.TypeOf(wrongStep.err) != connection.ErrInvalidInput || connection.TypeOf(late.err) != connection.ErrInvalidInput {
		t.Errorf("another step: %v; too late: %v", wrongStep.err, late.err)
	}
	if p := progressOf(t, refused); p.Phase != PhaseAnswer || p.Question == nil || p.Problem == nil || p.Problem.Message != "it is wrong" {
		t.Errorf("the refused answer: %+v", p)
	}
	if p := progressOf(t, right); p.Test == nil || p.Question != nil || p.Problem != nil {
		t.Errorf("the right answer: %+v", p)
	}
	if given.Step != "code" || given.Inbox != "right" || given.Values["a"] != "b" || r.count("AdvanceLogin") != 3 || r.count("StoreCredential") != 1 {
		t.Errorf("%+v %v", given, r.calls)
	}
}

func TestAnAccountIsChosen(t *testing.T) {
	var given activities.AdvanceLoginInput
	r := &recorder{plan: keyPlan(), login: func(n int, in activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
		if n == 1 {
			return &activities.AdvanceLoginReport{Choices: &activities.Choices{Items: []connection.Choice{{ID: "one"}, {ID: "two"}}}}, nil
		}
		given = in
		return loginDone(), nil
	}}
	r.plan.Flow = activities.FlowAutomatic // it begins by itself, and asks nevertheless
	env := newEnvironment(t, r)
	first, unknown, unasked, chosen := &reply{}, &reply{}, &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "1", first, ProvideCredential{}) }, time.Minute)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateChooseAccount, "2", unknown, ChooseAccount{ID: "three"})
		env.UpdateWorkflow(UpdateAnswerStep, "3", unasked, AnswerStep{Step: "one"})
	}, time.Hour)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateChooseAccount, "4", chosen, ChooseAccount{ID: "two"}) }, 2*time.Hour)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if p := progressOf(t, first); p.Phase != PhaseChoice || p.Choices == nil {
		t.Errorf("%+v", p)
	}
	if connection.TypeOf(unknown.err) != connection.ErrInvalidInput || connection.TypeOf(unasked.err) != connection.ErrInvalidInput {
		t.Errorf("%v %v", unknown.err, unasked.err)
	}
	if p := progressOf(t, chosen); p.Test == nil || given.Choice != "two" {
		t.Errorf("%+v %+v", p, given)
	}
}

func TestALoginThatCannotGoOnIsBegunAnew(t *testing.T) {
	r := &recorder{plan: keyPlan(), login: func(n int, in activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
		switch n {
		case 1:
			return loginAsks("code"), nil
		case 2:
			return nil, connection.Refused(connection.ErrTestFailed, "the password is wrong", "")
		case 3:
			return loginAsks("code"), nil // left unanswered: a newer credential ends it
		default:
			return loginDone(), nil
		}
	}}
	env := newEnvironment(t, r)
	failed, third := &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "a"}) }, 0)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateAnswerStep, "2", failed, AnswerStep{Step: "code"}) }, time.Minute)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "3", &reply{}, ProvideCredential{Inbox: "b"}) }, 2*time.Minute)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "4", third, ProvideCredential{Inbox: "c"}) }, 3*time.Minute)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if p := progressOf(t, failed); p.Phase != PhaseCredential || p.Question != nil || p.Problem == nil {
		t.Errorf("%+v", p)
	}
	if p := progressOf(t, third); p.Test == nil || r.count("StoreCredential") != 3 {
		t.Errorf("%+v %v", p, r.calls)
	}
}

func TestAnUnansweredLoginIsUndoneAfterADay(t *testing.T) {
	for name, end := range map[string]func(cancel func()){"nobody answers": func(func()) {}, "cancelled": func(cancel func()) { cancel() }} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), login: func(int, activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
				return loginAsks("code"), nil
			}}
			env := newEnvironment(t, r)
			late := &reply{}
			env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "a"}) }, 0)
			env.RegisterDelayedCallback(func() {
				end(func() {
					env.UpdateWorkflow(UpdateCancel, "2", &reply{}, Reason{})
					env.UpdateWorkflow(UpdateAnswerStep, "3", late, AnswerStep{Step: "code"})
				})
			}, time.Hour)
			env.ExecuteWorkflow(TypeConnectApp, request())
			if connection.TypeOf(env.GetWorkflowError()) != connection.ErrSessionClosed {
				t.Errorf("%v", env.GetWorkflowError())
			}
			if r.count("RevokeGrant") == 0 || r.count("DestroyCredential") == 0 || r.count("AdoptCandidate") != 0 {
				t.Errorf("%v", r.calls)
			}
			if name == "cancelled" && connection.TypeOf(late.err) != connection.ErrSessionClosed {
				t.Errorf("an answer after the cancellation: %+v", late)
			}
		})
	}
}
