package vault

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"connectedapps/connection"
)

// Sinks keeps where the alerts of one environment are delivered.
type Sinks struct{ kv kv }

// Sinks is the store of alert sinks.
func (c *Client) Sinks() Sinks { return Sinks{kv{c, c.layout.Secrets()}} }

// List answers the names of all sinks, sorted; none is no error.
func (s Sinks) List(ctx context.Context) ([]string, error) {
	names, err := s.kv.list(ctx, sinks)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, nil
	}
	slices.Sort(names)
	return names, err
}

// Read answers the sink with its version and Vault's clock; [connection.ErrAbsent] when there is none.
func (s Sinks) Read(ctx context.Context, name string) (connection.Sink, int, connection.Clock, error) {
	found, err := s.kv.read(ctx, sinks+name)
	if err != nil {
		return connection.Sink{}, 0, connection.Clock{}, err
	}
	var stored storedSink
	if err := json.Unmarshal(found.data, &stored); err != nil {
		return connection.Sink{}, 0, connection.Clock{}, connection.Internal("alert sink")
	}
	return stored.decode(), found.version, found.clock, nil
}

// Write stores the sink if its version is still the given one; 0 means it must be new.
func (s Sinks) Write(ctx context.Context, name string, sink connection.Sink, version int) error {
	_, err := s.kv.write(ctx, sinks+name, encodeSink(sink), version)
	return err
}

// Destroy removes the sink with its metadata. An absent one is not an error.
func (s Sinks) Destroy(ctx context.Context, name string) error {
	return s.kv.destroy(ctx, sinks+name)
}

type storedSink struct {
	Kind     string          `json:"kind"`
	URL      string          `json:"url"`
	Keys     []storedSinkKey `json:"keys,omitempty"`
	Disabled string          `json:"disabled,omitempty"`
	From     string          `json:"from,omitempty"`
}

type storedSinkKey struct {
	Secret string    `json:"secret"`
	Until  time.Time `json:"until,omitzero"`
}

func encodeSink(s connection.Sink) storedSink {
	stored := storedSink{Kind: string(s.Kind), URL: s.URL.Reveal(), Disabled: s.Disabled, From: string(s.From)}
	for _, key := range s.Keys {
		stored.Keys = append(stored.Keys, storedSinkKey{Secret: key.Secret.Reveal(), Until: key.Until})
	}
	return stored
}

func (s storedSink) decode() connection.Sink {
	sink := connection.Sink{Kind: connection.SinkKind(s.Kind), URL: connection.NewSecret(s.URL), Disabled: s.Disabled,
		From: connection.InboxRef(s.From)}
	for _, key := range s.Keys {
		sink.Keys = append(sink.Keys, connection.SinkKey{Secret: connection.NewSecret(key.Secret), Until: key.Until})
	}
	return sink
}
