package mcp

import (
	"bytes"
	"encoding/json"
	"slices"

	"connectedapps/connectors"
)

// Arguments of every tool beside those of its action.
const (
	// ArgProjection is a JMESPath expression that picks what comes back.
	ArgProjection = "_projection"
	// ArgCursor is next_cursor of an earlier result, where the action has pages.
	ArgCursor = "_cursor"
	// ArgWait makes a call wait while a person must reconnect the connection.
	ArgWait = "_wait_for_reconnect"
)

// notAtTop are keywords that model APIs refuse at the top of a schema. The action
// checks its arguments by its whole schema all the same.
var notAtTop = []string{"$schema", "$id", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentSchemas", "patternProperties", "minProperties", "maxProperties", "propertyNames"}

// ownArguments are those that the tool of an action has beside the action's.
func ownArguments(action *connectors.Action) map[string]any {
	own := map[string]any{
		ArgProjection: map[string]any{"type": "string", "maxLength": 2000,
			"description": "A JMESPath expression that picks parts of the result, to keep it small."},
		ArgWait: map[string]any{"type": "boolean",
			"description": "Wait, for hours if need be, while a person must reconnect this connection, instead of failing at once."},
	}
	if action.Paging != nil {
		own[ArgCursor] = map[string]any{"type": "string", "maxLength": 8192,
			"description": "The next_cursor of an earlier result, to get the page after it."}
	}
	return own
}

// inputSchema is the action's schema with arguments that every model API takes, and
// how their names are to be read.
func inputSchema(action *connectors.Action) (json.RawMessage, keys) {
	schema := map[string]any{}
	if len(action.Input.RawMessage) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(action.Input.RawMessage))
		decoder.UseNumber()
		if decoder.Decode(&schema) != nil {
			schema = map[string]any{} // definitions are checked when they are loaded
		}
	}
	for _, keyword := range notAtTop {
		delete(schema, keyword)
	}
	theirs, _ := schema["properties"].(map[string]any)
	names := make([]string, 0, len(theirs))
	for name := range theirs {
		names = append(names, name)
	}
	slices.Sort(names)
	own := ownArguments(action)
	taken := map[string]bool{ArgProjection: true, ArgCursor: true, ArgWait: true}
	for name := range own {
		taken[name] = true
	}
	k := newKeys(names, taken)
	properties := own
	for _, name := range names {
		properties[k.named(name)] = theirs[name]
	}
	if required, ok := schema["required"].([]any); ok {
		for i, name := range required {
			if text, ok := name.(string); ok {
				required[i] = k.named(text)
			}
		}
	}
	schema["type"], schema["properties"] = "object", properties
	text, err := json.Marshal(schema)
	if err != nil {
		return json.RawMessage(`{"type":"object"}`), keys{}
	}
	return text, k
}

// outputSchema describes what [envelope] holds. The definition's own schema describes
// its data as long as nothing is picked out, cut off or kept back, so it is an offer
// and not a promise.
func outputSchema(action *connectors.Action) json.RawMessage {
	data := map[string]any{}
	var own map[string]any
	if json.Unmarshal(action.Output.RawMessage, &own) == nil && own["type"] == "object" && !bytes.Contains(action.Output.RawMessage, []byte(`"$ref"`)) {
		data = map[string]any{"anyOf": []any{own, map[string]any{"description": "What " + ArgProjection + " picked, or what is left of an answer that was too large."}}}
	}
	data["description"] = "The app's answer."
	text, err := json.Marshal(map[string]any{"type": "object", "required": []string{"data"}, "properties": map[string]any{
		"data":        data,
		"next_cursor": map[string]any{"type": "string", "description": "Pass it as " + ArgCursor + " to get the next page."},
		"truncated":   map[string]any{"type": "boolean", "description": "The answer was larger than allowed, and parts are missing."},
		"secrets":     map[string]any{"type": "object", "description": "Places in the answer whose secrets were put into Vault.", "additionalProperties": map[string]any{"type": "string"}},
	}})
	if err != nil {
		return nil
	}
	return text
}
