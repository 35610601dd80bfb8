package mcp

import (
	"context"
	"io"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/gateway/access"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestSearch(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		session := b.connect("agent", "?mode=search", version, nil)
		if names := b.names(session); strings.Join(names, " ") != "describe_action run_action search_actions" {
			t.Fatalf("%v", names)
		}
		call := func(tool string, arguments map[string]any) string {
			t.Helper()
			result, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
			if err != nil {
				t.Fatal(err)
			}
			return text(result)
		}
		name := toolName(ref("development/atlas/main"), "draw-map")
		found := call(SearchActions, map[string]any{"query": "DRAW"})
		if !strings.Contains(found, name) || strings.Contains(found, "list-maps") {
			t.Errorf("%s", found)
		}
		if all := call(SearchActions, nil); !strings.Contains(all, `"found":2`) {
			t.Errorf("%s", all)
		}
		if one := call(DescribeAction, map[string]any{"name": name}); !strings.Contains(one, "geo_shape") {
			t.Errorf("%s", one)
		}
		if ran := call(RunAction, map[string]any{"name": name, "arguments": map[string]any{"title": "x", "geo_shape": "y"}}); !strings.Contains(ran, "9007199254740993") {
			t.Errorf("%s", ran)
		}
		other := toolName(ref("development/atlas/other"), "list-maps")
		if ran := call(RunAction, map[string]any{"name": other}); !strings.Contains(ran, "there is no action") || len(b.runs()) != 1 {
			t.Errorf("%s", ran)
		}
		// What somebody loses is not found any more: an agent's toolkit in the next request, and
		// a person's role in a session that is open too.
		if version == oldest {
			session = b.connect("operator", "?mode=search&toolkit=development/atlas/main", version, nil)
		}
		b.guard.mu.Lock()
		agent, operator := b.guard.known["agent"], b.guard.known["operator"]
		agent.Toolkits = []connection.ToolkitRef{ref("development/atlas/other")}
		operator.Roles = map[string]access.Role{"development": access.Viewer}
		b.guard.known["agent"], b.guard.known["operator"] = agent, operator
		b.guard.mu.Unlock()
		if one := call(DescribeAction, map[string]any{"name": name}); !strings.Contains(one, "there is no action") {
			t.Errorf("%s", one)
		}
		if all := call(SearchActions, map[string]any{"query": "draw"}); strings.Contains(all, name) {
			t.Errorf("%s", all)
		}
	})
}

func TestLocal(t *testing.T) {
	b := newBench(t)
	theirs, ours := io.Pipe()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	refs, err := ParseToolkits([]string{"development/atlas/main"})
	if err != nil {
		t.Fatal(err)
	}
	options := b.handler.Options
	options.Guard = nil
	go func() { ended <- Local(context.Background(), options, refs, "", theirs, write) }()
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(context.Background(), &sdk.IOTransport{Reader: read, Writer: ours}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.names(session)
	if result := b.call(session, "list-maps", nil, nil); result.IsError || b.runs()[0].Owner != "local" {
		t.Errorf("%s", text(result))
	}
	_ = session.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	refs[0] = ref("development/atlas/none")
	if err := Local(context.Background(), options, refs, "", theirs, write); err == nil {
		t.Error("a toolkit that is not there was served")
	}
}
