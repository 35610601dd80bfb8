package connectors

import (
	"encoding/json"

	"connectedapps/connection"
)

// Session is everything needed to act on one connection.
type Session struct {
	App        *App
	Method     *Method
	Credential connection.Credential
	// Values are the credential's, overlaid by the auth config's.
	Values map[string]string
	// Client is the auth config's registration; zero where there is none.
	Client Client

	// worked are the method's computed values for one request; nil before they are worked out.
	worked map[string]string
}

// CallInput is one use of an action.
type CallInput struct {
	// Arguments are a JSON object; empty means {}.
	Arguments json.RawMessage
	// IdempotencyKey is sent where the action supports one. It makes a
	// repetition after an unknown outcome safe.
	IdempotencyKey string
	// Cursor of an earlier result; "" asks for the first page.
	Cursor string
	// Projection is a JMESPath expression applied to the result; "" is all of it.
	Projection string
	// MaxBytes bounds the result; 0 is [DefaultMaxResult].
	MaxBytes int
}

// DefaultMaxResult is the largest result in bytes unless the caller says
// otherwise: well under the 2 MB that a Temporal payload may have.
const DefaultMaxResult = 256 << 10

// CallResult is what an action answered.
type CallResult struct {
	// Data is the result: the provider's JSON, a JSON string for text, null for an empty answer.
	Data json.RawMessage
	// Status is the provider's HTTP status.
	Status int
	// NextCursor asks for the next page; "" means there is none.
	NextCursor string
	// Truncated is set when the result was larger than allowed: a list then
	// keeps its first items and loses its cursor, anything else is null.
	Truncated bool
	// Secrets are the outputs flagged secret, by their place in the answer.
	// In Data there is null in their stead.
	Secrets map[string]connection.Secret
}
