package activities

import (
	"fmt"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func storedFor(life time.Duration, facts connection.Facts) connection.Stored {
	token := connection.Token{IssuedAt: noon}
	if life > 0 {
		token.ExpiresAt = noon.Add(life)
	}
	return connection.Stored{WrittenAt: noon, Facts: facts, Document: connection.Document{
		Credential: connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: token}}}}
}

func TestPlan(t *testing.T) {
	margin := connectors.RenewalPolicy{Margin: 5 * time.Minute}
	never := time.Duration(0)
	tests := map[string]struct {
		life       time.Duration
		facts      connection.Facts
		renewable  bool
		renewal    connectors.RenewalPolicy
		probeEvery time.Duration
		// Each is due between less and at; 0 is never.
		refresh, refreshSlack, probe, probeSlack, end time.Duration
		late                                          bool // not before the expiry
	}{
		"an hour":                {time.Hour, connection.Facts{}, true, margin, 0, 55 * time.Minute, 150 * time.Second, never, 0, never, false},
		"only after its expiry":  {time.Hour, connection.Facts{}, true, margin, 0, time.Hour, 0, never, 0, never, true},
		"a short life":           {time.Minute, connection.Facts{}, true, margin, 0, 48 * time.Second, 6 * time.Second, never, 0, never, false},
		"no expiry":              {0, connection.Facts{}, true, margin, 0, never, 0, never, 0, never, false},
		"not renewable":          {time.Hour, connection.Facts{}, false, margin, 0, never, 0, never, 0, time.Hour, false},
		"idle, no expiry":        {0, connection.Facts{}, true, connectors.RenewalPolicy{RefreshIdle: 40 * time.Hour}, 0, 30 * time.Hour, 0, never, 0, never, false},
		"idle before the expiry": {100 * time.Hour, connection.Facts{}, true, connectors.RenewalPolicy{Margin: time.Minute, RefreshIdle: 40 * time.Hour}, 0, 30 * time.Hour, 0, never, 0, never, false},
		"idle is not for keys":   {0, connection.Facts{}, false, connectors.RenewalPolicy{RefreshIdle: 40 * time.Hour}, 0, never, 0, never, 0, never, false},
		"probe, never looked":    {0, connection.Facts{}, false, margin, time.Hour, never, 0, time.Hour, 6 * time.Minute, never, false},
		"probe after use":        {0, connection.Facts{LastProbe: noon, LastOK: noon.Add(time.Hour)}, false, margin, time.Hour, never, 0, 2 * time.Hour, 6 * time.Minute, never, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := planFor(storedFor(test.life, test.facts), rhythm{renewable: test.renewable, early: !test.late,
				renewal: test.renewal, probeEvery: test.probeEvery, seed: "a/b/c"})
			within := func(what string, got time.Time, want, slack time.Duration) {
				t.Helper()
				if want == never {
					if !got.IsZero() {
						t.Errorf("%s at %s, want never", what, got)
					}
				} else if after := got.Sub(noon); after > want || after < want-slack {
					t.Errorf("%s after %s, want %s at most %s earlier", what, after, want, slack)
				}
			}
			within("refresh", p.refresh, test.refresh, test.refreshSlack)
			within("probe", p.probe, test.probe, test.probeSlack)
			within("end", p.end, test.end, 0)
		})
	}
}

func TestNextLook(t *testing.T) {
	tests := map[string]struct {
		plan plan
		want time.Duration
	}{
		"nothing due":    {plan{}, lookMax},
		"the earliest":   {plan{refresh: noon.Add(time.Hour), probe: noon.Add(time.Minute), end: noon.Add(2 * time.Hour)}, time.Minute},
		"the end":        {plan{end: noon.Add(time.Minute)}, time.Minute},
		"overdue":        {plan{refresh: noon.Add(-time.Hour)}, time.Second},
		"never too long": {plan{probe: noon.Add(1000 * time.Hour)}, lookMax},
	}
	for name, test := range tests {
		if got := test.plan.next(noon); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if due(time.Time{}, noon) || !due(noon, noon) || due(noon.Add(1), noon) {
		t.Error("due is wrong at its edges")
	}
}

func TestJitterIsItsOwnAndBounded(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range 1000 {
		seed := fmt.Sprintf("development/sandbox/c%d", i)
		got := jitter(seed, time.Minute)
		if got < 0 || got >= time.Minute || got != jitter(seed, time.Minute) {
			t.Fatalf("jitter of %s is %s", seed, got)
		}
		seen[got] = true
	}
	if len(seen) < 990 || jitter("x", 0) != 0 || jitter("x", -1) != 0 {
		t.Errorf("%d different of 1000", len(seen))
	}
}

func TestTroubleWait(t *testing.T) {
	for failing, want := range map[time.Duration]time.Duration{
		0: troubleMin, time.Minute: troubleMin, 4 * time.Minute: time.Minute, 72 * time.Hour: troubleMax,
	} {
		if got := troubleWait(failing); got != want {
			t.Errorf("after %s: %s, want %s", failing, got, want)
		}
	}
}

func TestNews(t *testing.T) {
	reported := Look{Status: connection.Active, Verdict: connection.OK, Grant: "g", Generation: 1,
		Identity: connection.Identity{Account: "u1"}, Scopes: []string{"a", "b"}, LastUsed: noon}
	tests := map[string]struct {
		change func(*Look)
		news   bool
	}{
		"the same":           {func(*Look) {}, false},
		"a generation":       {func(l *Look) { l.Generation = 9 }, false},
		"a reason":           {func(l *Look) { l.Reason = "other words" }, false},
		"the status":         {func(l *Look) { l.Status = connection.Error }, true},
		"the verdict":        {func(l *Look) { l.Verdict = connection.ScopeLost }, true},
		"the grant":          {func(l *Look) { l.Grant = "h" }, true},
		"another account":    {func(l *Look) { l.Identity.Account = "u2" }, true},
		"an unknown account": {func(l *Look) { l.Identity = connection.Identity{} }, false},
		"scopes reordered":   {func(l *Look) { l.Scopes = []string{"b", "a"} }, false},
		"a scope less":       {func(l *Look) { l.Scopes = []string{"a"} }, true},
		"scopes untold":      {func(l *Look) { l.Scopes = nil }, false},
		"an end":             {func(l *Look) { l.Expires = noon }, true},
		"what ends":          {func(l *Look) { l.Ending = keyEnds }, true},
		"a warning":          {func(l *Look) { l.Warned = 14 }, true},
		"a lost scope":       {func(l *Look) { l.Lost = []string{"c"} }, true},
		"trouble at work":    {func(l *Look) { l.Work = &connection.WorkTrouble{Verdict: connection.Transient} }, true},
		"used an hour on":    {func(l *Look) { l.LastUsed = noon.Add(usedNews) }, false},
		"used longer on":     {func(l *Look) { l.LastUsed = noon.Add(usedNews + 1) }, true},
	}
	for name, test := range tests {
		look := reported
		test.change(&look)
		if got := look.news(reported); got != test.news {
			t.Errorf("%s: news %v, want %v", name, got, test.news)
		}
	}
}

// Of trouble at work, how often and how long are not news; that it is over, or of another kind, is.
func TestNewsOfWork(t *testing.T) {
	reported := Look{Work: &connection.WorkTrouble{Verdict: connection.Transient, Count: 3, Last: noon}}
	for verdict, news := range map[connection.Verdict]bool{connection.Transient: false, connection.ScopeLost: true} {
		look := Look{Work: &connection.WorkTrouble{Verdict: verdict, Count: 9, Last: noon.Add(time.Hour)}}
		if look.news(reported) != news {
			t.Errorf("%s: news %v, want %v", verdict, !news, news)
		}
	}
	if !(Look{}).news(reported) {
		t.Error("that it is over is no news")
	}
}
