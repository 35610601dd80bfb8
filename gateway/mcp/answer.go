package mcp

import (
	"encoding/json"

	"connectedapps/activities"
	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/zap"
)

// envelope is the structured content of every good result.
type envelope struct {
	Data       json.RawMessage   `json:"data"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Truncated  bool              `json:"truncated,omitempty"`
	Secrets    map[string]string `json:"secrets,omitempty"`
}

// answerResult is the answer of an action: once as structured content and once as
// text, for clients that show only that, and in words what is missing of it.
func answerResult(answer *activities.CallActionResult, key string) *sdk.CallToolResult {
	e := envelope{Data: answer.Data, NextCursor: answer.NextCursor, Truncated: answer.Truncated, Secrets: answer.Secrets}
	if len(e.Data) == 0 {
		e.Data = json.RawMessage("null")
	}
	text, err := json.Marshal(e)
	if err != nil {
		return problemResult(connection.Internal("the gateway"))
	}
	result := &sdk.CallToolResult{Meta: sdk.Meta{MetaKey: key}, Content: []sdk.Content{&sdk.TextContent{Text: string(text)}}, StructuredContent: json.RawMessage(text)}
	if answer.Truncated {
		result.Content = append(result.Content, &sdk.TextContent{Text: "The answer was larger than allowed, and parts of it are missing. Ask for less, or pick what you need with " + ArgProjection + "."})
	}
	if answer.NextCursor != "" {
		result.Content = append(result.Content, &sdk.TextContent{Text: "There is more: call again with next_cursor as " + ArgCursor + "."})
	}
	return result
}

// problem is the structured content of a result that is an error.
type problem struct {
	Type      string `json:"type"`
	Message   string `json:"message"`
	Remedy    string `json:"remedy,omitempty"`
	Argument  string `json:"argument,omitempty"`
	Link      string `json:"link,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

func problemResult(p *connection.Problem) *sdk.CallToolResult {
	return errorResult(p.Error(), problem{Type: p.Type, Message: p.Message, Remedy: p.Remedy, Argument: p.Field, Retryable: p.Retryable})
}

func errorResult(text string, p problem) *sdk.CallToolResult {
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: text}}, StructuredContent: map[string]any{"error": p}}
}

// failed is an error as a model may read it. What is no problem of ours is logged, and
// told without its text.
func (b *box) failed(err error) *sdk.CallToolResult {
	if p, ok := connection.AsProblem(err); ok {
		return problemResult(p)
	}
	b.Log.Error("a call failed", zap.Error(err))
	return problemResult(connection.Internal("the gateway"))
}
