package state

import (
	"context"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// CredentialKind is a way to sign in to the API other than OAuth.
type CredentialKind string

// The kinds of static credentials. Two-part ones are kept as both parts joined (PairSecret).
const (
	APIKey        CredentialKind = "api_key"
	PersonalToken CredentialKind = "personal_token"
	HeaderPair    CredentialKind = "headers"
	BasicPassword CredentialKind = "basic"
	AccessKeyPair CredentialKind = "access_key"
)

// PairSecret joins an identifier and a secret into what is hashed; neither may contain a NUL.
func PairSecret(id, secret string) string { return id + "\x00" + secret }

// Credential is a static credential of an account. Its secret is not in it.
type Credential struct {
	ID        string         `json:"id"`
	Kind      CredentialKind `json:"kind"`
	Account   string         `json:"account"`
	Name      string         `json:"name,omitempty"`
	CreatedAt time.Time      `json:"created_at"`
	RevokedAt time.Time      `json:"revoked_at,omitzero"`
}

const credentials table[Credential] = "credentials"

func credentialKey(kind CredentialKind, secret string) string {
	return string(kind) + "/" + string(HashSecret(secret))
}

// AddCredential keeps a credential under the hash of its secret. One that is known already stays as it is,
// revoked or not.
func (d *DB) AddCredential(ctx context.Context, credential Credential, secret string) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		key := credentialKey(credential.Kind, secret)
		if _, err := credentials.get(tx, key); !errors.Is(err, ErrNotFound) {
			return err
		}
		return credentials.put(tx, key, credential)
	})
}

// FindCredential answers the living credential with that secret, or ErrNotFound.
func (d *DB) FindCredential(ctx context.Context, kind CredentialKind, secret string) (credential Credential, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		credential, err = credentials.get(tx, credentialKey(kind, secret))
		if err == nil && !credential.RevokedAt.IsZero() {
			return ErrNotFound
		}
		return err
	})
	return credential, err
}

// Credentials lists all static credentials.
func (d *DB) Credentials(ctx context.Context) ([]Credential, error) {
	all := []Credential{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		all = all[:0]
		return credentials.each(tx, func(_ string, credential Credential) error {
			all = append(all, credential)
			return nil
		})
	})
	return all, err
}

// SetCredentialsRevoked revokes (at a moment) or restores (at the zero time) the credentials of an ID or kind
// and answers those it changed.
func (d *DB) SetCredentialsRevoked(ctx context.Context, id string, kind CredentialKind, at time.Time) ([]Credential, error) {
	changed := []Credential{}
	err := d.update(ctx, func(tx *bolt.Tx) error {
		changed = changed[:0]
		matching := map[string]Credential{}
		err := credentials.each(tx, func(key string, credential Credential) error {
			if (id == "" || credential.ID == id) && (kind == "" || credential.Kind == kind) {
				matching[key] = credential
			}
			return nil
		})
		if err != nil {
			return err
		}
		for key, credential := range matching {
			credential.RevokedAt = at
			if err := credentials.put(tx, key, credential); err != nil {
				return err
			}
			changed = append(changed, credential)
		}
		return nil
	})
	return changed, err
}
