package e2e

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// Five hundred actions meet a 401 at once: one token request, no failed action.
func TestACrowdMeetingA401CausesOneTokenRequest(t *testing.T) {
	const crowd = 500
	start := s.mark(t)
	connectBy(t, "crowd", "oauth")
	family := familySince(t, start)
	if _, err := run(t, "crowd", "whoami", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	s.sandbox(t, http.MethodPost, "/admin/revoke-access-tokens", map[string]any{}, nil)
	mark := s.mark(t)
	ctx := within(t, 3*time.Minute)
	errs := make([]error, crowd)
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			_, errs[i] = s.client.RunAction(ctx, activities.CallActionInput{Connection: id("crowd"), Action: "list-contacts",
				IdempotencyKey: fmt.Sprintf("crowd-%d-%d", mark, i)})
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("action %d failed: %v", i, err)
		}
	}
	lines := s.since(t, mark)
	if n := count(lines, func(e entry) bool { return e.Kind == "token" && e.Family == family }); n != 1 {
		t.Errorf("%d token requests", n)
	}
	if n := count(lines, func(e entry) bool { return e.Path == contacts && e.Status == http.StatusUnauthorized }); n == 0 {
		t.Error("nobody met a 401: the test proves nothing")
	}
	if n := count(lines, func(e entry) bool { return e.Path == contacts && e.Status == http.StatusOK }); n != crowd {
		t.Errorf("%d of %d calls succeeded", n, crowd)
	}
}

// While tokens live for seconds, every refresh happens once per generation, no
// action fails, and the Connection's history does not grow.
func TestASoakRefreshesOncePerGenerationWithoutHistory(t *testing.T) {
	length := soakFor(t)
	life := min(length/10, 20*time.Second)
	s.sandboxSettings(t, map[string]any{"access_ttl": life.String()})
	mark := s.mark(t)
	connectBy(t, "soak", "oauth")
	family := familySince(t, mark)
	if _, err := run(t, "soak", "whoami", map[string]any{}); err != nil { // the first use is news
		t.Fatal(err)
	}
	eventually(t, "the first use is listed", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id("soak"))
		return err == nil && !described.Look.LastUsed.IsZero()
	})
	before := historyLength(t, "soak")
	mark = s.mark(t)
	actions, failed := 0, 0
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		actions++
		if _, err := run(t, "soak", "whoami", map[string]any{}); err != nil {
			failed++
			t.Errorf("action %d: %v", actions, err)
		}
	}
	after := historyLength(t, "soak")
	refreshes, mine := map[string]int{}, map[string]bool{}
	for _, e := range s.since(t, 0) {
		if e.Kind == "token" && e.Family == family {
			mine[e.IssuedAccess] = true
		}
	}
	for _, e := range s.since(t, mark) {
		if e.Kind == "token" && e.Family == family {
			refreshes[e.Presented]++
			if e.Outcome != "ok" {
				t.Errorf("a refresh was refused: %+v", e)
			}
		}
		if e.Kind == "api" && e.Status == http.StatusUnauthorized && mine[e.Credential] {
			t.Errorf("an expired token was sent: %+v", e)
		}
	}
	for token, n := range refreshes {
		if n != 1 {
			t.Errorf("token %s was presented %d times", token, n)
		}
	}
	if want := int(length/life) - 1; len(refreshes) < want {
		t.Errorf("%d refreshes in %s with tokens of %s: the test proves nothing", len(refreshes), length, life)
	}
	if after > before {
		t.Errorf("the history grew from %d to %d events", before, after)
	}
	t.Logf("%d refreshes, %d actions, %d failed, history %d events before and %d after", len(refreshes), actions, failed, before, after)
}

// soakFor is how long a test keeps going on: CONNECTED_APPS_SOAK, or three quarters of a minute.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CONNECTED_APPS_SOAK")
	if text == "" {
		return 45 * time.Second
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return length
}

// familySince is the token family that was begun after a place in the ledger.
func familySince(t *testing.T, mark int) string {
	t.Helper()
	for _, e := range s.since(t, mark) {
		if e.Kind == "token" && e.GrantType == "authorization_code" && e.Outcome == "ok" {
			return e.Family
		}
	}
	t.Fatal("the ledger holds no new grant")
	return ""
}

func historyLength(t *testing.T, name string) int64 {
	t.Helper()
	described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), workflows.ConnectionWorkflowID(id(name)), "")
	if err != nil {
		t.Fatal(err)
	}
	return described.GetWorkflowExecutionInfo().GetHistoryLength()
}

// The same key runs an action once, however often it is asked for.
func TestAnIdempotencyKeyRunsAnActionOnce(t *testing.T) {
	connectBy(t, "once", "api-key")
	mark := s.mark(t)
	var first string
	for range 3 {
		result, err := s.client.RunAction(within(t, time.Minute), activities.CallActionInput{Connection: id("once"), Action: "create-contact",
			Arguments: []byte(`{"name":"Once","email":"once@example.test"}`), IdempotencyKey: fmt.Sprintf("once-%d", mark)})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(result.Data)
		}
		if string(result.Data) != first {
			t.Errorf("another answer: %s", result.Data)
		}
	}
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Method == http.MethodPost }); n != 1 {
		t.Errorf("%d requests reached the app", n)
	}
}

// Every action of a child workflow runs as for a client.
func TestAChildWorkflowRunsAnAction(t *testing.T) {
	connectBy(t, "child", "bearer")
	ctx := within(t, time.Minute)
	started, err := s.client.Temporal.ExecuteWorkflow(ctx, startOptions("child-run"), workflows.TypeRunAction,
		workflows.RunActionInput{CallActionInput: activities.CallActionInput{Connection: id("child"), Action: "whoami"}})
	if err != nil {
		t.Fatal(err)
	}
	var result activities.CallActionResult
	if err := started.Get(ctx, &result); err != nil || result.Status != http.StatusOK {
		t.Fatalf("%+v %v", result, err)
	}
	refused, err := s.client.Temporal.ExecuteWorkflow(ctx, startOptions("child-refused"), workflows.TypeRunAction,
		workflows.RunActionInput{CallActionInput: activities.CallActionInput{Connection: id("child"), Action: "whoami", Toolkit: "none"}})
	if err != nil {
		t.Fatal(err)
	}
	problemOf(t, refused.Get(ctx, nil), connection.ErrToolkitNotFound)
}
