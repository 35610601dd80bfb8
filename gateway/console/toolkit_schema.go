package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// schemaNode is what the pages understand of a JSON Schema. The rest is shown as it
// is, and checked by the action itself.
type schemaNode struct {
	Type        schemaTypes       `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Format      string            `json:"format"`
	Pattern     string            `json:"pattern"`
	Enum        []json.RawMessage `json:"enum"`
	Const       json.RawMessage   `json:"const"`
	AnyOf       []json.RawMessage `json:"anyOf"`
	Default     json.RawMessage   `json:"default"`
	Examples    []json.RawMessage `json:"examples"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
	MinLength   int               `json:"minLength"`
	MaxLength   int               `json:"maxLength"`
	MinItems    int               `json:"minItems"`
	Items       json.RawMessage   `json:"items"`
	Properties  schemaProperties  `json:"properties"`
	Required    []string          `json:"required"`
}

// schemaTypes is one type or several.
type schemaTypes []string

func (t *schemaTypes) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = schemaTypes{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// one is the only type beside null; "" where there are several, or none is said.
func (t schemaTypes) one() string {
	types := slices.DeleteFunc(slices.Clone(t), func(name string) bool { return name == "null" })
	if len(types) != 1 {
		return ""
	}
	return types[0]
}

// schemaProperty is a property of an object.
type schemaProperty struct {
	Name   string
	Schema json.RawMessage
}

// schemaProperties are in the order in which they were written.
type schemaProperties []schemaProperty

func (p *schemaProperties) UnmarshalJSON(raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return fmt.Errorf("properties are not an object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		property := schemaProperty{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&property.Schema); err != nil {
			return err
		}
		*p = append(*p, property)
	}
	return nil
}

// parseSchema reads a schema; false where it is none that the pages understand.
func parseSchema(raw json.RawMessage) (schemaNode, bool) {
	var node schemaNode
	if len(raw) == 0 || json.Unmarshal(raw, &node) != nil {
		return schemaNode{}, false
	}
	return node, true
}

// schemaRow is a property as a table shows it.
type schemaRow struct {
	Name, Type, Description string
	Required                bool
}

const (
	// schemaDepth and schemaMost bound what is shown of a schema before one must read it as it is.
	schemaDepth, schemaMost = 3, 80
)

// schemaRows flattens an object, or the items of a list of objects, into a table.
func schemaRows(raw json.RawMessage) []schemaRow {
	var rows []schemaRow
	appendRows(&rows, raw, "", 0)
	return rows
}

func appendRows(rows *[]schemaRow, raw json.RawMessage, prefix string, depth int) {
	node, ok := parseSchema(raw)
	if !ok || depth > schemaDepth || len(*rows) >= schemaMost {
		return
	}
	if node.Type.one() == "array" {
		appendRows(rows, node.Items, prefix+"[].", depth)
		return
	}
	for _, property := range node.Properties {
		inner, ok := parseSchema(property.Schema)
		row := schemaRow{Name: prefix + property.Name, Type: "anything", Required: slices.Contains(node.Required, property.Name)}
		if ok {
			row.Type, row.Description = inner.words(), inner.Description
			if row.Description == "" {
				row.Description = inner.Title
			}
		}
		*rows = append(*rows, row)
		switch inner.Type.one() {
		case "object":
			appendRows(rows, property.Schema, prefix+property.Name+".", depth+1)
		case "array":
			appendRows(rows, property.Schema, prefix+property.Name, depth+1)
		}
	}
}

// takesText reports whether text, among other things, is taken.
func (n schemaNode) takesText() bool {
	if slices.Contains(n.Type, "string") {
		return true
	}
	return slices.ContainsFunc(n.AnyOf, func(raw json.RawMessage) bool {
		one, ok := parseSchema(raw)
		return ok && slices.Contains(one.Type, "string")
	})
}

// words say a type for people.
func (n schemaNode) words() string {
	if len(n.Enum) > 0 {
		choices := make([]string, len(n.Enum))
		for i, choice := range n.Enum {
			choices[i] = plainText(choice)
		}
		return "one of " + strings.Join(choices, ", ")
	}
	switch n.Type.one() {
	case "string":
		if n.Format != "" {
			return "text (" + n.Format + ")"
		}
		return "text"
	case "integer":
		return "whole number" + n.span()
	case "number":
		return "number" + n.span()
	case "boolean":
		return "yes or no"
	case "array":
		if items, ok := parseSchema(n.Items); ok && items.Type.one() != "" {
			return "list: " + items.words()
		}
		return "list"
	case "object":
		return "object"
	}
	if len(n.Type) > 0 {
		return strings.Join(n.Type, " or ")
	}
	if len(n.Const) > 0 {
		return "always " + plainText(n.Const)
	}
	var choices []string
	for _, raw := range n.AnyOf {
		if one, ok := parseSchema(raw); ok && len(one.Type) > 0 {
			choices = append(choices, one.words())
		}
	}
	if len(choices) > 0 {
		return strings.Join(choices, ", or ")
	}
	return "anything"
}

func (n schemaNode) span() string {
	switch {
	case n.Minimum != "" && n.Maximum != "":
		return fmt.Sprintf(", %s to %s", n.Minimum, n.Maximum)
	case n.Minimum != "":
		return fmt.Sprintf(", at least %s", n.Minimum)
	case n.Maximum != "":
		return fmt.Sprintf(", at most %s", n.Maximum)
	}
	return ""
}

// plainText is a JSON value as people read it: text without its quotes.
func plainText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// pretty is JSON with line breaks; "" for none.
func pretty(raw json.RawMessage) string {
	var text bytes.Buffer
	if len(raw) == 0 || json.Indent(&text, raw, "", "  ") != nil {
		return ""
	}
	return readable(text.String())
}

// inMarkup are the characters that Go escapes in JSON, for those who put it into markup as it is.
var inMarkup = map[string]byte{`\u003c`: '<', `\u003e`: '>', `\u0026`: '&'}

// readable writes them as what they are. The templates make them harmless.
func readable(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			out.WriteByte(text[i])
			continue
		}
		if c, found := inMarkup[text[i:min(i+6, len(text))]]; found {
			out.WriteByte(c)
			i += 5
			continue
		}
		out.WriteString(text[i : i+2]) // another escape, of a backslash maybe, which begins none
		i++
	}
	return out.String()
}
