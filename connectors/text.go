package connectors

import (
	"fmt"
	"regexp"
	"strings"
)

// Text is a template for header values, parameters and user names: {name} is
// replaced by the value of that name as it is. Nothing is escaped here; what
// the text goes into does that, or refuses what cannot be said in it.
type Text string

var textVariable = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand fills the text in. It reports false when a variable has no value, and
// the part of the request it was for is then left out.
func (t Text) expand(lookup func(name string) (string, bool)) (string, bool) {
	complete := true
	out := textVariable.ReplaceAllStringFunc(string(t), func(found string) string {
		value, ok := lookup(found[1 : len(found)-1])
		if !ok {
			complete = false
		}
		return value
	})
	return out, complete
}

// variables lists the names the text uses.
func (t Text) variables() []string {
	var names []string
	for _, found := range textVariable.FindAllStringSubmatch(string(t), -1) {
		names = append(names, found[1])
	}
	return names
}

// check refuses a text whose braces are not variables.
func (t Text) check() error {
	if rest := textVariable.ReplaceAllString(string(t), ""); strings.ContainsAny(rest, "{}") {
		return fmt.Errorf("%q holds a brace that belongs to no {variable}", string(t))
	}
	return nil
}

// from looks names up in a map; an empty value counts as none.
func from(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value := values[name]
		return value, value != ""
	}
}
