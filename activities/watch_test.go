package activities

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// watch looks again and again for a simulated while, as Temporal would: it reports
// what is news and waits as long as it is told. It answers the looks that were news.
func (w *world) watch(a *Activities, in *WatchInput, period time.Duration) (news []Look, looks int) {
	w.t.Helper()
	for period > 0 {
		clear(a.spender.cooling)
		look, wait, err := a.look(context.Background(), *in)
		if err != nil {
			w.t.Fatal(err)
		}
		looks++
		if look.news(in.Reported) {
			news, in.Reported = append(news, look), look
		}
		w.vault.advance(wait)
		period -= wait
	}
	return news, looks
}

func (w *world) watching(a *Activities) *WatchInput {
	in := &WatchInput{Connection: testID}
	w.vault.advance(2 * time.Minute) // the first probe is due
	if news, _ := w.watch(a, in, time.Second); len(news) != 1 || news[0].Status != connection.Active {
		w.t.Fatalf("at first: %+v", news)
	}
	return in
}

// Every token request and every probe answers 500, for three days.
func TestAnOutageNeverExpires(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	down := func(status int, how fault) {
		w.provider.set(func() { w.provider.always, w.provider.probe, w.provider.api = how, status, status })
	}
	down(http.StatusInternalServerError, broken)
	if news, _ := w.watch(a, in, 29*time.Minute); len(news) != 0 {
		t.Fatalf("news within half an hour: %+v", news)
	}
	news, looks := w.watch(a, in, 72*time.Hour)
	if len(news) != 1 || news[0].Status != connection.Error || news[0].Verdict != connection.Transient {
		t.Fatalf("news of three days: %+v", news)
	}
	if looks > 1000 {
		t.Errorf("%d looks in 72 hours", looks)
	}
	down(0, served)
	if news, _ := w.watch(a, in, time.Minute); len(news) != 1 || news[0].Status != connection.Active {
		t.Fatalf("news of the recovery: %+v", news)
	}
	if len(w.told.signals()) != 0 || !w.vault.peek(w.ref).Facts.FailingSince.IsZero() {
		t.Error("an outage left its mark")
	}
}

// Two short outages that something worked between are no long one.
func TestUnbrokenMeansUnbroken(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	w.provider.set(func() { w.provider.probe = http.StatusInternalServerError })
	w.vault.advance(2 * time.Minute)
	if news, _ := w.watch(a, in, time.Second); len(news) != 0 || w.vault.peek(w.ref).Facts.FailingSince.IsZero() {
		t.Fatalf("news %+v, or the failure was not noted", news)
	}
	w.vault.advance(time.Minute)
	if err := w.vault.Note(context.Background(), w.ref, map[connection.Fact]time.Time{connection.FactLastOK: w.vault.peekNow()}); err != nil {
		t.Fatal(err) // an action that worked
	}
	w.vault.advance(35 * time.Minute)
	if news, _ := w.watch(a, in, time.Second); len(news) != 0 {
		t.Fatalf("called broken at once: %+v", news)
	}
}

// What was called broken is healed by a probe that passes, not by one that is not due.
func TestOnlyAProbeHeals(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	in.Reported.Status, in.Reported.Verdict = connection.Error, connection.Transient
	w.provider.set(func() { w.provider.probe = http.StatusInternalServerError })
	if news, _ := w.watch(a, in, time.Second); len(news) != 0 {
		t.Fatalf("healed by nothing: %+v", news)
	}
	w.provider.set(func() { w.provider.probe = 0 })
	if news, _ := w.watch(a, in, time.Second); len(news) != 1 || news[0].Status != connection.Active {
		t.Fatalf("not healed: %+v", news)
	}
}

func TestLooksThatAreNews(t *testing.T) {
	key := connection.Document{Grant: "first", Generation: 1, Credential: connection.Credential{Method: "api-key",
		Fields: map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}}}
	tests := map[string]struct {
		change  func(*world)
		status  connection.Status
		verdict connection.Verdict
		signals int
	}{
		"the document vanished": {func(w *world) { _ = w.vault.Destroy(context.Background(), w.ref) }, connection.Expired, connection.Revoked, 0},
		"a mark": {func(w *world) {
			w.vault.change(w.t, w.ref, func(d *connection.Document) { d.Rejected = &connection.Rejection{Generation: 1, Reason: "gone"} })
		}, connection.Expired, connection.Revoked, 0},
		"invalid_grant": {func(w *world) { w.vault.advance(58 * time.Minute); w.provider.always = refused }, connection.Expired, connection.Revoked, 1},
		"invalid_client": {func(w *world) { w.vault.advance(58 * time.Minute); w.provider.always = badClient },
			connection.Error, connection.ClientMisconfigured, 0},
		"access ended that nothing renews": {func(w *world) {
			w.vault.change(w.t, w.ref, func(d *connection.Document) {
				token := d.Credential.Default()
				token.Refresh, token.ExpiresAt = connection.Secret{}, w.vault.now()
				d.Credential.Tokens[connection.DefaultToken] = token
			})
		}, connection.Expired, connection.Revoked, 1},
		"a key is refused": {func(w *world) {
			key.Credential.Values = map[string]string{"base_url": w.provider.URL}
			w.put(key)
			w.vault.advance(2 * time.Minute)
			w.provider.probe = http.StatusUnauthorized
		}, connection.Expired, connection.Revoked, 1},
		"a scope is gone": {func(w *world) {
			w.vault.change(w.t, w.ref, func(d *connection.Document) {
				token := d.Credential.Default()
				token.Scopes = []string{"contacts.read"}
				d.Credential.Tokens[connection.DefaultToken] = token
			})
		}, connection.Error, connection.ScopeLost, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			a := w.process()
			in := w.watching(a)
			in.Reported.Scopes = []string{"contacts.read", "contacts.write"}
			test.change(w)
			news, _ := w.watch(a, in, time.Second)
			if len(news) != 1 || news[0].Status != test.status || news[0].Verdict != test.verdict {
				t.Fatalf("news %+v, want %s", news, test.status)
			}
			if strings.Contains(news[0].Reason, testID.String()) {
				t.Errorf("the reason repeats the status: %q", news[0].Reason)
			}
			if got := w.told.signals(); len(got) != test.signals {
				t.Errorf("signals %q, want %d", got, test.signals)
			}
		})
	}
}

// A reconnect lands between the look's read and its last word.
func TestAReconnectDuringALookIsNotAnEmptyLook(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	w.vault.change(t, w.ref, func(d *connection.Document) {
		token := d.Credential.Default()
		token.Refresh, token.ExpiresAt = connection.Secret{}, w.vault.now()
		d.Credential.Tokens[connection.DefaultToken] = token
	})
	reads := 0
	w.vault.faults(func() error {
		if reads++; reads == 2 {
			w.adopt("second")
		}
		return nil
	}, nil, nil)
	look, _, err := a.look(context.Background(), *in)
	if err != nil || look.Status != connection.Active || look.Grant != "second" {
		t.Fatalf("%+v, %v", look, err)
	}
}

func TestVaultsTroubleSaysNothingOfTheConnection(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	w.vault.faults(func() error { return errAway }, nil, nil)
	_, _, err := a.look(context.Background(), *in)
	demand(t, err, connection.ErrVaultUnavailable)
	if len(w.told.signals()) != 0 {
		t.Error("a connection was called dead")
	}
}

func TestTheWatchRefreshesInTime(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	if news, _ := w.watch(a, in, 24*time.Hour); len(news) != 0 {
		t.Fatalf("a healthy day made news: %+v", news)
	}
	got := len(w.provider.ledger())
	if got < 24 || got > 28 { // an hour's life, less 5 to 7.5 minutes
		t.Errorf("%d refreshes in a day, want about 26", got)
	}
}

// A token nobody uses is renewed before the provider forgets it.
func TestIdleRefresh(t *testing.T) {
	w := newWorld(t, "strict")
	w.custom("rotation: strict", "rotation: strict\n        idle: 40m")
	a := w.process()
	in := w.watching(a)
	w.watch(a, in, 35*time.Minute)
	if got := len(w.provider.ledger()); got != 1 {
		t.Errorf("%d refreshes after 35 minutes, want 1", got)
	}
}

func TestAnUntestableAppIsNotLookedAtEverySecond(t *testing.T) {
	w := newWorld(t, "strict")
	w.define(`id: sandbox
name: Sandbox
summary: A practice app without anything to test with.
categories: [development]
base_url: "{+base_url}/api/v1"
inputs:
  - {name: base_url, title: Address, format: url, secret: false}
auth:
  - id: api-key
    kind: api-key
    title: API key in a header
    untestable: there is nothing to ask
    inputs:
      - {name: api_key, title: API key, secret: true}
    place:
      - {in: header, name: X-API-Key, value: "{api_key}"}
actions:
  - id: whoami
    title: Who am I
    description: Tells whose account it is.
    status: documented
    read_only: true
    request: {method: GET, path: /me}
`)
	a := w.process()
	w.put(connection.Document{Grant: "first", Generation: 1, Credential: connection.Credential{Method: "api-key",
		Values: map[string]string{"base_url": w.provider.URL},
		Fields: map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}}})
	w.vault.advance(time.Hour)
	in := &WatchInput{Connection: testID}
	if _, looks := w.watch(a, in, 48*time.Hour); looks > 5 || w.provider.probes != 0 {
		t.Errorf("%d looks and %d probes in two days", looks, w.provider.probes)
	}
}

func TestWatchConnectionEndsOnlyWithNews(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	env := activityEnvironment(t, a)
	in := WatchInput{Connection: testID}
	value, err := env.ExecuteActivity("WatchConnection", in)
	if err != nil {
		t.Fatal(err)
	}
	var look Look
	if err := value.Get(&look); err != nil || look.Status != connection.Active {
		t.Fatalf("%+v, %v", look, err)
	}
	in.Reported = look
	_, err = env.ExecuteActivity("WatchConnection", in)
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Type != connection.ErrLookAgain || !problem.Retryable || problem.RetryAfter < 50*time.Second {
		t.Fatalf("without news: %+v (%v)", problem, err)
	}
	w.vault.faults(func() error { return errors.New("secret-text of a library") }, nil, nil)
	_, err = env.ExecuteActivity("WatchConnection", in)
	demand(t, err, connection.ErrLookAgain)
}

// Whoever else was told that the app refuses the client: a connection that lives by it
// says so while its access is still good, and heals when the mark is gone.
func TestAMarkedClientIsSeenBeforeTheAccessEnds(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	mark := func(mark *connection.ClientMark) {
		entry := w.vault.configs["sandbox/"+testConfig]
		entry.config.Mark = mark
		w.vault.configs["sandbox/"+testConfig] = entry
	}
	mark(&connection.ClientMark{Code: "invalid_client", At: w.vault.peekNow(), Told: true})
	a.spender.registrations.drop("sandbox", testConfig)
	asked := len(w.provider.ledger())
	if news, _ := w.watch(a, in, time.Second); len(news) != 1 || news[0].Status != connection.Error || news[0].Verdict != connection.ClientMisconfigured {
		t.Fatalf("%+v", news)
	}
	if n := len(w.provider.ledger()) - asked; n != 0 {
		t.Errorf("the token endpoint was asked %d times", n)
	}
	mark(nil)
	if news, _ := w.watch(a, in, time.Second); len(news) != 1 || news[0].Status != connection.Active {
		t.Fatalf("not healed: %+v", news)
	}
}
