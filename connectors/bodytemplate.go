package connectors

import (
	"fmt"
	"maps"
	"slices"
)

// bodyNames are what a body's template may name: what the action computes, then
// arguments, then values.
type bodyNames struct {
	worked    map[string]string
	arguments map[string]any
	values    map[string]string
}

// find is what a name stands for; it reports false for a name without a value.
func (n bodyNames) find(name string) (any, bool) {
	if text, ok := n.worked[name]; ok {
		return text, text != ""
	}
	if argument, ok := n.arguments[name]; ok {
		return argument, true
	}
	text := n.values[name]
	return text, text != ""
}

// fillBody makes a body of a template. What is filled in is never read as a
// template itself. A cursor goes where the template names it, and beside the
// rest where it does not.
func fillBody(template any, names bodyNames, cursor map[string]any) (any, error) {
	placed := map[string]bool{}
	filled, ok, err := fillTemplate(template, func(name string) (any, bool) {
		if value, ok := cursor[name]; ok {
			placed[name] = true
			return value, true
		}
		return names.find(name)
	})
	if err != nil {
		return nil, argumentProblem(err)
	}
	if _, isList := template.([]any); !ok && isList {
		filled = []any{}
	} else if !ok {
		filled = map[string]any{}
	}
	if object, isObject := filled.(map[string]any); isObject {
		for name, value := range cursor {
			if !placed[name] {
				object[name] = value
			}
		}
	}
	return filled, nil
}

// fillTemplate fills JSON in whose texts are templates. It reports false for a
// leaf that lacks a name's value, and for an object or a list of which nothing
// but such leaves would be left.
func fillTemplate(template any, find func(name string) (any, bool)) (any, bool, error) {
	switch t := template.(type) {
	case string:
		return fillLeaf(t, find)
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(t)) {
			value, ok, err := fillTemplate(t[name], find)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out[name] = value
			}
		}
		return out, len(out) > 0 || len(t) == 0, nil
	case []any:
		out := []any{}
		for _, item := range t {
			value, ok, err := fillTemplate(item, find)
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, value)
			}
		}
		return out, len(out) > 0 || len(t) == 0, nil
	default:
		return template, true, nil
	}
}

// fillLeaf fills one text in: a text that is nothing but a name stands for what
// the name is, and any other for text.
func fillLeaf(leaf string, find func(name string) (any, bool)) (any, bool, error) {
	names := Text(leaf).variables()
	if len(names) == 1 && leaf == "{"+names[0]+"}" {
		value, ok := find(names[0])
		return value, ok, nil
	}
	var failed error
	filled, ok := Text(leaf).expand(func(name string) (string, bool) {
		value, ok := find(name)
		if !ok || value == nil {
			return "", false
		}
		text, err := scalarText(value)
		if err != nil {
			failed = fmt.Errorf("%s: within a text %w", name, err)
		}
		return text, err == nil
	})
	if failed != nil {
		return nil, false, failed
	}
	return filled, ok, nil
}
