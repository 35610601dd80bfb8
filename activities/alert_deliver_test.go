package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

func TestWhatASinkAnswers(t *testing.T) {
	elsewhere := newHook(t, status(200))
	tests := map[string]struct {
		answer http.HandlerFunc
		kind   string
		wait   time.Duration
	}{
		"created":    {status(201), "", 0},
		"a refusal":  {status(404), connection.ErrProviderUnavailable, 0},
		"a redirect": {status(307, "Location", elsewhere.URL), connection.ErrProviderUnavailable, 0},
		"a redirect at home": {func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == hookPath {
				status(307, "Location", "/there")(rw, r)
			}
		}, connection.ErrProviderUnavailable, 0},
		"a redirect to a page":    {status(302, "Location", elsewhere.URL), connection.ErrProviderUnavailable, 0},
		"too many":                {status(429, "Retry-After", "120"), connection.ErrRateLimited, 2 * time.Minute},
		"unavailable until later": {status(503, "Retry-After", "7200"), connection.ErrRateLimited, time.Hour},
		"sooner than we ask":      {status(429, "Retry-After", "1"), connection.ErrRateLimited, deliveryWaitMin},
		"by date": {status(503, "Retry-After", "Sun, 22 Nov 2026 12:00:30 GMT", "Date", "Sun, 22 Nov 2026 12:00:00 GMT"),
			connection.ErrRateLimited, 30 * time.Second},
		"too many, for how long?":  {status(429), connection.ErrProviderUnavailable, 0},
		"a wait that is not asked": {status(500, "Retry-After", "120"), connection.ErrProviderUnavailable, 0},
		"dropped":                  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, connection.ErrProviderUnavailable, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w, _ := webhook(t, test.answer)
			report, err := w.process().DeliverAlert(context.Background(), delivery("ops"))
			if connection.TypeOf(err) != test.kind {
				t.Fatalf("%+v %v", report, err)
			}
			problem, _ := connection.AsProblem(err)
			if test.kind != "" && (problem.RetryAfter != test.wait || !problem.Retryable) {
				t.Errorf("%+v", problem)
			}
			secretFree(t, fmt.Sprintf("%+v %v %+v", report, err, problem))
		})
	}
	if len(elsewhere.got) != 0 {
		t.Error("a redirect was followed")
	}
}

func secretFree(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"CANARY", hookKey, "MfKQ9r8", "127.0.0.1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
}

// The one client for what leaves refuses addresses here too, and no error repeats the URL.
func TestASinkCannotBeInside(t *testing.T) {
	w, h := webhook(t, status(200))
	a := w.process()
	a.Provider = outbound.New(outbound.Policy{AllowHTTP: true})
	_, err := a.DeliverAlert(context.Background(), delivery("ops"))
	demand(t, err, connection.ErrProviderUnavailable)
	if len(h.got) != 0 || !strings.Contains(err.Error(), "may not be reached") {
		t.Errorf("%v", err)
	}
	secretFree(t, err.Error())
	h.Close()
	_, err = w.process().DeliverAlert(context.Background(), delivery("ops"))
	demand(t, err, connection.ErrProviderUnavailable)
	secretFree(t, err.Error())
}

func TestSlackGetsEscapedText(t *testing.T) {
	h := newHook(t, status(200))
	w, _ := webhook(t, status(200))
	w.vault.sinks["chat"] = sinkEntry{connection.Sink{Kind: connection.SinkSlack, URL: connection.NewSecret(h.URL + hookPath)}, 1}
	report, err := w.process().DeliverAlert(context.Background(), delivery("chat"))
	if err != nil || !report.Delivered {
		t.Fatalf("%+v %v", report, err)
	}
	var body map[string]string
	if err := json.Unmarshal(h.got[0].body, &body); err != nil || len(body) != 1 {
		t.Fatalf("%s %v", h.got[0].body, err)
	}
	if want := "&lt;!channel&gt; acme &amp; co has expired\nWhy: revoked\nWhat to do: reconnect it\nAlert: alert/development/sandbox/acme/expired-1"; body["text"] != want {
		t.Errorf("%q", body["text"])
	}
	if h.got[0].header.Get("webhook-signature") != "" || h.got[0].path != hookPath {
		t.Errorf("%v", h.got[0])
	}
}

func TestADeletedSinkIsNotAsked(t *testing.T) {
	w, h := webhook(t, status(200))
	a := w.process()
	if err := a.DestroySink(context.Background(), DestroySinkInput{Name: "ops"}); err != nil {
		t.Fatal(err)
	}
	report, err := a.DeliverAlert(context.Background(), delivery("ops"))
	if err != nil || report.Delivered || report.Reason == "" || len(h.got) != 0 {
		t.Errorf("%+v %v", report, err)
	}
}
