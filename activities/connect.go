package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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
	// Access is "read", "read-write" (the default) or "actions"; Actions are chosen with the last.
	Access  string   `json:"access,omitempty"`
	Actions []string `json:"actions,omitempty"`
	// Values are the inputs that are not secret, by name.
	Values map[string]string `json:"values,omitempty"`
	// Toolkit is the name of the toolkit to create; "" is "default".
	Toolkit string `json:"toolkit,omitempty"`
}

// ConnectPlan is a request that has been checked, with what follows from it.
type ConnectPlan struct {
	AppName     string              `json:"app_name"`
	Method      string              `json:"method"`
	MethodTitle string              `json:"method_title"`
	Kind        connection.AuthKind `json:"kind"`
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

// Plan checks a request against the definitions, without Vault. The Client and
// the gateway use it before they start anything; ValidateConnect repeats it.
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
	if method.Kind.NeedsClient() && in.AuthConfig == "" {
		return nil, connection.InvalidInput("auth_config", fmt.Sprintf("%s by %s needs a client registration", app.Name, method.Title),
			fmt.Sprintf("create one with: connected-apps auth-configs create %s/%s/NAME", in.Connection.Environment(), app.ID))
	}
	access := in.Access
	if access == "" {
		access = connectors.AccessReadWrite
		if len(in.Actions) > 0 {
			access = connectors.AccessActions
		}
	}
	actions, err := app.ActionsFor(access, in.Actions)
	if err != nil {
		return nil, err
	}
	open, secret := split(method.Inputs)
	values, _, err := connectors.CheckInputs(open, in.Values, nil)
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
	return plan, nil
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
// environment and the auth configs there are. It changes nothing.
func (a *Activities) ValidateConnect(ctx context.Context, in ConnectRequest) (*ConnectPlan, error) {
	plan, err := a.validateConnect(ctx, in)
	return plan, a.leave(ctx, "ValidateConnect", err)
}

func (a *Activities) validateConnect(ctx context.Context, in ConnectRequest) (*ConnectPlan, error) {
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
		if config.Retired {
			return nil, connection.InvalidInput("auth_config", fmt.Sprintf("auth config %q is retired", in.AuthConfig), "choose another one")
		}
		if config.Method != plan.Method {
			return nil, connection.InvalidInput("auth_config",
				fmt.Sprintf("auth config %q is for %s, not for %s", in.AuthConfig, config.Method, plan.Method), "choose one of the same method")
		}
		if len(config.Scopes) > 0 {
			plan.Scopes = config.Scopes
		}
	}
	plan.GatewayURL = strings.TrimSuffix(a.GatewayURL, "/")
	return plan, nil
}

// StoredReport says what was stored, without saying it.
type StoredReport struct {
	Ref    connection.CredentialRef `json:"ref"`
	Scopes []string                 `json:"scopes,omitempty"`
	// Missing were asked for and not granted.
	Missing   []string            `json:"missing,omitempty"`
	Identity  connection.Identity `json:"identity,omitzero"`
	Renewable bool                `json:"renewable"`
	// Expires is when access ends that cannot be renewed; zero when there is no such end.
	Expires time.Time `json:"expires,omitzero"`
}

func storedReport(ref connection.CredentialRef, d connection.Document, kind connection.AuthKind, asked []string) *StoredReport {
	token := d.Credential.Default()
	report := &StoredReport{Ref: ref, Scopes: token.Scopes, Renewable: d.Renewable(kind)}
	if !report.Renewable {
		report.Expires = token.ExpiresAt
	}
	if token.Scopes != nil {
		have := map[string]bool{}
		for _, scope := range token.Scopes {
			have[scope] = true
		}
		for _, scope := range asked {
			if !have[scope] {
				report.Missing = append(report.Missing, scope)
			}
		}
	}
	return report
}

// StoreCredentialInput says which inbox entry holds the secrets of a credential.
type StoreCredentialInput struct {
	Connection connection.ID       `json:"connection"`
	Grant      string              `json:"grant"`
	Method     string              `json:"method"`
	AuthConfig string              `json:"auth_config,omitempty"`
	Inbox      connection.InboxRef `json:"inbox,omitempty"`
	Values     map[string]string   `json:"values,omitempty"`
}

// StoreCredential collects typed-in secrets from the inbox, checks them and
// stores them as a candidate. Run again after a crash it finds its candidate.
func (a *Activities) StoreCredential(ctx context.Context, in StoreCredentialInput) (*StoredReport, error) {
	report, err := a.storeCredential(ctx, in)
	return report, a.leave(ctx, "StoreCredential", err)
}

func (a *Activities) storeCredential(ctx context.Context, in StoreCredentialInput) (*StoredReport, error) {
	method, err := a.method(in.Connection, in.Method)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection, Grant: in.Grant, Generation: 1, Candidate: true}
	if report, err := a.resumed(ctx, ref, method, nil); report != nil || err != nil {
		if err == nil {
			err = a.Inbox.Clear(ctx, in.Inbox)
		}
		return report, err
	}
	secrets := map[string]connection.Secret{}
	if in.Inbox != "" {
		secrets, err = a.Inbox.Read(ctx, in.Inbox)
		if errors.Is(err, connection.ErrAbsent) {
			return nil, connection.InvalidInput("inbox", "the secrets are no longer in the inbox", "leave them there again; they are kept for 15 minutes")
		}
		if err != nil {
			return nil, err
		}
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), in.AuthConfig)
	if err != nil {
		return nil, err
	}
	for name, shared := range config.Fields {
		if _, typed := secrets[name]; !typed {
			secrets[name] = shared
		}
	}
	values, fields, err := connectors.CheckInputs(method.Inputs, in.Values, secrets)
	if err != nil {
		_ = a.Inbox.Clear(ctx, in.Inbox) // what was typed was wrong; the sweep clears it if this could not
		return nil, err
	}
	document := connection.Document{Grant: in.Grant, Generation: 1, AuthConfig: in.AuthConfig,
		Gate: connection.Gate{Status: connection.Pending, Grant: in.Grant},
		Credential: connection.Credential{Method: method.ID, Fields: fields,
			Values: overlay(config.Values, values)}}
	if _, err := a.Documents.Write(ctx, ref, document, 0); err != nil && !errors.Is(err, connection.ErrVersionConflict) {
		return nil, err
	}
	return storedReport(ref, document, method.Kind, nil), a.Inbox.Clear(ctx, in.Inbox)
}

// resumed answers the report of a candidate that an earlier attempt of the same
// activity has stored before it died; nil when there is none.
func (a *Activities) resumed(ctx context.Context, ref connection.CredentialRef, method *connectors.Method, asked []string) (*StoredReport, error) {
	stored, err := a.Documents.Read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return storedReport(ref, stored.Document, method.Kind, asked), nil
}

func (a *Activities) method(id connection.ID, name string) (*connectors.Method, error) {
	app, err := a.Catalogue.App(id.App())
	if err != nil {
		return nil, err
	}
	return app.Method(name)
}
