package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

func TestMain(m *testing.M) {
	if is, err := asChild(); is { // this binary is the floor's worker too
		if err != nil {
			fmt.Fprintln(os.Stderr, "the floor's worker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// progress tells a test's log what goes on.
type progress struct{ t *testing.T }

func (p progress) Write(text []byte) (int, error) {
	p.t.Log(strings.TrimSuffix(string(text), "\n"))
	return len(text), nil
}

// Every bar runs on the real servers, a few operations each, and every exact count is
// as it must be. Times are not looked at.
func TestEveryBarIsMeasuredAndEveryCountIsRight(t *testing.T) {
	r, err := openRig(t.Context(), settings{bin: "../bin", offset: 23000, rounds: 1, short: true, seed: 1, progress: progress{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	t.Run("what is counted can be seen", func(t *testing.T) { countsAreSeen(t, r) })
	told, err := r.measureAll(t.Context(), bars())
	if err != nil {
		t.Fatal(err)
	}
	if err := told.wrong(); err != nil {
		t.Error(err)
	}
	if len(told.Results) != len(bars()) {
		t.Errorf("%d of %d bars have a result", len(told.Results), len(bars()))
	}
	for _, found := range told.Results {
		if len(found.Checks) == 0 {
			t.Errorf("%s: nothing was checked", found.Name)
		}
	}
	if s := told.Surroundings; s.QueuePollLimit == 0 || s.Shards == 0 || s.Journal != "wal" || s.Temporal == "" || s.Vault == "" {
		t.Errorf("not everything is known of the surroundings: %+v", s)
	}
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("a\n"+markBegin+"\nold\n"+markEnd+"\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := told.replaceIn(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "\nold\n") || !strings.HasPrefix(string(text), "a\n") || !strings.HasSuffix(string(text), "\nb\n") {
		t.Errorf("%s %v", text, err)
	}
}

// countsAreSeen does a known amount of what the bars count, so that a zero there is one.
func countsAreSeen(t *testing.T, r *rig) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	kinds, err := r.counting(ctx, func() error {
		for range 3 {
			if err := r.workflowFloor("")(ctx); err != nil {
				return err
			}
		}
		return r.standaloneFloor("")(ctx)
	})
	if err != nil || kinds["grpc_StartWorkflowExecution"] != 3 || kinds["command_ScheduleActivityTask"] != 3 || kinds[startActivity] != 1 || total(kinds) != 7 {
		t.Errorf("%v %v", kinds, err)
	}
	run, err := r.bare.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: floorQueue}, "BareAction", getInput{Path: "/me"})
	if err == nil {
		err = run.Get(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if events, err := r.history(ctx, run.GetID(), run.GetRunID()); err != nil || len(events) != 11 {
		t.Errorf("%d events, %v", len(events), err)
	}
	const path = "connected-apps/development/secrets/data/connections/sandbox/none"
	asked, err := r.auditing(ctx, func() error { _, err := r.root.Logical().ReadWithContext(ctx, path); return err })
	if err != nil || !slices.Contains(asked, vaultRequest{Operation: "read", Path: path}) || counted(asked, "data/connections/", "read") != 1 || len(byWorker(asked)) != 0 {
		t.Errorf("%+v %v", asked, err)
	}
	before, err := r.cpu()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.workflowFloor("")(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := r.cpu()
	for group := range r.groups() {
		if group != groupVault && after[group] <= before[group] {
			t.Errorf("no processor time of %s is seen: %v", group, err)
		}
	}
	if bytes, err := memory(r.floor.pid()); err != nil || bytes < 1<<20 {
		t.Errorf("the floor's worker has %d bytes, %v", bytes, err)
	}
}
