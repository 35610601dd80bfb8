package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
)

// QueryWorkflow answers as AlertSinks does.
func (h *house) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queries = append(h.queries, id)
	return sinksOf{{Name: "ops", Kind: "webhook"}, {Name: "chat", Kind: "slack"}}, nil
}

type sinksOf []workflows.SinkState

func (s sinksOf) HasValue() bool { return true }

func (s sinksOf) Get(out any) error {
	text, err := json.Marshal(workflows.AlertSinksState{Sinks: s})
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

func TestNamesThatPeopleGaveAreProposed(t *testing.T) {
	const alert, demo = "alert/development/sandbox/a/expired-1", "auth-config/development/sandbox/demo"
	for name, c := range map[string]struct {
		there []string
		words []string
		want  string
		query string
	}{
		"alert":             {[]string{alert}, []string{"alerts", "show", "alert/development/sandbox/"}, alert, "WorkflowId STARTS_WITH 'alert/development/sandbox/'"},
		"resolve":           {[]string{alert}, []string{"alerts", "resolve", "alert/development/sandbox/a"}, alert, "WorkflowId STARTS_WITH 'alert/development/sandbox/a'"},
		"of an auth config": {[]string{"alert/" + demo + "/expiring-2"}, []string{"alerts", "show", "alert/auth-config/development/sandbox/"}, "alert/" + demo + "/expiring-2", "'alert/auth-config/development/sandbox/'"},
		"that there are":    {nil, []string{"alerts", "show", "alert/"}, "alert/auth-config/", ""},
		"auth config":       {[]string{demo}, []string{"auth-configs", "show", "development/sandbox/"}, "development/sandbox/demo", "ConnectionApp = 'sandbox'"},
		"connect":           {[]string{demo}, []string{"connect", "development/sandbox/new", "--auth-config", ""}, "demo", "ConnectionApp = 'sandbox'"},
		"reconnect":         {[]string{demo}, []string{"reconnect", "development/sandbox/a", "--auth-config", ""}, "demo", "ConnectionApp = 'sandbox'"},
		"rotate a sink":     {nil, []string{"alerts", "sinks", "rotate", ""}, "ops", "alert-sinks/development"},
		"test a sink":       {nil, []string{"alerts", "sinks", "test", ""}, "chat", "alert-sinks/development"},
		"delete a sink":     {nil, []string{"alerts", "sinks", "delete", "--environment", "staging", ""}, "ops", "alert-sinks/staging"},
	} {
		houses := map[string]*house{"development": {}, "staging": {}}
		for _, id := range c.there {
			houses["development"].rows = append(houses["development"].rows,
				&workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: id}})
		}
		_, out, errOut := runIn(t, houses, nil, append([]string{"__complete"}, c.words...)...)
		if !strings.Contains("\n"+out, "\n"+c.want) {
			t.Errorf("%s: no %q in %q %s", name, c.want, out, errOut)
		}
		asked := append(houses["development"].queries, houses["staging"].queries...)
		if text := strings.Join(asked, "\n"); !strings.Contains(text, c.query) || c.query != "" && len(asked) != 1 {
			t.Errorf("%s: asked %q", name, asked)
		}
	}
}
