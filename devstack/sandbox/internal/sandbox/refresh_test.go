package sandbox_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
)

func TestReuseKillsTheFamily(t *testing.T) {
	w := newWorld(t)
	first := w.connect("ada", allScopes)
	second := w.refresh(first.Refresh).pair()
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Fatal("the tokens were not rotated")
	}
	w.call("GET", "/api/v1/me", "", bearer(second.Access)...).want(200)
	bystander := w.connect("ada", allScopes)

	w.wantOAuthError(w.refresh(first.Refresh), "invalid_grant")
	if entry := w.lastEntry("token"); entry.Detail != "reuse" || entry.PresentedGeneration != 1 {
		t.Errorf("ledger has %+v", entry)
	}
	w.wantOAuthError(w.refresh(second.Refresh), "invalid_grant")
	if entry := w.lastEntry("token"); entry.Detail != "family_revoked" || entry.PresentedGeneration != 2 {
		t.Errorf("ledger has %+v", entry)
	}
	w.call("GET", "/api/v1/me", "", bearer(second.Access)...).want(http.StatusUnauthorized)
	w.refresh(bystander.Refresh).pair()
}

func TestConcurrentRefreshesAreOneSuccessAndReuse(t *testing.T) {
	w := newWorld(t)
	tokens := w.connect("ada", allScopes)
	const callers = 8
	statuses := make([]int, callers)
	var all sync.WaitGroup
	for i := range callers {
		request := w.token("/oauth/token", refreshForm(tokens.Refresh))
		all.Go(func() {
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			statuses[i] = response.StatusCode
		})
	}
	all.Wait()
	won := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of %d succeeded: %v", won, callers, statuses)
	}
	var summary ledger.Summary
	w.call("GET", "/ledger/summary", "").into(&summary)
	if summary.Token.ByDetail["reuse"] != 1 || summary.Token.ByDetail["family_revoked"] != callers-2 {
		t.Errorf("details %v", summary.Token.ByDetail)
	}
	if summary.Token.MostPresentations != callers || summary.Token.RefreshPresentedAgain != callers-1 {
		t.Errorf("presentations %+v", summary.Token)
	}
}

func TestRotationModes(t *testing.T) {
	t.Run("none answers the same token", func(t *testing.T) {
		w := newWorld(t)
		w.set(`{"rotation":"none"}`)
		first := w.connect("ada", allScopes)
		for range 3 {
			if next := w.refresh(first.Refresh).pair(); next.Refresh != first.Refresh || next.Access == first.Access {
				t.Errorf("refreshed to %+v", next)
			}
		}
		if entry := w.lastEntry("token"); entry.Generation != 4 || entry.Presented != entry.IssuedRefresh {
			t.Errorf("ledger has %+v", entry)
		}
	})
	t.Run("omit answers none", func(t *testing.T) {
		w := newWorld(t)
		w.set(`{"rotation":"omit"}`)
		first := w.connect("ada", allScopes)
		for range 2 {
			if next := w.refresh(first.Refresh).pair(); next.Refresh != "" {
				t.Errorf("refreshed to %+v", next)
			}
		}
	})
	t.Run("grace answers another pair, then revokes", func(t *testing.T) {
		w := newWorld(t)
		w.set(`{"rotation":"grace","grace":"10s"}`)
		first := w.connect("ada", allScopes)
		one := w.refresh(first.Refresh).pair()
		w.clock.Advance(9 * time.Second)
		two := w.refresh(first.Refresh).pair()
		if one.Refresh == two.Refresh {
			t.Error("the same pair was answered twice")
		}
		if entry := w.lastEntry("token"); entry.Detail != "grace" {
			t.Errorf("ledger has %+v", entry)
		}
		w.clock.Advance(2 * time.Second)
		w.wantOAuthError(w.refresh(first.Refresh), "invalid_grant")
		w.wantOAuthError(w.refresh(two.Refresh), "invalid_grant")
	})
	t.Run("grace_same answers the same pair, then revokes", func(t *testing.T) {
		w := newWorld(t)
		w.set(`{"rotation":"grace_same","grace":"10s"}`)
		first := w.connect("ada", allScopes)
		one := w.refresh(first.Refresh).pair()
		w.reopen()
		w.set(`{"rotation":"grace_same","grace":"10s"}`)
		if two := w.refresh(first.Refresh).pair(); two != one {
			t.Errorf("answered %+v, then %+v", one, two)
		}
		if entry := w.lastEntry("token"); entry.Detail != "replayed" || entry.Generation != 2 {
			t.Errorf("ledger has %+v", entry)
		}
		w.clock.Advance(11 * time.Second)
		w.wantOAuthError(w.refresh(first.Refresh), "invalid_grant")
	})
}

func TestLifetimes(t *testing.T) {
	w := newWorld(t)
	w.set(`{"access_ttl":"20s","refresh_ttl":"1h","refresh_idle":"10m"}`)
	tokens := w.connect("ada", allScopes)
	if tokens.ExpiresIn != 20 {
		t.Errorf("expires_in %d", tokens.ExpiresIn)
	}
	w.clock.Advance(19 * time.Second)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200)
	w.clock.Advance(2 * time.Second)
	w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(http.StatusUnauthorized)

	for range 6 { // each within the idle time, together short of the hour
		w.clock.Advance(9*time.Minute + 30*time.Second)
		tokens = w.refresh(tokens.Refresh).pair()
	}
	w.clock.Advance(4 * time.Minute)
	w.wantOAuthError(w.refresh(tokens.Refresh), "invalid_grant")
	if entry := w.lastEntry("token"); entry.Detail != "expired" {
		t.Errorf("ledger has %+v", entry)
	}

	idle := w.connect("ada", allScopes)
	w.clock.Advance(11 * time.Minute)
	w.wantOAuthError(w.refresh(idle.Refresh), "invalid_grant")
}

func TestLedgerOfARefreshChain(t *testing.T) {
	w := newWorld(t)
	first := w.connect("ada", allScopes)
	second := w.refresh(first.Refresh).pair()
	entries := w.entries("kind=token")
	if len(entries) != 2 {
		t.Fatalf("%d token entries", len(entries))
	}
	redeemed, refreshed := entries[0], entries[1]
	if redeemed.GrantType != "authorization_code" || redeemed.Generation != 1 || redeemed.Account != "ada" ||
		redeemed.IssuedRefresh != ledger.Fingerprint(first.Refresh) || redeemed.IssuedAccess != ledger.Fingerprint(first.Access) {
		t.Errorf("redeemed: %+v", redeemed)
	}
	if refreshed.Family != redeemed.Family || refreshed.Presented != redeemed.IssuedRefresh || refreshed.Generation != 2 ||
		refreshed.PresentedGeneration != 1 || refreshed.IssuedRefresh != ledger.Fingerprint(second.Refresh) || refreshed.Status != 200 {
		t.Errorf("refreshed: %+v", refreshed)
	}
	if rest := w.entries("kind=token&since=" + "2"); len(rest) != 1 || rest[0].Seq <= 2 {
		t.Errorf("since 2: %+v", rest)
	}
}
