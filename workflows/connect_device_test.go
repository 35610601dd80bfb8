package workflows

import (
	"slices"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
)

func devicePlan() activities.ConnectPlan {
	plan := keyPlan()
	plan.Method, plan.Kind, plan.Flow = "device", connection.OAuth2Device, activities.FlowDevice
	return plan
}

// authorizedAt is a person who authorizes with the n-th question.
func authorizedAt(n int) func(int, activities.PollDeviceInput) (*activities.StoredReport, error) {
	return func(asked int, _ activities.PollDeviceInput) (*activities.StoredReport, error) {
		if asked < n {
			return nil, connection.LookAgain("nobody has authorized yet", 5*time.Second)
		}
		return nil, nil
	}
}

func TestADeviceIsAuthorized(t *testing.T) {
	r := &recorder{plan: devicePlan(), poll: authorizedAt(10)}
	env := newEnvironment(t, r)
	one, two, other, link, credential := &reply{}, &reply{}, &reply{}, &reply{}, &reply{}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateRequestDevice, "1", one, RequestDevice{Fingerprint: "f"})
		env.UpdateWorkflow(UpdateRequestDevice, "2", two, RequestDevice{Fingerprint: "f"})
		env.UpdateWorkflow(UpdateRequestDevice, "3", other, RequestDevice{Fingerprint: "another"})
		env.UpdateWorkflow(UpdateRequestLink, "4", link, RequestLink{Fingerprint: "f"})
		env.UpdateWorkflow(UpdateProvideCredential, "5", credential, ProvideCredential{Inbox: "x"})
	}, 0)
	began := env.Now()
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if prompt, _ := one.result.(DevicePrompt); prompt.UserCode != "CODE-1" || !prompt.Expires.Equal(began.Add(codeLife)) || two.result != one.result {
		t.Errorf("%+v, %+v", one, two)
	}
	if connection.TypeOf(other.err) != connection.ErrConnectionIDTaken || connection.TypeOf(link.err) != connection.ErrInvalidInput ||
		connection.TypeOf(credential.err) != connection.ErrInvalidInput {
		t.Errorf("%v; %v; %v", other.err, link.err, credential.err)
	}
	want := []string{"ProbeConnection", "DiscardAttempts", "AdoptCandidate"}
	if r.count("BeginDevice") != 1 || r.count("PollDevice") != 10 || !sameButForTidying(r.calls[len(r.calls)-3:], want) {
		t.Errorf("%v", r.calls)
	}
}

func TestAnExpiredCodeIsFollowedByAnother(t *testing.T) {
	var second string
	r := &recorder{plan: devicePlan()}
	r.poll = func(_ int, in activities.PollDeviceInput) (*activities.StoredReport, error) {
		if in.Attempt == second {
			return nil, nil
		}
		if r.count("BeginDevice") > 1 {
			second = in.Attempt
		}
		return nil, connection.LookAgain("nobody has authorized yet", 5*time.Second)
	}
	env := newEnvironment(t, r)
	first, next := &reply{}, &reply{}
	var between Progress
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRequestDevice, "1", first, RequestDevice{Fingerprint: "f"}) }, 0)
	env.RegisterDelayedCallback(func() {
		if value, err := env.QueryWorkflow(QueryProgress); err == nil {
			_ = value.Get(&between)
		}
	}, codeLife+time.Hour)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRequestDevice, "2", next, RequestDevice{Fingerprint: "f"}) }, codeLife+2*time.Hour)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if between.Phase != PhaseDevice || between.Device != nil || between.Problem == nil || between.Problem.Type != connection.ErrAuthorizationFailed {
		t.Errorf("after it expired: %+v", between)
	}
	if prompt, _ := next.result.(DevicePrompt); prompt.UserCode != "CODE-2" {
		t.Errorf("%+v", next)
	}
}

func TestADeclinedDeviceIsSaid(t *testing.T) {
	r := &recorder{plan: devicePlan(), poll: func(int, activities.PollDeviceInput) (*activities.StoredReport, error) {
		return nil, connection.Refused(connection.ErrAuthorizationFailed, "the person declined", "")
	}}
	env := newEnvironment(t, r)
	var said Progress
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRequestDevice, "1", &reply{}, RequestDevice{Fingerprint: "f"}) }, 0)
	env.RegisterDelayedCallback(func() {
		if value, err := env.QueryWorkflow(QueryProgress); err == nil {
			_ = value.Get(&said)
		}
		env.UpdateWorkflow(UpdateCancel, "2", &reply{}, Reason{})
	}, time.Minute)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if said.Problem == nil || said.Problem.Message != "the person declined" || said.Device != nil {
		t.Errorf("%+v", said)
	}
}

// A poll that goes on after the candidates were removed would leave one behind.
func TestACancelledConnectStopsPollingFirst(t *testing.T) {
	r := &recorder{plan: devicePlan(), poll: authorizedAt(1000)}
	env := newEnvironment(t, r)
	env.SetOnActivityCanceledListener(func(info *activity.Info) { r.called("cancelled " + info.ActivityType.Name) })
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRequestDevice, "1", &reply{}, RequestDevice{Fingerprint: "f"}) }, 0)
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateCancel, "2", &reply{}, Reason{}) }, 12*time.Second)
	env.ExecuteWorkflow(TypeConnectApp, request())
	if connection.TypeOf(env.GetWorkflowError()) != connection.ErrSessionClosed {
		t.Errorf("%v", env.GetWorkflowError())
	}
	removed, stopped := slices.Index(r.calls, "DiscardAttempts"), slices.Index(r.calls, "cancelled PollDevice")
	if stopped < 0 || removed < stopped || slices.Contains(r.calls[stopped:], "PollDevice") {
		t.Errorf("%v", r.calls)
	}
}
