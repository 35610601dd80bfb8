package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"
)

type onceKey struct{}

// Once is a context in which the updates that a [Client] sends happen once for a key
// of the caller's choice: a second one of the same name to the same workflow with the
// same key gets the first one's answer, whatever it says, as long as that run of the
// workflow remembers it. "" changes nothing. [Client.RunAction] has a key of its own.
func Once(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, key)
}

// requestID is the ID of an update: a fresh one, or that of the caller's key.
func requestID(ctx context.Context, update string) string {
	key, _ := ctx.Value(onceKey{}).(string)
	if key == "" {
		return uuid.NewString()
	}
	sum := sha256.Sum256([]byte(update + "\x00" + key))
	return "once/" + hex.EncodeToString(sum[:16])
}
