package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// ConnectRequest is what a connect is asked to make. It is public contract: the
// part of ConnectApp's input that says what, not who.
type ConnectRequest struct {
	Connection connection.ID `json:"connection"`
	// Method is one of the app's ways to authenticate, by ID or kind; "" is the recommended one.
	Method string `json:"method,omitempty"`
	// AuthConfig is the slug of the client registration to use, for methods that need one.
	AuthConfig string `json:"auth_config,omitempty"`
	// AuthConfigChosen says that AuthConfig is the choice of somebody whom nobody has lent a
	// credential: one that [LendsAccess] is refused.
	AuthConfigChosen bool `json:"auth_config_chosen,omitempty"`
	// Access is "read", "read-write" (the default) or "actions"; Actions are chosen with the last.
	Access  string   `json:"access,omitempty"`
	Actions []string `json:"actions,omitempty"`
	// Values are the inputs that are not secret, by name.
	Values map[string]string `json:"values,omitempty"`
	// Toolkit is the name of the toolkit to create; "" is "default".
	Toolkit string `json:"toolkit,omitempty"`
	// Kept is what a connection that is reconnected has already; empty for a new one.
	Kept Kept `json:"kept,omitzero"`
}

// Kept is what a reconnect goes on with. What of it the app's definition or the
// method knows nothing of is left out, and is no error: the connection has it from
// another method, or from a definition of another day.
type Kept struct {
	// Actions are those of the connection's toolkits. Their scopes are asked for too.
	Actions []string `json:"actions,omitempty"`
	// Values are its inputs that are not secret; those of the request win.
	Values map[string]string `json:"values,omitempty"`
	// AuthConfig is the client registration that is not kept, whose values are: where an
	// app lives, say. Over Values, as they were in use; "" is none.
	AuthConfig string `json:"auth_config,omitempty"`
}

// ConnectPlan is a request that has been checked, with what follows from it.
type ConnectPlan struct {
	AppName     string              `json:"app_name"`
	Method      string              `json:"method"`
	MethodTitle string              `json:"method_title"`
	Kind        connection.AuthKind `json:"kind"`
	Flow        Flow                `json:"flow"`
	Scopes      []string            `json:"scopes,omitempty"`
	Actions     []string            `json:"actions"`
	Values      map[string]string   `json:"values,omitempty"`
	Toolkit     string              `json:"toolkit"`
	// Secrets are the names of the secret inputs that will be asked for.
	Secrets []string `json:"secrets,omitempty"`
	// Digest identifies the definition that the plan was made with.
	Digest     string `json:"digest"`
	GatewayURL string `json:"gateway_url,omitempty"`
}

// Flow is what a connect needs of a person.
type Flow string

const (
	// FlowBrowser sends the person to the app's own page and back.
	FlowBrowser Flow = "browser"
	// FlowDevice shows a code that the person types in on another device.
	FlowDevice Flow = "device"
	// FlowInput waits for secrets that the person must give.
	FlowInput Flow = "input"
	// FlowAutomatic asks for nothing to begin with. A login may still come to a question.
	FlowAutomatic Flow = "automatic"
)

// flowOf is the flow of a method with so many secrets still to be given.
func flowOf(method *connectors.Method, secrets int) Flow {
	switch {
	case method.Kind.NeedsBrowser():
		return FlowBrowser
	case method.Kind == connection.OAuth2Device:
		return FlowDevice
	case secrets > 0:
		return FlowInput
	default:
		return FlowAutomatic
	}
}

// LendsAccess reports whether an auth config of the method is access by itself: a shared
// credential, or a client that acts for itself. Where it is not, it names a program, and
// whoever connects brings what is their own.
func LendsAccess(method *connectors.Method) bool {
	_, secret := split(method.Inputs)
	return !method.NeedsClient() || flowOf(method, len(secret)) == FlowAutomatic
}

func notLent() *connection.Problem {
	return connection.InvalidInput("auth_config", "it would lend a credential that nobody has offered here", "leave it out, and give one of your own")
}

// Plan checks a request against the definitions, without Vault. The Client and
// the gateway use it before they start anything; ValidateConnect repeats it. With an
// auth config, values that are left out are not missed: it may hold them.
func Plan(catalogue *connectors.Catalogue, in ConnectRequest) (*ConnectPlan, error) {
	if _, err := connection.ParseID(in.Connection.String()); err != nil {
		return nil, err
	}
	app, err := catalogue.App(in.Connection.App())
	if err != nil {
		return nil, err
	}
	method, err := app.Method(in.Method)
	if err != nil {
		return nil, err
	}
	if method.NeedsClient() && in.AuthConfig == "" {
		return nil, connection.InvalidInput("auth_config", fmt.Sprintf("%s by %s needs a client registration", app.Name, method.Title),
			fmt.Sprintf("create one with: connected-apps auth-configs create %s/%s/NAME", in.Connection.Environment(), app.ID))
	}
	if in.AuthConfigChosen && in.AuthConfig != "" && LendsAccess(method) {
		return nil, notLent()
	}
	actions, err := chosen(app, method, in)
	if err != nil {
		return nil, err
	}
	open, secret := split(method.Inputs)
	given := in.Kept.values(open, in.Values)
	values, _, err := connectors.CheckInputs(in.missed(method, open, given), given, nil)
	if err != nil {
		return nil, err
	}
	toolkit := in.Toolkit
	if toolkit == "" {
		toolkit = connection.DefaultToolkit
	}
	if err := connection.CheckSlug("toolkit", toolkit); err != nil {
		return nil, err
	}
	plan := &ConnectPlan{AppName: app.Name, Method: method.ID, MethodTitle: method.Title, Kind: method.Kind,
		Scopes: method.ScopesFor(actions), Values: values, Toolkit: toolkit, Digest: app.Digest}
	for _, action := range actions {
		plan.Actions = append(plan.Actions, action.ID)
	}
	for _, input := range secret {
		plan.Secrets = append(plan.Secrets, input.Name)
	}
	plan.Flow = flowOf(method, len(plan.Secrets))
	return plan, nil
}

// chosen are the actions that are asked for. Nobody loses one that a connection has
// by asking for another; where none of those is left, the least is asked for.
func chosen(app *connectors.App, method *connectors.Method, in ConnectRequest) ([]*connectors.Action, error) {
	access, actions := in.Access, in.Actions
	kept := access == "" && len(in.Kept.Actions) > 0
	switch {
	case access == "" && len(actions) == 0 && !kept:
		access = connectors.AccessReadWrite
	case access == "":
		access = connectors.AccessActions
	}
	if access != connectors.AccessActions {
		return app.ActionsFor(method, access, actions)
	}
	for _, id := range in.Kept.Actions {
		if action, err := app.Action(id); err == nil && action.OfferedBy(method) {
			actions = append(slices.Clone(actions), id)
		}
	}
	if kept && len(actions) == 0 {
		access = connectors.AccessRead
	}
	return app.ActionsFor(method, access, actions)
}

// missed are the inputs that are given, have a default or must be given: with an auth
// config not those that it may hold. ValidateConnect, which knows what it holds, puts
// that in the place of defaults.
func (in ConnectRequest) missed(method *connectors.Method, open []connectors.Input, given map[string]string) []connectors.Input {
	if in.AuthConfig == "" {
		return open
	}
	its := map[string]bool{}
	for _, input := range configInputs(method) {
		its[input.Name] = true
	}
	return slices.DeleteFunc(open, func(input connectors.Input) bool {
		return its[input.Name] && given[input.Name] == "" && input.Default == ""
	})
}

// values are those that are kept and still asked for, with the given ones on top.
func (k Kept) values(inputs []connectors.Input, given map[string]string) map[string]string {
	kept := map[string]string{}
	for _, input := range inputs {
		if value := k.Values[input.Name]; value != "" {
			kept[input.Name] = value
		}
	}
	return overlay(kept, given)
}

func split(inputs []connectors.Input) (open, secret []connectors.Input) {
	for _, input := range inputs {
		if input.Secret {
			secret = append(secret, input)
		} else {
			open = append(open, input)
		}
	}
	return open, secret
}

// ValidateConnect checks a request against this worker's definitions, its
// environment and the auth configs there are. It changes nothing. A value that is
// another than the auth config's is ErrInvalidInput on its field.
func (a *Activities) ValidateConnect(ctx context.Context, in ConnectRequest) (*ConnectPlan, error) {
	plan, err := a.validateConnect(ctx, in)
	return plan, a.leave(ctx, "ValidateConnect", err)
}

func (a *Activities) validateConnect(ctx context.Context, in ConnectRequest) (*ConnectPlan, error) {
	if in.Kept.AuthConfig != "" {
		config, _, err := a.AuthConfigs.Read(ctx, in.Connection.App(), in.Kept.AuthConfig)
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return nil, err
		}
		in.Kept.Values = overlay(in.Kept.Values, config.Values)
	}
	plan, err := Plan(a.Catalogue, in)
	if err != nil {
		return nil, err
	}
	if env := in.Connection.Environment(); env != a.Environment {
		return nil, connection.Refused(connection.ErrUnknownEnvironment, fmt.Sprintf("this worker serves %s, not %s", a.Environment, env),
			"start the connect in the Temporal namespace of that environment")
	}
	if in.AuthConfig != "" {
		config, _, err := a.AuthConfigs.Read(ctx, in.Connection.App(), in.AuthConfig)
		if errors.Is(err, connection.ErrAbsent) {
			return nil, noAuthConfig(in.Connection.App(), in.AuthConfig)
		}
		if err != nil {
			return nil, err
		}
		if err := a.checkRetired(ctx, in, config); err != nil {
			return nil, err
		}
		if config.Method != plan.Method {
			return nil, connection.InvalidInput("auth_config",
				fmt.Sprintf("auth config %q is for %s, not for %s", in.AuthConfig, config.Method, plan.Method), "choose one of the same method")
		}
		if len(config.Scopes) > 0 {
			plan.Scopes = config.Scopes
		}
		plan.shareSecrets(config)
		if plan.Values, err = a.valuesBy(config, plan.Method, in); err != nil {
			return nil, err
		}
	}
	plan.GatewayURL = strings.TrimSuffix(a.GatewayURL, "/")
	return plan, nil
}

// shareSecrets takes out what need not be asked for, since the auth config holds it.
func (p *ConnectPlan) shareSecrets(config connection.AuthConfig) {
	p.Secrets = slices.DeleteFunc(p.Secrets, func(name string) bool {
		_, held := config.Fields[name]
		return held
	})
	if p.Flow == FlowInput && len(p.Secrets) == 0 {
		p.Flow = FlowAutomatic
	}
}

// method finds an app's method by its ID.
func (a *Activities) method(app, id string) (*connectors.Method, error) {
	definition, err := a.Catalogue.App(app)
	if err != nil {
		return nil, err
	}
	return definition.Method(id)
}
