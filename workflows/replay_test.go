package workflows

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
)

// stored are the files of all stored histories, in the directory and below it.
func stored(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("testdata/histories", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".json") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// typeOf is the workflow type whose history a file holds.
func typeOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var history historypb.History
	if err := protojson.Unmarshal(text, &history); err != nil || len(history.GetEvents()) == 0 {
		t.Fatalf("%s: no history: %v", path, err)
	}
	return history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
}

// Every stored history replays against this code. They were made on a real server
// by the end-to-end tests; a change that breaks one would break a connection that
// somebody has.
func TestReplayOfEveryStoredHistory(t *testing.T) {
	kinds := map[string]int{}
	for _, path := range stored(t) {
		kinds[typeOf(t, path)]++
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/histories/"), ".json")
		t.Run(name, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			Register(replayer)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(quiet{}, path); err != nil {
				t.Error(err)
			}
		})
	}
	for _, kind := range []string{TypeConnectApp, TypeConnection, TypeAuthConfig, TypeRunAction, TypeAlert, TypeAlertSinks, TypeSweepVault, TypeConnectSession} {
		if kinds[kind] == 0 {
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
	replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in *State) error {
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
