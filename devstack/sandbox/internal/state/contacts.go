package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrIdempotencyKeyReused is answered where an idempotency key comes back with another request.
var ErrIdempotencyKeyReused = errors.New("idempotency key was used for another request")

// Contact is the one thing the sandbox's product is about.
type Contact struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const contacts table[Contact] = "contacts"

// Keys are "<account>/<id>" with IDs that sort in the order of creation.
func contactKey(account, id string) string { return account + "/" + id }

// Contacts lists up to limit contacts of an account after the one named (from the start when empty),
// and says whether there are more.
func (d *DB) Contacts(ctx context.Context, account, after string, limit int) (page []Contact, more bool, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		page, more = []Contact{}, false
		prefix := []byte(account + "/")
		start := contactKey(account, after)
		cursor := tx.Bucket([]byte(contacts)).Cursor()
		for key, raw := cursor.Seek([]byte(start)); bytes.HasPrefix(key, prefix); key, raw = cursor.Next() {
			if string(key) == start {
				continue
			}
			if len(page) == limit {
				more = true
				return nil
			}
			var contact Contact
			if err := json.Unmarshal(raw, &contact); err != nil {
				return err
			}
			page = append(page, contact)
		}
		return nil
	})
	return page, more, err
}

// Contact finds one contact of an account, or answers ErrNotFound.
func (d *DB) Contact(ctx context.Context, account, id string) (contact Contact, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		contact, err = contacts.get(tx, contactKey(account, id))
		return err
	})
	return contact, err
}

// CreateContact gives the contact its ID and stores it.
func (d *DB) CreateContact(ctx context.Context, account string, contact Contact) (Contact, error) {
	err := d.update(ctx, func(tx *bolt.Tx) error {
		sequence, err := tx.Bucket([]byte(contacts)).NextSequence()
		if err != nil {
			return err
		}
		contact.ID = fmt.Sprintf("c_%08d", sequence)
		return contacts.put(tx, contactKey(account, contact.ID), contact)
	})
	return contact, err
}

// ChangeContact applies a change to one contact, or answers ErrNotFound.
func (d *DB) ChangeContact(ctx context.Context, account, id string, change func(*Contact)) (contact Contact, err error) {
	err = d.update(ctx, func(tx *bolt.Tx) error {
		contact, err = contacts.get(tx, contactKey(account, id))
		if err != nil {
			return err
		}
		change(&contact)
		return contacts.put(tx, contactKey(account, id), contact)
	})
	return contact, err
}

// DeleteContact removes one contact, or answers ErrNotFound.
func (d *DB) DeleteContact(ctx context.Context, account, id string) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		if _, err := contacts.get(tx, contactKey(account, id)); err != nil {
			return err
		}
		return contacts.remove(tx, contactKey(account, id))
	})
}

// IdempotentAnswer is what was answered to the first request with an idempotency key.
type IdempotentAnswer struct {
	RequestHash string          `json:"request_hash"`
	Body        json.RawMessage `json:"body"`
}

const idempotentAnswers table[IdempotentAnswer] = "idempotent_answers"

// Once runs do for the first request with a key and keeps what it answers; the same request later gets that
// answer again, with replayed set. Another request under the key is ErrIdempotencyKeyReused.
// Both happen in one transaction: two concurrent requests cannot both be the first.
func (d *DB) Once(ctx context.Context, account, key, requestHash string, do func(context.Context) (json.RawMessage, error)) (body json.RawMessage, replayed bool, err error) {
	err = d.Update(ctx, func(ctx context.Context) error {
		tx := transaction(ctx)
		kept, err := idempotentAnswers.get(tx, account+"/"+key)
		if err == nil {
			if kept.RequestHash != requestHash {
				return ErrIdempotencyKeyReused
			}
			body, replayed = kept.Body, true
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		replayed = false
		if body, err = do(ctx); err != nil {
			return err
		}
		return idempotentAnswers.put(tx, account+"/"+key, IdempotentAnswer{RequestHash: requestHash, Body: body})
	})
	return body, replayed, err
}
