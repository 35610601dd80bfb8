package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestZExportHistories writes the histories of the runs of this test binary, open and
// closed ones, for the replay test, when CONNECTED_APPS_HISTORIES names a directory. Its
// name makes it the last.
func TestZExportHistories(t *testing.T) {
	directory := os.Getenv("CONNECTED_APPS_HISTORIES")
	if directory == "" {
		t.Skip("CONNECTED_APPS_HISTORIES is not set")
	}
	alike, named := map[string]int{}, map[string]int{}
	for _, execution := range executions(t) {
		history := historyOf(t, execution)
		kind, most := kindOf(execution.GetWorkflowId(), history)
		if alike[kind]++; alike[kind] > most {
			continue
		}
		name := strings.ReplaceAll(execution.GetWorkflowId(), "/", "_")
		if typeOf(history) == workflows.TypeRunAction || typeOf(history) == workflows.TypeSweepVault {
			name = strings.ToLower(typeOf(history)) + "-" + strconv.Itoa(alike[kind])
		}
		if named[name]++; named[name] > 1 { // an ID that was used again, or a run that was continued
			name += "-run-" + strconv.Itoa(named[name])
		}
		text, err := protojson.MarshalOptions{Indent: " "}.Marshal(history)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, name+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func historyOf(t *testing.T, execution *commonpb.WorkflowExecution) *historypb.History {
	t.Helper()
	var history historypb.History
	iterator := s.client.Temporal.GetWorkflowHistory(within(t, time.Minute), execution.GetWorkflowId(), execution.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		if err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	return &history
}

func typeOf(history *historypb.History) string {
	return history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
}

// kindOf says which histories are like this one, and how many of them are enough.
// Alerts differ by what they are about, and an open run from a closed one.
func kindOf(id string, history *historypb.History) (string, int) {
	kind := typeOf(history)
	last := history.GetEvents()[len(history.GetEvents())-1].GetEventType()
	closed := last == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED || last == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
	state := kind + " closed:" + strconv.FormatBool(closed)
	switch kind {
	case workflows.TypeRunAction, workflows.TypeSweepVault:
		return kind, 2
	case workflows.TypeAlert:
		return state + strings.TrimRight(filepath.Base(id), "0123456789"), 2
	case workflows.TypeAlertSinks:
		return state, 2
	case workflows.TypeAuthConfig:
		return state, 8
	default:
		return id, 3
	}
}
