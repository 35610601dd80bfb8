package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// house is a Temporal with connections in a list, which can be disconnected.
type house struct {
	client.Client
	away    bool
	rows    []*workflowpb.WorkflowExecutionInfo
	mu      sync.Mutex
	queries []string
	ended   []string
}

func (h *house) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	if h.away {
		return nil, errors.New("nobody is there")
	}
	return nil, nil
}

func (h *house) ListWorkflow(_ context.Context, in *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queries = append(h.queries, in.GetQuery())
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: h.rows}, nil
}

func (h *house) UpdateWorkflow(_ context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, options.WorkflowID)
	switch {
	case strings.HasSuffix(options.WorkflowID, "/stuck"):
		return nil, serviceerror.NewUnavailable("no")
	case strings.HasSuffix(options.WorkflowID, "/gone"):
		return nil, serviceerror.NewNotFound("no")
	}
	return revoked{}, nil
}

func (h *house) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("no")
}

type revoked struct{ client.WorkflowUpdateHandle }

func (revoked) Get(_ context.Context, out any) error {
	return json.Unmarshal([]byte(`{"revocation":"revoked"}`), out)
}

// has adds a connection to the list; attributes are pairs of name and value.
func (h *house) has(t *testing.T, id string, attributes ...any) {
	t.Helper()
	fields := map[string]*commonpb.Payload{}
	for i := 0; i < len(attributes); i += 2 {
		payload, err := converter.GetDefaultDataConverter().ToPayload(attributes[i+1])
		if err != nil {
			t.Fatal(err)
		}
		fields[attributes[i].(string)] = payload
	}
	h.rows = append(h.rows, &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: "connection/" + id},
		StartTime: timestamppb.New(time.Now().Add(-48 * time.Hour)), SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields}})
}

// used answers when connections were last used.
type used map[connection.ID]time.Time

func (u used) Facts(_ context.Context, id connection.ID) (connection.Facts, error) {
	return connection.Facts{LastUsed: u[id]}, nil
}

// runIn runs a command line with those environments, and answers its exit code and what it wrote.
func runIn(t *testing.T, houses map[string]*house, facts workflows.Facts, args ...string) (int, string, string) {
	t.Helper()
	t.Setenv("CONNECTED_APPS_ENVIRONMENTS", strings.Join(sortedKeys(houses), ","))
	t.Setenv("CONNECTED_APPS_IDENTITIES", "")
	t.Setenv("VAULT_TOKEN", "")
	var out, errOut bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, errOut: &errOut}
	p.opened.environments = map[string]*environment{}
	for name, h := range houses {
		p.opened.environments[name] = &environment{Client: &workflows.Client{Temporal: h, Environment: name, Facts: facts}}
	}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errOut)
	code := exitOK
	if err := root.ExecuteContext(context.Background()); err != nil {
		code = p.fail(p.usage(err))
	}
	return code, out.String(), errOut.String()
}

func twoHouses(t *testing.T) map[string]*house {
	t.Helper()
	one, two := &house{}, &house{}
	hour := time.Now().Truncate(time.Hour).Add(-3 * time.Hour)
	one.has(t, "development/sandbox/b", "ConnectionName", "Bee", "ConnectionStatus", "Active", "ConnectionLastUsed", hour)
	one.has(t, "development/sandbox/a", "ConnectionName", "Ant", "ConnectionStatus", "Expired", "ConnectionOwner", "ada", "ConnectionToolkit", []string{"default", "reader"})
	two.has(t, "staging/github/c", "ConnectionName", "Cat\x1b[31m", "ConnectionStatus", "Error", "ConnectionExpires", time.Now().Add(72*time.Hour+time.Minute))
	return map[string]*house{"development": one, "staging": two}
}
