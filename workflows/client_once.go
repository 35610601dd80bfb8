package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"connectedapps/connection"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
)

type onceKey struct{}

// Once is a context in which the updates that a [Client] sends happen once for a key:
// a second one of the same name to the same workflow with the same key gets the first
// one's answer, whatever it says, as long as that run of the workflow remembers it. So
// the key must stand for who asks and for the whole request. An answer that asks to be
// tried again ([passing]) is not kept: the next one with the key does it anew.
// "" changes nothing. [Client.RunAction] has a key of its own.
func Once(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, key)
}

// tries bounds how often a key is used anew after answers that pass. Each repetition
// asks Temporal for all that were before it; whoever has met so many needs another key.
const tries = 10

// requestID is the ID of an update: a fresh one, or that of the caller's key.
func requestID(ctx context.Context, update string) string {
	key, _ := ctx.Value(onceKey{}).(string)
	if key == "" {
		return uuid.NewString()
	}
	sum := sha256.Sum256([]byte(update + "\x00" + key))
	return "once/" + hex.EncodeToString(sum[:16])
}

// nextID is the ID to send an update under: the first of its key's that is new, is
// under way, or has an answer to keep.
func (c *Client) nextID(ctx context.Context, workflowID, update string) string {
	first := requestID(ctx, update)
	if key, _ := ctx.Value(onceKey{}).(string); key == "" {
		return first
	}
	id := first
	for try := 2; try <= tries && c.passed(ctx, workflowID, id); try++ {
		id = first + "/" + strconv.Itoa(try)
	}
	return id
}

// passed reports whether an update is known and was answered by a failure that passes.
// One that nobody has sent is unknown to Temporal, which is a failure of another kind.
func (c *Client) passed(ctx context.Context, workflowID, id string) bool {
	handle := c.Temporal.GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions{WorkflowID: workflowID, UpdateID: id})
	told, ok := connection.AsProblem(handle.Get(ctx, nil))
	return ok && passing(told.Type)
}

// passing reports whether a failure of a type asks for nothing but another try.
func passing(kind string) bool {
	switch kind {
	case connection.ErrVaultUnavailable, connection.ErrTemporalUnavailable, connection.ErrProviderUnavailable,
		connection.ErrRateLimited, connection.ErrInternal:
		return true
	}
	return false
}
