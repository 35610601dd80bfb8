package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// refusedClient is a client of its own at the sandbox, so that no other test loses its secret.
const refusedClient = "refused-client"

// lookNow makes the watch look at once, as Reset in the Web UI does, if it is waiting.
func lookNow(t *testing.T, name string) {
	t.Helper()
	ctx, workflowID := within(t, time.Minute), workflows.ConnectionWorkflowID(id(name))
	described, err := s.client.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, pending := range described.GetPendingActivities() {
		if pending.GetState() != enumspb.PENDING_ACTIVITY_STATE_SCHEDULED || time.Until(pending.GetNextAttemptScheduleTime().AsTime()) < 10*time.Second {
			continue
		}
		if _, err := s.client.Temporal.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{Namespace: s.client.Namespace(),
			Execution: &commonpb.WorkflowExecution{WorkflowId: workflowID},
			Activity:  &workflowservice.ResetActivityRequest_Id{Id: pending.GetActivityId()}}); err != nil {
			t.Fatal(err)
		}
	}
}

// alertsAbout counts the open alerts of the environment about an auth config, and about any of some connections.
func alertsAbout(t *testing.T, authConfig string, names []string) (config, connections int) {
	t.Helper()
	rows, _, err := s.client.ListAlerts(within(t, time.Minute), workflows.AlertFilter{App: "sandbox"}, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.AuthConfig == authConfig {
			config++
		}
		for _, name := range names {
			if row.Connection == id(name) {
				connections++
			}
		}
	}
	return config, connections
}

// A client secret is replaced at the app. Every connection finds out by itself and says
// so, the app is asked at most once by each, people are told once, of the auth config,
// and all of them heal by themselves once the new secret is there.
func TestARefusedClientIsOneAlert(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	ownClient(t, refusedClient)
	shortLived(t)
	var names []string
	for i := range 3 {
		name := fmt.Sprintf("refused-%d", i+1)
		names = append(names, name)
		afterwards(t, name)
		if _, err := s.client.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id(name),
			Method: "client-credentials", AuthConfig: refusedClient}}, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.client.AwaitConnect(ctx, id(name)); err != nil {
			t.Fatal(err)
		}
	}
	mark := s.mark(t)
	s.sandbox(t, http.MethodPost, "/admin/clients/"+refusedClient+"/secret", map[string]any{"secret": "the-second-secret"}, nil)
	for _, name := range names {
		described := becomes(t, name, connection.Error, 0)
		if look := described.Look; look.Verdict != connection.ClientMisconfigured || !strings.Contains(look.Reason, refusedClient) ||
			!strings.Contains(look.Remedy, "connected-apps auth-configs rotate "+environment+"/sandbox/"+refusedClient) || described.Alerts.Raised != 0 {
			t.Errorf("%s: %+v, alerts %+v", name, look, described.Alerts)
		}
	}
	refused := func(e entry) bool { return e.Kind == "token" && e.Client == refusedClient && e.Outcome != "ok" }
	if n := count(s.since(t, mark), refused); n < 1 || n > len(names) {
		t.Errorf("the refused secret was presented %d times by %d connections", n, len(names))
	}
	var state workflows.AuthConfigState
	eventually(t, "the auth config has raised an alert, and it is listed", func() bool {
		config, _ := alertsAbout(t, refusedClient, names)
		var err error
		state, err = s.client.DescribeAuthConfig(ctx, "sandbox", refusedClient)
		return config > 0 && err == nil && len(state.Alerts.Open) == 1
	})
	if config, connections := alertsAbout(t, refusedClient, names); config != 1 || connections != 0 {
		t.Errorf("%d open alerts of the auth config, %d of its connections", config, connections)
	}
	open := state.Alerts.Open[0]
	if open.News.Kind != connection.AlertClientRefused || open.News.Reason == "" || open.News.Remedy == "" || state.Alerts.Raised != 1 || state.Status != connection.Error {
		t.Errorf("%+v", state)
	}

	must(t, "auth-configs", "rotate", environment+"/sandbox/"+refusedClient, "--secret-file", secretFile(t, map[string]string{"client_secret": "the-second-secret"}))
	for _, name := range names {
		eventually(t, name+" heals by itself", func() bool { lookNow(t, name); return status(t, name) == connection.Active })
		if described := becomes(t, name, connection.Active, 0); described.Look.Reason != "" || described.Alerts.Raised != 0 {
			t.Errorf("%s: %+v, alerts %+v", name, described.Look, described.Alerts)
		}
		if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	over(t, open.WorkflowID, "")
	eventually(t, "it is no longer listed", func() bool { config, _ := alertsAbout(t, refusedClient, names); return config == 0 })
	if state, err := s.client.DescribeAuthConfig(ctx, "sandbox", refusedClient); err != nil || state.Status != connection.Active || state.Alerts.Raised != 1 || len(state.Alerts.Open) != 0 {
		t.Errorf("%+v %v", state, err)
	}
}
