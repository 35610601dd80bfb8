package activities

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// direct is a network without a wire: time stands still while a request is on it,
// as the bubbles of synctest need.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	d.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// inside is a process whose network is direct.
func (w *world) inside() *Activities {
	a := w.process()
	a.Provider = &http.Client{Transport: direct{w.provider.Config.Handler}}
	return a
}

// act uses the connection as an action does, from the cached document on.
func (w *world) act(a *Activities) error {
	app, err := w.catalogue.App("sandbox")
	if err != nil {
		return err
	}
	action, err := app.Action("list-contacts")
	if err != nil {
		return err
	}
	ref := connection.CredentialRef{Connection: testID}
	stored, err := a.stored(context.Background(), ref, true)
	if err != nil {
		return err
	}
	return a.use(context.Background(), stored, ref, func(ctx context.Context, x access) error {
		_, err := x.session().Call(ctx, a.Provider, action, connectors.CallInput{})
		return err
	})
}

// The worker's clock and Vault's are ten minutes apart, either way, and tokens live
// for fifteen. The provider goes by Vault's clock. Two workers look and act for six
// hours: no token is sent that has expired, and none is spent twice.
func TestClocksApart(t *testing.T) {
	for name, test := range map[string]struct {
		apart time.Duration
		idle  connection.IdlePolicy
	}{
		"Vault ahead": {10 * time.Minute, ""}, "Vault ahead, on demand": {10 * time.Minute, connection.OnDemand},
		"Vault behind": {-10 * time.Minute, ""}, "Vault behind, on demand": {-10 * time.Minute, connection.OnDemand},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict") // its server is outside of the bubble and not used
			synctest.Test(t, func(t *testing.T) {
				w.vault.offset = test.apart
				w.provider.set(func() { w.provider.clock, w.provider.life = w.vault.peekNow, 15*time.Minute })
				w.adopt("second")
				w.token(func(token *connection.Token, now time.Time) { token.ExpiresAt = now.Add(15 * time.Minute) })
				workers := []*Activities{w.inside(), w.inside()}
				in := &WatchInput{Connection: testID, Policy: connection.Policy{Idle: test.idle}}
				began := time.Now()
				next := began
				for i := 0; time.Since(began) < 6*time.Hour; i++ {
					if err := w.act(workers[i%2]); err != nil {
						t.Fatalf("after %s: %v", time.Since(began), err)
					}
					if !time.Now().Before(next) {
						look, wait, err := workers[i/7%2].look(context.Background(), *in)
						if err != nil || look.Status != connection.Active {
							t.Fatalf("%+v, %v", look, err)
						}
						in.Reported, next = look, time.Now().Add(wait)
					}
					time.Sleep(3700 * time.Millisecond)
				}
			})
			seen := map[string]bool{}
			for _, token := range w.provider.ledger() {
				if seen[token] {
					t.Errorf("%s was presented twice", token)
				}
				seen[token] = true
			}
			if len(seen) < 24 || len(seen) > 33 || w.provider.late != 0 || len(w.told.signals()) != 0 {
				t.Errorf("%d refreshes, %d requests with an expired token, signals %q", len(seen), w.provider.late, w.told.signals())
			}
		})
	}
}
