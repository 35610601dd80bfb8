package console

import (
	"net/url"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

// Names of a form's own controls. Those of an app's inputs begin with inputPrefix.
const (
	controlEnvironment = "environment"
	controlName        = "name"
	controlMethod      = "method"
	controlConfig      = "auth_config"
	controlAccess      = "access"
	controlAction      = "action"
	controlToolkit     = "toolkit"
	controlOther       = "allow_other_account"
)

// choice is what a person has chosen in a form, or what a link to it proposes. No
// secret is part of it.
type choice struct {
	Environment, Name, Method, Config, Access, Toolkit string
	Actions                                            []string
	AllowOther                                         bool
	// Text is what was typed for inputs that are not secret, by control.
	Text url.Values
}

// maxName bounds a display name.
const maxName = 100

func choiceOf(form url.Values) choice {
	ch := choice{Environment: form.Get(controlEnvironment), Name: connection.Bound(form.Get(controlName), maxName),
		Method: form.Get(controlMethod), Config: form.Get(controlConfig), Access: form.Get(controlAccess),
		Toolkit: form.Get(controlToolkit), Actions: form[controlAction], AllowOther: form.Get(controlOther) != "", Text: form}
	if ch.Access != connectors.AccessActions {
		ch.Actions = nil
	}
	return ch
}

// text is what was typed for inputs; nothing is taken for one that is secret.
func (ch choice) text(inputs []connectors.Input) map[string]string {
	text := map[string]string{}
	for _, input := range inputs {
		if !input.Secret && ch.Text.Has(inputPrefix+input.Name) {
			text[input.Name] = ch.Text.Get(inputPrefix + input.Name)
		}
	}
	return text
}

// link is the form's address with the choice in it.
func (ch choice) link(path string, inputs []connectors.Input) string {
	q := url.Values{}
	for name, value := range map[string]string{controlEnvironment: ch.Environment, controlName: ch.Name, controlMethod: ch.Method,
		controlConfig: ch.Config, controlAccess: ch.Access, controlToolkit: ch.Toolkit} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(ch.Actions) > 0 {
		q[controlAction] = ch.Actions
	}
	for name, value := range ch.text(inputs) {
		if value != "" {
			q.Set(inputPrefix+name, value)
		}
	}
	return path + "?" + q.Encode()
}

// choiceAgain proposes what a connect was asked for, to begin it once more.
func choiceAgain(in workflows.ConnectInput) choice {
	ch := choice{Environment: in.Connection.Environment(), Name: in.DisplayName, Method: in.Method, Config: in.AuthConfig,
		Access: in.Access, Actions: in.Actions, Toolkit: in.Toolkit, Text: url.Values{}}
	if connection.Slugify(ch.Name) != in.Connection.Slug() { // the ID is to be the same
		ch.Name = in.Connection.Slug()
	}
	if ch.Access == "" && len(ch.Actions) > 0 {
		ch.Access = connectors.AccessActions
	}
	for name, value := range in.Values {
		ch.Text.Set(inputPrefix+name, value)
	}
	return ch
}

// controlOf is the control that a problem's field is about; "" for none of the form.
func (f *connectForm) controlOf(problem *connection.Problem) string {
	switch problem.Type {
	case connection.ErrConnectionIDTaken:
		if f.Purpose == forNew {
			return controlName
		}
		return ""
	case connection.ErrAuthConfigNotFound:
		return controlConfig
	}
	switch problem.Field {
	case "connection", "name", "slug":
		return controlName
	case "actions", "access":
		return controlAccess
	case controlMethod, controlConfig, controlToolkit:
		return problem.Field
	}
	for _, drawn := range f.Fields {
		if drawn.ID == inputPrefix+problem.Field {
			return drawn.ID
		}
	}
	return ""
}
