package workflows

import (
	"context"
	"sync"
	"time"

	"connectedapps/connection"
)

const (
	// bulkAtOnce is how many connections are asked at the same time: enough to hide
	// the time that answers take, and few enough to leave workers to everybody else.
	bulkAtOnce = 8
	// disconnectTime is how long one disconnect may take to answer. It answers within
	// 15 seconds while a worker is there.
	disconnectTime = 2 * time.Minute
)

// RevocationGone is what became of a connection that was gone already when
// [Client.DisconnectAll] came to it.
const RevocationGone = "gone"

// Disconnected is what became of one connection of [Client.DisconnectAll].
type Disconnected struct {
	Connection connection.ID `json:"connection"`
	// Revocation is that of [DisconnectResult], or [RevocationGone]; "" where it failed.
	Revocation string `json:"revocation,omitempty"`
	// Problem is why it failed; nil where it did not.
	Problem *connection.Problem `json:"problem,omitempty"`
}

// DisconnectAll disconnects connections of this environment, a few at a time, and
// gives each result to each, one call at a time and in any order. It is safe to
// repeat. The only error is that of a context that ended: connections that each has
// not heard of then may or may not be disconnected.
func (c *Client) DisconnectAll(ctx context.Context, ids []connection.ID, reason string, each func(Disconnected)) error {
	var all sync.WaitGroup
	var turn sync.Mutex
	free := make(chan struct{}, bulkAtOnce)
	for _, id := range ids {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-free }()
			result := c.disconnectOne(ctx, id, reason)
			if ctx.Err() != nil && result.Problem != nil {
				return
			}
			turn.Lock()
			defer turn.Unlock()
			each(result)
		})
	}
	all.Wait()
	return ctx.Err()
}

func (c *Client) disconnectOne(ctx context.Context, id connection.ID, reason string) Disconnected {
	out := Disconnected{Connection: id}
	if id.Environment() != c.Environment {
		out.Problem = connection.InvalidInput("connection", id.String()+" is not of the environment "+c.Environment, "use that environment's client")
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, disconnectTime)
	defer cancel()
	result, err := c.Disconnect(ctx, id, reason)
	switch {
	case err == nil:
		out.Revocation = result.Revocation
	case connection.TypeOf(err) == connection.ErrConnectionNotFound:
		out.Revocation = RevocationGone
	default:
		out.Problem = why(err)
	}
	return out
}
