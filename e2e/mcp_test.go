package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	temporal "go.temporal.io/sdk/client"
)

// agentToken makes an access token for an agent with the command line.
func agentToken(t *testing.T, name string, toolkits ...string) string {
	t.Helper()
	arguments := []string{"access", "create", name, "--agent"}
	for _, toolkit := range toolkits {
		arguments = append(arguments, "--toolkit", toolkit)
	}
	return strings.TrimSpace(must(t, arguments...))
}

// withToken adds a token to every request.
type withToken string

func (token withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

// agent is a session of the official SDK's client with the gateway; version "" is the newest.
func agent(t *testing.T, token, query, version string, options *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, options)
	session, err := client.Connect(within(t, 5*time.Minute), &mcp.StreamableClientTransport{Endpoint: s.ready.Gateway + "/mcp" + query,
		HTTPClient: &http.Client{Transport: withToken(token)}}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// toolOf finds the tool of an action in a session's list.
func toolOf(t *testing.T, session *mcp.ClientSession, action string) string {
	t.Helper()
	list, err := session.ListTools(within(t, time.Minute), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range list.Tools {
		if strings.HasPrefix(tool.Name, "sandbox_"+action+"_") {
			return tool.Name
		}
		names = append(names, tool.Name)
	}
	t.Fatalf("there is no tool for %s: %v", action, names)
	return ""
}

func callTool(t *testing.T, session *mcp.ClientSession, tool string, arguments map[string]any, meta mcp.Meta) (*mcp.CallToolResult, string) {
	t.Helper()
	result, err := session.CallTool(within(t, 3*time.Minute), &mcp.CallToolParams{Meta: meta, Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, content := range result.Content {
		if text, ok := content.(*mcp.TextContent); ok {
			all = append(all, text.Text)
		}
	}
	return result, strings.Join(all, "\n")
}

// An agent lists and calls the actions of its toolkit in both eras of the protocol. A
// call that is repeated under its key happens once. Its token opens nothing else.
func TestAnAgentUsesItsToolkit(t *testing.T) {
	connectBy(t, "agents", "oauth")
	connectBy(t, "not-the-agents", "api-key")
	token := agentToken(t, "agent-one", string(id("agents")))
	for _, version := range []string{"", "2025-11-25"} {
		session := agent(t, token, "", version, nil)
		if result, text := callTool(t, session, toolOf(t, session, "whoami"), nil, nil); result.IsError || !strings.Contains(text, "ada") {
			t.Errorf("%q: %s", version, text)
		}
		mark := s.mark(t)
		create, meta := toolOf(t, session, "create-contact"), mcp.Meta{"connected-apps/idempotency-key": "once-" + version}
		for range 2 {
			if result, text := callTool(t, session, create, map[string]any{"name": "made by an agent"}, meta); result.IsError {
				t.Errorf("%q: %s", version, text)
			}
		}
		all := s.since(t, mark)
		if n := count(all, func(e entry) bool { return e.Path == contacts && e.Method == http.MethodPost }); n != 1 {
			t.Errorf("%q: the call was carried out %d times", version, n)
		}
		// What the agent shows is for the gateway alone: the app sees the connection's credential.
		shown := hashed(token)[:12]
		if n := count(all, func(e entry) bool { return e.Path == contacts && (e.Credential == shown || !issued(t, e.Credential)) }); n != 0 {
			t.Errorf("%q: %d requests bore another credential than the connection's", version, n)
		}
		if _, text := callTool(t, session, toolOf(t, session, "list-contacts"), map[string]any{"limit": 1, "_projection": "[].name"}, nil); !strings.Contains(text, `"data":["`) || !strings.Contains(text, "next_cursor") {
			t.Errorf("%q: %s", version, text)
		}
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	if _, err := client.Connect(within(t, time.Minute), &mcp.StreamableClientTransport{Endpoint: s.ready.Gateway + "/mcp?toolkit=" + string(id("not-the-agents")),
		HTTPClient: &http.Client{Transport: withToken(token)}, MaxRetries: -1}, nil); err == nil {
		t.Error("an agent was given another's toolkit")
	}
	for _, path := range []string{"/api/v1/connections", "/api/v1/apps", "/"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.ready.Gateway+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{Transport: withToken(token)}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("an agent got %d at %s", response.StatusCode, path)
		}
	}
}

// issued reports whether the app has issued that access token; it is named by its fingerprint.
func issued(t *testing.T, access string) bool {
	t.Helper()
	return access != "" && count(s.since(t, 0), func(e entry) bool { return e.Kind == "token" && e.IssuedAccess == access }) > 0
}

// A call that meets a dead connection says where a person can help. One that waits
// completes when they have; one that is cancelled ends its action.
func TestAnAgentsCallWaitsForAReconnect(t *testing.T) {
	const name = "agents-dead"
	start := s.mark(t)
	connectBy(t, name, "oauth")
	session := agent(t, agentToken(t, "agent-two", string(id(name))), "", "", nil)
	whoami := toolOf(t, session, "whoami")
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	result, text := callTool(t, session, whoami, nil, nil)
	if !result.IsError || !strings.Contains(text, s.settings.GatewayURL+"/connections/"+string(id(name))+"/reconnect") {
		t.Fatalf("%s", text)
	}
	eventually(t, "it is said to be expired", func() bool { return status(t, name) == connection.Expired })

	progress := make(chan string, 100)
	patient := agent(t, agentToken(t, "agent-three", string(id(name))), "", "", &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { progress <- r.Params.Message }})
	call := func(ctx context.Context) (*mcp.CallToolResult, error) {
		params := &mcp.CallToolParams{Name: whoami, Arguments: map[string]any{"_wait_for_reconnect": true}}
		params.SetProgressToken("p")
		return patient.CallTool(ctx, params)
	}
	given, cancel := context.WithCancel(within(t, time.Minute))
	cancelled := make(chan error, 1)
	go func() {
		_, err := call(given)
		cancelled <- err
	}()
	for said := ""; !strings.Contains(said, "waiting for a person"); {
		said = <-progress
	}
	cancel()
	if err := <-cancelled; err == nil {
		t.Error("a call that was cancelled had an answer")
	}
	eventually(t, "the action is cancelled too", func() bool {
		n, err := s.client.Temporal.CountActivities(within(t, time.Minute), temporal.CountActivitiesOptions{
			Query: "ActivityType = 'CallAction' AND ExecutionStatus = 'Canceled'"})
		return err == nil && n.Count >= 1
	})

	done := make(chan error, 1)
	go func() {
		result, err := call(within(t, 3*time.Minute))
		if err == nil && result.IsError {
			text, _ := json.Marshal(result)
			t.Errorf("%s", text)
		}
		done <- err
	}()
	for said := ""; !strings.Contains(said, "waiting for a person"); {
		said = <-progress
	}
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The same over standard input and output, with the identity of the command line.
func TestToolsOnStandardInput(t *testing.T) {
	connectBy(t, "agents-local", "api-key")
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := client.Connect(within(t, time.Minute), &mcp.CommandTransport{
		Command: exec.CommandContext(t.Context(), "../bin/connected-apps", "mcp", "--toolkit", string(id("agents-local")), "--mode", "search")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	_, found := callTool(t, session, "search_actions", map[string]any{"query": "who am i"}, nil)
	var hits struct {
		Actions []struct {
			Name string `json:"name"`
		} `json:"actions"`
	}
	if err := json.Unmarshal([]byte(found), &hits); err != nil || len(hits.Actions) == 0 {
		t.Fatalf("%v: %s", err, found)
	}
	if result, text := callTool(t, session, "run_action", map[string]any{"name": hits.Actions[0].Name}, nil); result.IsError {
		t.Error(text)
	}
}
