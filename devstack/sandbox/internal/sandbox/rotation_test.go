package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
)

// familyOfLast is the family of the newest token entry.
func (w *world) familyOfLast() string { w.t.Helper(); return w.lastEntry("token").Family }

func (w *world) wantReuse(refreshToken string) {
	w.t.Helper()
	w.wantOAuthError(w.refresh(refreshToken), "invalid_grant")
	if entry := w.lastEntry("token"); entry.Detail != "reuse" || entry.Revoked != "reuse" || entry.Live == nil || *entry.Live {
		w.t.Errorf("ledger has %+v", entry)
	}
}

func TestGraceOldAnswersTheTokenPresented(t *testing.T) {
	w := newWorld(t)
	w.set(`{"rotation":"grace_old","grace":"10s"}`)
	first := w.connect("ada", allScopes)
	lost := w.refresh(first.Refresh).pair()
	w.clock.Advance(9 * time.Second)
	again := w.refresh(first.Refresh).pair()
	if lost.Refresh == first.Refresh || again.Refresh != first.Refresh || again.Access == lost.Access {
		t.Errorf("answered %+v, then %+v to %q", lost, again, first.Refresh)
	}
	if entry := w.lastEntry("token"); entry.Detail != "grace" || entry.IssuedRefresh != entry.Presented || entry.Generation != 3 {
		t.Errorf("ledger has %+v", entry)
	}
	w.clock.Advance(time.Minute) // both are good long after
	w.refresh(lost.Refresh).pair()
	w.refresh(first.Refresh).pair()
	w.clock.Advance(11 * time.Second)
	w.wantReuse(first.Refresh)
}

func TestPredecessorIsHonouredUntilASuccessorIsUsed(t *testing.T) {
	w := newWorld(t)
	w.set(`{"rotation":"successor"}`)
	first := w.connect("ada", allScopes)
	one := w.refresh(first.Refresh).pair()
	w.clock.Advance(24 * time.Hour)
	two := w.refresh(first.Refresh).pair()
	if one.Refresh == two.Refresh {
		t.Error("the same pair was answered twice")
	}
	if entry := w.lastEntry("token"); entry.Detail != "predecessor" || entry.PresentedGeneration != 1 || entry.Generation != 3 {
		t.Errorf("ledger has %+v", entry)
	}
	three := w.refresh(two.Refresh).pair()
	w.refresh(two.Refresh).pair() // for its own successor has not been used
	w.wantReuse(first.Refresh)
	w.wantOAuthError(w.refresh(three.Refresh), "invalid_grant")
}

func TestSiblingOfAUsedSuccessorIsDead(t *testing.T) {
	w := newWorld(t)
	w.set(`{"rotation":"successor"}`)
	first := w.connect("ada", allScopes)
	one, two := w.refresh(first.Refresh).pair(), w.refresh(first.Refresh).pair()
	w.refresh(one.Refresh).pair()
	w.wantReuse(two.Refresh)
}

func TestRefreshIsRefusedWhileTheAccessTokenIsValid(t *testing.T) {
	w := newWorld(t)
	w.set(`{"rotation":"unexpired","access_ttl":"10m","early_refresh":"30s"}`)
	first := w.connect("ada", allScopes)
	w.clock.Advance(9*time.Minute + 29*time.Second)
	w.wantOAuthError(w.refresh(first.Refresh).want(400), "access_denied")
	if entry := w.lastEntry("token"); entry.Detail != "too_early" || entry.Generation != 0 || entry.Live == nil || !*entry.Live {
		t.Errorf("ledger has %+v", entry)
	}
	w.clock.Advance(time.Second)
	second := w.refresh(first.Refresh).pair() // the refusal had touched nothing
	w.wantOAuthError(w.refresh(second.Refresh), "access_denied")
	w.call("POST", "/admin/revoke-access-tokens", "").want(200)
	w.refresh(second.Refresh).pair() // a token that was ended is not valid
	w.wantReuse(first.Refresh)
}

func TestFamiliesOfDifferentModesAtOnce(t *testing.T) {
	w := newWorld(t)
	strict := w.connect("ada", allScopes)
	none := w.connect("ada", allScopes)
	family := w.familyOfLast()
	var listed struct {
		Family, Rotation string
		TTL              string `json:"access_ttl"`
		Live             bool
	}
	path := "/admin/families/" + family + "/settings"
	w.call("POST", path, `{"rotation":"none"}`).want(200)
	w.call("POST", path, `{"access_ttl":"20s"}`).want(200).into(&listed)
	if listed.Rotation != "none" || listed.TTL != "20s" || !listed.Live || listed.Family != family {
		t.Errorf("listed %+v", listed)
	}
	w.reopen() // it is kept with the family
	next := w.refresh(none.Refresh).pair()
	if next.Refresh != none.Refresh || next.ExpiresIn != 20 {
		t.Errorf("refreshed to %+v", next)
	}
	w.clock.Advance(21 * time.Second)
	w.call("GET", "/api/v1/me", "", bearer(next.Access)...).want(http.StatusUnauthorized)
	other := w.refresh(strict.Refresh).pair()
	if other.Refresh == strict.Refresh || other.ExpiresIn != 3600 {
		t.Errorf("the other family was refreshed to %+v", other)
	}
	w.call("POST", path, `{"rotation":"sometimes"}`).want(400)
	w.call("POST", path, `{"acces_ttl":"1s"}`).want(400)
	w.call("POST", "/admin/families/nobody/settings", `{}`).want(404)
}

func TestFamiliesAreListedWithWhatBecameOfThem(t *testing.T) {
	w := newWorld(t)
	first := w.connect("ada", allScopes)
	second := w.refresh(first.Refresh).pair()
	w.connect("grace", allScopes)
	w.wantReuse(first.Refresh)
	w.wantOAuthError(w.refresh(second.Refresh), "invalid_grant")
	var listed []struct {
		User, Client, Rotation string
		Live                   bool
		Generation             uint64
		For                    string `json:"revoked_for"`
	}
	w.call("GET", "/admin/families?user=ada", "").want(200).into(&listed)
	if len(listed) != 1 || listed[0].Live || listed[0].For != "reuse" || listed[0].Generation != 2 || listed[0].Rotation != "strict" {
		t.Errorf("Ada's are %+v", listed)
	}
	w.call("GET", "/admin/families", "").want(200).into(&listed)
	if len(listed) != 2 {
		t.Errorf("all are %+v", listed)
	}
}

func TestLedgerTellsWhatATokenDiedOf(t *testing.T) {
	w := newWorld(t)
	me := func(access string) ledger.Entry {
		w.call("GET", "/api/v1/me", "", bearer(access)...)
		return w.lastEntry("api")
	}
	tokens := w.connect("ada", allScopes)
	if entry := me(tokens.Access); entry.Outcome != "ok" || entry.Detail != "" || entry.Family != w.familyOfLast() || entry.PresentedGeneration != 1 {
		t.Errorf("living: %+v", entry)
	}
	w.call("POST", "/admin/revoke-access-tokens", `{"family":"another"}`).want(200)
	if entry := me(tokens.Access); entry.Outcome != "ok" {
		t.Errorf("another family's were revoked: %+v", entry)
	}
	w.call("POST", "/admin/revoke-access-tokens", "").want(200)
	if entry := me(tokens.Access); entry.Detail != "revoked" {
		t.Errorf("revoked: %+v", entry)
	}
	next := w.refresh(tokens.Refresh).pair()
	w.wantReuse(tokens.Refresh)
	if entry := me(next.Access); entry.Detail != "family_revoked" || entry.PresentedGeneration != 2 {
		t.Errorf("family revoked: %+v", entry)
	}
	w.clock.Advance(2 * time.Hour)
	w.reopen()
	if entry := me(next.Access); entry.Detail != "expired" || entry.Outcome != "invalid_token" {
		t.Errorf("expired: %+v", entry)
	}
	if entry := me("no-such.token"); entry.Detail != "unknown" || entry.Family != "" {
		t.Errorf("unknown: %+v", entry)
	}
}
