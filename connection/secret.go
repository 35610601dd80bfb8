package connection

import (
	"fmt"
	"unique"
)

// redacted is what every secret prints as.
const redacted = "REDACTED"

// Secret is secret text that does not print: every formatting verb, JSON, YAML
// and structured log shows "REDACTED". The zero value is an empty secret.
// [Secret.Reveal] is the one way to the text, so that a search for it finds
// every place where a secret is used.
//
// The text is behind a handle, because fmt asks no method of a value in an
// unexported field, and none at all under %p: what it then prints is an address.
// Secrets of the same text are equal.
type Secret struct{ text unique.Handle[string] }

// NewSecret wraps secret text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: unique.Make(text)}
}

// Reveal is the secret text itself: for the wire to the provider or to Vault, never for anything else.
func (s Secret) Reveal() string {
	if s.Empty() {
		return ""
	}
	return s.text.Value()
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s == Secret{} }

// String never shows the text.
func (s Secret) String() string { return redacted }

// GoString never shows the text.
func (s Secret) GoString() string { return redacted }

// Format covers every verb, %x and %q among them.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// MarshalJSON never shows the text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText never shows the text; YAML and map keys go through it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON refuses: a secret that came in as JSON came the wrong way.
func (s *Secret) UnmarshalJSON([]byte) error {
	return fmt.Errorf("a secret cannot be read from JSON: hand it over through the inbox")
}
