package console

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
)

// typedArguments is a form that stands for some arguments: the inverse of [argumentsOf].
// What the fields cannot say is given as JSON.
func typedArguments(fields []argumentField, arguments json.RawMessage) url.Values {
	typed := url.Values{}
	given := map[string]json.RawMessage{}
	if json.Unmarshal(arguments, &given) == nil {
		for _, field := range fields {
			typed.Set(field.Field, field.typed(given[field.Name])) // "" too, else a default would be put there
		}
		if again, err := argumentsOf(fields, typed); err == nil && equalJSON(again, arguments) {
			return typed
		}
	}
	return url.Values{wholeField: {pretty(arguments)}}
}

// typed is what a person would have typed for a value.
func (f argumentField) typed(value json.RawMessage) string {
	switch f.Control {
	case controlChoice:
		for _, choice := range f.Choices {
			if equalJSON(json.RawMessage(choice.Value), value) {
				return choice.Value
			}
		}
		return ""
	case controlList:
		var items []json.RawMessage
		_ = json.Unmarshal(value, &items) // what is no list is noticed when it is read back
		lines := make([]string, len(items))
		for i, item := range items {
			lines[i] = plainText(item)
		}
		return strings.Join(lines, "\n")
	case controlJSON:
		return pretty(value)
	default:
		return plainText(value)
	}
}

// equalJSON reports whether two texts are the same value.
func equalJSON(a, b json.RawMessage) bool {
	read := func(raw json.RawMessage) (value any, ok bool) {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		return value, decoder.Decode(&value) == nil
	}
	left, ok := read(a)
	right, also := read(b)
	return ok && also && reflect.DeepEqual(left, right)
}
