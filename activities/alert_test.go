package activities

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func verified(t *testing.T, key string, got received) bool {
	t.Helper()
	v, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(got.body, got.header) == nil
}

func TestAMessageIsSignedAndTheSameInEveryAttempt(t *testing.T) {
	answers := []int{500, 204}
	w, h := webhook(t, nil)
	h.answer = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(answers[0]); answers = answers[1:] }
	a := w.process()
	_, err := a.DeliverAlert(context.Background(), delivery("ops"))
	demand(t, err, connection.ErrProviderUnavailable)
	w.vault.advance(90 * time.Second)
	report, err := a.DeliverAlert(context.Background(), delivery("ops"))
	if err != nil || !report.Delivered || report.Status != 204 {
		t.Fatalf("%+v %v", report, err)
	}
	first, second := h.got[0], h.got[1]
	if !verified(t, hookKey, first) || !verified(t, hookKey, second) || verified(t, otherKey, second) {
		t.Error("the signatures do not verify, or any key does")
	}
	if id := second.header.Get("webhook-id"); id != "msg_1" || first.header.Get("webhook-id") != id || string(first.body) != string(second.body) {
		t.Errorf("ID %q, bodies %s and %s", id, first.body, second.body)
	}
	began, _ := strconv.Atoi(first.header.Get("webhook-timestamp"))
	again, _ := strconv.Atoi(second.header.Get("webhook-timestamp"))
	if again-began < 89 || second.header.Get("Content-Type") != "application/json" {
		t.Errorf("timestamps %d and %d, %v", began, again, second.header)
	}
	var message AlertMessage
	if err := json.Unmarshal(second.body, &message); err != nil || message.Type != MessageOpened || message.Data.Connection != testID || !strings.Contains(string(second.body), `"type":"alert.opened"`) {
		t.Errorf("%s %v", second.body, err)
	}
}

// After a rotation both keys sign, and a day later the new one alone.
func TestBothKeysSignForADay(t *testing.T) {
	w, h := webhook(t, status(200))
	a := w.process()
	rotate := StoreSinkInput{Name: "ops", Kind: connection.SinkWebhook, Rotate: true, Inbox: w.vault.leave("key", otherKey)}
	if _, err := a.StoreSink(context.Background(), rotate); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, 23 * time.Hour, 2 * time.Hour} {
		w.vault.advance(wait)
		if _, err := a.DeliverAlert(context.Background(), delivery("ops")); err != nil {
			t.Fatal(err)
		}
	}
	// The library holds the timestamp against this machine's clock; Vault's was moved.
	for i, want := range []int{2, 2, 1} {
		got := h.got[i]
		signatures := strings.Fields(got.header.Get("webhook-signature"))
		if len(signatures) != want {
			t.Errorf("attempt %d: %q", i, signatures)
		}
		for _, key := range []string{otherKey, hookKey}[:want] {
			v, _ := standardwebhooks.NewWebhook(key)
			if err := v.VerifyIgnoringTimestamp(got.body, got.header); err != nil {
				t.Errorf("attempt %d: %v", i, err)
			}
		}
	}
	if !verified(t, hookKey, h.got[0]) || !verified(t, otherKey, h.got[0]) {
		t.Error("one of two keys does not verify")
	}
	if w.vault.sinks["ops"].sink.URL.Reveal() != h.URL+hookPath {
		t.Error("the URL was lost")
	}
}

func TestAnAnswerOfGoneDisablesOnce(t *testing.T) {
	w, h := webhook(t, status(http.StatusGone))
	a := w.process()
	for range 3 {
		report, err := a.DeliverAlert(context.Background(), delivery("ops"))
		if err != nil || report.Delivered || !strings.Contains(report.Reason, "410") {
			t.Fatalf("%+v %v", report, err)
		}
	}
	if len(h.got) != 1 || w.vault.sinks["ops"].version != 2 || w.vault.sinks["ops"].sink.Disabled == "" || len(w.told.gone) == 0 {
		t.Errorf("asked %d times, version %d, told %v", len(h.got), w.vault.sinks["ops"].version, w.told.gone)
	}
	report, err := a.announce(context.Background())
	if err != nil || len(report.Sinks) != 0 {
		t.Errorf("%+v %v", report, err)
	}
	// A rotation enables it again.
	if _, err := a.StoreSink(context.Background(), StoreSinkInput{Name: "ops", Kind: connection.SinkWebhook, Rotate: true, Inbox: w.vault.leave("key", otherKey)}); err != nil {
		t.Fatal(err)
	}
	if report, err := a.announce(context.Background()); err != nil || len(report.Sinks) != 1 {
		t.Errorf("%+v %v", report, err)
	}
}

// A sink that was replaced while the old one answered is not disabled for it.
func TestAReplacedSinkIsNotDisabledForTheOldOne(t *testing.T) {
	w, h := webhook(t, nil)
	h.answer = func(rw http.ResponseWriter, r *http.Request) {
		w.vault.mu.Lock()
		held := w.vault.sinks["ops"]
		held.version++
		w.vault.sinks["ops"] = held
		w.vault.mu.Unlock()
		rw.WriteHeader(http.StatusGone)
	}
	_, err := w.process().DeliverAlert(context.Background(), delivery("ops"))
	demand(t, err, connection.ErrProviderUnavailable)
	if w.vault.sinks["ops"].sink.Disabled != "" || len(w.told.gone) != 0 {
		t.Errorf("%+v", w.vault.sinks["ops"])
	}
}

// A message is in the log once, also when Vault lets the announcement wait.
func TestAMessageIsLoggedOnce(t *testing.T) {
	w, _ := webhook(t, status(200))
	core, logs := observer.New(zap.InfoLevel)
	a := w.process()
	a.Log = zap.New(core)
	a.Sinks = lame{a.Sinks, new(int)}
	in := AnnounceAlertInput{ID: "msg_1", Message: delivery("").Message}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a.AnnounceAlert)
	if _, err := env.ExecuteActivity(a.AnnounceAlert, in); err == nil {
		t.Fatal("Vault was away")
	}
	env.SetHeartbeatDetails(logged)
	answer, err := env.ExecuteActivity(a.AnnounceAlert, in)
	var report AnnounceAlertReport
	if err != nil || answer.Get(&report) != nil || len(report.Sinks) != 1 {
		t.Fatalf("%+v %v", report, err)
	}
	entries := logs.FilterField(zap.String("message", "msg_1")).All()
	if len(entries) != 1 || entries[0].Level != zap.WarnLevel || entries[0].ContextMap()["connection"] != testID.String() {
		t.Errorf("%+v", entries)
	}
}

// lame is Vault that is away the first time.
type lame struct {
	Sinks
	n *int
}

func (l lame) List(ctx context.Context) ([]string, error) {
	if *l.n++; *l.n == 1 {
		return nil, errors.New("away")
	}
	return l.Sinks.List(ctx)
}

// A sink whose document is damaged holds up no other.
func TestADamagedSinkHoldsUpNoOther(t *testing.T) {
	w, _ := webhook(t, status(200))
	w.vault.sinks["bad"] = w.vault.sinks["ops"]
	a := w.process()
	a.Sinks = damaged{a.Sinks}
	report, err := a.announce(context.Background())
	if err != nil || len(report.Sinks) != 2 {
		t.Errorf("%+v %v", report, err)
	}
	_, err = a.DeliverAlert(context.Background(), delivery("bad"))
	demand(t, err, connection.ErrInternal)
}

type damaged struct{ Sinks }

func (d damaged) Read(ctx context.Context, name string) (connection.Sink, int, connection.Clock, error) {
	if name == "bad" {
		return connection.Sink{}, 0, connection.Clock{}, connection.Internal("alert sink")
	}
	return d.Sinks.Read(ctx, name)
}
