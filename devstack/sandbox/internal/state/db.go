// Package state keeps what must survive a restart: clients, grants and their tokens, credentials, contacts.
//
// It is one bbolt file. Every change is a synced transaction, so that neither a killed process nor a machine
// that loses power leaves it half written. Changes that arrive together share one sync (bbolt's Batch).
// No secret is in it in clear: tokens are keyed by signature, client secrets and API keys are hashed, and what must
// be had back is sealed (Seal).
package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrNotFound is answered for a record that is not there.
var ErrNotFound = errors.New("not found")

// groupCommitDelay is how long a change waits for others to share its sync. Longer would slow a lone
// request, shorter would sync each of many concurrent ones by itself.
const groupCommitDelay = time.Millisecond

// DB is the open file. Safe for concurrent use.
type DB struct{ bolt *bolt.DB }

// Open opens or creates the file. A file held by another process is an error after two seconds.
func Open(path string) (*DB, error) {
	file, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 2 * time.Second})
	if errors.Is(err, bolt.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another sandbox", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file.MaxBatchDelay = groupCommitDelay
	err = file.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &DB{bolt: file}, nil
}

// Close waits for running transactions and closes the file.
func (d *DB) Close() error { return d.bolt.Close() }

type transactionKey struct{}

// Update runs change in a transaction, which the methods of DB find in the context it is given. It may run
// change more than once, and must then end in the same result: it keeps only what the last run left.
// An error undoes everything. Updates exclude one another.
func (d *DB) Update(ctx context.Context, change func(ctx context.Context) error) error {
	if transaction(ctx) != nil {
		return change(ctx)
	}
	return d.bolt.Batch(func(tx *bolt.Tx) error {
		return change(context.WithValue(ctx, transactionKey{}, tx))
	})
}

func transaction(ctx context.Context) *bolt.Tx {
	tx, _ := ctx.Value(transactionKey{}).(*bolt.Tx)
	return tx
}

// view reads in the transaction of the context, or in one of its own.
func (d *DB) view(ctx context.Context, read func(tx *bolt.Tx) error) error {
	if tx := transaction(ctx); tx != nil {
		return read(tx)
	}
	return d.bolt.View(read)
}

// update is Update for methods of this package.
func (d *DB) update(ctx context.Context, change func(tx *bolt.Tx) error) error {
	return d.Update(ctx, func(ctx context.Context) error { return change(transaction(ctx)) })
}

// table is a bucket of JSON records.
type table[T any] string

func (t table[T]) get(tx *bolt.Tx, key string) (T, error) {
	var record T
	raw := tx.Bucket([]byte(t)).Get([]byte(key))
	if raw == nil {
		return record, fmt.Errorf("%s: %w", string(t), ErrNotFound)
	}
	return record, json.Unmarshal(raw, &record)
}

func (t table[T]) put(tx *bolt.Tx, key string, record T) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(t)).Put([]byte(key), raw)
}

func (t table[T]) remove(tx *bolt.Tx, key string) error {
	return tx.Bucket([]byte(t)).Delete([]byte(key))
}

// each visits every record in key order.
func (t table[T]) each(tx *bolt.Tx, visit func(key string, record T) error) error {
	return tx.Bucket([]byte(t)).ForEach(func(key, raw []byte) error {
		var record T
		if err := json.Unmarshal(raw, &record); err != nil {
			return err
		}
		return visit(string(key), record)
	})
}

// removeWhere removes the records that match.
func removeWhere[T any](tx *bolt.Tx, t table[T], match func(T) bool) error {
	var matching []string
	err := t.each(tx, func(key string, record T) error {
		if match(record) {
			matching = append(matching, key)
		}
		return nil
	})
	for _, key := range matching {
		err = errors.Join(err, t.remove(tx, key))
	}
	return err
}

const keyBucket = "keys"

// SigningKey answers a random 32-byte key kept under a name, making it at first use.
func (d *DB) SigningKey(ctx context.Context, name string) ([]byte, error) {
	var key []byte
	err := d.update(ctx, func(tx *bolt.Tx) error {
		keys := tx.Bucket([]byte(keyBucket))
		if kept := keys.Get([]byte(name)); kept != nil {
			key = append([]byte(nil), kept...)
			return nil
		}
		key = make([]byte, 32)
		_, _ = rand.Read(key) // crypto/rand.Read never fails (Go 1.24)
		return keys.Put([]byte(name), key)
	})
	return key, err
}

var buckets = []string{
	keyBucket, string(clients), string(families), string(codes), string(challenges),
	string(accessTokens), string(refreshTokens), string(sealedPairs),
	string(credentials), string(contacts), string(idempotentAnswers),
	string(devices), string(userCodes), string(serviceKeys), string(usedJWTs), string(signedTokens),
	string(tickets), string(rememberedDevices), string(loginSessions),
}
