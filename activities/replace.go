package activities

import (
	"context"
	"errors"

	"connectedapps/connection"
)

// keepReplaced keeps the credential that another is about to replace, as a
// candidate under its own grant's name: it is still to be ended at the provider,
// and DiscardAttempts names it for that. A refresh that is under way is waited for,
// since its new token would find no place.
func (a *Activities) keepReplaced(ctx context.Context, live connection.Stored, next connection.CredentialRef) error {
	if live.Grant == "" || live.Grant == next.Grant {
		return nil
	}
	if live.Intent != nil && live.Age() < live.Intent.Budget {
		return connection.LookAgain("waiting for a refresh to end before the credential is replaced", pollMax)
	}
	ref := connection.CredentialRef{Connection: next.Connection, Grant: live.Grant, Generation: live.Generation, Candidate: true}
	version := 0
	kept, err := a.Documents.Read(ctx, ref)
	switch {
	case err == nil && kept.Generation == live.Generation:
		return nil
	case err == nil:
		version = kept.Version
	case !errors.Is(err, connection.ErrAbsent):
		return err
	}
	document := live.Document
	document.Intent = nil
	if _, err := a.Documents.Write(ctx, ref, document, version); !errors.Is(err, connection.ErrVersionConflict) {
		return err
	}
	return nil // another attempt of this very activity has kept it
}

// livesOn reports whether the connection lives by what a candidate holds: by the
// very same grant, or because the provider gave the same tokens again (Slack does
// where an app is authorized twice). To end such a grant would end the connection.
func (a *Activities) livesOn(ctx context.Context, ref connection.CredentialRef, candidate connection.Document) (bool, error) {
	if !ref.Candidate {
		return false, nil
	}
	live, err := a.Documents.Read(ctx, connection.CredentialRef{Connection: ref.Connection})
	if errors.Is(err, connection.ErrAbsent) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if live.Grant == candidate.Grant {
		return true, nil
	}
	used := map[connection.Secret]bool{}
	for _, token := range live.Credential.Tokens {
		used[token.Access], used[token.Refresh] = true, true
	}
	for _, token := range candidate.Credential.Tokens {
		if !token.Access.Empty() && used[token.Access] || !token.Refresh.Empty() && used[token.Refresh] {
			return true, nil
		}
	}
	return false, nil
}
