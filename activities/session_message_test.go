package activities

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func ended(sink string) DeliverSessionMessageInput {
	return DeliverSessionMessageInput{Sink: sink, ID: "msg_1", Message: SessionMessage{Type: MessageSessionFailed, Timestamp: time.Unix(1_700_000_000, 0).UTC(),
		Data: SessionData{Session: "s1", Environment: "development", App: "sandbox", Connection: testID, Owner: "<!channel> & co", Toolkit: "default",
			Problem: connection.Refused(connection.ErrTestFailed, "the app does not accept\nthis credential", "")}}}
}

// The end of a session goes the way of an alert: the same signature, the same answers.
func TestTheEndOfASessionIsDelivered(t *testing.T) {
	w, h := webhook(t, status(204))
	report, err := w.process().DeliverSessionMessage(context.Background(), ended("ops"))
	if err != nil || !report.Delivered || len(h.got) != 1 {
		t.Fatalf("%+v %v", report, err)
	}
	var message struct {
		Type string         `json:"type"`
		Data map[string]any `json:"data"`
	}
	if !verified(t, hookKey, h.got[0]) || json.Unmarshal(h.got[0].body, &message) != nil || message.Type != "connect-session.failed" || len(message.Data) != 7 || message.Data["problem"] == nil {
		t.Errorf("%s", h.got[0].body)
	}
	h.answer = status(http.StatusGone)
	report, err = w.process().DeliverSessionMessage(context.Background(), ended("ops"))
	if err != nil || report.Delivered || report.Status != http.StatusGone || w.vault.sinks["ops"].sink.Disabled == "" {
		t.Errorf("%+v %v", report, err)
	}
	h.answer = status(http.StatusBadGateway)
	w, _ = webhook(t, h.answer)
	_, err = w.process().DeliverSessionMessage(context.Background(), ended("ops"))
	demand(t, err, connection.ErrProviderUnavailable)
	secretFree(t, err.Error())
}

func TestAChatGetsTheEndOfASessionInALine(t *testing.T) {
	h := newHook(t, status(200))
	w, _ := webhook(t, status(200))
	w.vault.sinks["chat"] = sinkEntry{connection.Sink{Kind: connection.SinkSlack, URL: connection.NewSecret(h.URL + hookPath)}, 1}
	in := ended("chat")
	if report, err := w.process().DeliverSessionMessage(context.Background(), in); err != nil || !report.Delivered {
		t.Fatalf("%+v %v", report, err)
	}
	var body map[string]string
	want := testID.String() + ": the connect session s1 ended, failed (for &lt;!channel&gt; &amp; co): the app does not accept this credential"
	if err := json.Unmarshal(h.got[0].body, &body); err != nil || len(body) != 1 || body["text"] != want {
		t.Errorf("%s %v", h.got[0].body, err)
	}
	in.Message.Type, in.Message.Data.Problem, in.Message.Data.Account = MessageSessionConnected, nil, "ada"
	if text := sessionText(in.Message); !strings.Contains(text, "ended, connected as ada") {
		t.Error(text)
	}
}
