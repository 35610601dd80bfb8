package e2e

import (
	"net/http"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// twoSteps is somebody's workflow: it changes something, waits until it may go on,
// and then reads, whether or not a person has to reconnect first.
func twoSteps(ctx workflow.Context, on connection.ID) (int, error) {
	step := func(action, arguments string) (activities.CallActionResult, error) {
		var result activities.CallActionResult
		ctx := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: workflows.Queue,
			WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID + "/" + action})
		err := workflow.ExecuteChildWorkflow(ctx, workflows.TypeRunAction, activities.CallActionInput{Connection: on,
			Action: action, Arguments: []byte(arguments), WaitForReconnect: true}).Get(ctx, &result)
		return result, err
	}
	if _, err := step("create-contact", `{"name": "made before the wait"}`); err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "go-on").Receive(ctx, nil)
	result, err := step("whoami", `{}`)
	return result.Status, err
}

// Work that meets a dead credential waits for a person, at no cost, with one alert,
// and carries on at the step where it stood. What was done is not done again.
func TestWorkWaitsForTheHuman(t *testing.T) {
	const name = "waited-for"
	start := s.mark(t)
	connectBy(t, name, "oauth")
	w := worker.New(s.client.Temporal, "e2e-waiting", worker.Options{})
	w.RegisterWorkflowWithOptions(twoSteps, workflow.RegisterOptions{Name: "TwoSteps"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	mark := s.mark(t)
	parent, err := s.client.Temporal.ExecuteWorkflow(within(t, time.Minute), client.StartWorkflowOptions{ID: "two-steps", TaskQueue: "e2e-waiting"},
		"TwoSteps", id(name))
	if err != nil {
		t.Fatal(err)
	}
	created := func(e entry) bool { return e.Kind == "api" && e.Method == http.MethodPost && e.Outcome == "ok" }
	eventually(t, "the first step is done", func() bool { return count(s.since(t, mark), created) == 1 })

	family := familySince(t, start)
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": family}, nil)
	if err := s.client.Temporal.SignalWorkflow(within(t, time.Minute), parent.GetID(), "", "go-on", nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is said to be expired, with an alert", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && described.Look.Status == connection.Expired && len(described.Alerts.Open) == 1 &&
			described.Alerts.Open[0].News.Kind == connection.AlertExpired
	})
	parked := func() (attempt int32, events int64) {
		described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), "two-steps/whoami", "")
		if err != nil {
			return 0, 0
		}
		for _, pending := range described.GetPendingActivities() {
			attempt = pending.GetAttempt()
		}
		return attempt, described.GetWorkflowExecutionInfo().GetHistoryLength()
	}
	first, events := parked()
	asked, own := s.mark(t), map[string]bool{}
	for _, e := range s.since(t, start) {
		if e.Family == family {
			own[e.IssuedAccess] = true
		}
	}
	eventually(t, "it looks again whether somebody has reconnected", func() bool { now, _ := parked(); return now > first })
	if _, now := parked(); now != events {
		t.Errorf("waiting has cost %d events", now-events)
	}
	if n := count(s.since(t, asked), func(e entry) bool { return e.Family == family || e.Credential != "" && own[e.Credential] }); n != 0 {
		t.Errorf("the app was asked %d times while work waited", n)
	}

	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	var status int
	if err := parent.Get(within(t, 2*time.Minute), &status); err != nil || status != http.StatusOK {
		t.Fatalf("%d %v", status, err)
	}
	if n := count(s.since(t, mark), created); n != 1 {
		t.Errorf("the first step was done %d times", n)
	}
	described, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil || described.Alerts.Raised != 1 || len(described.Alerts.Open) != 0 {
		t.Errorf("%+v %v", described.Alerts, err)
	}
}
