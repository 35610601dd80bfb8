package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Every stored history replays against this code. They were made on a real server
// by the end-to-end tests; a change that breaks one would break a connection that
// somebody has.
func TestReplayOfEveryStoredHistory(t *testing.T) {
	paths, err := filepath.Glob("testdata/histories/*.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			Register(replayer)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(quiet{}, path); err != nil {
				t.Error(err)
			}
		})
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{TypeConnectApp, TypeConnection, TypeAuthConfig, TypeRunAction} {
			if strings.Contains(string(text), `"name": "`+kind+`"`) || strings.Contains(string(text), `"name":  "`+kind+`"`) || strings.Contains(string(text), `"name":"`+kind+`"`) {
				kinds[kind] = true
			}
		}
	}
	for _, kind := range []string{TypeConnectApp, TypeConnection, TypeAuthConfig, TypeRunAction} {
		if !kinds[kind] {
			t.Errorf("no history of %s is stored", kind)
		}
	}
}

// The control: a workflow that does something else than its history says is caught.
func TestReplayCatchesAPlantedChange(t *testing.T) {
	paths, err := filepath.Glob("testdata/histories/connection_*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("no history to try it on", err)
	}
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in State) error {
		if err := workflow.Sleep(ctx, 1); err != nil {
			return err
		}
		return Connection(ctx, in)
	}, workflow.RegisterOptions{Name: TypeConnection})
	if err := replayer.ReplayWorkflowHistoryFromJSONFile(quiet{}, paths[0]); err == nil {
		t.Error("a planted timer was not noticed")
	}
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
