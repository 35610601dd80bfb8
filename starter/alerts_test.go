package main

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func TestAlertsAreShown(t *testing.T) {
	var out bytes.Buffer
	p := &program{out: &out, errOut: &out, output: "table"}
	now := time.Now()
	rows := []workflows.AlertRow{
		{ID: "alert/development/sandbox/a/expired-1", Kind: connection.AlertExpired, Connection: "development/sandbox/a", Environment: "development",
			App: "sandbox", Name: "Address book", Since: now.Add(-3 * time.Hour), Reason: "revoked\x1b[2J"},
		{ID: "alert/auth-config/development/sandbox/demo/client-refused-1", Kind: connection.AlertClientRefused, Environment: "development",
			App: "sandbox", AuthConfig: "demo", Since: now.Add(-time.Minute)},
	}
	if err := p.print(rows, func(tb *table) { showAlerts(tb, rows, now) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ID", "expired", "Address book", "3 hours ago", "auth config development/sandbox/demo"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("foreign text speaks to the terminal")
	}
	out.Reset()
	state := workflows.AlertState{ID: rows[0].ID, AlertInput: workflows.AlertInput{AlertSubject: workflows.AlertSubject{Connection: "development/sandbox/a"},
		AlertNews: workflows.AlertNews{Kind: connection.AlertFailing, Reason: "it answers 500", Remedy: "look", Count: 7}, Opened: now},
		Deliveries: []workflows.Delivery{{Sink: "ops", Type: "alert.opened", State: workflows.DeliveryGivenUp, At: now, Reason: "the sink ops answered 500"}}}
	if err := p.print(state, func(tb *table) { showAlert(tb, state) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAILURES     ", "7", "WHAT TO DO", "RESOLVED     no", "given-up", "the sink ops answered 500"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestSigningKeys(t *testing.T) {
	one, other := newSinkKey(), newSinkKey()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one.Reveal(), "whsec_"))
	if err != nil || len(raw) != 32 || one == other {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	sink := connection.Sink{Kind: connection.SinkWebhook, URL: connection.NewSecret("https://ops.example/x"), Keys: []connection.SinkKey{{Secret: one}}}
	if err := sink.Check(); err != nil {
		t.Error(err)
	}
}
