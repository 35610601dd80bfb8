package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"github.com/jmespath/go-jmespath"
)

// Path is a JMESPath expression over an answer's JSON.
type Path string

// maxProjection bounds an expression that a caller brings, in bytes.
const maxProjection = 2000

var errProjectionFit = errors.New("the projection does not fit the answer")

var paths sync.Map // Path to *jmespath.JMESPath; definitions only

// compile parses the expression, once.
func (p Path) compile() (*jmespath.JMESPath, error) {
	if known, ok := paths.Load(p); ok {
		return known.(*jmespath.JMESPath), nil
	}
	compiled, err := jmespath.Compile(string(p))
	if err != nil {
		return nil, fmt.Errorf("it is not a JMESPath expression: %w", err)
	}
	known, _ := paths.LoadOrStore(p, compiled)
	return known.(*jmespath.JMESPath), nil
}

// find is what the expression yields, nil for nothing and for an expression that fails.
func (p Path) find(data any) any {
	if p == "" || data == nil {
		return nil
	}
	compiled, err := p.compile()
	if err != nil {
		return nil
	}
	found, err := search(compiled, data)
	if err != nil {
		return nil
	}
	return found
}

// text is what the expression yields as text, "" for nothing and for what is no scalar.
func (p Path) text(data any) string {
	switch v := p.find(data).(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		text, err := json.Marshal(v)
		if err != nil || len(text) == 0 || text[0] == '{' || text[0] == '[' {
			return ""
		}
		return string(text)
	}
}

// project applies an expression that a caller brought. The error says what is
// wrong with the expression and nothing of the data.
func project(expression string, data any) (any, error) {
	if len(expression) > maxProjection {
		return nil, fmt.Errorf("the projection is longer than %d bytes", maxProjection)
	}
	compiled, err := jmespath.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("the projection is not a JMESPath expression: %w", err)
	}
	found, err := search(compiled, data)
	if err != nil {
		return nil, errProjectionFit
	}
	return found, nil
}

// search guards against the library's panics on unusual expressions.
func search(compiled *jmespath.JMESPath, data any) (found any, err error) {
	defer func() {
		if recover() != nil {
			found, err = nil, errors.New("the expression cannot be evaluated")
		}
	}()
	return compiled.Search(data)
}

// maxExactFloat is 2^53: the largest power below which every integer is a float64.
var maxExactFloat = new(big.Int).Lsh(big.NewInt(1), 53)

// decodeJSON reads one JSON value. Numbers become float64, as JMESPath and CEL
// compare them, except integers that a float64 cannot hold: those stay
// [json.Number], so that a long identifier is not changed.
func decodeJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("it is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the JSON")
	}
	return settleNumbers(value), nil
}

func settleNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = settleNumbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = settleNumbers(item)
		}
	case json.Number:
		if whole, ok := new(big.Int).SetString(v.String(), 10); ok && whole.CmpAbs(maxExactFloat) > 0 {
			return v
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
	}
	return value
}
