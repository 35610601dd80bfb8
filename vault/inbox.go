package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"connectedapps/connection"
)

// inboxLife is how long an entry may wait to be collected. The mount hides it
// after that by itself, and the sweep removes it for good.
const inboxLife = 15 * time.Minute

// Inbox is where a caller leaves secrets for a workflow to collect, once.
type Inbox struct{ kv kv }

// Inbox is the environment's inbox.
func (c *Client) Inbox() Inbox { return Inbox{kv{c, c.layout.Inbox()}} }

// Leave stores named secrets at a fresh random place and answers its reference.
// A write whose answer was lost is tried again elsewhere, so that an entry is
// never half somebody else's; the first one vanishes by itself.
func (s Inbox) Leave(ctx context.Context, fields map[string]connection.Secret) (connection.InboxRef, error) {
	var err error
	for range 3 {
		name := strings.ToLower(rand.Text())
		if _, err = s.kv.write(ctx, name, map[string]any{"fields": reveal(fields)}, 0); err == nil {
			return connection.InboxRef(name), nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	if errors.Is(err, connection.ErrVersionConflict) {
		return "", connection.Internal("inbox")
	}
	return "", err
}

// Read answers what was left there; [connection.ErrAbsent] when it was collected or is too old.
func (s Inbox) Read(ctx context.Context, ref connection.InboxRef) (map[string]connection.Secret, error) {
	if !inboxName(string(ref)) {
		return nil, connection.InvalidInput("inbox", "this is not an inbox reference", "leave the secrets in the inbox first")
	}
	found, err := s.kv.read(ctx, string(ref))
	if err != nil {
		return nil, err
	}
	var stored struct {
		Fields map[string]string `json:"fields"`
	}
	if err := json.Unmarshal(found.data, &stored); err != nil {
		return nil, connection.InvalidInput("inbox", "the entry is not what the inbox holds",
			`write {"fields": {"name": "secret"}}`)
	}
	return conceal(stored.Fields), nil
}

// Clear removes an entry for good, its metadata with it: a version that is only deleted could be brought back.
func (s Inbox) Clear(ctx context.Context, ref connection.InboxRef) error {
	if !inboxName(string(ref)) {
		return nil
	}
	return s.kv.destroy(ctx, string(ref))
}

// Sweep clears what nobody collected in time and answers how many entries that were.
func (s Inbox) Sweep(ctx context.Context) (int, error) {
	names, err := s.kv.list(ctx, "")
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return 0, err
	}
	cleared := 0
	for _, name := range names {
		found, err := s.kv.metadata(ctx, name)
		if errors.Is(err, connection.ErrAbsent) {
			continue
		}
		if err != nil {
			return cleared, err
		}
		if found.clock.Now().Sub(found.created) < inboxLife {
			continue
		}
		if err := s.kv.destroy(ctx, name); err != nil {
			return cleared, err
		}
		cleared++
	}
	return cleared, nil
}

func inboxName(name string) bool { return connection.CheckSlug("inbox", name) == nil }
