package activities

import (
	"context"
	"errors"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// storeWindow bounds how long a fresh grant waits in memory for Vault to take it.
const storeWindow = 2 * time.Minute

// granted is a provider's first answer, with what is needed to keep it.
type granted struct {
	ref        connection.CredentialRef
	method     *connectors.Method
	config     connection.AuthConfig
	authConfig string
	asked      []string
	values     map[string]string
	grant      *connectors.Grant
	now        time.Time // Vault's
}

// storeGrant stores a grant that a person has just authorized as a candidate. What
// cannot be kept is ended at the provider.
func (a *Activities) storeGrant(ctx context.Context, g granted) (*StoredReport, error) {
	document := connection.Document{Grant: g.ref.Grant, Generation: 1, AuthConfig: g.authConfig, Asked: g.asked,
		Tenant: g.grant.Identity.Tenant, TenantLabel: g.grant.Identity.TenantLabel,
		Gate:       connection.Gate{Status: connection.Pending, Grant: g.ref.Grant},
		Credential: minted(g.grant, g.method, connection.Credential{Values: g.values}, g.now),
		Login:      loginAt(stageAfter(g.method, connectors.StageGrant))}
	derived, err := g.method.Derived(document.Credential.Values, g.config.Fields)
	if err == nil {
		document.Credential.Values = overlay(document.Credential.Values, derived)
		err = a.persist(ctx, func(ctx context.Context) error {
			_, err := a.Documents.Write(ctx, g.ref, document, 0)
			return err
		})
		if errors.Is(err, connection.ErrVersionConflict) {
			err = nil // it is this very document, whose answer was lost
		} else if err != nil {
			err = authorizeAgain("the credential could not be stored")
		}
	}
	if err != nil {
		_, _ = a.drop(context.WithoutCancel(ctx), g.method, g.config, document.Credential) // it ends by itself some day
		return nil, err
	}
	report := storedReport(g.ref, document, g.method, g.asked)
	report.Identity = g.grant.Identity.Over(report.Identity)
	return report, nil
}

// persist goes on writing for a while if the caller is cancelled or Vault is away:
// what is written was had from a provider, and is only here. A conflict of versions
// is final.
func (a *Activities) persist(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWindow)
	defer cancel()
	a.spender.writing.Add(1)
	defer a.spender.writing.Done()
	for wait := pollMin; ; wait = min(2*wait, pollMax) {
		err := write(ctx)
		if err == nil || errors.Is(err, connection.ErrVersionConflict) || !pause(ctx, wait) {
			return err
		}
	}
}

// drop ends a grant that came too late to be kept, unless others may live by the same one.
func (a *Activities) drop(ctx context.Context, method *connectors.Method, config connection.AuthConfig, held connection.Credential) (offered bool, err error) {
	if revokedTogether(method) {
		return false, nil
	}
	return a.end(ctx, method, config, held, false)
}

// end ends a grant at the provider. offered is false when the app has no way to.
// doubtful says that what is held may not be the last that the app has given.
func (a *Activities) end(ctx context.Context, method *connectors.Method, config connection.AuthConfig, held connection.Credential, doubtful bool) (offered bool, err error) {
	values := under(config, held.Values)
	if method.Kind == connection.MultiStep {
		return method.RunLogout(ctx, a.Provider, connectors.StepInput{Client: client(config, held), Credential: held, Values: values})
	}
	return method.Revoke(ctx, a.Provider, connectors.RevokeInput{Client: client(config, held), Credential: held, Values: values, Doubtful: doubtful})
}

// revokedTogether reports whether connections of one account share one grant.
func revokedTogether(method *connectors.Method) bool {
	return method.OAuth != nil && method.OAuth.Revoke != nil && method.OAuth.Revoke.Shared
}
