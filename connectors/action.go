package connectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"connectedapps/connection"
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
	Scopes []string `yaml:"scopes"`
	// Methods are the IDs of the methods that offer it. Empty means all.
	Methods []string `yaml:"methods"`
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
	// Compute are values worked out of the arguments, in order.
	Compute []Computed `yaml:"compute"`
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
	// BaseURL replaces the app's for this request; its origin must be the app's or one of its hosts.
	BaseURL Template `yaml:"base_url"`
	// Path is appended to the base URL. Variables are arguments and values.
	Path Template `yaml:"path"`
	// Query is added to what Path says; a parameter whose variables have no value
	// is left out. Where the text is exactly "{name}" and the argument is a list,
	// the parameter is repeated for each item.
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
	// Template is the whole body where it is set: JSON in which a text that is
	// exactly "{name}" stands for the argument as it is, and one that holds names
	// for text. A leaf whose argument is missing is left out.
	Template any `yaml:"template"`
	// Lists of a form are written as "indexed" (the default, a[0]=b), "brackets" (a[]=b) or "repeat" (a=b&a=c).
	Lists string `yaml:"lists"`
}

// Schema is a JSON Schema, kept as JSON in the order it was written.
type Schema struct{ json.RawMessage }

// App is the app this action belongs to.
func (a *Action) App() *App { return a.app }

// Repeatable reports whether running it twice has the effect of once, at least with
// the same idempotency key.
func (a *Action) Repeatable() bool { return a.ReadOnly || a.Idempotent || a.IdempotencyKey != "" }

// OfferedBy reports whether the action works with a way to authenticate.
func (a *Action) OfferedBy(m *Method) bool {
	return len(a.Methods) == 0 || slices.Contains(a.Methods, m.ID)
}

// notOffered says that a method does not offer the action, and which do.
func (a *Action) notOffered(m *Method) error {
	return connection.InvalidInput("actions", fmt.Sprintf("the action %q does not work with %q", a.ID, m.ID),
		"leave it out, or connect by one of: "+strings.Join(a.Methods, ", "))
}
