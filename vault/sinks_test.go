package vault

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"connectedapps/connection"
)

// What is written of a sink is what is read of it, at its own place and by compare-and-set.
func TestSinksRoundTrip(t *testing.T) {
	const base = "/v1/connected-apps/development/secrets/"
	var held json.RawMessage
	s := newServer(t, nil)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == base+"data/sinks/ops":
			held, _ = json.Marshal(s.bodies[len(s.bodies)-1]["data"])
			says(http.StatusOK, `{"data":{"version":1}}`)(w, r)
		case r.Method == http.MethodGet && r.URL.Path == base+"data/sinks/ops" && held != nil:
			dated(date, `{"data":{"data":`+string(held)+`,"metadata":{"version":1,"created_time":"2026-11-22T11:59:00Z"}}}`)(w, r)
		case r.URL.Query().Get("list") == "true" && r.URL.Path == base+"metadata/sinks":
			says(http.StatusOK, `{"data":{"keys":["ops","chat"]}}`)(w, r)
		case r.Method == http.MethodDelete && r.URL.Path == base+"metadata/sinks/ops":
			held = nil
			says(http.StatusNoContent, "")(w, r)
		default:
			says(http.StatusNotFound, `{"errors":[]}`)(w, r)
		}
	}
	store, ctx := s.withToken(t).Sinks(), context.Background()
	sink := connection.Sink{Kind: connection.SinkWebhook, URL: connection.NewSecret("https://ops.example/x"), From: "entry",
		Keys: []connection.SinkKey{{Secret: connection.NewSecret("whsec_x")}}}
	if err := store.Write(ctx, "ops", sink, 0); err != nil {
		t.Fatal(err)
	}
	if options, _ := s.bodies[0]["options"].(map[string]any); options["cas"] != 0.0 {
		t.Errorf("%v", options)
	}
	got, version, clock, err := store.Read(ctx, "ops")
	if err != nil || version != 1 || got.URL != sink.URL || got.From != "entry" || len(got.Keys) != 1 || got.Keys[0] != sink.Keys[0] || clock.Now().Hour() != 12 {
		t.Errorf("%+v %d %v", got, version, err)
	}
	names, err := store.List(ctx)
	if err != nil || !slices.Equal(names, []string{"chat", "ops"}) {
		t.Errorf("%v %v, asked %q", names, err, s.asked)
	}
	if err := store.Destroy(ctx, "ops"); err != nil {
		t.Error(err)
	}
	_, _, _, err = store.Read(ctx, "ops")
	means(t, "read", err, connection.ErrAbsent)
}

func TestNoSinksIsNoError(t *testing.T) {
	names, err := newServer(t, says(http.StatusNotFound, `{"errors":[]}`)).withToken(t).Sinks().List(context.Background())
	if err != nil || len(names) != 0 {
		t.Errorf("%v %v", names, err)
	}
}
