package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
)

// Predicate is a CEL expression over an answer that yields true or false. Its
// variables are status (int), headers (a map of lower-case names to text, the
// first value of each) and body (the decoded JSON, text when it is no JSON,
// null when there is none).
type Predicate string

// predicateCost bounds the work of one evaluation, in CEL's own units: far above
// what any sensible predicate needs, far below what would be felt.
const predicateCost = 100_000

var (
	predicates  sync.Map // Predicate to cel.Program; definitions only
	environment = sync.OnceValues(func() (*cel.Env, error) {
		return cel.NewEnv(append(functions(),
			cel.Variable("status", cel.IntType),
			cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
			cel.Variable("body", cel.DynType),
		)...)
	})
)

// compile checks and plans the expression, once.
func (p Predicate) compile() (cel.Program, error) {
	if known, ok := predicates.Load(p); ok {
		return known.(cel.Program), nil
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("the CEL environment: %w", err)
	}
	ast, issues := env.Compile(string(p))
	if issues != nil && issues.Err() != nil {
		return nil, errors.New("it is not a CEL predicate: " + issues.Errors()[0].Message)
	}
	if kind := ast.OutputType(); kind != cel.BoolType && kind != cel.DynType {
		return nil, fmt.Errorf("it yields %s and not true or false", kind)
	}
	program, err := env.Program(ast, cel.CostLimit(predicateCost))
	if err != nil {
		return nil, fmt.Errorf("it cannot be planned: %w", err)
	}
	known, _ := predicates.LoadOrStore(p, program)
	return known.(cel.Program), nil
}

// holds evaluates the predicate. What cannot be evaluated, such as a field the
// answer does not have, does not hold; "" does not hold either.
func (p Predicate) holds(a *answer) bool {
	if p == "" {
		return false
	}
	program, err := p.compile()
	if err != nil {
		return false
	}
	out, _, err := program.Eval(map[string]any{
		"status": int64(a.status), "headers": flatHeaders(a.header), "body": celValue(a.body),
	})
	if err != nil {
		return false
	}
	yes, ok := out.Value().(bool)
	return ok && yes
}

// flatHeaders writes header names in lower case, since CEL compares them exactly.
func flatHeaders(header http.Header) map[string]string {
	flat := make(map[string]string, len(header))
	for name, values := range header {
		if len(values) > 0 {
			flat[strings.ToLower(name)] = values[0]
		}
	}
	return flat
}

// celValue replaces the numbers that CEL does not know by text.
func celValue(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = celValue(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = celValue(item)
		}
		return out
	default:
		return value
	}
}
