package activities

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestManyRenewAtOnceOneRequestGoesOut(t *testing.T) {
	for name, processes := range map[string]int{"one process": 1, "two processes": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			var all []*Activities
			for range processes {
				all = append(all, w.process())
			}
			var group sync.WaitGroup
			errs := make(chan error, 500)
			for i := range 500 {
				group.Go(func() {
					stored, err := all[i%processes].spender.Renew(context.Background(), w.ref, "401")
					if err == nil && stored.Generation != 2 {
						err = errors.New("not the new generation")
					}
					errs <- err
				})
			}
			group.Wait()
			close(errs)
			for err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := w.provider.ledger(); len(got) != 1 {
				t.Fatalf("%d token requests, want 1", len(got))
			}
		})
	}
}

// A process dies at one step; another comes after it.
func TestDeathAtEachStep(t *testing.T) {
	type step struct {
		name          string
		answered      *bool // the network dies with the process, before or after the provider answered
		before, after func(connection.Document) error
		announced     bool // somebody must wait for the budget
	}
	yes, no := true, false
	intent := func(d connection.Document) error {
		if d.Intent != nil {
			return die()
		}
		return nil
	}
	answer := func(d connection.Document) error {
		if d.Generation == 2 {
			return die()
		}
		return nil
	}
	steps := []step{
		{name: "before the intent", before: intent},
		{name: "after the intent", after: intent, announced: true},
		{name: "at the request", answered: &no, announced: true},
		{name: "after the provider's answer", answered: &yes, announced: true},
		{name: "before the write", before: answer, announced: true},
		{name: "after the write", after: answer},
	}
	for _, rotation := range []string{"none", "strict", "grace", "omitted"} {
		for _, step := range steps {
			t.Run(rotation+"/"+step.name, func(t *testing.T) {
				w := newWorld(t, rotation)
				a := w.process()
				var network http.RoundTripper
				if step.answered != nil {
					network = dying{a.Provider.Transport, *step.answered}
				}
				w.crash(a, network, step.before, step.after)
				before := len(w.provider.ledger())

				b := w.process()
				if step.announced {
					impatient, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
					defer cancel()
					if _, err := w.process().spender.Renew(impatient, w.ref, "401"); !errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("within the budget: %v, want to wait", err)
					}
					if len(w.provider.ledger()) != before {
						t.Fatal("presented within another's budget")
					}
					w.vault.advance(budget + time.Second)
				}
				stored, err := w.renew(b)
				spent := before == 1 && w.vault.peek(w.ref).Generation == 1
				if rotation == "strict" && spent { // the new pair died with the process
					demand(t, err, connection.ErrReconnectRequired)
					if reason := reasonOf(err); !strings.Contains(reason, outcomeUnknown) {
						t.Errorf("reason %q", reason)
					}
					if got := w.told.signals(); len(got) != 1 {
						t.Errorf("signals %q, want one", got)
					}
				} else {
					if err != nil {
						t.Fatal(err)
					}
					if stored.Generation != 2 || stored.Intent != nil || w.vault.peek(w.ref).Generation != 2 {
						t.Errorf("generation %d with intent %v, want a clean 2", stored.Generation, stored.Intent)
					}
					if kept := w.vault.peek(w.ref).Credential.Default(); kept.Refresh.Reveal() != w.provider.current["first"] && rotation != "grace" {
						t.Error("what is kept is not the current refresh token")
					}
					if len(w.told.signals()) != 0 {
						t.Error("a live connection was called dead")
					}
				}
				ledger := w.provider.ledger()
				if len(ledger) > 2 || len(slices.Compact(slices.Clone(ledger))) != 1 {
					t.Errorf("presented %q, want one token at most twice", ledger)
				}
				if len(w.provider.revoked) != 0 {
					t.Error("revoked without need")
				}
			})
		}
	}
}

func TestDeathAfterDeath(t *testing.T) {
	tests := map[string]struct {
		declared []string
		deaths   int
		requests int // with those that died
		dead     bool
	}{
		"strict, one":  {nil, 1, 2, false},
		"strict, two":  {nil, 2, 2, true},
		"none, five":   {[]string{"rotation: strict", "rotation: none"}, 5, 6, false},
		"never replay": {[]string{"rotation: strict", "rotation: strict\n        replay: never"}, 1, 1, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "none")
			w.custom(test.declared...)
			for range test.deaths {
				a := w.process()
				w.crash(a, dying{a.Provider.Transport, true}, nil, nil)
				w.vault.advance(budget + time.Second)
			}
			_, err := w.renew(w.process())
			if test.dead {
				demand(t, err, connection.ErrReconnectRequired)
				if got := w.told.signals(); len(got) != 1 || !strings.Contains(got[0], outcomeUnknown) {
					t.Errorf("signals %q", got)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := len(w.provider.ledger()); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
		})
	}
}

func TestANewerCredentialCostsNoCall(t *testing.T) {
	for name, change := range map[string]func(*connection.Document){
		"generation": func(d *connection.Document) { d.Generation = 5 },
		"grant":      func(d *connection.Document) { d.Grant = "second" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.vault.change(t, w.ref, change)
			if _, err := w.renew(w.process()); err != nil || len(w.provider.ledger()) != 0 {
				t.Fatalf("%d requests, %v", len(w.provider.ledger()), err)
			}
		})
	}
}

func TestTroubleNeverRejects(t *testing.T) {
	tests := map[fault]struct {
		times int
		want  string
	}{
		broken:      {1000, connection.ErrProviderUnavailable},
		unavailable: {100, connection.ErrProviderUnavailable},
		limited:     {100, connection.ErrRateLimited},
		slow:        {5, connection.ErrProviderUnavailable},
	}
	for how, test := range tests {
		t.Run(string(how), func(t *testing.T) {
			w := newWorld(t, "strict")
			w.provider.always = how
			a := w.process()
			if how == slow {
				a.Provider.Timeout = 20 * time.Millisecond
			}
			for range test.times {
				_, err := w.renew(a)
				demand(t, err, test.want)
			}
			w.provider.set(func() { w.provider.always = served })
			a.Provider.Timeout = 10 * time.Second
			stored, err := w.renew(a)
			if err != nil || stored.Generation != 2 || len(w.told.signals()) != 0 {
				t.Fatalf("did not heal: generation %d, %v, signals %q", stored.Generation, err, w.told.signals())
			}
		})
	}
}

// Answers that are trouble are no deaths, even where Vault does not take the note of them.
func TestTroubleAtBothEndsIsNoDeath(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.always = unavailable
	w.vault.faults(nil, func(d connection.Document) error {
		if d.Intent != nil && d.Intent.Budget == 0 {
			return errAway
		}
		return nil
	}, nil)
	a := w.process()
	for range 4 {
		_, err := w.renew(a)
		demand(t, err, connection.ErrProviderUnavailable)
	}
	w.provider.set(func() { w.provider.always = served })
	if _, err := w.renew(a); err != nil {
		t.Fatal(err)
	}
}

func TestTroubleBeforeADeathIsNoDeath(t *testing.T) {
	w := newWorld(t, "none") // by its server; the definition says strict
	w.provider.script = []fault{unavailable, limited, broken}
	a := w.process()
	for range 3 {
		_, _ = w.renew(a)
	}
	w.crash(a, dying{a.Provider.Transport, true}, nil, nil)
	w.vault.advance(budget + time.Second)
	if _, err := w.renew(w.process()); err != nil {
		t.Fatal(err)
	}
}

func TestCoolDownSparesAFailingEndpoint(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.always = unavailable
	a := w.process()
	for range 50 {
		_, err := a.spender.Renew(context.Background(), w.ref, "401")
		demand(t, err, connection.ErrProviderUnavailable)
	}
	if got := len(w.provider.ledger()); got != 1 {
		t.Fatalf("%d requests while cooling, want 1", got)
	}
	w.provider.always = limited
	_, err := w.renew(a)
	demand(t, err, connection.ErrRateLimited)
	a.spender.mu.Lock()
	defer a.spender.mu.Unlock()
	for _, held := range a.spender.cooling {
		if left := time.Until(held.until); left < 6*time.Second || left > 7*time.Second {
			t.Errorf("cools for %s, the provider said 7 s", left)
		}
	}
}

func TestAbandonedCallersDoNotLoseTheAnswer(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	ctx, cancel := context.WithCancel(context.Background())
	a.Provider = &http.Client{Transport: meanwhile{a.Provider.Transport, cancel}}
	if _, err := a.spender.Renew(ctx, w.ref, "401"); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	patience, enough := context.WithTimeout(context.Background(), 5*time.Second)
	defer enough()
	a.Drain(patience)
	if got := w.vault.peek(w.ref); got.Generation != 2 || got.Intent != nil {
		t.Fatalf("stored generation %d, intent %v", got.Generation, got.Intent)
	}
}

func TestClientCredentialsAreRenewedByGrant(t *testing.T) {
	w := newWorld(t, "none")
	w.vault.change(t, w.ref, func(d *connection.Document) {
		d.Credential.Method = "client-credentials"
		d.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("old")}}
	})
	for range 3 { // deaths cost nothing: nothing is spent
		a := w.process()
		w.crash(a, dying{a.Provider.Transport, true}, nil, nil)
		w.vault.advance(budget + time.Second)
	}
	stored, err := w.renew(w.process())
	if err != nil || stored.Generation != 2 || !strings.HasPrefix(stored.Credential.Default().Access.Reveal(), "at-machine") {
		t.Fatalf("generation %d, %v", stored.Generation, err)
	}
	if w.provider.grants != 4 || len(w.provider.ledger()) != 0 {
		t.Errorf("%d grants, %d refreshes", w.provider.grants, len(w.provider.ledger()))
	}
}

func TestTheWorkersClockDoesNotMatter(t *testing.T) {
	for name, offset := range map[string]time.Duration{"behind": -10 * time.Minute, "ahead": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.vault.offset = offset
			w.vault.change(t, w.ref, func(d *connection.Document) { // as if it was made on that clock
				token := d.Credential.Tokens[connection.DefaultToken]
				token.IssuedAt, token.ExpiresAt = w.vault.peekNow(), w.vault.peekNow().Add(time.Hour)
				d.Credential.Tokens[connection.DefaultToken] = token
			})
			a := w.process()
			look, wait, err := a.look(context.Background(), WatchInput{Connection: testID, Policy: connection.Policy{ProbeEvery: 6 * time.Hour}})
			if err != nil || look.Status != connection.Active || wait < 45*time.Minute || len(w.provider.ledger()) != 0 {
				t.Fatalf("%s, next in %s, %v", look.Status, wait, err)
			}
			w.crash(w.process(), dying{a.Provider.Transport, false}, nil, nil)
			impatient, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if _, err := a.spender.Renew(impatient, w.ref, "401"); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("did not wait for the budget: %v", err)
			}
			w.vault.advance(budget + time.Second)
			stored, err := w.renew(w.process())
			if err != nil {
				t.Fatal(err)
			}
			if left := stored.Credential.Default().ExpiresAt.Sub(w.vault.peekNow()); left < 59*time.Minute || left > time.Hour {
				t.Errorf("expires in %s of Vault's time, want an hour", left)
			}
		})
	}
}
