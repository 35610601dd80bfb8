package connectors

import (
	"encoding/json"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ActionStatus says how sure the definition of an action is.
type ActionStatus string

const (
	Documented ActionStatus = "documented" // written after the provider's documentation
	Unverified ActionStatus = "unverified" // written from general knowledge; not checked
)

// Action is one operation of an app.
type Action struct {
	// ID is a slug, unique within the app.
	ID          string `yaml:"id"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	// Status says how sure the definition is.
	Status ActionStatus `yaml:"status"`
	// ReadOnly actions have no side effect.
	ReadOnly bool `yaml:"read_only"`
	// Destructive actions lose something that cannot be had back.
	Destructive bool `yaml:"destructive"`
	// Idempotent actions may be repeated with the same effect as once.
	Idempotent bool `yaml:"idempotent"`
	// IdempotencyKey is the header that makes a repetition safe, "" when there is none.
	IdempotencyKey string `yaml:"idempotency_key"`
	// Scopes are needed of an OAuth grant.
	Scopes  []string `yaml:"scopes"`
	Request Request  `yaml:"request"`
	// Paging is nil when the answer has one page.
	Paging *Paging `yaml:"paging"`
	// OK replaces the app's success predicate.
	OK Predicate `yaml:"ok"`
	// Result picks what of the answer is returned. "" is all of it.
	Result Path `yaml:"result"`
	// SecretOutputs are places in the answer that hold secrets, such as
	// "secret" or "keys[].value". They never appear in a result.
	SecretOutputs []string `yaml:"secret_outputs"`
	// Input is the JSON Schema of the arguments, an object.
	Input Schema `yaml:"input"`
	// Output is the JSON Schema of the result, empty when it is not described.
	Output Schema `yaml:"output"`

	app      *App
	compile  sync.Once
	compiled *jsonschema.Schema
	broken   error
}

// Request says how the arguments of an action become an HTTP request.
type Request struct {
	// Method is an HTTP method, or "{argument}".
	Method Text `yaml:"method"`
	// Path is appended to the base URL. Variables are arguments and values.
	Path Template `yaml:"path"`
	// Query is added to what Path says; a parameter whose variables have no value is left out.
	Query   map[string]Text `yaml:"query"`
	Headers map[string]Text `yaml:"headers"`
	// QueryFrom and HeadersFrom name an argument that is an object of further parameters or headers.
	QueryFrom   string `yaml:"query_from"`
	HeadersFrom string `yaml:"headers_from"`
	// Body is nil for a request without one.
	Body *Body `yaml:"body"`
}

// Body says what a request's body is made of: every argument that Path, Query,
// Headers and Method do not use, over Static.
type Body struct {
	// Encoding is "json" (the default) or "form". Nested form fields are written in brackets: a[b]=c, a[0]=d.
	Encoding string `yaml:"encoding"`
	// From names the one argument that is the whole body.
	From string `yaml:"from"`
	// Static parts are always sent, and win over arguments of the same name.
	Static map[string]any `yaml:"static"`
}

// Schema is a JSON Schema, kept as JSON in the order it was written.
type Schema struct{ json.RawMessage }

// App is the app this action belongs to.
func (a *Action) App() *App { return a.app }
