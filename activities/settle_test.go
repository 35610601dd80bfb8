package activities

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestVaultsFaultsLoseNothing(t *testing.T) {
	// times lets a fault happen n times.
	times := func(n int, err error) func() error {
		return func() error {
			if n--; n >= 0 {
				return err
			}
			return nil
		}
	}
	on := func(when func(connection.Document) bool, f func() error) func(connection.Document) error {
		return func(d connection.Document) error {
			if when(d) {
				return f()
			}
			return nil
		}
	}
	intent := func(d connection.Document) bool { return d.Intent != nil && d.Intent.Budget > 0 }
	fresh := func(d connection.Document) bool { return d.Generation == 2 }
	tests := map[string]struct {
		read          func() error
		before, after func(connection.Document) error
		first         string // the type of the first error
		requests      int
	}{
		"sealed":                         {times(1, errAway), nil, nil, connection.ErrVaultUnavailable, 0},
		"intent refused":                 {nil, on(intent, times(1, errAway)), nil, connection.ErrVaultUnavailable, 0},
		"intent stored, answer lost":     {nil, nil, on(intent, times(1, errLost)), "", 1},
		"answer refused three times":     {nil, on(fresh, times(3, errAway)), nil, "", 1},
		"answer stored, its answer lost": {nil, nil, on(fresh, times(1, errLost)), "", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			a := w.process()
			w.vault.faults(test.read, test.before, test.after)
			_, err := w.renew(a)
			demand(t, err, test.first)
			if got := len(w.provider.ledger()); got != test.requests {
				t.Fatalf("%d requests, want %d", got, test.requests)
			}
			stored, err := w.renew(a)
			if err != nil || stored.Generation != 2 {
				t.Fatalf("afterwards: generation %d, %v", stored.Generation, err)
			}
			if len(w.provider.ledger()) != 1 || len(w.told.signals())+len(w.provider.revoked) != 0 {
				t.Errorf("requests %q, signals %q, revoked %q", w.provider.ledger(), w.told.signals(), w.provider.revoked)
			}
		})
	}
}

// The intent was stored, its answer was lost, and Vault could not be asked either:
// nothing was presented, so it counts for nothing and holds up nobody here.
func TestAnIntentThatNothingFollowed(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	for range 3 {
		away := false
		w.vault.faults(
			func() error {
				if away {
					return errAway
				}
				return nil
			}, nil,
			func(connection.Document) error { away = true; return errLost })
		_, err := w.renew(a)
		demand(t, err, connection.ErrVaultUnavailable)
	}
	w.vault.faults(nil, nil, nil)
	stored, err := w.renew(a)
	if err != nil || stored.Generation != 2 || len(w.provider.ledger()) != 1 {
		t.Fatalf("generation %d after %d requests: %v", stored.Generation, len(w.provider.ledger()), err)
	}
}

func TestSomebodyElseWroteMeanwhile(t *testing.T) {
	tests := map[string]struct {
		meanwhile  func(*testing.T, *world)
		want       string // error
		grant      string
		generation int
		revoked    int
	}{
		"a gate": {func(t *testing.T, w *world) {
			w.vault.change(t, w.ref, func(d *connection.Document) { d.Gate.Status = connection.Paused })
		}, "", "first", 2, 0},
		"a mark and another's intent": {func(t *testing.T, w *world) {
			w.vault.change(t, w.ref, func(d *connection.Document) {
				d.Rejected = &connection.Rejection{Generation: 1, Verdict: connection.Revoked}
				d.Intent = &connection.Intent{Attempt: "other", Budget: budget}
			})
		}, "", "first", 2, 0},
		"a later generation of the grant": {func(t *testing.T, w *world) {
			w.vault.change(t, w.ref, func(d *connection.Document) { d.Generation, d.RefreshedBy, d.Intent = 3, "other", nil })
		}, "", "first", 3, 0},
		"another grant": {func(_ *testing.T, w *world) { w.adopt("second") }, "", "second", 1, 1},
		"nothing is left": {func(_ *testing.T, w *world) { _ = w.vault.Destroy(context.Background(), w.ref) },
			connection.ErrConnectionNotFound, "", 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			var once sync.Once
			w.vault.faults(nil, func(d connection.Document) error {
				if d.Generation == 2 {
					once.Do(func() { test.meanwhile(t, w) })
				}
				return nil
			}, nil)
			stored, err := w.renew(w.process())
			demand(t, err, test.want)
			if stored.Grant != test.grant || stored.Generation != test.generation {
				t.Errorf("answered %s#%d", stored.Grant, stored.Generation)
			}
			now := w.vault.peek(w.ref)
			if now.Grant != test.grant || now.Generation != test.generation || now.Rejected != nil || now.Intent != nil {
				t.Errorf("stored %s#%d, rejected %v, intent %v", now.Grant, now.Generation, now.Rejected, now.Intent)
			}
			if name == "a gate" && (now.Gate.Status != connection.Paused || len(now.Gate.Toolkits) == 0) {
				t.Errorf("gate %+v was not preserved", now.Gate)
			}
			if got := w.provider.revoked; len(got) != test.revoked || test.revoked == 1 && got[0] != w.provider.current["first"] {
				t.Errorf("revoked %q", got)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Run("invalid_grant is told once and asked once", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.provider.always = refused
		for range 3 {
			_, err := w.renew(w.process())
			demand(t, err, connection.ErrReconnectRequired)
		}
		got := w.told.signals()
		if len(got) != 1 || strings.Contains(got[0], outcomeUnknown) || len(w.provider.ledger()) != 1 {
			t.Fatalf("signals %q, %d requests", got, len(w.provider.ledger()))
		}
		if now := w.vault.peek(w.ref); !rejected(now) || now.Intent != nil {
			t.Errorf("rejected %v, intent %v", now.Rejected, now.Intent)
		}
	})
	t.Run("refused, but somebody has a newer one", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.provider.always = refused
		a := w.process()
		a.Provider = &http.Client{Transport: meanwhile{a.Provider.Transport, func() {
			w.vault.change(t, w.ref, func(d *connection.Document) { d.Generation = 2 })
		}}}
		stored, err := w.renew(a)
		if err != nil || stored.Generation != 2 || len(w.told.signals()) != 0 {
			t.Fatalf("generation %d, %v, signals %q", stored.Generation, err, w.told.signals())
		}
	})
	t.Run("refused after an answer that was not seen", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.provider.script = []fault{doneThenDrop}
		a := w.process()
		_, err := w.renew(a)
		demand(t, err, connection.ErrProviderUnavailable)
		if len(w.told.signals()) != 0 {
			t.Fatal("rejected for a dropped connection")
		}
		_, err = w.renew(a)
		demand(t, err, connection.ErrReconnectRequired)
		if got := w.told.signals(); len(got) != 1 || !strings.Contains(got[0], outcomeUnknown) || len(w.provider.ledger()) != 2 {
			t.Errorf("signals %q, %d requests", got, len(w.provider.ledger()))
		}
	})
	t.Run("the mark is stored and its answer lost", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.provider.always = refused
		w.vault.faults(nil, nil, func(d connection.Document) error {
			if d.Rejected != nil {
				return errLost
			}
			return nil
		})
		_, err := w.renew(w.process())
		demand(t, err, connection.ErrReconnectRequired)
		if got := w.told.signals(); len(got) != 1 {
			t.Errorf("signals %q, want one", got)
		}
	})
	t.Run("nothing to renew with", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.vault.change(t, w.ref, func(d *connection.Document) {
			d.Credential = connection.Credential{Method: "api-key", Fields: map[string]connection.Secret{"api_key": connection.NewSecret("k")}}
		})
		_, err := w.renew(w.process())
		demand(t, err, connection.ErrReconnectRequired)
		if len(w.told.signals()) != 1 || len(w.provider.ledger()) != 0 {
			t.Errorf("signals %q", w.told.signals())
		}
	})
}

// meanwhile does something between a request's answer and its reader.
type meanwhile struct {
	next http.RoundTripper
	do   func()
}

func (m meanwhile) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.next.RoundTrip(r)
	m.do()
	return response, err
}

// Whoever would reject a generation waits for one who is asking for the next.
func TestARejectionWaitsForARefreshUnderWay(t *testing.T) {
	w := newWorld(t, "strict")
	w.vault.change(t, w.ref, func(d *connection.Document) {
		d.Intent = &connection.Intent{Attempt: "other", Budget: budget, Presentations: 1}
	})
	done := make(chan error)
	go func() {
		_, err := w.process().spender.reject(context.Background(), w.ref, "", "401")
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	w.vault.change(t, w.ref, func(d *connection.Document) { d.Generation, d.Intent = 2, nil })
	if err := <-done; err != nil || len(w.told.signals()) != 0 {
		t.Fatalf("%v, signals %q", err, w.told.signals())
	}
}

func TestARefusedClientIsMarkedOnce(t *testing.T) {
	for name, fault := range map[string]func() error{"": nil, "mark's answer lost": func() error { return errLost }} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.provider.always, w.vault.afterConfig = badClient, fault
			for range 5 {
				_, err := w.renew(w.process())
				demand(t, err, connection.ErrClientMisconfigured)
			}
			if len(w.told.clients) != 1 || len(w.provider.ledger()) != 1 || len(w.told.signals()) != 0 {
				t.Fatalf("told %q, %d requests, signals %q", w.told.clients, len(w.provider.ledger()), w.told.signals())
			}
			held, version, err := configStore{w.vault}.Read(context.Background(), "sandbox", testConfig)
			if err != nil || held.Mark == nil || held.Mark.At.IsZero() {
				t.Fatalf("mark %+v, %v", held.Mark, err)
			}
			a := w.process()
			_, err = w.renew(a) // it remembers the mark
			demand(t, err, connection.ErrClientMisconfigured)
			w.provider.set(func() { w.provider.always = served })
			w.vault.afterConfig, held.Mark = nil, nil
			if err := (configStore{w.vault}).Write(context.Background(), "sandbox", testConfig, held, version); err != nil {
				t.Fatal(err)
			}
			if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
				t.Fatalf("after the rotation: %v", err)
			}
		})
	}
}

// The AuthConfig's alert is the only one of a refused client. A worker that dies after
// it wrote the mark, or finds Temporal away, must not be the end of it.
func TestARefusedClientIsToldOfUntilItIsHeard(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.always, w.told.mute = badClient, true
	_, err := w.renew(w.process())
	demand(t, err, connection.ErrClientMisconfigured)
	meet := func(after time.Duration, want int) {
		t.Helper()
		w.vault.advance(after)
		_, err := w.renew(w.process())
		demand(t, err, connection.ErrClientMisconfigured)
		if len(w.told.clients) != want || len(w.provider.ledger()) != 1 {
			t.Fatalf("told %q, %d requests", w.told.clients, len(w.provider.ledger()))
		}
	}
	meet(time.Hour, 0)
	w.told.mute = false
	meet(0, 1)
	meet(time.Hour, 1) // once it has been heard nobody repeats it
	if mark := w.config(testConfig).Mark; mark == nil || !mark.Told {
		t.Fatalf("mark %+v", mark)
	}
}

// A process that has written a rejection and dies before it told leaves a connection
// that is dead and looks alive. Whoever meets it next tells, and nobody tells twice.
func TestARejectionIsToldByWhoeverLives(t *testing.T) {
	renew := func(w *world, a *Activities) error { _, err := w.renew(a); return err }
	act := func(w *world, a *Activities) error { return w.act(a) }
	meets := map[string]func(*world, *Activities) error{"a refresh": renew, "an action": act,
		"another who would reject": func(w *world, a *Activities) error {
			_, err := a.spender.reject(context.Background(), w.ref, "", "401")
			return err
		}}
	for name, meet := range meets {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.provider.always = refused
			w.crash(w.process(), nil, nil, func(d connection.Document) error {
				if d.Rejected != nil {
					return die()
				}
				return nil
			})
			if now := w.vault.peek(w.ref); !rejected(now) || len(w.told.signals()) != 0 {
				t.Fatalf("rejected %v, signals %q: want one that was not told", now.Rejected, w.told.signals())
			}
			next := w.process()
			w.told.mute = true
			demand(t, meet(w, next), connection.ErrReconnectRequired)
			w.told.mute, w.told.answer = false, nil
			for range 3 { // the Connection has not come to it yet
				demand(t, meet(w, next), connection.ErrReconnectRequired)
			}
			if got := w.told.signals(); len(got) != 1 {
				t.Fatalf("signals %q, want one", got)
			}
			w.expire(w.ref)
			demand(t, meet(w, w.process()), connection.ErrReconnectRequired)
			if got := w.told.signals(); len(got) != 1 || len(w.provider.ledger()) != 1 {
				t.Fatalf("signals %q, %d requests, want one of each", got, len(w.provider.ledger()))
			}
		})
	}
}
