package activities

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

type sinkEntry struct {
	sink    connection.Sink
	version int
}

type sinkStore struct{ *store }

func (s sinkStore) List(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sinks)), nil
}

func (s sinkStore) Read(_ context.Context, name string) (connection.Sink, int, connection.Clock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.sinks[name]
	if !ok {
		return connection.Sink{}, 0, connection.Clock{}, connection.ErrAbsent
	}
	held.sink.Keys = slices.Clone(held.sink.Keys)
	return held.sink, held.version, connection.ClockAt(s.now()), nil
}

func (s sinkStore) Write(_ context.Context, name string, sink connection.Sink, version int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sinks[name].version != version {
		return connection.ErrVersionConflict
	}
	s.sinks[name] = sinkEntry{sink, version + 1}
	return nil
}

func (s sinkStore) Destroy(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sinks, name)
	return nil
}

// hook is a receiver: it answers as the test says and keeps what it got.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	got    []received
}

type received struct {
	header http.Header
	body   []byte
	path   string
}

func newHook(t *testing.T, answer http.HandlerFunc) *hook {
	t.Helper()
	h := &hook{answer: answer}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		h.got = append(h.got, received{r.Header.Clone(), text, r.URL.Path})
		h.mu.Unlock()
		h.answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func status(code int, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		w.WriteHeader(code)
	}
}

const (
	hookKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherKey = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	// hookPath is a secret: it must be in no error and no report.
	hookPath = "/CANARY-services-T0-B0"
)

// webhook is a world with one webhook called ops.
func webhook(t *testing.T, answer http.HandlerFunc) (*world, *hook) {
	t.Helper()
	h := newHook(t, answer)
	w := &world{t: t, vault: newStore(), told: &told{}}
	var err error
	if w.catalogue, err = builtIn(); err != nil {
		t.Fatal(err)
	}
	w.vault.sinks["ops"] = sinkEntry{connection.Sink{Kind: connection.SinkWebhook, URL: connection.NewSecret(h.URL + hookPath),
		Keys: []connection.SinkKey{{Secret: connection.NewSecret(hookKey)}}}, 1}
	return w, h
}

func delivery(sink string) DeliverAlertInput {
	return DeliverAlertInput{Sink: sink, ID: "msg_1", Message: AlertMessage{Type: MessageOpened, Timestamp: time.Unix(1_700_000_000, 0).UTC(),
		Data: AlertData{Alert: "alert/development/sandbox/acme/expired-1", Kind: connection.AlertExpired, Environment: "development",
			App: "sandbox", Connection: testID, Title: "<!channel> acme & co has expired", Reason: "revoked", Remedy: "reconnect it"}}}
}
