package connectors

import (
	"fmt"
	"strings"
)

// DefinitionError says what is wrong with a definition, and where.
type DefinitionError struct {
	File string
	// Line and Column count from 1; 0 when the file could not be read at all.
	Line, Column int
	// Field is the place in the document, such as "auth[0].oauth.token.url".
	Field  string
	Reason string
}

// Error is "file:line:column: field: reason", as editors expect it.
func (e *DefinitionError) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	return text + ": " + e.Reason
}

// definitionErrors is all that is wrong, one line each.
type definitionErrors []*DefinitionError

// Error lists every defect on its own line.
func (e definitionErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the first defect.
func (e definitionErrors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}
