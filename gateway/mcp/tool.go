package mcp

import (
	"encoding/json"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxDescription bounds what a model is told of one tool.
const maxDescription = 1500

// tool is an action of a toolkit.
type tool struct {
	ref    connection.ToolkitRef
	action *connectors.Action
	keys   keys
	shown  *sdk.Tool
}

// newTool puts an action of a toolkit into the protocol's words. Nothing of it comes
// from a provider, or from what somebody typed: a connection's display name is not shown.
func newTool(ref connection.ToolkitRef, action *connectors.Action, output bool) *tool {
	t := &tool{ref: ref, action: action}
	title := action.Title
	if title == "" {
		title = action.ID
	}
	yes := true
	destructive := action.Destructive
	shown := &sdk.Tool{Name: toolName(ref, action.ID), Title: action.App().Name + ": " + title,
		Description: describe(ref, action),
		Annotations: &sdk.ToolAnnotations{Title: action.App().Name + ": " + title, ReadOnlyHint: action.ReadOnly,
			IdempotentHint: action.ReadOnly || action.Idempotent, DestructiveHint: &destructive, OpenWorldHint: &yes}}
	shown.InputSchema, t.keys = inputSchema(action)
	if output {
		if schema := outputSchema(action); schema != nil {
			shown.OutputSchema = schema
		}
	}
	t.shown = shown
	return t
}

// describe says what a tool does and on which connection.
func describe(ref connection.ToolkitRef, action *connectors.Action) string {
	text := action.Description
	if text == "" {
		text = action.Title
	}
	text = strings.TrimRight(strings.TrimSpace(text), ".")
	if text != "" {
		text += ". "
	}
	return connection.Bound(text, maxDescription) + "Runs on the connection " + ref.Connection.String() + "."
}

// arguments takes a call apart: the action's own arguments by their real names, and ours.
func (t *tool) arguments(raw json.RawMessage) (theirs json.RawMessage, ours extras, err error) {
	given := map[string]json.RawMessage{}
	if len(raw) > 0 && string(raw) != "null" {
		if json.Unmarshal(raw, &given) != nil {
			return nil, ours, connection.InvalidInput("arguments", "they are not a JSON object", "send an object")
		}
	}
	rest := map[string]json.RawMessage{}
	for name, value := range given {
		var err error
		switch name {
		case ArgProjection:
			err = json.Unmarshal(value, &ours.projection)
		case ArgCursor:
			err = json.Unmarshal(value, &ours.cursor)
		case ArgWait:
			err = json.Unmarshal(value, &ours.wait)
		default:
			rest[t.keys.meant(name)] = value
		}
		if err != nil {
			return nil, ours, connection.InvalidInput(name, "it has the wrong type", "see the tool's input schema")
		}
	}
	if theirs, err = json.Marshal(rest); err != nil {
		return nil, ours, connection.InvalidInput("arguments", "they are not JSON", "send an object")
	}
	return theirs, ours, nil
}

// extras are the arguments of a call that are not the action's.
type extras struct {
	projection, cursor string
	wait               bool
}
