package vault

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"connectedapps/connection"
)

// Documents keeps the credential documents of one environment.
type Documents struct{ kv kv }

// Documents is the store of credential documents.
func (c *Client) Documents() Documents { return Documents{kv{c, c.layout.Secrets()}} }

// Read answers the document that the reference's connection (or candidate) has
// now, whatever generation the reference names.
func (s Documents) Read(ctx context.Context, ref connection.CredentialRef) (connection.Stored, error) {
	found, err := s.kv.read(ctx, documentPath(ref))
	if err != nil {
		return connection.Stored{}, err
	}
	var stored storedDocument
	if err := json.Unmarshal(found.data, &stored); err != nil {
		return connection.Stored{}, connection.Internal("credential document")
	}
	return connection.Stored{Document: stored.decode(), Version: found.version,
		WrittenAt: found.created, Clock: found.clock, Facts: decodeFacts(found.custom)}, nil
}

// Write stores the document if its version is still the given one (0: nothing is
// there yet), and answers the new version.
func (s Documents) Write(ctx context.Context, ref connection.CredentialRef, d connection.Document, version int) (int, error) {
	return s.kv.write(ctx, documentPath(ref), encodeDocument(d), version)
}

// Destroy removes the document with its metadata. An absent one is not an error.
func (s Documents) Destroy(ctx context.Context, ref connection.CredentialRef) error {
	return s.kv.destroy(ctx, documentPath(ref))
}

// Note patches soft facts of a connection; a zero time removes the fact.
func (s Documents) Note(ctx context.Context, ref connection.CredentialRef, facts map[connection.Fact]time.Time) error {
	custom := make(map[string]any, len(facts))
	for fact, at := range facts {
		if at.IsZero() {
			custom[string(fact)] = nil
		} else {
			custom[string(fact)] = at.UTC().Format(time.RFC3339)
		}
	}
	return s.kv.patch(ctx, documentPath(ref), custom)
}

// Clock asks Vault for the time.
func (s Documents) Clock(ctx context.Context) (connection.Clock, error) {
	var clock connection.Clock
	err := s.kv.client.do(ctx, func(ctx context.Context) error {
		response, err := s.kv.client.api.Logical().ReadRawWithContext(ctx, "sys/seal-status")
		if response != nil {
			defer func() { _ = response.Body.Close() }()
		}
		if err != nil {
			return err
		}
		clock, err = clockOf(response)
		return err
	})
	return clock, err
}

// Facts reads only the soft facts; it needs no right to read a credential.
func (s Documents) Facts(ctx context.Context, id connection.ID) (connection.Facts, error) {
	found, err := s.kv.metadata(ctx, documentPath(connection.CredentialRef{Connection: id}))
	if err != nil {
		return connection.Facts{}, err
	}
	return decodeFacts(found.custom), nil
}

// Candidates names the grants of a connection that have not been adopted.
func (s Documents) Candidates(ctx context.Context, id connection.ID) ([]string, error) {
	return s.kv.list(ctx, candidates+owner(id))
}

// Connections names every connection that has a document, for the sweep.
func (s Documents) Connections(ctx context.Context) ([]connection.ID, error) {
	return s.owners(ctx, connections)
}

// WithCandidates names every connection that has candidates, for the sweep.
func (s Documents) WithCandidates(ctx context.Context) ([]connection.ID, error) {
	return s.owners(ctx, candidates)
}

func (s Documents) owners(ctx context.Context, folder string) ([]connection.ID, error) {
	apps, err := s.kv.list(ctx, folder)
	if err != nil {
		return nil, err
	}
	var all []connection.ID
	for _, app := range apps {
		names, err := s.kv.list(ctx, folder+strings.TrimSuffix(app, "/"))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			id, err := connection.NewID(s.kv.client.Environment(), strings.TrimSuffix(app, "/"), strings.TrimSuffix(name, "/"))
			if err == nil {
				all = append(all, id)
			}
		}
	}
	return all, nil
}

func decodeFacts(custom map[string]string) connection.Facts {
	at := func(fact connection.Fact) time.Time {
		moment, _ := time.Parse(time.RFC3339, custom[string(fact)]) // absent or odd: never
		return moment
	}
	return connection.Facts{
		LastOK: at(connection.FactLastOK), LastProbe: at(connection.FactLastProbe),
		LastRefresh: at(connection.FactLastRefresh), LastUsed: at(connection.FactLastUsed),
		FailingSince: at(connection.FactFailingSince),
	}
}
