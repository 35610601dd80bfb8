package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// StoreAuthConfigInput is a new auth config; its secrets wait in the inbox.
type StoreAuthConfigInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
	// Method is one of the app's ways to authenticate.
	Method   string            `json:"method"`
	ClientID string            `json:"client_id,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
	Scopes   []string          `json:"scopes,omitempty"`
	// Inbox holds "client_secret" and the secret client inputs, or the shared secrets by input name.
	Inbox connection.InboxRef `json:"inbox,omitempty"`
	// Expires is when the secrets end, where that is known; zero when it is not.
	Expires time.Time `json:"expires,omitzero"`
}

// StoreAuthConfigReport is what was stored, without its secrets.
type StoreAuthConfigReport struct {
	Method string            `json:"method"`
	Kind   string            `json:"kind"`
	Values map[string]string `json:"values,omitempty"`
	Public bool              `json:"public,omitempty"` // a client without a secret
}

// CheckAuthConfig checks what can be without Vault; it answers the method it is for.
func CheckAuthConfig(catalogue *connectors.Catalogue, in StoreAuthConfigInput) (*connectors.Method, map[string]string, error) {
	if err := connection.CheckSlug("name", in.Name); err != nil {
		return nil, nil, err
	}
	app, err := catalogue.App(in.App)
	if err != nil {
		return nil, nil, err
	}
	method, err := app.Method(in.Method)
	if err != nil {
		return nil, nil, err
	}
	if method.NeedsClient() && in.ClientID == "" {
		return nil, nil, connection.InvalidInput("client_id", "a client registration needs its client ID", "register a client with "+app.Name+" and give its ID")
	}
	inputs, _ := split(configInputs(method))
	values, _, err := connectors.CheckInputs(inputs, in.Values, nil)
	return method, values, err
}

// configInputs are what an auth config may hold beside a client ID and a client secret.
func configInputs(method *connectors.Method) []connectors.Input {
	if method.NeedsClient() {
		return method.ClientInputs
	}
	return method.Inputs
}

// NeedsClientSecret reports whether clients of a method have a client secret, unless
// they are public. Others prove themselves by a key or a certificate, or not at all.
func NeedsClientSecret(method *connectors.Method) bool {
	if !method.NeedsClient() {
		return false
	}
	if method.OAuth == nil {
		return method.OAuth1 == nil || method.OAuth1.Signature != "RSA-SHA1"
	}
	return !slices.Contains([]connectors.Text{"none", "private_key_jwt", "tls"}, method.OAuth.ClientAuth)
}

// StoreAuthConfig collects the secrets of an auth config from the inbox and
// stores it. Run again after a crash it finds what it stored.
func (a *Activities) StoreAuthConfig(ctx context.Context, in StoreAuthConfigInput) (*StoreAuthConfigReport, error) {
	report, err := a.storeAuthConfig(ctx, in)
	return report, a.leave(ctx, "StoreAuthConfig", err)
}

func (a *Activities) storeAuthConfig(ctx context.Context, in StoreAuthConfigInput) (*StoreAuthConfigReport, error) {
	method, values, err := CheckAuthConfig(a.Catalogue, in)
	if err != nil {
		return nil, err
	}
	report := &StoreAuthConfigReport{Method: method.ID, Kind: string(method.Kind), Values: values}
	secrets := map[string]connection.Secret{}
	if in.Inbox != "" {
		secrets, err = a.Inbox.Read(ctx, in.Inbox)
		if errors.Is(err, connection.ErrAbsent) {
			if held, _, err := a.AuthConfigs.Read(ctx, in.App, in.Name); err == nil && held.ClientID == in.ClientID {
				report.Public = public(method, held)
				return report, nil // stored before a crash; the entity has the name to itself
			}
			return nil, inboxEmpty()
		}
		if err != nil {
			return nil, err
		}
	}
	config := connection.AuthConfig{Method: method.ID, ClientID: in.ClientID, Values: values, Scopes: in.Scopes, Expires: in.Expires}
	if method.NeedsClient() {
		config.ClientSecret = secrets[clientSecret]
		delete(secrets, clientSecret)
	}
	if err = a.checkExpires(ctx, in.Expires); err == nil {
		config.Fields, err = configFields(method, secrets)
	}
	if connection.TypeOf(err) == connection.ErrVaultUnavailable {
		return nil, err
	}
	if err != nil {
		_ = a.Inbox.Clear(ctx, in.Inbox) // what was typed was wrong; the sweep clears it if this could not
		return nil, err
	}
	report.Public = public(method, config)
	err = a.AuthConfigs.Write(ctx, in.App, in.Name, config, 0)
	if errors.Is(err, connection.ErrVersionConflict) {
		held, _, readErr := a.AuthConfigs.Read(ctx, in.App, in.Name)
		if readErr == nil && held.ClientID == config.ClientID && held.ClientSecret == config.ClientSecret {
			return report, a.Inbox.Clear(ctx, in.Inbox) // written before a crash
		}
		return nil, connection.Refused(connection.ErrAuthConfigTaken, "an auth config of that name is in Vault already", "choose another name")
	}
	if err != nil {
		return nil, err
	}
	return report, a.Inbox.Clear(ctx, in.Inbox)
}

// configFields checks the secrets of an auth config. One that has a client needs
// all that its method declares; a shared credential may leave some to each connection.
func configFields(method *connectors.Method, secrets map[string]connection.Secret) (map[string]connection.Secret, error) {
	_, inputs := split(configInputs(method))
	if !method.NeedsClient() {
		inputs = slices.DeleteFunc(inputs, func(input connectors.Input) bool { return secrets[input.Name].Empty() })
	}
	_, fields, err := connectors.CheckInputs(inputs, nil, secrets)
	return fields, err
}

// public reports whether a client has nothing to prove itself with.
func public(method *connectors.Method, config connection.AuthConfig) bool {
	return method.NeedsClient() && config.ClientSecret.Empty() && len(config.Fields) == 0
}

// DestroyAuthConfigInput names an auth config.
type DestroyAuthConfigInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
}

// DestroyAuthConfig removes an auth config from Vault. What is gone already is not an error.
func (a *Activities) DestroyAuthConfig(ctx context.Context, in DestroyAuthConfigInput) error {
	a.spender.registrations.drop(in.App, in.Name)
	return a.leave(ctx, "DestroyAuthConfig", a.AuthConfigs.Destroy(ctx, in.App, in.Name))
}
