package console

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Controls of a form, by what is typed into them.
const (
	controlText    = "text"   // one line
	controlLines   = "lines"  // text of several lines
	controlNumber  = "number" // a number, whole or not
	controlChoice  = "choice" // one of some values, or none
	controlList    = "list"   // scalars, one on each line
	controlJSON    = "json"   // anything, as JSON
	argumentPrefix = "arg:"   // begins the names of the fields, so that none is taken for one of ours
)

// argumentField is one argument of an action as a form asks for it.
type argumentField struct {
	Name, Field, Label, Help string
	Control                  string
	// InputType, Step, Min, Max, Pattern and MaxLength are for the browser, which checks as it is typed.
	InputType, Step, Min, Max, Pattern string
	MaxLength                          int
	Placeholder                        string
	Choices                            []argumentChoice
	Required                           bool
	Value                              string
	// Problem is what is wrong with the value; "" while nothing is.
	Problem string

	node schemaNode
}

// argumentChoice is a value of a choice; Value is its JSON.
type argumentChoice struct {
	Value, Title string
	Chosen       bool
}

// manyLines are names under which people write more than a line.
var manyLines = []string{"body", "text", "content", "description", "message", "note", "notes", "comment", "sql", "html", "query", "prompt"}

// argumentFields are the fields of an action's form, with what was typed in before.
// Nil where the schema is no object with properties: then there is only JSON.
func argumentFields(input json.RawMessage, typed url.Values) []argumentField {
	schema, ok := parseSchema(input)
	if !ok {
		return nil
	}
	fields := make([]argumentField, len(schema.Properties))
	for i, property := range schema.Properties {
		node, _ := parseSchema(property.Schema)
		field := argumentField{Name: property.Name, Field: argumentPrefix + property.Name, Label: node.Title, Help: node.Description,
			Required: slices.Contains(schema.Required, property.Name), node: node}
		if field.Label == "" {
			field.Label = property.Name
		}
		field.draw()
		field.fill(typed)
		fields[i] = field
	}
	return fields
}

// draw chooses the control and what the browser is told of it.
func (f *argumentField) draw() {
	node := f.node
	kind := node.Type.one()
	switch {
	case len(node.Enum) > 0:
		f.Control = controlChoice
		for _, value := range node.Enum {
			f.Choices = append(f.Choices, argumentChoice{Value: string(value), Title: plainText(value)})
		}
	case kind == "boolean":
		f.Control = controlChoice
		f.Choices = []argumentChoice{{Value: "true", Title: "Yes"}, {Value: "false", Title: "No"}}
	case kind == "integer" || kind == "number":
		f.Control, f.InputType, f.Min, f.Max, f.Step = controlNumber, "number", node.Minimum.String(), node.Maximum.String(), "any"
		if kind == "integer" {
			f.Step = "1"
		}
	case kind == "string":
		f.drawText()
	case kind == "array" && scalarItems(node.Items):
		f.Control, f.Placeholder = controlList, "One on each line"
	default:
		f.Control, f.Placeholder = controlJSON, "JSON"
	}
	if f.Control != controlChoice && len(node.Examples) > 0 {
		f.Placeholder = "For example " + plainText(node.Examples[0])
	}
	if len(node.Default) > 0 {
		f.Placeholder = plainText(node.Default) + " where nothing is given"
	}
}

func (f *argumentField) drawText() {
	f.Control, f.InputType, f.MaxLength = controlText, "text", f.node.MaxLength
	switch f.node.Format {
	case "email":
		f.InputType = "email"
	case "date":
		f.InputType = "date"
	case "date-time":
		f.Placeholder = "2027-01-31T12:00:00Z"
	case "uri":
		f.Placeholder = "https://"
	case "":
		if f.node.Pattern == "" && (slices.Contains(manyLines, strings.ToLower(f.Name)) || f.node.MaxLength > 255) {
			f.Control = controlLines
		}
	}
	if f.node.Pattern != "" { // a browser's pattern is of the whole value, and a schema's is found anywhere in it
		f.Pattern = ".*(?:" + f.node.Pattern + ").*"
	}
}

// scalarItems reports whether each item of a list fits on a line.
func scalarItems(items json.RawMessage) bool {
	node, ok := parseSchema(items)
	return ok && slices.Contains([]string{"string", "integer", "number", "boolean"}, node.Type.one())
}

// fill puts what was typed in back or, at first, the default of what is required.
func (f *argumentField) fill(typed url.Values) {
	if typed.Has(f.Field) {
		f.Value = typed.Get(f.Field)
	} else if f.Required && len(f.node.Default) > 0 {
		f.Value = plainText(f.node.Default)
		if f.Control == controlChoice || f.Control == controlJSON {
			f.Value = string(f.node.Default)
		}
	}
	for i := range f.Choices {
		f.Choices[i].Chosen = f.Choices[i].Value == f.Value
	}
}

// exampleArguments are arguments as a program may send them: what is required, with
// a value that shows its type.
func exampleArguments(input json.RawMessage) string {
	schema, ok := parseSchema(input)
	if !ok {
		return "{}"
	}
	return pretty(json.RawMessage(schema.example(0)))
}

func (n schemaNode) example(depth int) string {
	switch {
	case len(n.Examples) > 0:
		return string(n.Examples[0])
	case len(n.Default) > 0:
		return string(n.Default)
	case len(n.Const) > 0:
		return string(n.Const)
	case len(n.Enum) > 0:
		return string(n.Enum[0])
	case len(n.AnyOf) > 0 && len(n.Properties) == 0:
		if one, ok := parseSchema(n.AnyOf[0]); ok {
			return one.example(depth + 1)
		}
	case n.Type.one() == "" && slices.Contains(n.Type, "string"):
		return `"text"`
	}
	switch n.Type.one() {
	case "string":
		return strconv.Quote(n.exampleText())
	case "integer", "number":
		if n.Minimum != "" {
			return n.Minimum.String()
		}
		return "1"
	case "boolean":
		return "true"
	case "array":
		if items, ok := parseSchema(n.Items); ok && depth < schemaDepth {
			return "[" + items.example(depth+1) + "]"
		}
		return "[]"
	}
	var parts []string
	for _, property := range n.Properties {
		if node, ok := parseSchema(property.Schema); ok && slices.Contains(n.Required, property.Name) && depth <= schemaDepth {
			name, _ := json.Marshal(property.Name) // text: it cannot fail
			parts = append(parts, string(name)+":"+node.example(depth+1))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// exampleText is a text of the format and the length that are wanted.
func (n schemaNode) exampleText() string {
	switch n.Format {
	case "email":
		return "ada@example.com"
	case "uri":
		return "https://example.com/"
	case "date":
		return "2027-01-31"
	case "date-time":
		return "2027-01-31T12:00:00Z"
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	}
	text := "text"
	if len(text) < n.MinLength {
		text = strings.Repeat("x", n.MinLength)
	}
	if n.MaxLength > 0 && len(text) > n.MaxLength {
		text = text[:n.MaxLength]
	}
	return text
}
