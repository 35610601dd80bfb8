package connectors

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// action checks that a request can be built from what the input schema allows.
func (r *report) action(path []string, a *Action, names variableNames) {
	in := func(parts ...string) []string { return append(slices.Clone(path), parts...) }
	if a.ReadOnly && (a.Destructive || a.IdempotencyKey != "") {
		r.add(in("read_only"), "a read-only action is neither destructive nor in need of an idempotency key")
	}
	properties, required, err := a.properties()
	if err != nil {
		r.add(in("input"), err.Error())
		return
	}
	usable := slices.Concat(properties, names.plain)
	r.known(in("request", "path"), a.Request.Path.variables(), usable)
	for _, name := range a.Request.Path.variables(opSimple, opReserved) {
		if slices.Contains(properties, name) && !slices.Contains(required, name) {
			r.add(in("request", "path"), fmt.Sprintf("{%s} is part of the path, so the input schema must require it", name))
		}
	}
	r.known(in("request", "method"), a.Request.Method.variables(), required)
	for name, text := range a.Request.Query {
		r.known(in("request", "query", name), text.variables(), usable)
	}
	for name, text := range a.Request.Headers {
		r.known(in("request", "headers", name), text.variables(), usable)
	}
	objects := map[string]string{"query_from": a.Request.QueryFrom, "headers_from": a.Request.HeadersFrom}
	if a.Request.Body != nil {
		objects["body"] = a.Request.Body.From
	}
	for field, name := range objects {
		if name != "" && !slices.Contains(properties, name) {
			r.add(in("request", field), name+" is not a property of the input schema")
		}
	}
	if a.Paging != nil && a.Paging.InBody && a.Request.Body == nil {
		r.add(in("paging", "in_body"), "the request has no body")
	}
	r.unused(path, a, properties)
}

// unused finds properties that would be accepted and then dropped.
func (r *report) unused(path []string, a *Action, properties []string) {
	if a.Request.Body != nil && a.Request.Body.From == "" {
		return
	}
	used := slices.Concat(a.Request.Path.variables(), a.Request.Method.variables(), []string{a.Request.QueryFrom, a.Request.HeadersFrom})
	for _, text := range a.Request.Query {
		used = append(used, text.variables()...)
	}
	for _, text := range a.Request.Headers {
		used = append(used, text.variables()...)
	}
	if a.Request.Body != nil {
		used = append(used, a.Request.Body.From)
	}
	for _, name := range properties {
		if !slices.Contains(used, name) {
			r.add(append(slices.Clone(path), "input", "properties", name), "no part of the request uses it")
		}
	}
}

// properties lists what the input schema allows at the top level.
func (a *Action) properties() (all, required []string, err error) {
	if len(a.Input.RawMessage) == 0 {
		return nil, nil, nil
	}
	var shape struct {
		Type                 string                     `json:"type"`
		Properties           map[string]json.RawMessage `json:"properties"`
		Required             []string                   `json:"required"`
		AdditionalProperties *bool                      `json:"additionalProperties"`
	}
	if err := json.Unmarshal(a.Input.RawMessage, &shape); err != nil || shape.Type != "object" {
		return nil, nil, fmt.Errorf("the input schema must say type: object")
	}
	if shape.AdditionalProperties == nil || *shape.AdditionalProperties {
		return nil, nil, fmt.Errorf("the input schema must say additionalProperties: false, so that a misspelt argument is noticed")
	}
	for name := range shape.Properties {
		all = append(all, name)
	}
	return all, shape.Required, nil
}

// expressions compiles every template, text, predicate, path and schema that
// the value holds, wherever it stands, so that none can be forgotten.
func (r *report) expressions(path []string, value any) {
	r.walk(path, reflect.ValueOf(value))
}

func (r *report) walk(path []string, v reflect.Value) {
	if err := compileExpression(v.Interface()); err != nil {
		r.add(path, err.Error())
		return
	}
	child := func(name string) []string { return append(slices.Clone(path), name) }
	// Every other kind holds nothing to compile.
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				r.walk(child(name), v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.walk(child(strconv.Itoa(i)), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if item := v.MapIndex(key); item.Kind() != reflect.Interface {
				r.walk(child(key.String()), item)
			}
		}
	}
}

// compileExpression compiles what is an expression, and is content with everything else.
func compileExpression(value any) (err error) {
	switch v := value.(type) {
	case Template:
		_, err = v.parts()
	case Text:
		err = v.check()
	case Predicate:
		if v != "" {
			_, err = v.compile()
		}
	case Path:
		if v != "" {
			_, err = v.compile()
		}
	case Schema:
		if len(v.RawMessage) > 0 {
			_, err = compileSchema(v.RawMessage)
		}
	}
	return err
}
