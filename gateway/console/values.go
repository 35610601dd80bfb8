package console

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"connectedapps/connectors"
)

// titledValues are values that are no secrets under the titles that their form gave
// them, in its order; what no form has asked for comes after, in words of its name.
func titledValues(values map[string]string, inputs ...connectors.Input) []fact {
	left := maps.Clone(values)
	var all []fact
	for _, input := range inputs {
		value, ok := left[input.Name]
		if !ok {
			continue
		}
		delete(left, input.Name)
		title := input.Title
		if title == "" {
			title = inWords(input.Name)
		}
		all = append(all, fact{title, value})
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		all = append(all, fact{inWords(name), left[name]})
	}
	return all
}

// inWords makes of a name such as "developer-tools" or "base_url" words to be read.
func inWords(name string) string {
	words := strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' }), " ")
	first, size := utf8.DecodeRuneInString(words)
	if size == 0 {
		return name
	}
	return string(unicode.ToUpper(first)) + words[size:]
}
