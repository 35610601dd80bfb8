package connectors

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
)

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
	// Every other kind holds nothing to compile.
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			r.walkField(path, v.Type().Field(i), v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.walk(below(path, strconv.Itoa(i)), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if item := v.MapIndex(key); item.Kind() != reflect.Interface {
				r.walk(below(path, key.String()), item)
			}
		}
	}
}

// jsonTemplates are the fields of JSON whose texts are templates.
var jsonTemplates = []string{"body", "template", "header", "claims"}

func (r *report) walkField(path []string, field reflect.StructField, v reflect.Value) {
	name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	switch {
	case options == "inline":
		r.walk(path, v)
	case name == "" || name == "-":
	case isJSON(field.Type) && slices.Contains(jsonTemplates, name):
		r.leaves(below(path, name), v.Interface(), func(at []string, leaf string) {
			if err := checkLeaf(leaf); err != nil {
				r.add(at, err.Error())
			}
		})
	default:
		r.walk(below(path, name), v)
	}
}

func isJSON(t reflect.Type) bool {
	return t.Kind() == reflect.Interface || t == reflect.TypeFor[map[string]any]()
}

// checkLeaf finds a variable that was mistyped. A text with spaces in it may
// hold braces of its own, as a GraphQL query does.
func checkLeaf(leaf string) error {
	if strings.ContainsAny(leaf, " \n\t") {
		return nil
	}
	return Text(leaf).check()
}

// leaves visits every text of a piece of JSON.
func (r *report) leaves(path []string, value any, visit func(at []string, leaf string)) {
	switch v := value.(type) {
	case string:
		visit(path, v)
	case map[string]any:
		for name, item := range v {
			r.leaves(below(path, name), item, visit)
		}
	case []any:
		for i, item := range v {
			r.leaves(below(path, strconv.Itoa(i)), item, visit)
		}
	}
}

// json checks the variables of JSON whose texts are templates.
func (r *report) json(path []string, value any, allowed []string, known names) {
	r.leaves(path, value, func(at []string, leaf string) {
		r.variables(at, Text(leaf).variables(), known, allowed)
	})
}

// jsonVariables lists the names that JSON whose texts are templates uses.
func jsonVariables(value any) []string {
	var used []string
	(&report{}).leaves(nil, value, func(_ []string, leaf string) { used = append(used, Text(leaf).variables()...) })
	return used
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
		err = checkPath(v)
	case Expression:
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

// checkPath compiles a place: JMESPath, unless it names a header or a cookie.
func checkPath(p Path) error {
	for _, part := range []string{"header:", "cookie:"} {
		if name, ok := strings.CutPrefix(string(p), part); ok {
			if !fieldToken.MatchString(name) {
				return fmt.Errorf("%q is no name of a %s", name, strings.TrimSuffix(part, ":"))
			}
			return nil
		}
	}
	if p == "" {
		return nil
	}
	_, err := p.compile()
	return err
}

// typedName is a variable of an expression and what it holds.
type typedName struct {
	name string
	kind *cel.Type
}

// texts are variables that hold text.
func texts(names []string) []typedName { return typed(names, cel.StringType) }

func typed(names []string, kind *cel.Type) []typedName {
	out := make([]typedName, len(names))
	for i, name := range names {
		out[i] = typedName{name, kind}
	}
	return out
}

// expression checks an expression against the names it may use; a condition must be true or false.
func (r *report) expression(path []string, e Expression, known []typedName, condition bool) {
	listed := make([]string, len(known))
	for i, n := range known {
		listed[i] = n.name
	}
	missing := false
	for _, name := range e.variables() {
		if slices.Contains(listed, name) {
			continue
		}
		missing = true
		reason := name + " is no input that may be used here, and no learnt value"
		if near := nearest(name, listed); len(near) > 0 {
			reason += "; did you mean " + near[0] + "?"
		}
		r.add(path, reason)
	}
	if missing {
		return
	}
	if err := e.check(known, condition); err != nil {
		r.add(path, err.Error())
	}
}

// check finds functions that do not exist and operands that do not fit.
func (e Expression) check(known []typedName, condition bool) error {
	env, err := functionsOnly()
	if err != nil {
		return fmt.Errorf("the CEL environment: %w", err)
	}
	var variables []cel.EnvOption
	used := e.variables()
	for _, n := range known {
		if i := slices.Index(used, n.name); i >= 0 {
			used = slices.Delete(slices.Clone(used), i, i+1)
			variables = append(variables, cel.Variable(n.name, n.kind))
		}
	}
	if env, err = env.Extend(variables...); err != nil {
		return fmt.Errorf("the CEL environment: %w", err)
	}
	compiled, issues := env.Compile(string(e))
	if issues != nil && issues.Err() != nil {
		return errors.New("it is not a CEL expression: " + issues.Errors()[0].Message)
	}
	if kind := compiled.OutputType(); condition && kind != cel.BoolType && kind != cel.DynType {
		return fmt.Errorf("it yields %s and not true or false", kind)
	}
	return nil
}
