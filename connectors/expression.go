package connectors

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// Expression is a CEL expression over texts by name: inputs, learnt values and
// what was computed before. A name without a value is the empty text.
type Expression string

// Computed is a value worked out by an expression.
type Computed struct {
	Name  string     `yaml:"name"`
	Value Expression `yaml:"value"`
}

// expression is one that has been planned.
type expression struct {
	program cel.Program
	names   []string
}

var (
	expressions sync.Map // Expression to expression; definitions only
	// functionsOnly is an environment without variables: expressions are parsed and
	// not checked, since each method has names of its own.
	functionsOnly = sync.OnceValues(func() (*cel.Env, error) { return cel.NewEnv(functions()...) })
)

// compile parses and plans the expression, once.
func (e Expression) compile() (expression, error) {
	if known, ok := expressions.Load(e); ok {
		return known.(expression), nil
	}
	env, err := functionsOnly()
	if err != nil {
		return expression{}, fmt.Errorf("the CEL environment: %w", err)
	}
	parsed, issues := env.Parse(string(e))
	if issues != nil && issues.Err() != nil {
		return expression{}, errors.New("it is not a CEL expression: " + issues.Errors()[0].Message)
	}
	program, err := env.Program(parsed, cel.CostLimit(predicateCost))
	if err != nil {
		return expression{}, fmt.Errorf("it cannot be planned: %w", err)
	}
	known, _ := expressions.LoadOrStore(e, expression{program: program, names: identifiers(parsed)})
	return known.(expression), nil
}

// identifiers lists the names an expression uses, each once.
func identifiers(parsed *cel.Ast) []string {
	var names, bound []string
	celast.PostOrderVisit(parsed.NativeRep().Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		// Every other kind holds no name.
		//exhaustive:ignore
		switch e.Kind() {
		case celast.IdentKind:
			names = append(names, e.AsIdent())
		case celast.ComprehensionKind:
			c := e.AsComprehension()
			bound = append(bound, c.IterVar(), c.IterVar2(), c.AccuVar())
		}
	}))
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(bound, name) })
	slices.Sort(names)
	return slices.Compact(names)
}

// variables lists the names the expression uses; nil for one that does not compile.
func (e Expression) variables() []string {
	if e == "" {
		return nil
	}
	compiled, err := e.compile()
	if err != nil {
		return nil
	}
	return compiled.names
}

// eval works the expression out. A name without a value is the empty text.
func (e Expression) eval(lookup func(name string) (string, bool)) (any, error) {
	compiled, err := e.compile()
	if err != nil {
		return nil, err
	}
	variables := make(map[string]any, len(compiled.names))
	for _, name := range compiled.names {
		value, _ := lookup(name)
		if len(value) > maxComputed {
			return nil, fmt.Errorf("%s is longer than %d bytes", name, maxComputed)
		}
		variables[name] = value
	}
	out, _, err := compiled.program.Eval(variables)
	if err != nil {
		return nil, errors.New("it cannot be worked out from these values")
	}
	return out.Value(), nil
}

// text is the expression's outcome as text; "" is allowed.
func (e Expression) text(lookup func(name string) (string, bool)) (string, error) {
	value, err := e.eval(lookup)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case string:
		if len(v) > maxComputed {
			return "", fmt.Errorf("it yields more than %d bytes", maxComputed)
		}
		return v, nil
	case []byte:
		return "", errors.New("it yields bytes: wrap it in base64() or hex()")
	case bool, int64, uint64:
		return fmt.Sprint(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	default:
		return "", errors.New("it yields neither text nor a number")
	}
}

// maxComputed bounds what an expression yields, in bytes: the largest secret in
// base64, and room.
const maxComputed = 2 * maxSecret

// holds reports whether the outcome is true; "" always holds, and what cannot be worked out does not.
func (e Expression) holds(lookup func(name string) (string, bool)) bool {
	if e == "" {
		return true
	}
	value, err := e.eval(lookup)
	yes, ok := value.(bool)
	return err == nil && ok && yes
}

// computed works a list out in order; each may use those before it. The error
// names the value and repeats none.
func computed(list []Computed, lookup func(name string) (string, bool)) (map[string]string, error) {
	out := map[string]string{}
	for _, c := range list {
		text, err := c.Value.text(overlaid(out, lookup))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		out[c.Name] = text
	}
	return out, nil
}

// overlaid looks names up in a map first.
func overlaid(first map[string]string, then func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, ok := first[name]; ok {
			return value, value != ""
		}
		return then(name)
	}
}

// bytesOf is what a function got, text or bytes.
func bytesOf(value any) ([]byte, bool) {
	switch v := value.(type) {
	case types.String:
		return []byte(v), true
	case types.Bytes:
		return v, true
	default:
		return nil, false
	}
}
