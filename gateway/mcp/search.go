package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Tools of the search mode, which stand for all others: a model reads a long list of
// tools at every turn, and chooses worse from it.
const (
	SearchActions  = "search_actions"
	DescribeAction = "describe_action"
	RunAction      = "run_action"
)

// maxHits bounds what a search answers.
const maxHits = 20

func (b *box) addSearch() {
	yes, no := true, false
	reads := &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no}
	b.server.AddTool(&sdk.Tool{Name: SearchActions, Title: "Search actions", Annotations: reads,
		Description: "Finds actions of the connected applications by words. Call it first; an empty query lists the first ones.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"query":{"type":"string","maxLength":200,"description":"Words of what the action should do, such as: create issue github"}},"additionalProperties":false}`)}, b.find)
	b.server.AddTool(&sdk.Tool{Name: DescribeAction, Title: "Describe an action", Annotations: reads,
		Description: "Answers the input schema of an action that search_actions has found.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string","description":"The action's name, as search_actions answered it."}},"required":["name"],"additionalProperties":false}`)}, b.describeOne)
	b.server.AddTool(&sdk.Tool{Name: RunAction, Title: "Run an action", Annotations: &sdk.ToolAnnotations{DestructiveHint: &yes, OpenWorldHint: &yes},
		Description: "Runs an action that search_actions has found, with arguments as describe_action says.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string","description":"The action's name, as search_actions answered it."},"arguments":{"type":"object","description":"Its arguments, by the schema that describe_action answers."}},"required":["name"],"additionalProperties":false}`)}, b.runOne)
}

// hit is one action in the answer of a search.
type hit struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	ReadOnly    bool   `json:"read_only"`
	Destructive bool   `json:"destructive"`
	score       int
}

func (b *box) find(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	var in struct {
		Query string `json:"query"`
	}
	if err := b.read(ctx, r, &in); err != nil {
		return b.failed(err), nil
	}
	who := callerOf(r)
	words := strings.Fields(strings.ToLower(connection.Bound(in.Query, 200)))
	hits := []hit{}
	for _, t := range b.sorted() {
		if !b.local && who.CheckToolkit(t.ref) != nil {
			continue
		}
		if score := score(t, words); score > 0 || len(words) == 0 {
			hits = append(hits, hit{t.shown.Name, t.shown.Title, t.shown.Description, t.action.ReadOnly, t.action.Destructive, score})
		}
	}
	all := len(hits)
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	return jsonResult(map[string]any{"actions": hits[:min(all, maxHits)], "found": all})
}

// score counts words, those of the name and the title more than those of the description.
func score(t *tool, words []string) int {
	name, text := strings.ToLower(t.shown.Name+" "+t.shown.Title), strings.ToLower(t.shown.Description)
	n := 0
	for _, word := range words {
		if strings.Contains(name, word) {
			n += 3
		}
		if strings.Contains(text, word) {
			n++
		}
	}
	return n
}

func (b *box) describeOne(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	var in struct {
		Name string `json:"name"`
	}
	t, err := b.named(ctx, r, &in, &in.Name)
	if err != nil {
		return b.failed(err), nil
	}
	return jsonResult(t.shown)
}

func (b *box) runOne(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	var in struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	t, err := b.named(ctx, r, &in, &in.Name)
	if err != nil {
		return b.failed(err), nil
	}
	return b.run(ctx, r, t, in.Arguments)
}

func (b *box) read(ctx context.Context, r *sdk.CallToolRequest, in any) error {
	if len(r.Params.Arguments) > 0 && json.Unmarshal(r.Params.Arguments, in) != nil {
		return connection.InvalidInput("arguments", "they do not fit the tool", "see its input schema")
	}
	return b.look(ctx, b.pace.fresh)
}

// named is the tool that a call names; one that the caller may not use is not there.
func (b *box) named(ctx context.Context, r *sdk.CallToolRequest, in any, name *string) (*tool, error) {
	if err := b.read(ctx, r, in); err != nil {
		return nil, err
	}
	t := b.tool(*name)
	if t == nil || !b.local && callerOf(r).CheckToolkit(t.ref) != nil {
		return nil, connection.Refused(connection.ErrUnknownAction, "there is no action "+connection.Bound(*name, maxName), "find its name with "+SearchActions)
	}
	return t, nil
}

func jsonResult(value any) (*sdk.CallToolResult, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return problemResult(connection.Internal("the gateway")), nil
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(text)}}, StructuredContent: json.RawMessage(text)}, nil
}
