package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// patternBudget bounds one match of a pattern: schemas are written for
// ECMAScript's regular expressions, whose matching can take exponential time.
var patternBudget = 100 * time.Millisecond

// schemaURL is what a schema without an identifier of its own is called while it is compiled.
const schemaURL = "urn:connected-apps:schema"

// pattern is an ECMAScript regular expression, which JSON Schema asks for and
// Go's own engine is not: it knows no look-ahead.
type pattern struct{ *regexp2.Regexp }

func (p pattern) MatchString(text string) bool {
	matched, err := p.Regexp.MatchString(text)
	return err == nil && matched
}

func compilePattern(text string) (jsonschema.Regexp, error) {
	compiled, err := regexp2.Compile(text, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, err
	}
	compiled.MatchTimeout = patternBudget
	return pattern{compiled}, nil
}

// compileSchema compiles a JSON Schema (2020-12 unless it says otherwise).
// References to other documents are refused; nothing is ever fetched.
func compileSchema(text []byte) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("it is not JSON")
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseRegexpEngine(compilePattern)
	compiler.UseLoader(noLoader{})
	compiler.AssertFormat()
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, fmt.Errorf("it is not a JSON Schema: %w", err)
	}
	compiled, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, fmt.Errorf("it is not a JSON Schema: %w", err)
	}
	return compiled, nil
}

type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema may not refer to another document")
}

// schema compiles the action's input schema when it is first needed.
func (a *Action) schema() (*jsonschema.Schema, error) {
	a.compile.Do(func() { a.compiled, a.broken = compileSchema(a.Input.RawMessage) })
	return a.compiled, a.broken
}

// CheckArguments validates arguments against the action's schema, before
// anything is sent. It fails with ErrInvalidArguments, whose Field is the JSON
// path of the argument at fault. Empty input is {}.
func (a *Action) CheckArguments(raw json.RawMessage) error {
	_, err := a.arguments(raw)
	return err
}

// arguments checks and decodes; numbers stay as they were written.
func (a *Action) arguments(raw json.RawMessage) (map[string]any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, invalidArguments("$", "the arguments are not JSON")
	}
	object, ok := document.(map[string]any)
	if !ok {
		return nil, invalidArguments("$", "the arguments are not a JSON object")
	}
	if len(a.Input.RawMessage) == 0 {
		if len(object) > 0 {
			return nil, invalidArguments("$", "the action takes no arguments")
		}
		return object, nil
	}
	schema, err := a.schema()
	if err != nil {
		return nil, invalidArguments("$", "the action's own schema is broken: "+err.Error())
	}
	var invalid *jsonschema.ValidationError
	if errors.As(schema.Validate(document), &invalid) {
		for len(invalid.Causes) > 0 {
			invalid = invalid.Causes[0]
		}
		return nil, violation(invalid)
	}
	return object, nil
}

// violation words one failed validation, for people and for models.
func violation(e *jsonschema.ValidationError) error {
	path := slices.Clone(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return invalidArguments(jsonPath(append(path, k.Missing[0])), "it is missing")
	case *kind.AdditionalProperties:
		return invalidArguments(jsonPath(append(path, k.Properties[0])), "there is no such argument")
	default:
		return invalidArguments(jsonPath(path), reasonText(e.ErrorKind))
	}
}

// jsonPath writes a place as $.items[0].name.
func jsonPath(path []string) string {
	name := fieldName(path)
	if name == "" || strings.HasPrefix(name, "[") {
		return "$" + name
	}
	return "$." + name
}

var english = message.NewPrinter(language.English)

// reasonText words a violation without the value that caused it, which may be long or secret.
func reasonText(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Pattern:
		return "it does not match the pattern " + k.Want
	case *kind.Enum:
		wanted := make([]string, len(k.Want))
		for i, value := range k.Want {
			wanted[i] = fmt.Sprint(value)
		}
		return "it must be one of " + strings.Join(wanted, ", ")
	case *kind.Const:
		return fmt.Sprintf("it must be %v", k.Want)
	case *kind.Format:
		return "it is not a valid " + k.Want
	case *kind.Type:
		return "it must be " + strings.Join(k.Want, " or ") + " and is " + k.Got
	case *kind.FalseSchema:
		return "it does not fit here"
	default:
		return k.LocalizedString(english)
	}
}
