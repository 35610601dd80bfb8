package activities

import (
	"context"
	"sync"
	"time"

	"connectedapps/connection"

	"golang.org/x/sync/singleflight"
)

// cacheLife bounds how stale a gate may be for whoever acts: a pause or a
// disconnect is honoured after this long at the latest.
const cacheLife = 5 * time.Second

// cacheSize bounds how many credentials are in memory at once.
const cacheSize = 2048

// makeRoom forgets everything where there is too much of it.
func makeRoom[K comparable, V any](held map[K]V) {
	if len(held) >= cacheSize {
		clear(held)
	}
}

// reader reads documents for actions: one read of Vault serves everybody who
// asks within cacheLife, and a crowd that asks at once.
type reader struct {
	documents Documents
	flights   singleflight.Group

	mu     sync.Mutex
	cached map[connection.CredentialRef]cachedDocument
}

type cachedDocument struct {
	stored connection.Stored
	until  time.Time
}

func newReader(documents Documents) *reader {
	return &reader{documents: documents, cached: map[connection.CredentialRef]cachedDocument{}}
}

// place is the reference without what changes over time: the key of cache and flights.
func place(ref connection.CredentialRef) connection.CredentialRef {
	if ref.Candidate {
		return connection.CredentialRef{Connection: ref.Connection, Grant: ref.Grant, Candidate: true}
	}
	return connection.CredentialRef{Connection: ref.Connection}
}

func placeName(ref connection.CredentialRef) string {
	if ref.Candidate {
		return ref.Connection.String() + "/" + ref.Grant
	}
	return ref.Connection.String()
}

// read answers a document at most cacheLife old.
func (r *reader) read(ctx context.Context, ref connection.CredentialRef) (connection.Stored, error) {
	key := place(ref)
	r.mu.Lock()
	held, ok := r.cached[key]
	r.mu.Unlock()
	if ok && time.Now().Before(held.until) {
		return held.stored, nil
	}
	flight := r.flights.DoChan(placeName(ref), func() (any, error) {
		stored, err := r.documents.Read(context.WithoutCancel(ctx), key)
		if err == nil {
			r.hold(key, stored)
		}
		return stored, err
	})
	return landed(ctx, flight)
}

// landed waits for a flight that others may share; it goes on without a caller who cannot wait.
func landed(ctx context.Context, flight <-chan singleflight.Result) (connection.Stored, error) {
	select {
	case <-ctx.Done():
		return connection.Stored{}, ctx.Err()
	case result := <-flight:
		stored, _ := result.Val.(connection.Stored)
		return stored, result.Err
	}
}

// drop forgets a document that proved stale.
func (r *reader) drop(ref connection.CredentialRef) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cached, place(ref))
}

// hold keeps a document that was just read or written.
func (r *reader) hold(ref connection.CredentialRef, stored connection.Stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.cached) >= cacheSize {
		for key, held := range r.cached {
			if now.After(held.until) {
				delete(r.cached, key)
			}
		}
		makeRoom(r.cached)
	}
	r.cached[place(ref)] = cachedDocument{stored: stored, until: now.Add(cacheLife)}
}

// used notes in the held copy that the connection was used, so that the next
// action does not write the same fact again.
func (r *reader) used(ref connection.CredentialRef, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if held, ok := r.cached[place(ref)]; ok {
		held.stored.Facts.LastUsed = at
		r.cached[place(ref)] = held
	}
}
