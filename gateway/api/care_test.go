package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

func TestConnectionCare(t *testing.T) {
	b := newBench(t)
	var d Details
	b.do("viewer", "GET", one, "").json(http.StatusOK, &d)
	if d.ID != "development/atlas/main" || d.Status != "Active" || d.Policy.ProbeEvery != 3600 || d.Policy.Idle != "keep-fresh" || len(d.Toolkits) != 1 {
		t.Errorf("%+v", d)
	}
	var tested Tested
	b.do("operator", "POST", one+"/test", "").json(http.StatusOK, &tested)
	if !tested.Passed || tested.Test != "GET /me" {
		t.Errorf("%+v", tested)
	}
	b.do("operator", "POST", one+"/refresh", "").json(http.StatusOK, nil)
	b.do("operator", "POST", one+"/pause", `{"reason":"holiday"}`).json(http.StatusNoContent, nil)
	b.do("operator", "POST", one+"/resume", "").json(http.StatusNoContent, nil)
	b.do("operator", "PATCH", one, `{"display_name":"New","policy":{"probe_every_seconds":600,"idle":"on-demand","expires":""}}`).json(http.StatusOK, nil)
	policy := b.last("SetPolicy").(workflows.SetPolicy)
	if b.last("Pause") != "holiday" || b.last("Rename") != "New" || *policy.ProbeEvery != 10*time.Minute || *policy.Idle != connection.OnDemand || !policy.Expires.IsZero() {
		t.Errorf("%+v", policy)
	}
	var gone Disconnected
	b.do("operator", "DELETE", one+"?reason=over", "").json(http.StatusOK, &gone)
	if gone.Revocation != "revoked" || b.last("Disconnect") != "over" {
		t.Errorf("%+v", gone)
	}
}

func TestListsAreToldOfChanges(t *testing.T) {
	b := newBench(t)
	e := b.api.environments.All()[0]
	asked := func() int {
		if _, err := b.lists.Connections(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		return b.count("List")
	}
	before := asked()
	if asked() != before {
		t.Fatal("lists are not kept")
	}
	b.do("operator", "POST", one+"/pause", "").json(http.StatusNoContent, nil)
	if asked() != before+1 {
		t.Error("the list is not told of a change")
	}
}

func TestToolkits(t *testing.T) {
	b := newBench(t)
	var kit ToolkitActions
	b.do("viewer", "GET", one+"/toolkits/default", "").json(http.StatusOK, &kit)
	if len(kit.Actions) != 1 || !strings.Contains(string(kit.Actions[0].Input.RawMessage), "object") || len(kit.Unknown) != 1 {
		t.Errorf("%+v", kit)
	}
	b.do("viewer", "GET", one+"/toolkits/none", "").problem(http.StatusNotFound, "ToolkitNotFound")
	b.do("operator", "PUT", one+"/toolkits/agent", `{"actions":["list-maps"]}`).json(http.StatusOK, nil)
	b.do("operator", "PUT", one+"/toolkits/Agent", `{"actions":["list-maps"]}`).problem(http.StatusBadRequest, "InvalidInput")
	b.do("operator", "DELETE", one+"/toolkits/agent", "").json(http.StatusNoContent, nil)
	if b.last("DeleteToolkit") != "agent" || b.count("PutToolkit") != 1 {
		t.Error("not what was asked for")
	}
}

func TestRunAction(t *testing.T) {
	b := newBench(t)
	run := one + "/actions/list-maps"
	var state RunState
	w := b.do("operator", "POST", run, `{"arguments":{"n":9007199254740993},"toolkit":"t","projection":"[]","max_bytes":10,"wait_for_reconnect":true,"owner":"o","cursor":"c"}`, withKey("order-17")).
		json(http.StatusOK, &state)
	in := b.last("RunAction").(activities.CallActionInput)
	if string(in.Arguments) != `{"n":9007199254740993}` || in.IdempotencyKey != "order-17" || in.Toolkit != "t" || !in.WaitForReconnect || in.Action != "list-maps" || in.MaxBytes != 10 {
		t.Errorf("%+v", in)
	}
	if !state.Done || state.Key != "order-17" || !strings.Contains(w.Body.String(), `"data":[{"id":9007199254740993}]`) {
		t.Errorf("%s", w.Body)
	}
	b.do("operator", "POST", run, "").json(http.StatusOK, &state)
	if made := b.last("RunAction").(activities.CallActionInput).IdempotencyKey; made == "" || made != state.Key {
		t.Errorf("key %q", made)
	}
	b.api.pace.answer = 20 * time.Millisecond
	b.run = func(ctx context.Context) (*activities.CallActionResult, error) {
		<-ctx.Done()
		return nil, connection.TemporalUnavailable("there was no answer in time")
	}
	state = RunState{}
	b.do("operator", "POST", run, "", withKey("slow")).json(http.StatusAccepted, &state)
	if state.Done || state.Key != "slow" || state.Progress.Attempt != 2 || state.Progress.Reason != "it waits" {
		t.Errorf("%+v", state)
	}
	b.do("operator", "POST", one+"/test", "").json(http.StatusOK, nil)
	b.run = func(context.Context) (*activities.CallActionResult, error) {
		return nil, connection.ReconnectRequired("development/atlas/main", "revoked")
	}
	b.do("operator", "POST", run, "").problem(http.StatusConflict, "ReconnectRequired")
	b.do("operator", "POST", run, `{"arguments":[1]}`).problem(http.StatusBadRequest, "InvalidInput")
	b.do("viewer", "GET", run+"/runs/slow", "").json(http.StatusOK, nil)
	b.fails["ActionProgress"] = connection.Internal("describe action")
	b.do("viewer", "GET", run+"/runs/none", "").problem(http.StatusNotFound, "InvalidInput")
	b.fails["RunAction"] = nil
	big := `{"arguments":{"x":"` + strings.Repeat("y", 200<<10) + `"}}`
	b.run = nil
	b.do("operator", "POST", run, big).json(http.StatusOK, nil)
}

// A slow answer says how to get it.
func TestSlowAnswer(t *testing.T) {
	b := newBench(t)
	b.api.pace.answer = 10 * time.Millisecond
	slow := slowClient{Client: b.fake}
	b.api.environments = backend.NewSet(backend.Environment{Name: "development", Client: slow, Inbox: b.fake})
	p := b.do("operator", "POST", one+"/refresh", "").problem(http.StatusServiceUnavailable, "TemporalUnavailable")
	if !strings.Contains(p.Remedy, "Idempotency-Key") || p.RetryAfter == 0 {
		t.Errorf("%+v", p)
	}
}

type slowClient struct{ backend.Client }

func (slowClient) Refresh(ctx context.Context, _ connection.ID) (workflows.RefreshResult, error) {
	<-ctx.Done()
	return workflows.RefreshResult{}, connection.TemporalUnavailable("there was no answer in time; is a worker of this environment running?")
}

// recorder is a Temporal that hears the IDs of updates and has no answer.
type recorder struct {
	client.Client
	client.WorkflowUpdateHandle
	ids []string
}

func (r *recorder) GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions) client.WorkflowUpdateHandle {
	return r
}

func (r *recorder) Get(context.Context, any) error { return errors.New("unknown") }

func (r *recorder) UpdateWorkflow(_ context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	r.ids = append(r.ids, options.UpdateID)
	return nil, errors.New("no")
}

func TestIdempotencyKeys(t *testing.T) {
	b := newBench(t)
	temporal := &recorder{}
	catalogue, err := testCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	b.api.environments = backend.NewSet(backend.Environment{Name: "development", Inbox: b.fake,
		Client: &workflows.Client{Temporal: temporal, Environment: "development", Catalogue: catalogue}})
	ask := func(path, key string) string {
		b.do("operator", "POST", path, "", withKey(key)).problem(http.StatusServiceUnavailable, "TemporalUnavailable")
		return temporal.ids[len(temporal.ids)-1]
	}
	first := ask(one+"/test", "a")
	if ask(one+"/test", "a") != first {
		t.Error("the same key is not the same update")
	}
	if ask(one+"/test", "b") == first || ask("/connections/development/atlas/other/test", "a") == first || ask(one+"/refresh", "a") == first {
		t.Error("another key, or another address, is the same update")
	}
	if fresh := ask(one+"/test", ""); fresh == ask(one+"/test", "") {
		t.Error("without a key two requests are one")
	}
	paused := func(who, query, body string, change ...func(*http.Request)) string {
		t.Helper()
		b.do(who, "POST", one+"/pause"+query, body, append(change, withKey("a"))...)
		return temporal.ids[len(temporal.ids)-1]
	}
	own := func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") } // then the cookie says who it is
	seen := map[string]string{}
	for what, id := range map[string]string{
		"a request":       paused("operator", "", `{"reason":"one"}`),
		"another body":    paused("operator", "", `{"reason":"two"}`),
		"another person":  paused("admin", "", `{"reason":"one"}`),
		"another session": paused("", "", `{"reason":"one"}`, own, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "session", Value: "admin"}) }),
	} {
		if other, ok := seen[id]; ok {
			t.Errorf("%s gets the answer of %s", what, other)
		}
		seen[id] = what
	}
	if seen[paused("operator", "", `{"reason":"one"}`)] != "a request" {
		t.Error("the same request is another update")
	}
	before := len(temporal.ids)
	for _, bad := range []string{strings.Repeat("x", 129), "with space", "with\x7fcontrol", "äö"} {
		if p := b.do("operator", "POST", one+"/test", "", withKey(bad)).problem(http.StatusBadRequest, "InvalidInput"); p.Field != "Idempotency-Key" {
			t.Errorf("field %q", p.Field)
		}
	}
	if len(temporal.ids) != before {
		t.Error("a bad key had an effect")
	}
}

func TestApps(t *testing.T) {
	b := newBench(t)
	count := func(query string) int {
		var list AppList
		b.do("viewer", "GET", "/apps"+query, "").json(http.StatusOK, &list)
		return len(list.Items)
	}
	if count("") < 2 || count("?query=ATLAS") != 1 || count("?category=Maps") != 1 || count("?kind=oauth2-device&query=atlas") != 1 || count("?kind=nonsense") != 0 {
		t.Error("the filters do not hold")
	}
	var app App
	b.do("viewer", "GET", "/apps/atlas", "").json(http.StatusOK, &app)
	if len(app.Methods) != 3 || app.Methods[0].Setup.Steps[0] != "Enter "+site+"/oauth/callback and allow maps:read maps:write openid." ||
		!app.Methods[1].Inputs[1].Secret || len(app.Offers) != 2 || !json.Valid(app.Offers[0].Input.RawMessage) {
		text, _ := json.MarshalIndent(app, "", " ")
		t.Errorf("%s", text)
	}
	b.do("viewer", "GET", "/apps/atlsa", "").problem(http.StatusNotFound, "UnknownApp")
}
