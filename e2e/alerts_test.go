package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is a webhook of the test's own: it verifies and keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	key    string
	status int
	got    []activities.AlertMessage
	bad    int
	text   bytes.Buffer // headers and bodies, as they came
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		text, err := io.ReadAll(in.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		verifier, keyErr := standardwebhooks.NewWebhook(r.key)
		var message activities.AlertMessage
		if err != nil || keyErr != nil || verifier.Verify(text, in.Header) != nil || json.Unmarshal(text, &message) != nil {
			r.bad++
		}
		r.got = append(r.got, message)
		_ = in.Header.Write(&r.text)
		r.text.Write(text)
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

// about counts messages of a type about a connection.
func (r *receiver) about(name, kind string) (n int, last activities.AlertMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.got {
		if m.Type == kind && (name == "" || m.Data.Connection == id(name)) {
			n, last = n+1, m
		}
	}
	return n, last
}

func (r *receiver) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// sinkKey reads the key that the command line prints once.
func sinkKey(t *testing.T, written string) string {
	t.Helper()
	var stored struct{ Key string }
	if err := json.Unmarshal([]byte(written), &stored); err != nil || !strings.HasPrefix(stored.Key, "whsec_") {
		t.Fatalf("%v: %s", err, written)
	}
	return stored.Key
}

func openAlerts(t *testing.T, name string) []workflows.AlertRow {
	t.Helper()
	var rows []workflows.AlertRow
	if err := json.Unmarshal([]byte(must(t, "alerts", "list", "--connection", string(id(name)), "--output", "json")), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// A grant that is revoked at the app is told once, and once more when it is repaired:
// to a webhook that verifies what it gets. The old key signs on after a rotation.
func TestAlerts(t *testing.T) {
	const name = "alerted"
	r := newReceiver(t)
	key := sinkKey(t, must(t, "alerts", "sinks", "create", "ops", "--url", r.URL+"/hook", "--output", "json"))
	r.change(func() { r.key = key })
	if _, _, code := cli(t, "alerts", "sinks", "create", "ops", "--url", r.URL); code != 7 {
		t.Errorf("a name that is taken: exit %d", code)
	}
	must(t, "alerts", "sinks", "test", "ops")

	start := s.mark(t)
	connectBy(t, name, "oauth")
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	_, err := run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	eventually(t, "the receiver hears of it", func() bool { n, _ := r.about(name, activities.MessageOpened); return n > 0 })
	_, opened := r.about(name, activities.MessageOpened)
	if opened.Data.Kind != connection.AlertExpired || opened.Data.Opened.IsZero() || opened.Data.Remedy == "" {
		t.Errorf("%+v", opened)
	}
	eventually(t, "it is listed", func() bool { return len(openAlerts(t, name)) == 1 })
	if row := openAlerts(t, name)[0]; row.ID != opened.Data.Alert || row.Kind != connection.AlertExpired || row.Reason == "" || row.Connection != id(name) {
		t.Errorf("%+v", row)
	}

	next := sinkKey(t, must(t, "alerts", "sinks", "rotate", "ops", "--output", "json"))
	must(t, "alerts", "sinks", "test", "ops") // with the old key
	r.change(func() { r.key = next })
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	eventually(t, "the receiver hears that it is over", func() bool { n, _ := r.about(name, activities.MessageResolved); return n > 0 })
	eventually(t, "it is no longer listed", func() bool { return len(openAlerts(t, name)) == 0 })
	state, err := s.client.DescribeAlert(within(t, time.Minute), opened.Data.Alert)
	if err != nil || state.Resolved.IsZero() || len(state.Deliveries) != 2 || state.Deliveries[1].State != workflows.DeliveryDelivered {
		t.Errorf("%+v %v", state, err)
	}
	for _, kind := range []string{activities.MessageOpened, activities.MessageResolved} {
		if n, _ := r.about(name, kind); n != 1 {
			t.Errorf("%s came %d times", kind, n)
		}
	}
	if r.change(func() {}); r.bad != 0 {
		t.Errorf("%d messages did not verify", r.bad)
	}

	// A receiver that is gone for good disables the sink; its deletion ends it.
	r.change(func() { r.status = http.StatusGone })
	if _, _, code := cli(t, "alerts", "sinks", "test", "ops"); code != 4 {
		t.Errorf("a sink that is gone: exit %d", code)
	}
	eventually(t, "the sink is disabled", func() bool {
		sinks, err := s.client.Sinks(within(t, time.Minute))
		return err == nil && len(sinks) == 1 && sinks[0].Disabled != ""
	})
	must(t, "alerts", "sinks", "delete", "ops", "--yes")
	if _, _, code := cli(t, "alerts", "sinks", "test", "ops"); code != 3 {
		t.Errorf("a sink that is deleted: exit %d", code)
	}
}
