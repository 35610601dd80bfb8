package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ServiceKey is the public key of somebody who signs assertions (RFC 7523 section 2.1).
type ServiceKey struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	KeyID   string `json:"key_id"`
	// JWK is the public key (RFC 7517 section 4).
	JWK    json.RawMessage `json:"jwk"`
	Scopes []string        `json:"scopes"`
}

const (
	serviceKeys table[ServiceKey] = "service_keys"
	usedJWTs    table[time.Time]  = "used_jwts" // by jti, until when it is remembered
)

func serviceKeyName(issuer, subject, keyID string) string {
	return issuer + "\x00" + subject + "\x00" + keyID
}

// PutServiceKey registers a key, or replaces the one of the same issuer, subject and key ID.
func (d *DB) PutServiceKey(ctx context.Context, key ServiceKey) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		return serviceKeys.put(tx, serviceKeyName(key.Issuer, key.Subject, key.KeyID), key)
	})
}

// RemoveServiceKey takes a key away; one that is not there is ErrNotFound.
func (d *DB) RemoveServiceKey(ctx context.Context, issuer, subject, keyID string) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		name := serviceKeyName(issuer, subject, keyID)
		if _, err := serviceKeys.get(tx, name); err != nil {
			return err
		}
		return serviceKeys.remove(tx, name)
	})
}

// ServiceKeys lists the keys of an issuer and subject; all keys when both are empty.
func (d *DB) ServiceKeys(ctx context.Context, issuer, subject string) ([]ServiceKey, error) {
	found := []ServiceKey{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		found = found[:0]
		return serviceKeys.each(tx, func(_ string, key ServiceKey) error {
			if issuer+subject == "" || key.Issuer == issuer && key.Subject == subject {
				found = append(found, key)
			}
			return nil
		})
	})
	return found, err
}

// JWTUsed reports whether a JWT of that ID was taken before.
func (d *DB) JWTUsed(ctx context.Context, id string) (used bool, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		_, err := usedJWTs.get(tx, id)
		used = err == nil
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	return used, err
}

// MarkJWTUsed remembers the ID of a JWT until the JWT expires.
func (d *DB) MarkJWTUsed(ctx context.Context, id string, until time.Time) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return usedJWTs.put(tx, id, until) })
}
