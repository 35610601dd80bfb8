package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
)

// The control on the real surfaces: a text that really goes where secrets must not is
// found in each place. Only files of the launcher are tried in copies alone.
func TestALeakThatIsPlantedIsFound(t *testing.T) {
	const name, planted = "leak", "leaked-canary-b5bb9d8014a0f9b1d61e21e796d78dcc"
	canary := map[string]string{"planted": planted}

	// A connection's name is seen in lists, queries, pages and alerts.
	mark := s.mark(t)
	connectBy(t, name, "oauth")
	if err := s.client.Rename(within(t, time.Minute), id(name), planted); err != nil {
		t.Fatal(err)
	}
	// Arguments are in histories, in the database and in descriptions; a workflow's ID is
	// in the logs of who runs it.
	started, err := s.client.Temporal.ExecuteWorkflow(within(t, time.Minute), startOptions(planted), workflows.TypeRunAction,
		workflows.RunActionInput{CallActionInput: activities.CallActionInput{Connection: id("nobody"), Action: "echo",
			Arguments: json.RawMessage(`{"secret":"` + planted + `"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	_ = started.Get(within(t, time.Minute), nil) // it fails, as it should
	answers := map[string][]byte{}
	answers["MCP results"], _ = told(t, name, planted)
	// The name of a sink is in the failure of what is not delivered there.
	const key = "whsec_jPG+2TI7mxMw12yMsmF34GsR2QDEHcw7CpCzEpJE"
	heard := newReceiver(t)
	heard.change(func() { heard.key = key })
	sink(t, planted, nobodyListens, key)
	sink(t, "leak-heard", heard.URL, key)
	alarmedBy(t, name, familySince(t, mark), heard)
	answers["webhook bodies"] = heardBy(heard)
	pages, _ := shown(t, name)
	maps.Copy(answers, pages)
	// Paths are in Vault's audit log, and queues in Temporal's metrics.
	if _, err := s.root.Logical().Read("connected-apps/" + environment + "/secrets/data/connections/sandbox/" + planted); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Temporal.DescribeTaskQueue(within(t, time.Minute), planted, enumspb.TASK_QUEUE_TYPE_ACTIVITY); err != nil {
		t.Fatal(err)
	}
	argument(t, planted)

	var missing []string
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Second) { // visibility and logs follow
		all := surfaces(t)
		maps.Copy(all, answers)
		there := map[string][]byte{}
		for surface, text := range all {
			if place, _, _ := strings.Cut(surface, ": "); len(leaks(text, canary)) > 0 {
				there[place] = text
			}
		}
		if missing = lacking(places, there); len(missing) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, place := range missing {
		t.Errorf("%s: what was planted there is not found", place)
	}
	leave(t, name)
	for _, one := range []string{planted, "leak-heard"} {
		must(t, "alerts", "sinks", "delete", one, "--environment", environment, "--yes")
	}
}

// argument keeps a process running that was given an argument.
func argument(t *testing.T, text string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	waiting := exec.CommandContext(ctx, "sh", "-c", "read line", text)
	input, err := waiting.StdinPipe() // on which nothing comes
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = input.Close()
		_ = waiting.Wait()
	})
}
