package state

import (
	"context"
	"encoding/json"

	bolt "go.etcd.io/bbolt"
)

// Client is a registered OAuth client (RFC 6749 section 2).
type Client struct {
	ID         string   `json:"id"`
	SecretHash []byte   `json:"secret_hash,omitempty"`
	OldHashes  [][]byte `json:"old_hashes,omitempty"`
	// SealedSecret is the newest secret, for OAuth 1.0a, which signs with it (RFC 5849 section 3.4.2).
	SealedSecret []byte   `json:"sealed_secret,omitempty"`
	RedirectURIs []string `json:"redirect_uris"`
	Scopes       []string `json:"scopes"`
	GrantTypes   []string `json:"grant_types"`
	Public       bool     `json:"public"`
	// AuthMethod is client_secret_basic, client_secret_post or private_key_jwt; empty accepts the first two.
	AuthMethod string `json:"token_endpoint_auth_method,omitempty"`
	// JWKS are the public keys of private_key_jwt (RFC 7517 section 5).
	JWKS json.RawMessage `json:"jwks,omitempty"`
}

const clients table[Client] = "clients"

// Client finds a client by its ID, or answers ErrNotFound.
func (d *DB) Client(ctx context.Context, id string) (client Client, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		client, err = clients.get(tx, id)
		return err
	})
	return client, err
}

// Clients lists all clients by ID.
func (d *DB) Clients(ctx context.Context) ([]Client, error) {
	all := []Client{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		all = all[:0]
		return clients.each(tx, func(_ string, client Client) error {
			all = append(all, client)
			return nil
		})
	})
	return all, err
}

// PutClient registers a client, or replaces the one of the same ID.
func (d *DB) PutClient(ctx context.Context, client Client) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return clients.put(tx, client.ID, client) })
}

// RotateClientSecret gives a client a new secret. With keepOld the secrets known so far stay good; without,
// only the new one is. Answers ErrNotFound for an unknown client.
func (d *DB) RotateClientSecret(ctx context.Context, id, secret string, keepOld bool) error {
	sealed, err := d.Seal(ctx, secret)
	if err != nil {
		return err
	}
	return d.update(ctx, func(tx *bolt.Tx) error {
		client, err := clients.get(tx, id)
		if err != nil {
			return err
		}
		if keepOld {
			client.OldHashes = append(client.OldHashes, client.SecretHash)
		} else {
			client.OldHashes = nil
		}
		client.SecretHash, client.SealedSecret = HashSecret(secret), sealed
		return clients.put(tx, id, client)
	})
}
