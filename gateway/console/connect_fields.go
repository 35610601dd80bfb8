package console

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// inputPrefix stands before the name of an input in a form, so that an app's inputs
// are never taken for the form's own.
const inputPrefix = "input."

// field is one input as a form draws it. One for a secret has no value, ever.
type field struct {
	// ID is that of the control, and its name in the form.
	ID, Title, Help string
	// Control is "text", "textarea", "password", "number", "select" or "code", and Digits
	// is set for a code that has nothing else in it.
	Control string
	Digits  bool
	Options []option
	Value   string
	// Pattern is what a browser may hold the text against before it is sent; Hint an example of it.
	Pattern, Hint      string
	Optional, Required bool
	// Problem is what is wrong with it; Focus is set for the first that has one, or that asks.
	Problem *connection.Problem
	Focus   bool
}

type option struct{ Value, Title string }

// problems are what is wrong with a form, by control.
type problems map[string]*connection.Problem

// typed is what a form has brought for inputs.
type typed struct {
	// text is as it was typed in, but for secrets, which are not in it.
	text     map[string]string
	values   map[string]string
	secrets  map[string]connection.Secret
	problems problems
}

// shown are the inputs that a form asks for.
func shown(inputs []connectors.Input, wanted func(connectors.Input) bool) []connectors.Input {
	return slices.DeleteFunc(slices.Clone(inputs), func(input connectors.Input) bool { return input.Hidden || !wanted(input) })
}

// readInputs takes what a form brought for inputs, and checks each by itself, so that
// everything that is wrong is said at once.
func readInputs(form url.Values, inputs []connectors.Input) typed {
	t := typed{text: map[string]string{}, values: map[string]string{}, secrets: map[string]connection.Secret{}, problems: problems{}}
	for _, input := range inputs {
		id := inputPrefix + input.Name
		given := form.Get(id)
		values, secrets := map[string]string{}, map[string]connection.Secret{}
		if input.Secret {
			secrets[input.Name] = connection.NewSecret(given)
		} else {
			values[input.Name], t.text[input.Name] = given, given
		}
		values, secrets, err := connectors.CheckInputs([]connectors.Input{input}, values, secrets)
		if problem, ok := connection.AsProblem(err); ok {
			t.problems[id] = problem
			continue
		}
		for name, value := range values {
			t.values[name] = value
		}
		for name, secret := range secrets {
			t.secrets[name] = secret
		}
	}
	return t
}

// drawInputs are the fields of a form, with what is known for them. Of the problems
// the first takes the focus.
func drawInputs(inputs []connectors.Input, text map[string]string, wrong problems) []field {
	fields := make([]field, 0, len(inputs))
	focus := true
	for _, input := range inputs {
		f := drawInput(input, text[input.Name])
		if f.Problem = wrong[f.ID]; f.Problem != nil {
			f.Focus, focus = focus, false
		}
		fields = append(fields, f)
	}
	return fields
}

func drawInput(input connectors.Input, text string) field {
	f := field{ID: inputPrefix + input.Name, Title: input.Title, Help: input.Help, Control: "text",
		Optional: input.Optional, Required: !input.Optional && input.Default == ""}
	if f.Title == "" {
		f.Title = input.Name
	}
	if input.Secret {
		f.Control = "password"
		if input.Type == "text" {
			f.Control = "textarea"
		}
		return f
	}
	if f.Value = text; text == "" {
		f.Value = input.Default
	}
	switch {
	case len(input.Enum) > 0:
		f.Control, f.Options = "select", choicesOf(input, input.Enum, input.Enum)
	case input.Type == "boolean": // an unticked box sends nothing, which would mean the default
		f.Control, f.Options = "select", choicesOf(input, []string{"true", "false"}, []string{"Yes", "No"})
	case input.Type == "integer":
		f.Control = "number"
	case input.Type == "text":
		f.Control = "textarea"
	default:
		f.Pattern = browserPattern(input)
	}
	return f
}

// drawQuestion are the fields of a question. The first takes the focus when nothing is
// wrong, and what is a code for once is shown as it is typed: it is worth nothing
// afterwards, and a phone offers to fill it in.
func drawQuestion(inputs []connectors.Input, text map[string]string, wrong problems) []field {
	fields := drawInputs(inputs, text, wrong)
	for i := range fields {
		f := &fields[i]
		if (f.Control == "password" || f.Control == "text") && codeForOnce(inputs[i].Name) {
			f.Control, f.Digits = "code", digitsOnly(inputs[i].Pattern)
		}
		f.Focus = f.Focus || i == 0 && len(wrong) == 0
	}
	return fields
}

// codeForOnce reports whether a question's field is for a code that works once: "code",
// "otp" and "totp", also with something before them.
func codeForOnce(name string) bool {
	last := strings.ToLower(name[strings.LastIndexAny(name, "_-")+1:])
	return last == "code" || last == "otp" || last == "totp"
}

// digitsOnly reports whether a pattern speaks of no letters; none is taken to mean digits.
func digitsOnly(pattern string) bool {
	return !strings.ContainsFunc(strings.ReplaceAll(pattern, `\d`, ""), func(r rune) bool { return unicode.IsLetter(r) || r == '.' || r == '\\' })
}

// withoutField is a problem that does not name its field, where the page shows that
// under its title: the name is for programs.
func withoutField(problem *connection.Problem, fields []field) *connection.Problem {
	if problem == nil || !slices.ContainsFunc(fields, func(f field) bool { return f.ID == inputPrefix+problem.Field }) {
		return problem
	}
	shown := *problem
	shown.Field = ""
	return &shown
}

// choicesOf are the options of a list, with one for "nothing chosen" where there is no default.
func choicesOf(input connectors.Input, values, titles []string) []option {
	var options []option
	if input.Default == "" {
		options = append(options, option{"", "Choose"})
	}
	for i, value := range values {
		options = append(options, option{value, titles[i]})
	}
	return options
}

// browserPattern is the pattern that the text must match as it is typed in. Where the
// text is normalised before it is checked, only the server can tell.
func browserPattern(input connectors.Input) string {
	affixes := input.TrimPrefix + input.TrimSuffix + input.AddPrefix + input.AddSuffix
	if input.Format != "" || affixes != "" || strings.Contains(input.Pattern, "(?") {
		return ""
	}
	return input.Pattern
}
