package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// places are where no secret may be, and where something must have been to be looked at.
// A surface is named "place: part"; there may be some of further places. The product
// writes no traces.
var places = []string{"histories", "database", "descriptions", "standalone actions", "pending failures", "visibility", "queries",
	"logs", "metrics", "console's pages", "API's answers", "MCP results", "webhook bodies", "audit log", "process list"}

// surfaces are those that can be read at any time. What the product answers or sends
// is a surface of whoever asked for it: see shown, told and receiver.
func surfaces(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"histories: " + environment: histories(t), "metrics: Temporal's": fetched(t, s.ready.TemporalMetrics),
		"metrics: Vault's": fetched(t, s.ready.Vault+"/v1/sys/metrics"), "process list": processes(t)}
	maps.Copy(all, descriptions(t))
	var sealed bytes.Buffer
	staging, _ := elsewhere(t, "staging")
	for _, message := range kept(t, staging) {
		decoded(t, &sealed, message)
	}
	all["histories: staging"] = sealed.Bytes()
	for pattern, place := range map[string]string{"temporal.db*": "database", "logs/*": "logs", "vault/audit.log": "audit log",
		"ready.json": "files", "env": "files", "launcher.log": "files"} {
		paths, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[place+": "+filepath.Base(path)] = text
		}
	}
	return all
}

// fetched is what a server's metrics are; root may read Vault's.
func fetched(t *testing.T, address string) []byte {
	t.Helper()
	status, text := send(t, http.MethodGet, address, "", named("X-Vault-Token", s.root.Token()))
	if status != http.StatusOK {
		t.Fatalf("%s answers %d %.200s", address, status, text)
	}
	return []byte(text)
}

// processes are the arguments of every process of this machine.
func processes(t *testing.T) []byte {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var commands []byte
	for _, entry := range entries {
		if text, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")); err == nil {
			commands = append(commands, text...)
		}
	}
	return commands
}

// lists are what visibility knows of the environment's workflows, open and closed.
func lists(t *testing.T) []*workflowservice.ListWorkflowExecutionsResponse {
	t.Helper()
	var all []*workflowservice.ListWorkflowExecutionsResponse
	var page []byte
	for {
		answer, err := s.client.Temporal.ListWorkflow(within(t, time.Minute), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 500, NextPageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, answer)
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return all
		}
	}
}

// executions lists every workflow of the environment, open and closed.
func executions(t *testing.T) []*commonpb.WorkflowExecution {
	t.Helper()
	var all []*commonpb.WorkflowExecution
	for _, list := range lists(t) {
		for _, execution := range list.GetExecutions() {
			all = append(all, execution.GetExecution())
		}
	}
	return all
}

// histories are all events of all workflows, with their payloads decoded.
func histories(t *testing.T) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, execution := range executions(t) {
		for _, event := range historyOf(t, execution).GetEvents() {
			decoded(t, &all, event)
		}
	}
	return all.Bytes()
}

// descriptions are what Temporal tells of workflows and standalone actions besides their
// histories, and what workflows answer.
func descriptions(t *testing.T) map[string][]byte {
	t.Helper()
	var visible, flows, pending, answers, actions bytes.Buffer
	for _, list := range lists(t) {
		decoded(t, &visible, list)
		for _, listed := range list.GetExecutions() {
			id, run := listed.GetExecution().GetWorkflowId(), listed.GetExecution().GetRunId()
			described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), id, run)
			if err != nil {
				t.Fatal(err)
			}
			decoded(t, &flows, described)
			for _, activity := range described.GetPendingActivities() {
				if activity.GetLastFailure() != nil {
					decoded(t, &pending, activity)
				}
			}
			queries := []string{workflows.QueryProgress, workflows.QueryDescribe}
			if listed.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING { // Temporal's own, which its Web UI asks for
				queries = append(queries, client.QueryTypeStackTrace, "__temporal_workflow_metadata")
			}
			for _, query := range queries {
				var answer converter.RawValue
				if value, err := s.client.Temporal.QueryWorkflow(within(t, 10*time.Second), id, run, query); err == nil && value.Get(&answer) == nil {
					answers.Write(answer.Payload().GetData())
				}
			}
		}
	}
	listed, described := standalone(t, s.client)
	for _, message := range listed {
		decoded(t, &visible, message)
	}
	for _, message := range described {
		decoded(t, &actions, message)
	}
	return map[string][]byte{"visibility": visible.Bytes(), "descriptions": flows.Bytes(), "pending failures": pending.Bytes(),
		"queries": answers.Bytes(), "standalone actions": actions.Bytes()}
}

// standalone are all actions of an environment that no workflow started, open and closed:
// how they are listed, and their descriptions with input, outcome and last failure.
func standalone(t *testing.T, c *workflows.Client) (listed, described []proto.Message) {
	t.Helper()
	var page []byte
	for {
		list, err := c.Temporal.WorkflowService().ListActivityExecutions(within(t, time.Minute), &workflowservice.ListActivityExecutionsRequest{
			Namespace: c.Namespace(), PageSize: 500, NextPageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, list)
		for _, execution := range list.GetExecutions() {
			one, err := c.Temporal.WorkflowService().DescribeActivityExecution(within(t, time.Minute), &workflowservice.DescribeActivityExecutionRequest{
				Namespace: c.Namespace(), ActivityId: execution.GetActivityId(), RunId: execution.GetRunId(), IncludeInput: true, IncludeOutcome: true, IncludeLastFailure: true})
			if err != nil {
				t.Fatal(err)
			}
			described = append(described, one)
		}
		if page = list.GetNextPageToken(); len(page) == 0 {
			return listed, described
		}
	}
}

// decoded writes a message as JSON, and the base64 of its payloads in clear after it.
func decoded(t *testing.T, to *bytes.Buffer, message proto.Message) {
	t.Helper()
	text, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	to.Write(text)
	var anything any
	if err := json.Unmarshal(text, &anything); err != nil {
		t.Fatal(err)
	}
	var open func(any)
	open = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				if encoded, ok := inner.(string); ok && name == "data" {
					if plain, err := base64.StdEncoding.DecodeString(encoded); err == nil {
						to.Write(plain)
					}
				}
				open(inner)
			}
		case []any:
			for _, inner := range v {
				open(inner)
			}
		}
	}
	open(anything)
}
