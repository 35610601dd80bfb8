package connectors

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"connectedapps/connection"
)

// Input is one thing a person is asked for.
type Input struct {
	// Name is the variable that templates use.
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	Help  string `yaml:"help"`
	// Type is "string" (the default), "text" for several lines, "boolean" or "integer"; it tells a form what to draw.
	Type string `yaml:"type"`
	// Pattern is a regular expression that the whole value must match.
	Pattern string `yaml:"pattern"`
	// Format is one of [Formats]; it also normalises.
	Format  string   `yaml:"format"`
	Enum    []string `yaml:"enum"`
	Default string   `yaml:"default"`
	// Secret is mandatory in a definition: nobody should have to guess.
	Secret   bool `yaml:"secret"`
	Optional bool `yaml:"optional"`
	// Once inputs are used by the flow and never stored.
	Once bool `yaml:"once"`
	// Hidden inputs are not shown in forms; they have a default.
	Hidden bool `yaml:"hidden"`
	// TrimPrefix and TrimSuffix are taken off, when present, before anything is checked.
	TrimPrefix string `yaml:"trim_prefix"`
	TrimSuffix string `yaml:"trim_suffix"`
	// AddPrefix and AddSuffix are put on, when absent, after that.
	AddPrefix string `yaml:"add_prefix"`
	AddSuffix string `yaml:"add_suffix"`
}

const (
	// maxValue bounds an input that is not secret: the longest useful one is a URL.
	maxValue = 2000
	// maxSecret bounds a secret input: a key file is about 4 kB, a chain of certificates more.
	maxSecret = 64 << 10
)

// CheckInputs validates what a person or a caller gave and makes it standard:
// spaces and declared affixes trimmed, defaults filled in, formats normalised.
// Every error is an ErrInvalidInput whose Field is the input's name; a secret
// is never repeated in it. Inputs that are used once are among what it answers:
// who stores the rest leaves out [OnceNames]. Unknown names, a secret among the values and a plain
// input among the secrets are errors.
func CheckInputs(inputs []Input, values map[string]string, secrets map[string]connection.Secret) (map[string]string, map[string]connection.Secret, error) {
	if err := checkNames(inputs, values, secrets); err != nil {
		return nil, nil, err
	}
	outValues, outSecrets := map[string]string{}, map[string]connection.Secret{}
	for _, input := range inputs {
		given := values[input.Name]
		if input.Secret {
			given = secrets[input.Name].Reveal()
		}
		checked, err := input.check(given)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case checked == "":
		case input.Secret:
			outSecrets[input.Name] = connection.NewSecret(checked)
		default:
			outValues[input.Name] = checked
		}
	}
	return outValues, outSecrets, nil
}

// checkNames refuses what no input asks for, and what came the wrong way.
func checkNames(inputs []Input, values map[string]string, secrets map[string]connection.Secret) error {
	secret := map[string]bool{}
	for _, input := range inputs {
		secret[input.Name] = input.Secret
	}
	names := slices.Sorted(maps.Keys(secret))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		isSecret, known := secret[name]
		if !known {
			return connection.InvalidInput(connection.Bound(name, maxEcho), "there is no such input", suggestion(name, names))
		}
		if isSecret {
			return connection.InvalidInput(name, "it is a secret and came as a plain value", "hand it over as a secret")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		isSecret, known := secret[name]
		if !known {
			return connection.InvalidInput(connection.Bound(name, maxEcho), "there is no such input", suggestion(name, names))
		}
		if !isSecret {
			return connection.InvalidInput(name, "it is not a secret and came as one", "give it as a plain value")
		}
	}
	return nil
}

// OnceNames are the inputs that are used by the flow and must not be stored.
func OnceNames(inputs []Input) map[string]bool {
	once := map[string]bool{}
	for _, input := range inputs {
		if input.Once {
			once[input.Name] = true
		}
	}
	return once
}

// typeText is the type of an input of several lines, such as a key in PEM.
const typeText = "text"

// anyLineBreak are the ways a browser or a file writes the end of a line.
var anyLineBreak = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// unfit reports a byte that the value may not hold.
func (in Input) unfit(b byte) bool {
	return isControl(b) && (in.Type != typeText || b != '\n')
}

// check normalises and validates one value; "" is allowed for an optional input.
func (in Input) check(value string) (string, error) {
	if in.Type == typeText {
		value = anyLineBreak.Replace(value)
	}
	value = in.trim(value)
	if value == "" {
		value = in.Default
	}
	if value == "" {
		if in.Optional {
			return "", nil
		}
		return "", connection.InvalidInput(in.Name, "it is missing", in.remedy("give a value"))
	}
	value = in.affix(value)
	limit := maxValue
	if in.Secret {
		limit = maxSecret
	}
	if len(value) > limit {
		return "", connection.InvalidInput(in.Name, fmt.Sprintf("it is longer than %d bytes", limit), "")
	}
	if slices.ContainsFunc([]byte(value), in.unfit) {
		reason := "it holds a control character, such as a line break"
		if in.Type == typeText {
			reason = "it holds a control character, such as a tab"
		}
		return "", connection.InvalidInput(in.Name, reason, in.remedy("remove it"))
	}
	if reason := in.typed(value); reason != "" {
		return "", connection.InvalidInput(in.Name, reason, in.remedy(""))
	}
	if in.Format != "" {
		normal, reason := formats[in.Format](value)
		if reason != "" {
			return "", connection.InvalidInput(in.Name, reason, in.remedy(""))
		}
		value = normal
	}
	if len(in.Enum) > 0 && !slices.Contains(in.Enum, value) {
		return "", connection.InvalidInput(in.Name, "it is not one of the choices", "choose one of: "+strings.Join(in.Enum, ", "))
	}
	if in.Pattern != "" {
		whole, err := regexp.Compile("^(?:" + in.Pattern + ")$")
		if err != nil || !whole.MatchString(value) {
			return "", connection.InvalidInput(in.Name, "it does not look right", in.remedy("it must match "+in.Pattern))
		}
	}
	return value, nil
}

// trim takes off spaces and the declared affixes.
func (in Input) trim(value string) string {
	value = strings.TrimSpace(value)
	value = strings.TrimPrefix(value, in.TrimPrefix)
	return strings.TrimSuffix(value, in.TrimSuffix)
}

// affix puts on what the definition wants to be there.
func (in Input) affix(value string) string {
	if !strings.HasPrefix(value, in.AddPrefix) {
		value = in.AddPrefix + value
	}
	if !strings.HasSuffix(value, in.AddSuffix) {
		value += in.AddSuffix
	}
	return value
}

// typed answers what is wrong with the value for the input's type, or "".
func (in Input) typed(value string) string {
	switch in.Type {
	case "boolean":
		if value != "true" && value != "false" {
			return "it must be true or false"
		}
	case "integer":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return "it must be a whole number"
		}
	}
	return ""
}

// remedy prefers the definition's own help.
func (in Input) remedy(otherwise string) string {
	if in.Help != "" {
		return in.Help
	}
	return otherwise
}
