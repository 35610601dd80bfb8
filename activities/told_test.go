package activities

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"connectedapps/connection"
)

// told is Temporal: it counts what the workflows are told.
type told struct {
	answer   func(connection.CredentialRef) // what a Connection does about a rejection; nil for one that has not come to it
	mu       sync.Mutex
	rejected []string
	clients  []string
	work     []connection.WorkTrouble
	gone     []string
	others   map[string]bool // accounts that other connections have too
	ended    time.Time       // when a connection was disconnected
	asked    int             // how often that was asked
	mute     bool            // Temporal does not answer
	users    []connection.ID // of the auth config, as the list of connections has them
	listed   []connection.ID // open, as the list of connections has them
	closed   []connection.ID // not open
	// described are those that were asked for one by one.
	described []connection.ID
}

func (w *told) CredentialRejected(_ context.Context, ref connection.CredentialRef, _ connection.Verdict, reason string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mute {
		return connection.TemporalUnavailable("away")
	}
	w.rejected = append(w.rejected, fmt.Sprintf("%s#%d: %s", ref.Grant, ref.Generation, reason))
	if w.answer != nil {
		w.answer(ref)
	}
	return nil
}

func (w *told) ClientRefused(_ context.Context, app, name, _, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mute {
		return connection.TemporalUnavailable("away")
	}
	w.clients = append(w.clients, app+"/"+name)
	return nil
}

func (w *told) UsersOf(_ context.Context, _, _ string, n int) ([]connection.ID, int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.users[:min(n, len(w.users))]), len(w.users), nil
}

func (w *told) WorkFailed(_ context.Context, _ connection.CredentialRef, trouble connection.WorkTrouble) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.work = append(w.work, trouble)
	return nil
}

func (w *told) SinkGone(_ context.Context, name, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = append(w.gone, name)
	return nil
}

func (w *told) SessionOpen(context.Context, connection.ID, string) (bool, error) { return true, nil }

func (w *told) ConnectionOpen(_ context.Context, id connection.ID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.described = append(w.described, id)
	return !slices.Contains(w.closed, id), nil
}

func (w *told) EachOpenConnection(_ context.Context, each func(connection.ID)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mute {
		return connection.TemporalUnavailable("away")
	}
	for _, id := range w.listed {
		each(id)
	}
	return nil
}

func (w *told) Disconnected(context.Context, connection.ID) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.mute {
		return time.Time{}, connection.TemporalUnavailable("away")
	}
	return w.ended, nil
}

func (w *told) OthersShareGrant(_ context.Context, _ connection.ID, account, _ string) (bool, error) {
	return w.others[account], nil
}

func (w *told) signals() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.rejected)
}
