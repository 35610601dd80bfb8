package mcp

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func (b *bench) call(session *sdk.ClientSession, action string, arguments map[string]any, meta sdk.Meta) *sdk.CallToolResult {
	b.t.Helper()
	result, err := session.CallTool(context.Background(), &sdk.CallToolParams{Meta: meta, Name: toolName(ref("development/atlas/main"), action), Arguments: arguments})
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func TestCall(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		session := b.connect("agent", "", version, nil)
		b.names(session)
		result := b.call(session, "draw-map", map[string]any{"title": "x", "geo_shape": "round", "_projection_2": "mercator", "_projection": "id",
			"_wait_for_reconnect": true}, sdk.Meta{MetaKey: "k1"})
		if result.IsError || !strings.Contains(text(result), `9007199254740993`) || result.Meta[MetaKey] != "k1" {
			t.Fatalf("%s, %v", text(result), result.Meta)
		}
		in := b.runs()[0]
		var arguments map[string]string
		if err := json.Unmarshal(in.Arguments, &arguments); err != nil || len(arguments) != 3 || arguments["geo shape"] != "round" || arguments["_projection"] != "mercator" {
			t.Errorf("arguments: %s, %v", in.Arguments, err)
		}
		if in.Connection != testID || in.Toolkit != "default" || in.Action != "draw-map" || in.Projection != "id" || !in.WaitForReconnect ||
			in.MaxBytes != maxResult || in.Owner != "token:development/agent" {
			t.Errorf("%+v", in)
		}
		b.call(session, "list-maps", map[string]any{"_cursor": "c"}, nil)
		b.call(session, "list-maps", map[string]any{"_cursor": "c"}, nil)
		runs := b.runs()
		if runs[1].Cursor != "c" || runs[1].IdempotencyKey == runs[2].IdempotencyKey || runs[0].IdempotencyKey != keyOf("token:development/agent", "k1") {
			t.Errorf("keys: %+v", runs)
		}
		if keyOf("a", "k1") == keyOf("b", "k1") {
			t.Error("callers share keys")
		}
	})
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	b := newBench(t)
	b.run = func(context.Context, activities.CallActionInput) (*activities.CallActionResult, error) {
		return &activities.CallActionResult{Data: json.RawMessage(`[1]`), Truncated: true, NextCursor: "n"}, nil
	}
	session := b.connect("agent", "", "", nil)
	b.names(session)
	said := text(b.call(session, "list-maps", nil, nil))
	if !strings.Contains(said, `"truncated":true`) || !strings.Contains(said, "parts of it are missing") || !strings.Contains(said, "next_cursor as _cursor") {
		t.Error(said)
	}
}

func TestErrorsAreResults(t *testing.T) {
	b := newBench(t)
	session := b.connect("agent", "", "", nil)
	b.names(session)
	for _, row := range []struct {
		arguments map[string]any
		err       error
		want      string
	}{
		{nil, connection.RateLimited("the app asks to wait", time.Second), "the app asks to wait"},
		{map[string]any{"_projection": 7}, nil, "_projection: it has the wrong type"},
		{nil, context.DeadlineExceeded, "internal"},
	} {
		b.run = func(context.Context, activities.CallActionInput) (*activities.CallActionResult, error) {
			return nil, row.err
		}
		result := b.call(session, "list-maps", row.arguments, nil)
		if !result.IsError || !strings.Contains(text(result), row.want) {
			t.Errorf("want %q: %s", row.want, text(result))
		}
	}
	b.run = func(context.Context, activities.CallActionInput) (*activities.CallActionResult, error) {
		panic("a secret")
	}
	if result := b.call(session, "list-maps", nil, nil); !result.IsError || strings.Contains(text(result), "a secret") {
		t.Errorf("a panic: %s", text(result))
	}
}

func TestProgressAndCancel(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		var mu sync.Mutex
		var said []string
		b.run = func(ctx context.Context, _ activities.CallActionInput) (*activities.CallActionResult, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		session := b.connect("agent", "", version, &sdk.ClientOptions{ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, r.Params.Message)
		}})
		b.names(session)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			params := &sdk.CallToolParams{Name: toolName(ref("development/atlas/main"), "list-maps"), Meta: sdk.Meta{MetaKey: "k"}}
			params.SetProgressToken("p")
			_, err := session.CallTool(ctx, params)
			ended <- err
		}()
		eventually(t, "progress", func() bool { mu.Lock(); defer mu.Unlock(); return len(said) > 1 })
		if said[0] != "waiting for a person to reconnect it" {
			t.Errorf("%q", said)
		}
		cancel()
		<-ended
		eventually(t, "the cancellation", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.cancelled) == 1 && b.cancelled[0] == keyOf("token:development/agent", "k")
		})
	})
}

func TestStopLeavesActionsAlone(t *testing.T) {
	b := newBench(t)
	b.run = func(ctx context.Context, _ activities.CallActionInput) (*activities.CallActionResult, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	session := b.connect("agent", "", oldest, nil)
	b.names(session)
	time.AfterFunc(50*time.Millisecond, b.handler.Stop)
	result, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: toolName(ref("development/atlas/main"), "list-maps")})
	if err == nil && !strings.Contains(text(result), "the action goes on") {
		t.Errorf("%s", text(result))
	}
	e, err := b.handler.Environments.Of(testID)
	if err != nil {
		t.Fatal(err)
	}
	b.handler.newBox(view{}).cancel(context.Background(), e, activities.CallActionInput{}, "", nil) // as where a session ends with the gateway
	if len(b.cancelled) != 0 {
		t.Error("an action was cancelled because a gateway ended")
	}
}
