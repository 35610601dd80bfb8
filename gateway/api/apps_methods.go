package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connectors"
)

// Method is one way to authenticate with an app.
type Method struct {
	ID         string `json:"id" example:"oauth" doc:"Names it in requests; unique within the app."`
	Title      string `json:"title" doc:"What people call it."`
	Kind       string `json:"kind" example:"oauth2-code" doc:"The kind of authentication."`
	Help       string `json:"help,omitempty" doc:"Where a person finds what is asked for."`
	AuthConfig bool   `json:"auth_config" doc:"A client must be registered, as an auth config, before anybody can connect."`
	// Inputs and ClientInputs leave out what nobody is asked for.
	Inputs       []Input `json:"inputs" doc:"What a connect asks for: secret ones go into secrets, the others into values."`
	ClientInputs []Input `json:"client_inputs" doc:"What an auth config asks for beside client ID and client_secret."`
	Setup        *Setup  `json:"setup,omitempty" doc:"How to register the client or make the key."`
	Scopes       []Scope `json:"scopes" doc:"The scopes that all actions together need."`
	Test         string  `json:"test" doc:"What a test of the credential does, or why there is none."`
}

// Input is one thing that a person is asked for.
type Input struct {
	Name     string   `json:"name" example:"api_key" doc:"Its name in secrets or values."`
	Title    string   `json:"title,omitempty" doc:"What people call it."`
	Help     string   `json:"help,omitempty" doc:"Where a person finds it."`
	Type     string   `json:"type" example:"string" doc:"What a form draws: string, text (several lines), boolean or integer. Values are always written as JSON strings."`
	Secret   bool     `json:"secret" doc:"It is a secret."`
	Optional bool     `json:"optional,omitempty" doc:"It may be left out."`
	Default  string   `json:"default,omitempty" doc:"What is used where it is left out."`
	Enum     []string `json:"enum,omitempty" doc:"What it may be; empty where anything may."`
	Pattern  string   `json:"pattern,omitempty" doc:"A regular expression that the whole value matches."`
}

// Setup guides the person who registers a client or makes a key.
type Setup struct {
	URL   string   `json:"url,omitempty" doc:"Where to do it."`
	Steps []string `json:"steps" doc:"What to do, in order; redirect URI and scopes are filled in."`
}

// Scope is a scope of an OAuth grant.
type Scope struct {
	Name   string `json:"name" example:"repo" doc:"The scope as the app writes it."`
	Allows string `json:"allows,omitempty" doc:"What it allows, in plain words."`
}

func (a *api) method(app *connectors.App, method *connectors.Method) Method {
	out := Method{ID: method.ID, Title: method.Title, Kind: string(method.Kind), Help: method.Help, AuthConfig: method.NeedsClient(),
		Inputs: inputsOf(method.Inputs), ClientInputs: inputsOf(method.ClientInputs), Scopes: []Scope{}, Test: testOf(app, method)}
	scopes := method.ScopesFor(app.Actions)
	for _, scope := range scopes {
		out.Scopes = append(out.Scopes, Scope{scope, method.OAuth.Scopes.Describe[scope]})
	}
	if method.OAuth != nil {
		for _, parameter := range slices.Sorted(maps.Keys(method.OAuth.Scopes.Parameters)) {
			for _, scope := range method.OAuth.Scopes.Parameters[parameter] {
				out.Scopes = append(out.Scopes, Scope{parameter + ": " + scope, method.OAuth.Scopes.Describe[scope]})
			}
		}
	} else { // a key is given the same rights by hand
		for _, action := range app.Actions {
			scopes = append(scopes, action.Scopes...)
		}
		slices.Sort(scopes)
		scopes = slices.Compact(scopes)
	}
	if method.Setup != nil {
		fill := strings.NewReplacer("{redirect_uri}", a.site.Link(activities.CallbackPath), "{scopes}", orNone(strings.Join(scopes, " ")))
		out.Setup = &Setup{URL: method.Setup.URL, Steps: []string{}}
		for _, step := range method.Setup.Steps {
			out.Setup.Steps = append(out.Setup.Steps, fill.Replace(step))
		}
	}
	return out
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

func inputsOf(inputs []connectors.Input) []Input {
	out := []Input{}
	for _, in := range inputs {
		if in.Hidden {
			continue
		}
		kind := in.Type
		if kind == "" {
			kind = "string"
		}
		out = append(out, Input{Name: in.Name, Title: in.Title, Help: in.Help, Type: kind, Secret: in.Secret, Optional: in.Optional,
			Default: in.Default, Enum: in.Enum, Pattern: in.Pattern})
	}
	return out
}

// testOf says in words what a test of a connection does.
func testOf(app *connectors.App, method *connectors.Method) string {
	probe := method.Probe
	if method.Untestable != "" {
		return "cannot be tested: " + method.Untestable
	}
	if probe == nil {
		probe = app.Probe
	}
	if probe == nil {
		return "cannot be tested: the app offers no request that proves a credential"
	}
	if probe.Tests != "" {
		return probe.Tests
	}
	verb := probe.Method
	if verb == "" {
		verb = http.MethodGet
	}
	return verb + " " + string(probe.Path)
}

// Action is one operation of an app.
type Action struct {
	ID             string   `json:"id" example:"list-issues" doc:"Names it in requests; unique within the app."`
	Title          string   `json:"title,omitempty" doc:"What people call it."`
	Description    string   `json:"description,omitempty" doc:"What it does."`
	Status         string   `json:"status" example:"documented" doc:"How sure the definition is: documented or unverified."`
	ReadOnly       bool     `json:"read_only,omitempty" doc:"It changes nothing."`
	Destructive    bool     `json:"destructive,omitempty" doc:"It loses something that cannot be had back."`
	Idempotent     bool     `json:"idempotent,omitempty" doc:"Repeating it has the effect of doing it once."`
	IdempotencyKey bool     `json:"idempotency_key,omitempty" doc:"The app takes an idempotency key for it, which makes a repetition safe."`
	Scopes         []string `json:"scopes,omitempty" doc:"Scopes that an OAuth grant needs for it."`
	Methods        []string `json:"methods,omitempty" doc:"The methods that offer it; left out where all do."`
	Pages          bool     `json:"pages,omitempty" doc:"Its answer may have further pages."`
	Input          Object   `json:"input" doc:"The JSON Schema of its arguments."`
	Output         Object   `json:"output,omitzero" doc:"The JSON Schema of its result, where it is described."`
}

func actionOf(action *connectors.Action) Action {
	return Action{ID: action.ID, Title: action.Title, Description: action.Description, Status: string(action.Status), ReadOnly: action.ReadOnly,
		Destructive: action.Destructive, Idempotent: action.Idempotent, IdempotencyKey: action.IdempotencyKey != "", Scopes: action.Scopes,
		Methods: action.Methods, Pages: action.Paging != nil, Input: Object{action.Input.RawMessage}, Output: Object{action.Output.RawMessage}}
}
