package activities

import (
	"context"
	"errors"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// RevokeInput names the grant to end at the provider.
type RevokeInput struct {
	Ref connection.CredentialRef `json:"ref"`
	// Account is whose grant it is, as the list of connections shows it; "" when it is not known.
	// Where a provider has one grant for several connections, it finds the others.
	Account string `json:"account,omitempty"`
}

// What became of a revocation.
const (
	RevocationDone       = "revoked"
	RevocationNotOffered = "not-offered"
	RevocationNothing    = "nothing-to-revoke"
	// RevocationShared: other connections live by the same grant, which goes with the last of them.
	RevocationShared = "shared"
)

// RevokeReport says what became of it.
type RevokeReport struct {
	Outcome string `json:"outcome"`
}

// RevokeGrant asks the provider to end a grant (RFC 7009), where it offers that.
// Asking twice is harmless: an unknown token is a success. A refresh that is
// under way is waited for, since its new token would outlive the old one's revocation.
func (a *Activities) RevokeGrant(ctx context.Context, in RevokeInput) (*RevokeReport, error) {
	report, err := a.revoke(ctx, in)
	return report, a.leave(ctx, "RevokeGrant", err)
}

func (a *Activities) revoke(ctx context.Context, in RevokeInput) (*RevokeReport, error) {
	ref := in.Ref
	stored, err := a.Documents.Read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) {
		return &RevokeReport{Outcome: RevocationNothing}, nil
	}
	if err != nil {
		return nil, err
	}
	if stored.Intent != nil && stored.Age() < stored.Intent.Budget {
		return nil, connection.LookAgain("waiting for a refresh to end before the grant is revoked", pollMax)
	}
	method, err := a.method(ref.Connection.App(), stored.Credential.Method)
	if err != nil {
		return nil, err
	}
	if lives, err := a.livesOn(ctx, ref, stored.Document); err != nil || lives {
		return &RevokeReport{Outcome: RevocationShared}, err
	}
	if shared, err := a.grantShared(ctx, in, stored, method); err != nil || shared {
		return &RevokeReport{Outcome: RevocationShared}, err
	}
	config, err := a.spender.registrations.read(ctx, ref.Connection.App(), stored.AuthConfig)
	if err != nil && connection.TypeOf(err) != connection.ErrAuthConfigNotFound {
		return nil, err
	}
	offered, err := a.end(ctx, method, config, stored.Credential, stored.Intent != nil || stored.Rejected != nil)
	switch {
	case err != nil:
		return nil, err
	case !offered:
		return &RevokeReport{Outcome: RevocationNotOffered}, nil
	default:
		return &RevokeReport{Outcome: RevocationDone}, nil
	}
}

// grantShared reports whether others live by the grant. Whose it is must be known
// to find them; where it is not, the grant is left alone.
func (a *Activities) grantShared(ctx context.Context, in RevokeInput, stored connection.Stored, method *connectors.Method) (bool, error) {
	if !revokedTogether(method) {
		return false, nil
	}
	if in.Ref.Candidate {
		live, err := a.Documents.Read(ctx, connection.CredentialRef{Connection: in.Ref.Connection})
		if err == nil && live.Grant != in.Ref.Grant && live.AuthConfig == stored.AuthConfig {
			return true, nil // the connection's own credential is one of the others
		}
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return false, err
		}
	}
	if in.Account == "" {
		return true, nil
	}
	return a.Workflows.OthersShareGrant(ctx, in.Ref.Connection, in.Account, stored.AuthConfig)
}
