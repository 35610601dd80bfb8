package state

import (
	"context"
	"time"

	bolt "go.etcd.io/bbolt"
)

// SignedToken is a token of OAuth 1.0a: temporary credentials (RFC 5849 section 2.1) until they are traded in for
// token credentials (section 2.3), which are another token. Its secret is not in it.
type SignedToken struct {
	Client string `json:"client"`
	// Temporary tokens carry where the browser returns to, and once a person agreed the hash of the verifier.
	Temporary bool   `json:"temporary,omitempty"`
	Callback  string `json:"callback,omitempty"`
	Verifier  []byte `json:"verifier,omitempty"`
	// Account is who agreed; "" before.
	Account   string    `json:"account,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Family is what token credentials are revoked by, as tokens of OAuth 2 are.
	Family string `json:"family,omitempty"`
}

const signedTokens table[SignedToken] = "signed_tokens"

// SignedToken finds a token of OAuth 1.0a, or answers ErrNotFound.
func (d *DB) SignedToken(ctx context.Context, token string) (found SignedToken, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		found, err = signedTokens.get(tx, string(HashSecret(token)))
		return err
	})
	return found, err
}

// PutSignedToken keeps a token of OAuth 1.0a.
func (d *DB) PutSignedToken(ctx context.Context, token string, kept SignedToken) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return signedTokens.put(tx, string(HashSecret(token)), kept) })
}

// RemoveSignedToken forgets a token; one that is not there is no error.
func (d *DB) RemoveSignedToken(ctx context.Context, token string) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return signedTokens.remove(tx, string(HashSecret(token))) })
}
