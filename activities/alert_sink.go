package activities

import (
	"context"
	"errors"
	"time"

	"connectedapps/connection"
)

// The names of what a sink's inbox entry holds.
const (
	sinkURLField = "url"
	sinkKeyField = "key"
)

// oldKeyLife is how long a replaced signing key is still signed with.
const oldKeyLife = 24 * time.Hour

// sinkKeys bounds how many keys sign a message, should a sink be rotated many times a day.
const sinkKeys = 4

// sinkWrites bounds how often a compare-and-set is tried that others win.
const sinkWrites = 5

// StoreSinkInput is a new sink, or what is new of one; its secrets wait in the inbox.
type StoreSinkInput struct {
	Name string              `json:"name"`
	Kind connection.SinkKind `json:"kind"`
	// Inbox holds "url" and, for a webhook, "key". A rotation may leave the URL out.
	Inbox connection.InboxRef `json:"inbox"`
	// Rotate changes the sink of that name; false makes a new one.
	Rotate bool `json:"rotate,omitempty"`
}

// StoreSinkReport is what people may know of a sink.
type StoreSinkReport struct {
	// Host is scheme and host of a webhook; "" for other kinds.
	Host string `json:"host,omitempty"`
}

// StoreSink collects the secrets of a sink from the inbox and stores them. Run again
// after a crash it recognises what it stored.
func (a *Activities) StoreSink(ctx context.Context, in StoreSinkInput) (*StoreSinkReport, error) {
	report, err := a.storeSink(ctx, in)
	return report, a.leave(ctx, "StoreSink", err)
}

func (a *Activities) storeSink(ctx context.Context, in StoreSinkInput) (*StoreSinkReport, error) {
	for range sinkWrites {
		held, version, clock, err := a.Sinks.Read(ctx, in.Name)
		switch {
		case errors.Is(err, connection.ErrAbsent):
			held, version = connection.Sink{Kind: in.Kind}, 0
		case err != nil:
			return nil, err
		case held.From == in.Inbox:
			return &StoreSinkReport{Host: held.Host()}, a.Inbox.Clear(ctx, in.Inbox) // stored before a crash
		}
		if err := sinkFits(in, version); err != nil {
			_ = a.Inbox.Clear(ctx, in.Inbox) // refused: the sweep clears it if this could not
			return nil, err
		}
		secrets, err := a.left(ctx, in.Inbox)
		if err != nil {
			return nil, err
		}
		sink := renewed(held, secrets, clock)
		sink.From = in.Inbox
		if err := sink.Check(); err != nil {
			_ = a.Inbox.Clear(ctx, in.Inbox)
			return nil, err
		}
		err = a.Sinks.Write(ctx, in.Name, sink, version)
		if err == nil {
			return &StoreSinkReport{Host: sink.Host()}, a.Inbox.Clear(ctx, in.Inbox)
		}
		if !errors.Is(err, connection.ErrVersionConflict) {
			return nil, err
		}
	}
	return nil, connection.VaultUnavailable("the sink " + in.Name + " is being changed by others")
}

// sinkFits refuses to make what there is, and to change what there is not.
func sinkFits(in StoreSinkInput, version int) error {
	switch {
	case in.Rotate && version == 0:
		return NoSink(in.Name)
	case !in.Rotate && version > 0:
		return SinkTaken(in.Name)
	default:
		return nil
	}
}

// NoSink reports a sink that does not exist. Not retried.
func NoSink(name string) *connection.Problem {
	return connection.Refused(connection.ErrSinkNotFound, "there is no alert sink "+connection.Bound(name, 63), "see: connected-apps alerts sinks list")
}

// SinkTaken reports that the name is another sink's. Not retried.
func SinkTaken(name string) *connection.Problem {
	return connection.Refused(connection.ErrSinkTaken, "there is an alert sink "+connection.Bound(name, 63)+" already", "choose another name, or give it a new key or URL: connected-apps alerts sinks rotate "+connection.Bound(name, 63))
}

// renewed is a sink with what the inbox holds: a new key goes first, and the one it
// replaces is good for another day. Whoever renews a disabled sink wants it again.
func renewed(held connection.Sink, secrets map[string]connection.Secret, clock connection.Clock) connection.Sink {
	sink := held
	sink.Disabled = ""
	if url := secrets[sinkURLField]; !url.Empty() {
		sink.URL = url
	}
	if key := secrets[sinkKeyField]; !key.Empty() && sink.Kind == connection.SinkWebhook {
		sink.Keys = []connection.SinkKey{{Secret: key}}
		for _, old := range held.Good(clock.Now()) {
			if old.Secret == key || len(sink.Keys) == sinkKeys {
				continue
			}
			if old.Until.IsZero() {
				old.Until = clock.Now().Add(oldKeyLife)
			}
			sink.Keys = append(sink.Keys, old)
		}
	}
	return sink
}

// DestroySinkInput names a sink.
type DestroySinkInput struct {
	Name string `json:"name"`
}

// DestroySink removes a sink from Vault. What is gone already is not an error.
func (a *Activities) DestroySink(ctx context.Context, in DestroySinkInput) error {
	return a.leave(ctx, "DestroySink", a.Sinks.Destroy(ctx, in.Name))
}
