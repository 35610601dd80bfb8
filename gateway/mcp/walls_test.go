package mcp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

func (b *bench) post(query, body string, headers map[string]string) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.server.URL+Path+query, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func TestWhoGetsIn(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Issuer = "https://id.example" })
	for _, row := range []struct {
		name, query string
		headers     map[string]string
		want        int
	}{
		{"an agent", "", map[string]string{"Authorization": "Bearer agent"}, 200},
		{"an agent's own toolkit", "?toolkit=development/atlas/main", map[string]string{"Authorization": "Bearer agent"}, 200},
		{"another toolkit", "?toolkit=development/atlas/main/reading", map[string]string{"Authorization": "Bearer agent"}, 403},
		{"another connection", "?toolkit=development/atlas/other", map[string]string{"Authorization": "Bearer agent"}, 403},
		{"an agent without toolkits", "", map[string]string{"Authorization": "Bearer nobody"}, 403},
		{"an operator", "?toolkit=development/atlas/main", map[string]string{"Authorization": "Bearer operator"}, 200},
		{"an operator who names none", "", map[string]string{"Authorization": "Bearer operator"}, 400},
		{"an operator elsewhere", "?toolkit=staging/atlas/main", map[string]string{"Authorization": "Bearer operator"}, 403},
		{"a toolkit that is not there", "?toolkit=development/atlas/none", map[string]string{"Authorization": "Bearer operator"}, 404},
		{"a viewer", "?toolkit=development/atlas/main", map[string]string{"Authorization": "Bearer viewer"}, 403},
		{"nobody", "", nil, 401},
		{"a token that is no good", "", map[string]string{"Authorization": "Bearer x"}, 401},
		{"a browser's session", "?toolkit=development/atlas/main", map[string]string{"Cookie": "session-development=x"}, 401},
		{"a page of another site", "", map[string]string{"Authorization": "Bearer agent", "Origin": "https://evil.example"}, 403},
		{"a page without an origin", "", map[string]string{"Authorization": "Bearer agent", "Origin": "null"}, 403},
		{"a mode that is none", "?mode=x", map[string]string{"Authorization": "Bearer agent"}, 400},
	} {
		status, header, text := b.post(row.query, initialize, row.headers)
		if status != row.want {
			t.Errorf("%s: %d, want %d: %s", row.name, status, row.want, text)
		}
		challenge := header.Get("WWW-Authenticate")
		if want := `resource_metadata="` + b.server.URL + MetadataPath + `/mcp"`; (status == 401) != strings.Contains(challenge, want) {
			t.Errorf("%s: WWW-Authenticate: %q", row.name, challenge)
		}
	}
	if status, _, _ := b.post("", strings.Repeat(" ", maxBody+1), map[string]string{"Authorization": "Bearer agent"}); status != 400 {
		t.Errorf("a large request: %d", status)
	}
}

func TestMetadata(t *testing.T) {
	for _, issuer := range []string{"", "https://id.example"} {
		b := newBench(t, func(o *Options) { o.Issuer = issuer })
		for _, path := range []string{MetadataPath, MetadataPath + Path} {
			response, err := http.Get(b.server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			var told struct {
				Resource string   `json:"resource"`
				Servers  []string `json:"authorization_servers"`
			}
			err = json.NewDecoder(response.Body).Decode(&told)
			_ = response.Body.Close()
			if issuer == "" {
				if response.StatusCode != http.StatusNotFound {
					t.Errorf("%s without a provider: %d", path, response.StatusCode)
				}
				continue
			}
			if err != nil || told.Resource != b.server.URL+"/mcp" || len(told.Servers) != 1 || told.Servers[0] != issuer {
				t.Errorf("%s: %+v, %v", path, told, err)
			}
		}
	}
}

// A session is judged by the token of each request: one that was revoked, or another's, ends it.
func TestSessionsStayTheirCallers(t *testing.T) {
	b := newBench(t)
	status, header, text := b.post("", initialize, map[string]string{"Authorization": "Bearer agent"})
	id := header.Get("Mcp-Session-Id")
	if status != 200 || id == "" {
		t.Fatalf("%d, %q: %s", status, id, text)
	}
	const list = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	if status, _, text := b.post("", list, map[string]string{"Authorization": "Bearer operator", "Mcp-Session-Id": id}); status != 403 {
		t.Errorf("another's session: %d: %s", status, text)
	}
	b.guard.forget("agent")
	if status, _, text := b.post("", list, map[string]string{"Authorization": "Bearer agent", "Mcp-Session-Id": id}); status != 401 {
		t.Errorf("a revoked token: %d: %s", status, text)
	}
}

// What somebody lost while their session was open cannot be called in it any more.
func TestLostRole(t *testing.T) {
	b := newBench(t)
	session := b.connect("operator", "?toolkit=development/atlas/main", oldest, nil)
	b.names(session)
	b.guard.mu.Lock()
	person := b.guard.known["operator"]
	person.Roles = map[string]access.Role{"development": access.Viewer}
	b.guard.known["operator"] = person
	b.guard.mu.Unlock()
	if result := b.call(session, "list-maps", nil, nil); !result.IsError || len(b.runs()) != 0 {
		t.Errorf("%s", text(result))
	}
}

// A session is that of one token: another of the same name, made later or for other
// toolkits, does not get into it, and the same token does, however its toolkits are sorted.
func TestSessionsStayTheirTokens(t *testing.T) {
	b := newBench(t)
	main, reading, other := ref("development/atlas/main"), ref("development/atlas/main/reading"), ref("development/atlas/other")
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	agent := func(created time.Time, refs ...connection.ToolkitRef) {
		b.guard.mu.Lock()
		defer b.guard.mu.Unlock()
		b.guard.known["agent"] = access.Person{Subject: "token:development/agent", Toolkits: refs, Created: created}
	}
	agent(made, main, reading)
	status, header, text := b.post("", initialize, map[string]string{"Authorization": "Bearer agent"})
	if status != 200 {
		t.Fatalf("%d: %s", status, text)
	}
	for _, row := range []struct {
		name    string
		created time.Time
		refs    []connection.ToolkitRef
		want    int
	}{
		{"the same", made, []connection.ToolkitRef{reading, main}, 200},
		{"made later", made.Add(time.Second), []connection.ToolkitRef{main, reading}, 403},
		{"narrower", made, []connection.ToolkitRef{main}, 403},
		{"for another", made, []connection.ToolkitRef{main, other}, 403},
		{"for none", made, []connection.ToolkitRef{}, 403},
		{"no agent's", made, nil, 403},
	} {
		agent(row.created, row.refs...)
		status, _, text := b.post("", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, map[string]string{"Authorization": "Bearer agent", "Mcp-Session-Id": header.Get("Mcp-Session-Id")})
		if status != row.want {
			t.Errorf("%s: %d, want %d: %s", row.name, status, row.want, text)
		}
	}
}

func TestUnknownTool(t *testing.T) {
	b := newBench(t)
	session := b.connect("agent", "", "", nil)
	other := toolName(ref("development/atlas/other"), "list-maps")
	if _, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: other}); err == nil || len(b.runs()) != 0 {
		t.Errorf("another's tool: %v", err)
	}
}
