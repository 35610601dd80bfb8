package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
)

// A worker that may not open keys fails workflow tasks, and nothing else: no workflow
// ends, no message is lost, and all goes on once Vault lets it.
func TestWorkflowsWaitForTheirKeys(t *testing.T) {
	staging, id, _ := connectSealed(t, "codec-waits", "Waits")
	role := vault.Layout{Environment: "staging"}.Role(vault.Worker)
	policy, err := s.root.Sys().GetPolicy(role)
	if err != nil || !strings.Contains(policy, "/transit/decrypt/payloads") {
		t.Fatal(policy, err)
	}
	restore := func() {
		if err := s.root.Sys().PutPolicy(role, policy); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	if err := s.root.Sys().PutPolicy(role, strings.ReplaceAll(policy, "/transit/decrypt/payloads", "/transit/decrypt/nothing")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.child(t, "connected-apps-worker", "CONNECTED_APPS_ENVIRONMENT=staging"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	paused := make(chan error, 1)
	go func() { paused <- staging.Pause(within(t, 3*time.Minute), id, "while keys are away") }()
	failed := func() (n int) {
		events := staging.Temporal.GetWorkflowHistory(within(t, time.Minute), workflows.ConnectionWorkflowID(id), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			switch event.GetEventType() {
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
				n++
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
				t.Fatal("the workflow ended for want of a key")
			}
		}
		return n
	}
	eventually(t, "a workflow task fails", func() bool { return failed() > 0 })
	select {
	case err := <-paused:
		t.Fatalf("it was paused by a worker that cannot read it: %v", err)
	default:
	}
	restore()
	if err := <-paused; err != nil {
		t.Fatal(err)
	}
	described, err := staging.Describe(within(t, time.Minute), id)
	if err != nil || described.Look.Status != connection.Paused {
		t.Errorf("%+v %v", described, err)
	}
}
