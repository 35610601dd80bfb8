package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
)

// contact is an action with a key: a failure of it leaves nothing open.
var contact = CallActionInput{Action: "create-contact", Arguments: json.RawMessage(`{"name":"Ada"}`)}

// work runs an action against an API that answers so, past the cached document.
func (w *world) work(a *Activities, status int, in CallActionInput) {
	w.t.Helper()
	w.provider.set(func() { w.provider.api = status })
	a.reader.drop(w.ref)
	_, err := called(activityEnvironment(w.t.(*testing.T), a), in)
	if (err == nil) != (status == 0) {
		w.t.Fatalf("the app answers %d: %v", status, err)
	}
}

func (w *told) troubles() []connection.WorkTrouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.work
}

// Trouble that may pass is told when it has lasted, and once an hour.
func TestTroubleAtWorkIsToldOnce(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	told := func(when string, want int) {
		t.Helper()
		if got := w.told.troubles(); len(got) != want {
			t.Fatalf("%s: told %+v, want %d", when, got, want)
		}
	}
	for range 5 {
		w.work(a, http.StatusServiceUnavailable, contact)
	}
	told("five failures at once", 0)
	w.vault.advance(4 * time.Minute)
	w.work(a, 0, contact)
	w.vault.advance(2 * time.Minute)
	w.work(a, http.StatusServiceUnavailable, contact)
	told("a success in between", 0)
	w.vault.advance(6 * time.Minute)
	w.work(a, http.StatusServiceUnavailable, contact)
	told("two failures", 0)
	since := w.vault.peekNow().Add(-6 * time.Minute)
	w.work(a, http.StatusServiceUnavailable, contact)
	told("the third, over six minutes", 1)
	trouble := w.told.troubles()[0]
	if trouble.Count != 3 || trouble.Verdict != connection.Transient || trouble.Reason == "" ||
		trouble.Since.Sub(since).Abs() > 5*time.Second || trouble.Last.Sub(trouble.Since) < 6*time.Minute {
		t.Errorf("%+v", trouble)
	}
	for range 5 {
		w.vault.advance(10 * time.Minute)
		w.work(a, http.StatusServiceUnavailable, contact)
	}
	told("within the hour", 1)
	w.vault.advance(10 * time.Minute)
	w.work(a, http.StatusServiceUnavailable, contact)
	told("an hour later", 2)
	w.vault.advance(25 * time.Hour)
	w.work(a, http.StatusServiceUnavailable, contact)
	w.work(a, http.StatusServiceUnavailable, contact)
	told("a day of silence makes it a new one", 2)
}

// What no wait ends is told at the first failure; what is no trouble of the app's,
// or has another way to be told, never.
func TestWhatIsTroubleAtWork(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		err    error
		want   int
	}{
		"a scope is missing":    {status: http.StatusForbidden, want: 1},
		"refused":               {status: http.StatusUnprocessableEntity},
		"asked to wait":         {status: http.StatusTooManyRequests},
		"trouble that may pass": {status: http.StatusBadGateway},
		"the client is refused": {err: clientMarked(testID, "shared", "invalid_client"), want: 1},
		"Vault is away":         {err: errAway},
		"Temporal is away":      {err: connection.TemporalUnavailable("away")},
		"revoked":               {err: connection.ReconnectRequired(testID, "gone")},
		"not a word of ours":    {err: errors.New("something")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.custom(`scope_missing: status == 403 && headers["www-authenticate"].contains("insufficient_scope")`, "scope_missing: status == 403")
			a := w.process()
			for range 4 {
				if test.err == nil {
					w.work(a, test.status, contact)
				} else {
					a.attempted(context.Background(), testID, w.vault.peek(w.ref), test.err)
				}
			}
			if got := w.told.troubles(); len(got) != test.want {
				t.Errorf("told %+v, want %d", got, test.want)
			}
		})
	}
}

// An outcome that is not known counts, and an action that was called off does not.
func TestStreaksOfOpenOutcomes(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	off, cancel := context.WithCancel(context.Background())
	cancel()
	open := connection.Refused(connection.ErrOutcomeUnknown, "it may have happened", "")
	open.Verdict = connection.OutcomeUnknown
	for _, ctx := range []context.Context{off, off, off, off, context.Background(), context.Background()} {
		a.attempted(ctx, testID, w.vault.peek(w.ref), open)
		w.vault.advance(3 * time.Minute)
	}
	if got := w.told.troubles(); len(got) != 0 {
		t.Fatalf("told %+v", got)
	}
	a.attempted(context.Background(), testID, w.vault.peek(w.ref), open)
	if got := w.told.troubles(); len(got) != 1 || got[0].Count != 3 {
		t.Errorf("told %+v", got)
	}
}

// unheard is Temporal while it cannot be told anything.
type unheard struct {
	*told
	deaf bool
}

func (u *unheard) WorkFailed(ctx context.Context, ref connection.CredentialRef, trouble connection.WorkTrouble) error {
	if u.deaf {
		return connection.TemporalUnavailable("away")
	}
	return u.told.WorkFailed(ctx, ref, trouble)
}

func TestASignalThatFailsIsTriedAtTheNextFailure(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	temporal := &unheard{told: w.told, deaf: true}
	a.Workflows = temporal
	gone := scopeLost()
	for range 3 {
		a.attempted(context.Background(), testID, w.vault.peek(w.ref), gone)
	}
	temporal.deaf = false
	for range 3 {
		a.attempted(context.Background(), testID, w.vault.peek(w.ref), gone)
	}
	if got := w.told.troubles(); len(got) != 1 || got[0].Count != 4 {
		t.Errorf("told %+v", got)
	}
}

// scopeLost is how an action fails that the grant does not cover.
func scopeLost() *connection.Problem {
	problem := connection.Refused(connection.ErrScopeMissing, "no", "")
	problem.Verdict = connection.ScopeLost
	return problem
}

// One action that never works, beside one that always does, is told once an hour.
func TestAnActionThatNeverWorksIsToldOnceAnHour(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	gone := scopeLost()
	for range 180 {
		a.attempted(context.Background(), testID, w.vault.peek(w.ref), gone)
		a.attempted(context.Background(), testID, w.vault.peek(w.ref), nil)
		w.vault.advance(time.Minute)
	}
	if got := len(w.told.troubles()); got != 3 {
		t.Errorf("told %d times in three hours", got)
	}
}

func TestStreaksAreBounded(t *testing.T) {
	s := newStreaks()
	for i := range cacheSize + 10 {
		s.failed(connection.ID(fmt.Sprintf("development/sandbox/c%d", i)), "g", connection.Problem{Verdict: connection.Transient}, noon)
	}
	if len(s.held) > cacheSize {
		t.Errorf("%d are held", len(s.held))
	}
}

// The watch keeps the trouble until an action has succeeded after it, and looks for that soon.
func TestTheWatchSeesWorkRecover(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	in := w.watching(a)
	in.Policy.ProbeEvery = 6 * time.Hour
	w.work(a, 0, contact)
	w.watch(a, in, time.Second)
	scope := scopeLost()
	w.vault.advance(time.Second)
	a.attempted(context.Background(), testID, w.vault.peek(w.ref), scope)
	in.Reported.Work = &w.told.troubles()[0]
	news, looks := w.watch(a, in, 3*time.Hour)
	if len(news) != 0 || looks < 36 || in.Reported.Work == nil {
		t.Fatalf("%d looks, news %+v", looks, news)
	}
	w.work(a, 0, contact)
	if news, _ = w.watch(a, in, time.Second); len(news) != 1 || news[0].Work != nil || news[0].Status != connection.Active {
		t.Fatalf("news %+v", news)
	}
}

// The success that ends a told trouble is noted, however short before the last one was.
func TestTheEndOfATroubleIsNotedAtOnce(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	scope := scopeLost()
	w.work(a, 0, contact)
	w.vault.advance(time.Second)
	a.attempted(context.Background(), testID, w.vault.peek(w.ref), scope)
	w.vault.advance(time.Second)
	w.work(a, 0, contact)
	if used := w.vault.peek(w.ref).Facts.LastUsed; !used.After(w.told.troubles()[0].Last) {
		t.Errorf("last used %s, before the trouble", used)
	}
}
