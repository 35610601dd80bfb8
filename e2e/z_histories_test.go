package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestZExportHistories writes the histories of the runs of this test binary, for
// the replay test, when CONNECTED_APPS_HISTORIES names a directory. Its name makes it the last.
func TestZExportHistories(t *testing.T) {
	directory := os.Getenv("CONNECTED_APPS_HISTORIES")
	if directory == "" {
		t.Skip("CONNECTED_APPS_HISTORIES is not set")
	}
	seen := map[string]int{}
	for _, execution := range executions(t) {
		var history historypb.History
		iterator := s.client.Temporal.GetWorkflowHistory(within(t, time.Minute), execution.GetWorkflowId(), execution.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for iterator.HasNext() {
			event, err := iterator.Next()
			if err != nil {
				t.Fatal(err)
			}
			history.Events = append(history.Events, event)
		}
		kind := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
		name := strings.NewReplacer("/", "_", "development_sandbox_", "").Replace(execution.GetWorkflowId())
		if kind == "RunAction" || kind == "SweepVault" {
			if seen[kind]++; seen[kind] > 2 {
				continue // they are all alike
			}
			name = strings.ToLower(kind) + "-" + string(rune('0'+seen[kind]))
		}
		text, err := protojson.MarshalOptions{Indent: " "}.Marshal(&history)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, name+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
