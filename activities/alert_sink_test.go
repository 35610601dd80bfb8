package activities

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// Storing a sink may be killed after any step and run again.
func TestStoringASinkTwiceIsStoringItOnce(t *testing.T) {
	w, _ := webhook(t, status(200))
	a := w.process()
	const url = "https://hooks.example/CANARY"
	in := StoreSinkInput{Name: "new", Kind: connection.SinkWebhook, Inbox: w.vault.leave("url", url, "key", hookKey)}
	left := w.vault.inbox[in.Inbox]
	report, err := a.StoreSink(context.Background(), in)
	if err != nil || report.Host != "https://hooks.example" || len(w.vault.inbox) != 0 {
		t.Fatalf("%+v %v, %d in the inbox", report, err, len(w.vault.inbox))
	}
	w.vault.inbox[in.Inbox] = left // killed before the inbox was cleared
	for range 2 {
		if again, err := a.StoreSink(context.Background(), in); err != nil || *again != *report {
			t.Fatalf("%+v %v", again, err)
		}
	}
	if held := w.vault.sinks["new"]; held.version != 1 || len(held.sink.Keys) != 1 || len(w.vault.inbox) != 0 {
		t.Errorf("%+v", held)
	}

	rotate := StoreSinkInput{Name: "new", Kind: connection.SinkWebhook, Rotate: true, Inbox: w.vault.leave("key", otherKey)}
	for range 2 {
		if _, err := a.StoreSink(context.Background(), rotate); err != nil {
			t.Fatal(err)
		}
	}
	held := w.vault.sinks["new"].sink
	if len(held.Keys) != 2 || held.Keys[0].Secret.Reveal() != otherKey || !held.Keys[0].Until.IsZero() ||
		held.Keys[1].Until.Sub(w.vault.peekNow()).Round(time.Hour) != oldKeyLife || held.URL.Reveal() != url {
		t.Errorf("%+v", held)
	}
}

func TestWhatASinkCannotBe(t *testing.T) {
	const url = "https://hooks.example/CANARY"
	for name, c := range map[string]struct {
		in     StoreSinkInput
		fields []string
		want   string
	}{
		"the name is taken":    {StoreSinkInput{Name: "ops", Kind: connection.SinkWebhook}, []string{"url", url, "key", hookKey}, connection.ErrSinkTaken},
		"nothing to rotate":    {StoreSinkInput{Name: "new", Kind: connection.SinkWebhook, Rotate: true}, []string{"key", hookKey}, connection.ErrSinkNotFound},
		"no URL":               {StoreSinkInput{Name: "new", Kind: connection.SinkSlack}, []string{"key", hookKey}, connection.ErrInvalidInput},
		"another scheme":       {StoreSinkInput{Name: "new", Kind: connection.SinkSlack}, []string{"url", "file:///CANARY"}, connection.ErrInvalidInput},
		"no host":              {StoreSinkInput{Name: "new", Kind: connection.SinkSlack}, []string{"url", "https://:80/CANARY"}, connection.ErrInvalidInput},
		"a webhook, no key":    {StoreSinkInput{Name: "new", Kind: connection.SinkWebhook}, []string{"url", url}, connection.ErrInvalidInput},
		"a short key":          {StoreSinkInput{Name: "new", Kind: connection.SinkWebhook}, []string{"url", url, "key", "whsec_Q0FOQVJZ"}, connection.ErrInvalidInput},
		"a key without prefix": {StoreSinkInput{Name: "new", Kind: connection.SinkWebhook}, []string{"url", url, "key", strings.TrimPrefix(hookKey, "whsec_")}, connection.ErrInvalidInput},
		"another kind":         {StoreSinkInput{Name: "new", Kind: "mail"}, []string{"url", url}, connection.ErrInvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := webhook(t, status(200))
			c.in.Inbox = w.vault.leave(c.fields...)
			_, err := w.process().StoreSink(context.Background(), c.in)
			demand(t, err, c.want)
			secretFree(t, err.Error())
			if len(w.vault.inbox) != 0 || w.vault.sinks["ops"].version != 1 || len(w.vault.sinks) != 1 {
				t.Errorf("left behind: %v", w.vault.sinks)
			}
		})
	}
	w, _ := webhook(t, status(200))
	_, err := w.process().StoreSink(context.Background(), StoreSinkInput{Name: "new", Kind: connection.SinkSlack, Inbox: "collected"})
	demand(t, err, connection.ErrInvalidInput)
}
