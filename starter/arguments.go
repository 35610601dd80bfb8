package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"connectedapps/connection"
)

// schema is as much of an action's JSON Schema as tells how a word on the command
// line is meant. The schema itself is checked by whoever sends.
type schema struct {
	Type        json.RawMessage   `json:"type"`
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
	Items       *schema           `json:"items"`
	Enum        []json.RawMessage `json:"enum"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
}

// limits says in words which values are allowed; "" for all of the type.
func (s schema) limits() string {
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			words[i] = string(value)
		}
		return "one of " + strings.Join(words, ", ")
	case s.Minimum != "" && s.Maximum != "":
		return s.Minimum.String() + " to " + s.Maximum.String()
	case s.Minimum != "":
		return "at least " + s.Minimum.String()
	case s.Maximum != "":
		return "at most " + s.Maximum.String()
	}
	return ""
}

func schemaOf(raw json.RawMessage) schema {
	var s schema
	_ = json.Unmarshal(raw, &s) // boolean schemas and odd ones tell nothing about types: the zero value
	return s
}

// types are the JSON types that the schema allows; none means that it does not say.
func (s schema) types() []string {
	var one string
	if json.Unmarshal(s.Type, &one) == nil && one != "" {
		return []string{one}
	}
	var several []string
	_ = json.Unmarshal(s.Type, &several) // absent or odd: no types
	return several
}

func (s schema) requires(name string) bool { return slices.Contains(s.Required, name) }

// arguments builds an action's arguments from a JSON object and words of the form
// name=value, of which the words win. A word for a list adds one item, unless it
// is a JSON list itself. Numbers stay as they were written.
func arguments(input schema, object []byte, words []string) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(object)) > 0 {
		if err := json.Unmarshal(object, &all); err != nil || all == nil {
			return nil, connection.InvalidInput("args-file", "this is not a JSON object", `write {"name": value}`)
		}
	}
	added := map[string][]json.RawMessage{}
	for _, word := range words {
		name, text, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, connection.InvalidInput("arg", fmt.Sprintf("%q has no name and value", connection.Bound(word, 60)), "write --arg NAME=VALUE")
		}
		property := input.Properties[name]
		if slices.Contains(property.types(), "array") && !strings.HasPrefix(strings.TrimSpace(text), "[") {
			item := schema{}
			if property.Items != nil {
				item = *property.Items
			}
			value, err := typed(name, item, text)
			if err != nil {
				return nil, err
			}
			added[name] = append(added[name], value)
			continue
		}
		value, err := typed(name, property, text)
		if err != nil {
			return nil, err
		}
		all[name] = value
	}
	for name, items := range added {
		list, err := json.Marshal(items)
		if err != nil {
			return nil, err
		}
		all[name] = list
	}
	return json.Marshal(all)
}

// typed turns a word into the JSON that the schema asks for. Text is taken as it
// is wherever text is allowed; without a type, what is JSON is JSON and the rest is text.
func typed(name string, s schema, text string) (json.RawMessage, error) {
	types := s.types()
	isJSON := json.Valid([]byte(text))
	switch {
	case slices.Contains(types, "null") && text == "null":
		return json.RawMessage(text), nil
	case slices.Contains(types, "string"), len(types) == 0 && !isJSON:
		return json.Marshal(text)
	case len(types) == 0:
		return json.RawMessage(strings.TrimSpace(text)), nil
	}
	for _, kind := range types {
		if isJSON && jsonType(text, kind) {
			return json.RawMessage(strings.TrimSpace(text)), nil
		}
	}
	problem := connection.Refused(connection.ErrInvalidArguments, fmt.Sprintf("%q is not %s", connection.Bound(text, 60), strings.Join(types, " or ")),
		"correct the argument; the action's schema says what it may be")
	problem.Field = "$." + name
	return nil, problem
}

// jsonType reports whether JSON text is of a type of JSON Schema. Whether a number is whole is left to the schema.
func jsonType(text, kind string) bool {
	first := strings.TrimSpace(text)[0]
	switch kind {
	case "object":
		return first == '{'
	case "array":
		return first == '['
	case "boolean":
		return first == 't' || first == 'f'
	case "null":
		return first == 'n'
	case "number", "integer":
		return first == '-' || first >= '0' && first <= '9'
	case "string":
		return first == '"'
	default:
		return false
	}
}
