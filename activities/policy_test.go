package activities

import (
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
)

// On demand nothing is asked of the app, and a token that has expired is no trouble
// as long as it can be renewed.
func TestOnDemandAsksNothing(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	in.Policy.Idle = connection.OnDemand
	probes := w.provider.probes
	news, looks := w.watch(a, in, 72*time.Hour)
	if len(news) != 0 || len(w.provider.ledger()) != 0 || w.provider.probes != probes || looks > 4 {
		t.Fatalf("%d looks, news %+v, %d refreshes, %d probes", looks, news, len(w.provider.ledger()), w.provider.probes-probes)
	}
	if _, err := w.call(t, a, CallActionInput{Action: "whoami"}); err != nil || len(w.provider.ledger()) != 1 {
		t.Fatalf("on use: %d refreshes, %v", len(w.provider.ledger()), err)
	}
}

// A refresh token that the app would forget is presented in time, and that is all.
func TestOnDemandKeepsWhatWouldBeForgotten(t *testing.T) {
	w := newWorld(t, "strict")
	w.custom("rotation: strict", "rotation: strict\n        idle: 40h")
	a := w.process()
	in := w.watching(a)
	in.Policy.Idle = connection.OnDemand
	probes := w.provider.probes
	if news, _ := w.watch(a, in, 125*time.Hour); len(news) != 0 {
		t.Fatalf("news %+v", news)
	}
	if got := len(w.provider.ledger()); got != 4 || w.provider.probes != probes { // every thirty hours
		t.Errorf("%d refreshes and %d probes in 125 hours", got, w.provider.probes-probes)
	}
}

// What is in Error is looked at on demand too, so that it heals.
func TestOnDemandHeals(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	in.Policy.Idle = connection.OnDemand
	in.Reported.Status, in.Reported.Verdict = connection.Error, connection.Transient
	w.provider.set(func() { w.provider.probe = http.StatusInternalServerError })
	if news, looks := w.watch(a, in, time.Hour); len(news) != 0 || looks < 10 {
		t.Fatalf("%d looks, news %+v", looks, news)
	}
	w.provider.set(func() { w.provider.probe = 0 })
	if news, _ := w.watch(a, in, time.Second); len(news) != 1 || news[0].Status != connection.Active {
		t.Fatalf("not healed: %+v", news)
	}
}

// What works all the time need not be asked whether it does.
func TestABusyConnectionIsNotProbed(t *testing.T) {
	for used, least := range map[bool]int{true: 0, false: 5} {
		w := newWorld(t, "strict")
		a := w.process()
		in := w.watching(a)
		in.Policy.ProbeEvery = 10 * time.Minute
		probes, env := w.provider.probes, activityEnvironment(t, a)
		for range 100 {
			a.reader.drop(w.ref)
			if used {
				if _, err := called(env, CallActionInput{Action: "delete-contact", Arguments: []byte(`{"id":"1"}`)}); err != nil {
					t.Fatal(err)
				}
			}
			w.watchAtMost(a, in, 36*time.Second)
		}
		if got := w.provider.probes - probes; got < least || used && got > 0 {
			t.Errorf("used %v: %d probes in an hour", used, got)
		}
	}
}

// watchAtMost looks as often as is due within the period, and no longer than it.
func (w *world) watchAtMost(a *Activities, in *WatchInput, period time.Duration) {
	w.t.Helper()
	look, _, err := a.look(w.t.Context(), *in)
	if err != nil {
		w.t.Fatal(err)
	}
	if look.news(in.Reported) {
		in.Reported = look
	}
	w.vault.advance(period)
}

// The probe interval is the policy's, then the method's.
func TestThePaceOfAMethod(t *testing.T) {
	w := newWorld(t, "strict")
	app, err := w.catalogue.App("sandbox")
	if err != nil {
		t.Fatal(err)
	}
	method, err := app.Method("api-key-body")
	if err != nil {
		t.Fatal(err)
	}
	x := access{app: app, method: method}
	if got := paceOf(WatchInput{}, x).probeEvery; got != time.Minute {
		t.Errorf("the method's own: %s", got)
	}
	in := WatchInput{Policy: connection.Policy{ProbeEvery: time.Hour}}
	if got := paceOf(in, x).probeEvery; got != time.Hour {
		t.Errorf("the policy's: %s", got)
	}
}
