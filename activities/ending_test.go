package activities

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"connectedapps/connection"
)

const day = 24 * time.Hour

// warnings is every warning of a watch, as days before which end, in the order of the news.
func warnings(news []Look) (all []string) {
	for _, look := range news {
		if look.Warned > 0 {
			all = append(all, fmt.Sprintf("%d days before %s", look.Warned, look.Ending))
		}
	}
	return all
}

// token changes the connection's token set.
func (w *world) token(change func(*connection.Token, time.Time)) {
	w.t.Helper()
	w.vault.change(w.t, w.ref, func(d *connection.Document) {
		token := d.Credential.Default()
		change(&token, w.vault.peekNow())
		d.Credential.Tokens[connection.DefaultToken] = token
	})
}

// Each warning is one line of history, and the time in between is none.
func TestWarningsComeOnce(t *testing.T) {
	access := func(life time.Duration) func(*world, *WatchInput) {
		return func(w *world, _ *WatchInput) {
			w.token(func(token *connection.Token, now time.Time) {
				token.Refresh, token.IssuedAt, token.ExpiresAt = connection.Secret{}, now, now.Add(life)
			})
		}
	}
	refresh := func(life time.Duration) func(*world, *WatchInput) {
		return func(w *world, _ *WatchInput) {
			w.token(func(token *connection.Token, now time.Time) {
				token.RefreshIssuedAt, token.RefreshExpiresAt = now, now.Add(life)
			})
		}
	}
	days := func(what string, days ...int) (all []string) {
		for _, d := range days {
			all = append(all, fmt.Sprintf("%d days before %s", d, what))
		}
		return all
	}
	tests := map[string]struct {
		change func(*world, *WatchInput)
		period time.Duration
		want   []string
	}{
		"an hour":                 {access(time.Hour), 50 * time.Minute, nil},
		"a day":                   {access(day), 23 * time.Hour, nil},
		"twenty days":             {access(20 * day), 19*day + 12*time.Hour, days(accessEnds, 3, 1)},
		"sixty days":              {access(60 * day), 59*day + 12*time.Hour, days(accessEnds, 14, 3, 1)},
		"a refresh token's sixty": {refresh(60 * day), 59*day + 12*time.Hour, days(refreshEnds, 14, 3, 1)},
		"a refresh token's hour":  {refresh(2 * time.Hour), 110 * time.Minute, nil},
		"a key's, as a person said": {func(w *world, in *WatchInput) {
			in.Policy.Expires = w.vault.peekNow().Add(60 * day)
		}, 61 * day, days(keyEnds, 14, 3, 1)},
		"two ends: the first counts": {func(w *world, in *WatchInput) {
			refresh(60*day)(w, in)
			in.Policy.Expires = w.vault.peekNow().Add(45 * day)
		}, 44 * day, days(keyEnds, 14, 3, 1)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "strict")
			a := w.process()
			a.WarnDays = []int{14, 3, 1}
			in := w.watching(a)
			in.Policy.ProbeEvery = 12 * time.Hour
			test.change(w, in)
			news, _ := w.watch(a, in, test.period)
			if got := warnings(news); !slices.Equal(got, test.want) {
				t.Errorf("warned %q, want %q", got, test.want)
			}
			if len(news) > len(test.want)+1 || in.Reported.Status != connection.Active { // one tells that there is an end
				t.Errorf("%d news, %s", len(news), in.Reported.Status)
			}
		})
	}
}

// An end that each refresh pushes forward is no news, and nobody is warned of it,
// however seldom the access itself needs a refresh.
func TestAnEndThatMovesIsNoNews(t *testing.T) {
	for name, test := range map[string]struct {
		access time.Duration
		period time.Duration
		most   int // refreshes
	}{
		"with an access of an hour":    {time.Hour, 10 * day, 280},
		"with an access of sixty days": {60 * day, 200 * day, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "strict")
			w.custom("rotation: strict", "rotation: strict\n        lifetime: 1464h") // 61 days
			w.provider.set(func() { w.provider.life = test.access })
			a := w.process()
			a.WarnDays = []int{14, 3, 1}
			in := w.watching(a)
			w.token(func(token *connection.Token, now time.Time) {
				token.ExpiresAt, token.RefreshIssuedAt, token.RefreshExpiresAt = now.Add(test.access), now, now.Add(61*day)
			})
			in.Policy.ProbeEvery = 12 * time.Hour
			news, _ := w.watch(a, in, test.period)
			if len(news) != 0 {
				t.Errorf("news %+v", news)
			}
			if got := len(w.provider.ledger()); got == 0 || got > test.most {
				t.Errorf("%d refreshes in %s", got, test.period)
			}
		})
	}
}

// What is left of an end is told with each refresh: that is the end there was.
func TestAnEndToldAgainKeepsItsBeginning(t *testing.T) {
	token := connection.Token{}
	endRefresh(&token, noon, 60*day)
	endRefresh(&token, noon.Add(day), 59*day-time.Second)
	if !token.RefreshIssuedAt.Equal(noon) || !token.RefreshExpiresAt.Equal(noon.Add(60*day)) {
		t.Errorf("%+v", token)
	}
	endRefresh(&token, noon.Add(day), 60*day)
	if !token.RefreshIssuedAt.Equal(noon.Add(day)) {
		t.Errorf("a new end begins at %s", token.RefreshIssuedAt)
	}
}

// A warning that falls due wakes the watch, though nothing else would.
func TestAWarningWakesTheWatch(t *testing.T) {
	end := ending{at: noon.Add(60 * day), what: keyEnds}
	p := plan{tell: end.moments([]int{14, 3, 1})}
	for at, want := range map[time.Duration]time.Duration{
		0: lookMax, 45*day + 20*time.Hour: 4 * time.Hour, 46 * day: lookMax, 56*day + time.Hour: 23 * time.Hour, 61 * day: lookMax,
	} {
		if got := p.next(noon.Add(at)); got != want {
			t.Errorf("after %s: %s, want %s", at, got, want)
		}
	}
	if got := foresee([]ending{end}, nil, noon.Add(59*day)); got.warned != 0 || got.expires.IsZero() {
		t.Errorf("warned without days to warn at: %+v", got)
	}
}

// A token that a refresh leaves as it is ends when it would have ended.
func TestARefreshTokenThatStaysKeepsItsEnd(t *testing.T) {
	w := newWorld(t, "none")
	w.custom("rotation: strict", "rotation: none\n        lifetime: 1440h")
	a := w.process()
	var began, end time.Time
	w.token(func(token *connection.Token, now time.Time) {
		began, end = now, now.Add(60*day)
		token.RefreshExpiresAt = end // as it was stored before the beginning was
	})
	for range 3 {
		w.vault.advance(5 * time.Hour)
		if _, err := w.renew(a); err != nil {
			t.Fatal(err)
		}
		w.ref.Generation++
	}
	token := w.vault.peek(w.ref).Credential.Default()
	if !token.RefreshExpiresAt.Equal(end) || token.RefreshIssuedAt.Sub(began).Abs() > time.Minute {
		t.Errorf("it ends on %s and began on %s, want %s and %s", token.RefreshExpiresAt, token.RefreshIssuedAt, end, began)
	}
}

// Vault tells its time in whole seconds: a look that follows another at once may read an
// earlier one. It takes nothing back, or people would hear of the same end three times.
func TestAClockThatGoesBackTakesNoWarningBack(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	a.WarnDays = []int{14, 3}
	in := w.watching(a)
	in.Policy.Idle = connection.OnDemand
	w.token(func(token *connection.Token, now time.Time) {
		token.Refresh, token.IssuedAt, token.ExpiresAt = connection.Secret{}, now, now.Add(100*day)
	})
	if news, _ := w.watch(a, in, 86*day+time.Hour); !slices.Equal(warnings(news), []string{"14 days before " + accessEnds}) {
		t.Fatalf("warned %q", warnings(news))
	}
	w.vault.advance(in.Reported.Expires.Add(-14*day - 900*time.Millisecond).Sub(w.vault.peekNow()))
	if look, _, err := a.look(background, *in); err != nil || look.news(in.Reported) {
		t.Errorf("%d days, %v", look.Warned, err)
	}
	w.vault.advance(-time.Hour)
	if look, _, err := a.look(background, *in); err != nil || look.Warned != 0 {
		t.Errorf("%d days, %v", look.Warned, err)
	}
	config := WatchAuthConfigInput{App: "sandbox", Name: testConfig, Expires: w.vault.peekNow().Add(14*day + 900*time.Millisecond), Warned: 14}
	if report, err := a.WatchAuthConfig(background, config); err == nil {
		t.Errorf("of the auth config: %+v", report)
	}
}
