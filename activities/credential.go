package activities

import (
	"context"
	"errors"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// StoredReport says what was stored, without saying it.
type StoredReport struct {
	Ref    connection.CredentialRef `json:"ref"`
	Scopes []string                 `json:"scopes,omitempty"`
	// Missing were asked for and not granted.
	Missing   []string            `json:"missing,omitempty"`
	Identity  connection.Identity `json:"identity,omitzero"`
	Renewable bool                `json:"renewable"`
	// Unfinished: AdvanceLogin must be called before the credential is tested.
	Unfinished bool `json:"unfinished,omitempty"`
	// Expires is when access ends that cannot be renewed; zero when there is no such end.
	Expires time.Time `json:"expires,omitzero"`
}

func storedReport(ref connection.CredentialRef, d connection.Document, method *connectors.Method, asked []string) *StoredReport {
	token := d.Credential.Default()
	if d.Asked != nil {
		asked = d.Asked
	}
	report := &StoredReport{Ref: ref, Scopes: token.Scopes, Renewable: method.Renewable(d.Credential),
		Unfinished: d.Login != nil, Identity: d.Identified()}
	if !report.Renewable {
		report.Expires = d.Credential.Earliest().ExpiresAt
	}
	if token.Scopes != nil {
		report.Missing = method.Missing(asked, token.Scopes)
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
	method, err := a.method(in.Connection.App(), in.Method)
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
		if secrets, err = a.left(ctx, in.Inbox); err != nil {
			return nil, err
		}
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), in.AuthConfig)
	if err != nil {
		return nil, err
	}
	for _, input := range method.Inputs {
		if held, ok := config.Fields[input.Name]; ok && input.Secret { // whatever was typed in: it is what will be used
			secrets[input.Name] = held
		}
	}
	document, err := candidate(in, method, config, secrets)
	if err != nil {
		_ = a.Inbox.Clear(ctx, in.Inbox) // what was typed was wrong; the sweep clears it if this could not
		return nil, err
	}
	if _, err := a.Documents.Write(ctx, ref, document, 0); err != nil && !errors.Is(err, connection.ErrVersionConflict) {
		return nil, err
	}
	return storedReport(ref, document, method, nil), a.Inbox.Clear(ctx, in.Inbox)
}

// candidate is the first document of what was typed in. Inputs to be used once stay
// in it as long as its login lasts.
func candidate(in StoreCredentialInput, method *connectors.Method, config connection.AuthConfig, secrets map[string]connection.Secret) (connection.Document, error) {
	open, _ := split(method.Inputs)
	if err := agrees(in.AuthConfig, config, open, in.Values); err != nil {
		return connection.Document{}, err
	}
	values, fields, err := connectors.CheckInputs(method.Inputs, overlay(in.Values, held(config, open)), secrets)
	if err != nil {
		return connection.Document{}, err
	}
	values = under(config, values)
	derived, err := method.Derived(values, with(config.Fields, fields))
	if err != nil {
		return connection.Document{}, err
	}
	document := connection.Document{Grant: in.Grant, Generation: 1, AuthConfig: in.AuthConfig,
		Gate:       connection.Gate{Status: connection.Pending, Grant: in.Grant},
		Credential: connection.Credential{Method: method.ID, Fields: fields, Values: overlay(values, derived)},
		Login:      loginAt(method.FirstStage())}
	if document.Login == nil {
		document.Credential = finished(method, document.Credential)
	}
	return document, nil
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
	return storedReport(ref, stored.Document, method, asked), nil
}
