package console

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"connectedapps/connection"
)

// wholeField is the field in which all arguments can be given as JSON; it wins over the others.
const wholeField = "json"

// argumentsOf makes of a form the JSON object that it stands for. What was left empty
// is left out. It fails with ErrInvalidArguments, as the action's own check does.
func argumentsOf(fields []argumentField, typed url.Values) (json.RawMessage, error) {
	if whole := strings.TrimSpace(typed.Get(wholeField)); whole != "" {
		if !json.Valid([]byte(whole)) {
			return nil, badArgument("", "the arguments are not JSON")
		}
		return json.RawMessage(whole), nil
	}
	var object bytes.Buffer
	object.WriteByte('{')
	for _, field := range fields {
		value, err := field.json(typed.Get(field.Field))
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if object.Len() > 1 {
			object.WriteByte(',')
		}
		name, _ := json.Marshal(field.Name) // text: it cannot fail
		object.Write(name)
		object.WriteByte(':')
		object.Write(value)
	}
	object.WriteByte('}')
	return object.Bytes(), nil
}

// json is the value of a field; nil where nothing was given.
func (f argumentField) json(typed string) (json.RawMessage, error) {
	typed = strings.ReplaceAll(typed, "\r\n", "\n") // as browsers end lines
	if strings.TrimSpace(typed) == "" {
		return nil, nil
	}
	switch f.Control {
	case controlChoice:
		for _, choice := range f.Choices {
			if choice.Value == typed {
				return json.RawMessage(choice.Value), nil
			}
		}
		return nil, badArgument(f.Name, "it is not one of the choices")
	case controlList:
		items, _ := parseSchema(f.node.Items)
		var list []json.RawMessage
		for line := range strings.SplitSeq(typed, "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			value, err := scalar(f.Name, items.Type.one(), line)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return json.Marshal(list)
	case controlJSON:
		if !json.Valid([]byte(typed)) && f.node.takesText() {
			return json.Marshal(typed)
		}
		if !json.Valid([]byte(typed)) {
			return nil, badArgument(f.Name, "it is not JSON")
		}
		return json.RawMessage(typed), nil
	default:
		return scalar(f.Name, f.node.Type.one(), typed)
	}
}

// scalar is a text, a number, or yes and no.
func scalar(name, kind, typed string) (json.RawMessage, error) {
	if kind == "string" {
		return json.Marshal(typed)
	}
	typed = strings.TrimSpace(typed)
	var value any
	if json.Unmarshal([]byte(typed), &value) == nil {
		_, isNumber := value.(float64)
		_, isBool := value.(bool)
		if isBool == (kind == "boolean") && (isNumber || isBool) {
			return json.RawMessage(typed), nil
		}
	}
	if kind == "boolean" {
		return nil, badArgument(name, "it must be true or false")
	}
	return nil, badArgument(name, "it must be a number")
}

// badArgument is a refused argument; "" is all of them.
func badArgument(name, message string) *connection.Problem {
	place := "$"
	if name != "" {
		place += "." + name
	}
	return &connection.Problem{Type: connection.ErrInvalidArguments, Field: place, Message: message}
}

// blame puts a problem at the field that it is about, and reports whether there is one.
func blame(fields []argumentField, problem *connection.Problem) bool {
	if problem == nil || problem.Type != connection.ErrInvalidArguments {
		return false
	}
	for i := range fields {
		rest, found := strings.CutPrefix(problem.Field, "$."+fields[i].Name)
		if found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			fields[i].Problem = problem.Message
			return true
		}
	}
	return false
}
