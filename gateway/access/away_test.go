package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
)

// hung is a Vault that takes every question and answers none. It heeds no context for
// ten seconds, as one whose login waits for another's.
type hung struct{ *vaultOf }

func (hung) hang() error {
	time.Sleep(10 * time.Second)
	return connection.VaultUnavailable("Vault cannot be reached")
}

func (h hung) Open(context.Context, string, string) (string, error) { return "", h.hang() }
func (h hung) Seal(context.Context, string, string) (string, error) { return "", h.hang() }
func (h hung) Clock(context.Context) (connection.Clock, error)      { return connection.Clock{}, h.hang() }
func (h hung) Token(context.Context, string) (connection.AccessToken, string, connection.Clock, error) {
	return connection.AccessToken{}, "", connection.Clock{}, h.hang()
}

// slow is a Vault that takes a second, unless whoever asks has left.
type slow struct{ *vaultOf }

func (s slow) Open(ctx context.Context, sealed, bound string) (string, error) {
	select {
	case <-time.After(time.Second):
		return s.vaultOf.Open(ctx, sealed, bound)
	case <-ctx.Done():
		return "", connection.VaultUnavailable("Vault cannot be reached")
	}
}

// hang makes the Vaults of environments hang for a guard.
func (b *bench) hang(names ...string) {
	for i, e := range b.guard.environments {
		if slices.Contains(names, e.Name) {
			v := hung{b.vaults[e.Name]}
			b.guard.environments[i].Sealer, b.guard.environments[i].Store = v, v
		}
	}
}

// mend makes all of them answer again.
func (b *bench) mend() {
	for i, e := range b.guard.environments {
		b.guard.environments[i].Sealer, b.guard.environments[i].Store = b.vaults[e.Name], b.vaults[e.Name]
	}
}

func took(t *testing.T, what string, want time.Duration, do func()) {
	t.Helper()
	began := time.Now()
	do()
	if got := time.Since(began); got != want {
		t.Errorf("%s took %s, want %s", what, got, want)
	}
}

// A Vault that hangs costs a person the time of one question, and the next requests none.
func TestHungVaultHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"development": Admin, "staging": Admin, "production": Viewer}})
		b.guard = b.replica(nil)
		b.hang("development", "staging")
		look := func() {
			t.Helper()
			who, err := b.identify(with(cookies...))
			if err != nil || !who.May("production", Viewer) || !slices.Equal(who.Away, []string{"development", "staging"}) ||
				connection.TypeOf(who.Check("staging", Viewer)) != connection.ErrVaultUnavailable {
				t.Errorf("%+v %v", who, err)
			}
		}
		took(t, "the first request", vaultTime, look)
		took(t, "the next", 0, look)
		time.Sleep(awayLife)
		var all sync.WaitGroup
		waited := make([]time.Duration, 20)
		for i := range waited {
			all.Go(func() {
				began := time.Now()
				look()
				waited[i] = time.Since(began)
			})
		}
		all.Wait()
		slices.Sort(waited)
		if waited[len(waited)-3] != 0 || waited[len(waited)-1] != vaultTime {
			t.Errorf("of twenty at once at most two wait, one for each Vault that may be back: %v", waited)
		}
		b.mend()
		time.Sleep(awayLife)
		took(t, "one that is back", 0, func() {
			if who, err := b.identify(with(cookies...)); err != nil || len(who.Roles) != 3 || len(who.Away) != 0 {
				t.Errorf("%+v %v", who, err)
			}
		})
		time.Sleep(time.Minute)
	})
}

// A token's request waits for the Vault of its own environment alone, and not for long.
func TestHungVaultAndTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		mine := b.addToken("staging", connection.AccessToken{Name: "ci", Role: "viewer"})
		others := b.addToken("production", connection.AccessToken{Name: "ci", Role: "viewer"})
		b.hang("production")
		refused := func() {
			if _, err := b.identify(bearer(others)); connection.TypeOf(err) != connection.ErrVaultUnavailable {
				t.Errorf("got %v", err)
			}
		}
		took(t, "the first", vaultTime, refused)
		took(t, "the next", 0, refused)
		took(t, "another environment's", 0, func() {
			if _, err := b.identify(bearer(mine)); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute)
	})
}

// Somebody signs in where Vault answers, while another hangs.
func TestSignInWhileAVaultHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.hang("development")
		took(t, "signing in", vaultTime, func() {
			cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"development": Admin, "staging": Admin}})
			if who, err := b.identify(with(cookies...)); err != nil || !who.May("staging", Admin) || who.May("development", Viewer) {
				t.Errorf("%+v %v", who, err)
			}
		})
		took(t, "what is sealed for the way to a provider", 0, func() {
			if _, err := b.guard.remember(t.Context(), pending{StateSHA256: hashText("x")}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute)
	})
}

// Whoever leaves is not waited for, and says nothing of a Vault.
func TestLeavingIsNotAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"staging": Admin}})
		b.guard = b.replica(nil)
		b.guard.environments[1].Sealer = slow{b.vaults["staging"]}
		ctx, leave := context.WithTimeout(t.Context(), time.Second/2)
		defer leave()
		r := httptest.NewRequestWithContext(ctx, "GET", b.site+"/", http.NoBody)
		with(cookies...)(r)
		took(t, "leaving", time.Second/2, func() { _, _ = b.guard.Identify(r) })
		if who, err := b.identify(with(cookies...)); err != nil || !who.May("staging", Admin) {
			t.Errorf("%+v %v", who, err)
		}
	})
}

// What Vault answers to a cookie that somebody made up must not keep the others out.
func TestRefusalsAreNotAway(t *testing.T) {
	b := newBench(t, nil)
	cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"staging": Admin}})
	b.guard = b.replica(nil)
	odd := connection.VaultUnavailable("Vault answered 500")
	odd.Status = 500
	b.vaults["staging"].away = odd
	if _, err := b.identify(with(b.guard.site.Cookie(sessionName("staging"), "odd", 1))); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("got %v", err)
	}
	b.vaults["staging"].away = nil
	if who, err := b.identify(with(cookies...)); err != nil || !who.May("staging", Admin) {
		t.Errorf("%+v %v", who, err)
	}
}
