package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protojson"
)

// Two connections live the same life, one where payloads are sealed and one where they
// are not. Nothing of the first can be read in Temporal, and everything by those who may.
func TestPayloadsAreSealed(t *testing.T) {
	const name = "codec-life"
	staging, secrets := elsewhere(t, "staging")
	lives := map[string]struct {
		client  *workflows.Client
		secrets *vault.Client
	}{"staging": {staging, secrets}, environment: {s.client, s.secrets}}
	for where, life := range lives {
		live(t, life.client, life.secrets, connection.ID(where+"/sandbox/"+name), "canary-contact-of-"+where)
	}

	payloads, failures, seen := inClear(kept(t, staging))
	for _, what := range append(payloads, failures...) {
		t.Errorf("in clear: %s", what)
	}
	if seen < 100 {
		t.Errorf("only %d payloads were looked at", seen)
	}
	// The controls: the same looks find everything where nothing is sealed.
	if payloads, failures, _ := inClear(kept(t, s.client)); len(payloads) < 50 || len(failures) == 0 {
		t.Errorf("only %d payloads and %d failures of development were found in clear", len(payloads), len(failures))
	}
	for where, life := range lives {
		canary, all := "canary-contact-of-"+where, strings.Builder{}
		for _, message := range kept(t, life.client) {
			text, err := protojson.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		exported := all.String()
		found := false
		for _, form := range forms(canary) {
			found = found || len(form) > 14 && strings.Contains(exported, form)
		}
		if found != (where == environment) {
			t.Errorf("the canary of %s in what is exported: %t", where, found)
		}
		if found := strings.Contains(database(t), canary); found != (where == environment) {
			t.Errorf("the canary of %s in the database: %t", where, found)
		}
	}
	// A worker that has just started knows no key, and replays from sealed histories.
	if err := syscall.Kill(s.child(t, "connected-apps-worker", "CONNECTED_APPS_ENVIRONMENT=staging"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	readable(t, staging, connection.ID("staging/sandbox/"+name))
}

// live is a connection's life with arguments, failures, a refresh, and a grant that is taken away.
func live(t *testing.T, c *workflows.Client, secrets *vault.Client, id connection.ID, canary string) {
	t.Helper()
	ctx := within(t, 3*time.Minute)
	family := grantIn(t, c, secrets, id)
	if _, err := runIn(t, c, id, "create-contact", map[string]any{"name": canary}); err != nil {
		t.Fatal(err)
	}
	_, err := runIn(t, c, id, "get-contact", map[string]any{"id": canary})
	rejected(t, err)
	for action, arguments := range map[string]string{"create-contact": `{"name":"` + canary + `"}`, "get-contact": `{"id":"` + canary + `"}`} {
		run, err := c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "codec/" + id.String() + "/" + action, TaskQueue: workflows.Queue},
			workflows.TypeRunAction, activities.CallActionInput{Connection: id, Action: action, Arguments: json.RawMessage(arguments)})
		if err != nil {
			t.Fatal(err)
		}
		var result activities.CallActionResult
		if err = run.Get(ctx, &result); action == "get-contact" {
			rejected(t, err)
		} else if err != nil || !strings.Contains(string(result.Data), canary) {
			t.Errorf("%s %v", result.Data, err)
		}
	}
	if _, err := c.Refresh(ctx, id); err != nil {
		t.Error(err)
	}
	eventually(t, "the watch has looked", func() bool {
		described, err := c.Describe(ctx, id)
		return err == nil && described.LastLook != "" && described.LastLook != "Encoded failure"
	})
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": family}, nil)
	_, err = runIn(t, c, id, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	eventually(t, "the alert is open", func() bool {
		rows, _, err := c.ListAlerts(ctx, workflows.AlertFilter{Connection: id}, 10, nil)
		return err == nil && len(rows) == 1 && rows[0].Reason != "" && rows[0].Reason != "Encoded failure"
	})
}

// rejected fails the test unless the app refused the request, and its words came through.
func rejected(t *testing.T, err error) {
	t.Helper()
	if problem, ok := connection.AsProblem(err); !ok || problem.Type != connection.ErrRejectedInput || !strings.Contains(problem.Message, "404") {
		t.Errorf("got %v", err)
	}
}

// readable asks everybody who shows a connection.
func readable(t *testing.T, c *workflows.Client, id connection.ID) {
	t.Helper()
	described, err := c.Describe(within(t, time.Minute), id)
	if err != nil || described.Look.Status != connection.Expired || described.Look.Reason == "" {
		t.Errorf("%+v %v", described, err)
	}
	if shown := must(t, "connections", "show", string(id)); !strings.Contains(shown, described.Look.Reason) {
		t.Errorf("the command line shows %s", shown)
	}
	if listed := must(t, "alerts", "list", "--environment", "staging", "--output", "json"); !strings.Contains(listed, `"reason"`) {
		t.Errorf("the alerts are %s", listed)
	}
	token := tokenIn(t, "staging", "codec-reader", "viewer")
	status, text := send(t, http.MethodGet, s.ready.Gateway+"/api/v1/connections/"+id.String(), "", bearer(token))
	if status != http.StatusOK || !strings.Contains(text, string(connection.Expired)) || !strings.Contains(text, "reason") {
		t.Errorf("the API answers %d %s", status, text)
	}
	response, err := signedIn(t).Get(s.ready.Gateway + pageOf(id))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(page), "Expired") {
		t.Errorf("the console answers %s: %s", response.Status, page)
	}
}

// The transit key is rotated while it is used, by processes that each have a key of their
// own: no call fails, and what is older stays readable.
func TestCodecKeyIsRotatedUnderLoad(t *testing.T) {
	staging, id, _ := connectSealed(t, "codec-rotated", "Rotated")
	_, secrets := elsewhere(t, "staging")
	const rotations, callers = 8, 4
	var load sync.WaitGroup
	var mu sync.Mutex
	calls := 0
	stop := make(chan struct{})
	for range callers {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Opened anew, it has a data key of its own, wrapped with the newest version.
				opened, err := s.settings.Open("staging", staging.Catalogue, secrets, zap.NewNop())
				if err != nil {
					t.Error(err)
					return
				}
				_, err = opened.Client.RunAction(within(t, time.Minute), activities.CallActionInput{Connection: id, Action: "list-contacts", Arguments: json.RawMessage(`{"limit":1}`)})
				opened.Client.Temporal.Close()
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				calls++
				mu.Unlock()
			}
		})
	}
	called := func() int {
		mu.Lock()
		defer mu.Unlock()
		return calls
	}
	for range rotations {
		before := called()
		if _, err := s.root.Logical().Write("connected-apps/staging/transit/keys/payloads/rotate", map[string]any{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "calls go on", func() bool { return called() >= before+5*callers })
	}
	close(stop)
	load.Wait()
	t.Logf("%d calls across %d rotations", calls, rotations)
	if _, err := staging.Requested(within(t, time.Minute), id); err != nil { // the input of a workflow from before them
		t.Errorf("what is older cannot be read: %v", err)
	}
}
