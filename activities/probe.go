package activities

import (
	"context"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// ProbeInput names the credential to test.
type ProbeInput struct {
	Ref connection.CredentialRef `json:"ref"`
}

// ProbeReport is what a passed test says.
type ProbeReport struct {
	// Tested says in words what was tested.
	Tested string `json:"tested"`
	// Untestable: the app offers nothing to test with; this is not a pass.
	Untestable bool                     `json:"untestable,omitempty"`
	Identity   connection.Identity      `json:"identity,omitzero"`
	Scopes     []string                 `json:"scopes,omitempty"`
	Ref        connection.CredentialRef `json:"ref"`

	told bool // by the app in this very answer: the scopes are not only those of the token
}

// ProbeConnection asks the app the declared question that proves the credential
// good, renewing the credential once if need be. It changes nothing at the app,
// so running it twice is harmless.
func (a *Activities) ProbeConnection(ctx context.Context, in ProbeInput) (*ProbeReport, error) {
	report, err := a.probe(ctx, in.Ref)
	return report, a.leave(ctx, "ProbeConnection", err)
}

func (a *Activities) probe(ctx context.Context, ref connection.CredentialRef) (*ProbeReport, error) {
	stored, err := a.stored(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	return a.probeStored(ctx, ref, stored)
}

func (a *Activities) probeStored(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) (*ProbeReport, error) {
	var result connectors.ProbeResult
	used := stored
	err := a.use(ctx, stored, ref, func(ctx context.Context, x access) error {
		var err error
		used = x.stored
		result, err = a.probeWithin(ctx, ref.Connection, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	ref.Grant, ref.Generation = used.Grant, used.Generation
	told := result.Scopes != nil
	if !told {
		result.Scopes = used.Credential.Default().Scopes
	}
	if !ref.Candidate && !result.Untestable {
		now := used.Clock.Now()
		_ = a.Documents.Note(ctx, ref, map[connection.Fact]time.Time{
			connection.FactLastProbe: now, connection.FactLastOK: now, connection.FactFailingSince: {},
		}) // a fact for people and for the plan; the probe itself has passed
	}
	return &ProbeReport{Tested: result.Tested, Untestable: result.Untestable, Identity: withTenant(result.Identity, used),
		Scopes: result.Scopes, Ref: ref, told: told}, nil
}

// withTenant adds the tenant that the credential was made for, where the app does not tell of one.
func withTenant(told connection.Identity, stored connection.Stored) connection.Identity {
	if told.Tenant == "" || told.Tenant == stored.Tenant && told.TenantLabel == "" {
		told.Tenant, told.TenantLabel = stored.Tenant, stored.TenantLabel
	}
	return told
}

// RefreshInput names the credential to renew.
type RefreshInput struct {
	Ref connection.CredentialRef `json:"ref"`
}

// RefreshReport says which generation there is now.
type RefreshReport struct {
	Ref    connection.CredentialRef `json:"ref"`
	Scopes []string                 `json:"scopes,omitempty"`
	// ExpiresAt of the new access, in Vault's time; zero when it does not expire.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RefreshCredential renews the credential now, through the one spender: run
// again after a crash it finds the newer generation and spends nothing.
func (a *Activities) RefreshCredential(ctx context.Context, in RefreshInput) (*RefreshReport, error) {
	report, err := a.refresh(ctx, in.Ref)
	return report, a.leave(ctx, "RefreshCredential", err)
}

func (a *Activities) refresh(ctx context.Context, ref connection.CredentialRef) (*RefreshReport, error) {
	stored, err := a.stored(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	if ref.Grant == "" {
		ref.Grant, ref.Generation = stored.Grant, stored.Generation
	}
	x, err := a.access(ctx, stored, ref.Connection)
	if err != nil {
		return nil, err
	}
	if !x.renewable() {
		return nil, connection.Refused(connection.ErrInvalidInput, "this credential cannot be refreshed: it has nothing to refresh with",
			"test it instead, or reconnect to replace it")
	}
	if !x.early() && !expired(stored) {
		return nil, connection.Refused(connection.ErrInvalidInput, "the app renews an access only once it has expired", "wait until then; it is renewed by itself")
	}
	fresh, err := a.spender.Renew(ctx, ref, "refreshed on request")
	if err != nil {
		return nil, err
	}
	token := fresh.Credential.Default()
	return &RefreshReport{
		Ref:    connection.CredentialRef{Connection: ref.Connection, Grant: fresh.Grant, Generation: fresh.Generation},
		Scopes: token.Scopes, ExpiresAt: fresh.Credential.Earliest().ExpiresAt,
	}, nil
}
