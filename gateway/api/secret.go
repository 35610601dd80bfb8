package api

import (
	"encoding/json"
	"errors"
	"reflect"

	"connectedapps/connection"

	"github.com/danielgtaylor/huma/v2"
)

var problemStruct = reflect.TypeFor[Problem]()

// Secret is secret text in a request. It prints and marshals as [connection.Secret] does: never.
type Secret struct{ connection.Secret }

// maxSecret bounds one secret: a key file is about 4 kB, a chain of certificates more.
const maxSecret = 48 << 10

// UnmarshalJSON takes a JSON string; its error does not repeat it.
func (s *Secret) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errors.New("a secret is a string")
	}
	s.Secret = connection.NewSecret(text)
	return nil
}

// Schema says that it is written and never read.
func (Secret) Schema(huma.Registry) *huma.Schema {
	limit := maxSecret
	return &huma.Schema{Type: huma.TypeString, Format: "password", WriteOnly: true, MaxLength: &limit,
		Description: "A secret. It is never answered."}
}

// Secrets are secrets by name.
type Secrets map[string]Secret

// plain are the secrets in the type that the inbox takes.
func (s Secrets) plain() map[string]connection.Secret {
	out := make(map[string]connection.Secret, len(s))
	for name, secret := range s {
		if !secret.Empty() {
			out[name] = secret.Secret
		}
	}
	return out
}

// Object is a JSON object whose members are somebody else's to say: arguments, or a JSON Schema.
type Object struct{ json.RawMessage }

// Schema allows every member.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Any is JSON of any kind: what an app answered.
type Any struct{ json.RawMessage }

// Schema allows everything.
func (Any) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }
