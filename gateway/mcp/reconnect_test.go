package mcp

import (
	"context"
	"strings"
	"testing"

	"connectedapps/activities"
	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// expired answers as a connection that needs its owner, until a call waits for them.
func (b *bench) expired() {
	b.run = func(_ context.Context, in activities.CallActionInput) (*activities.CallActionResult, error) {
		if !in.WaitForReconnect {
			return nil, connection.ReconnectRequired(in.Connection, "the app has revoked it")
		}
		return &activities.CallActionResult{Data: []byte(`"after the reconnect"`)}, nil
	}
}

func elicits(action string, asked *[]*sdk.ElicitParams) *sdk.ClientOptions {
	return &sdk.ClientOptions{Capabilities: &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{URL: &sdk.URLElicitationCapabilities{}}},
		ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			*asked = append(*asked, r.Params)
			return &sdk.ElicitResult{Action: action}, nil
		}}
}

func TestReconnectLinkForClientsThatCannotShowIt(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		b.expired()
		session := b.connect("agent", "", version, nil)
		b.names(session)
		result := b.call(session, "list-maps", nil, nil)
		link := b.server.URL + "/connections/development/atlas/main/reconnect"
		if !result.IsError || !strings.Contains(text(result), link) || !strings.Contains(text(result), "the app has revoked it") {
			t.Errorf("%s", text(result))
		}
		content, _ := result.StructuredContent.(map[string]any)
		if told, _ := content["error"].(map[string]any); told["link"] != link || told["type"] != connection.ErrReconnectRequired {
			t.Errorf("%v", content)
		}
		if result := b.call(session, "list-maps", map[string]any{"_wait_for_reconnect": true}, nil); result.IsError || !strings.Contains(text(result), "after the reconnect") {
			t.Errorf("waiting: %s", text(result))
		}
	})
}

func TestReconnectPageIsShown(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		b.expired()
		var asked []*sdk.ElicitParams
		session := b.connect("agent", "", version, elicits("accept", &asked))
		b.names(session)
		result := b.call(session, "list-maps", nil, nil)
		if result.IsError || !strings.Contains(text(result), "after the reconnect") {
			t.Fatalf("%s", text(result))
		}
		if len(asked) != 1 || asked[0].Mode != "url" || asked[0].URL != b.server.URL+"/connections/development/atlas/main/reconnect" {
			t.Errorf("%+v", asked)
		}
		if runs := b.runs(); len(runs) != 2 || runs[0].IdempotencyKey != runs[1].IdempotencyKey || !runs[1].WaitForReconnect {
			t.Errorf("the call did not go on as the same one: %+v", runs)
		}
	})
}

func TestReconnectDeclined(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		b.expired()
		var asked []*sdk.ElicitParams
		session := b.connect("agent", "", version, elicits("decline", &asked))
		b.names(session)
		result := b.call(session, "list-maps", nil, nil)
		if !result.IsError || len(asked) != 1 || !strings.Contains(text(result), "/reconnect") {
			t.Errorf("%s, asked %d times", text(result), len(asked))
		}
	})
}
