package activities

import (
	"hash/fnv"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// This file decides; it asks nobody and reads no clock.

const (
	// brokenAfter is how long trouble that is not the credential's fault may last
	// unbroken before the status says Error. Shorter ones heal unnoticed.
	brokenAfter = 30 * time.Minute
	// troubleWait paces looks while something is in trouble: soon enough to show that
	// it has healed, seldom enough to leave a struggling app alone.
	troubleMin, troubleMax = 15 * time.Second, 5 * time.Minute
	// usedNews is how far "last used" may run ahead of what the list of connections
	// shows: each update of the list costs history.
	usedNews = time.Hour
	// lookMax is the longest time between two looks, so that a connection with
	// nothing due still notices a document that vanished.
	lookMax = 24 * time.Hour
	// refreshShare of a token's life is the margin before its expiry, where the definition's margin is longer.
	refreshShare = 5
)

// plan is when the next things are due, in Vault's time. Zero means never.
type plan struct {
	refresh time.Time
	probe   time.Time
	// end is when access is over that nothing can renew.
	end time.Time
}

// planFor says when a credential is to be refreshed and probed. The jitter is the
// connection's own and always the same, so that connections made together drift
// apart once, and an attempt that is run again decides the same. early says whether
// a token may be renewed before it has expired.
func planFor(stored connection.Stored, renewable, early bool, renewal connectors.RenewalPolicy, probeEvery time.Duration, seed string) plan {
	var p plan
	token := stored.Credential.Earliest()
	if renewable && !token.ExpiresAt.IsZero() {
		life := token.ExpiresAt.Sub(token.IssuedAt)
		margin := min(renewal.Margin, life/refreshShare)
		if !early {
			margin = 0
		}
		p.refresh = token.ExpiresAt.Add(-margin - jitter(seed, margin/2))
	}
	if !renewable {
		p.end = token.ExpiresAt
	}
	if renewable && renewal.RefreshIdle > 0 {
		idle := token.IssuedAt.Add(renewal.RefreshIdle * 3 / 4)
		if p.refresh.IsZero() || idle.Before(p.refresh) {
			p.refresh = idle
		}
	}
	if probeEvery > 0 {
		last := latest(stored.Facts.LastOK, stored.Facts.LastProbe)
		if last.IsZero() {
			last = stored.WrittenAt
		}
		p.probe = last.Add(probeEvery - jitter(seed, probeEvery/10))
	}
	return p
}

// next is how long until the earliest of what is due.
func (p plan) next(now time.Time) time.Duration {
	wait := lookMax
	for _, due := range []time.Time{p.refresh, p.probe, p.end} {
		if !due.IsZero() {
			wait = min(wait, due.Sub(now))
		}
	}
	return max(wait, time.Second)
}

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// troubleWait grows with how long the trouble has lasted.
func troubleWait(failing time.Duration) time.Duration {
	return min(max(failing/4, troubleMin), troubleMax)
}

// jitter is a share of span that depends on the seed only.
func jitter(seed string, span time.Duration) time.Duration {
	if span <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	return time.Duration(h.Sum64() % uint64(span))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Look is what a look at a connection found: the part of it that people see.
type Look struct {
	Status  connection.Status  `json:"status"`
	Verdict connection.Verdict `json:"verdict,omitempty"`
	// Reason says in words why the status is not Active.
	Reason string `json:"reason,omitempty"`
	// Remedy says what a person can do about it.
	Remedy   string              `json:"remedy,omitempty"`
	Grant    string              `json:"grant"`
	Identity connection.Identity `json:"identity,omitzero"`
	Scopes   []string            `json:"scopes,omitempty"`
	// Expires is when a person must have acted, in Vault's time: the end of an access that
	// cannot be renewed, of a refresh token, or of a key; zero when there is no such end.
	Expires time.Time `json:"expires,omitzero"`
	// Ending says what ends then, in words.
	Ending string `json:"ending,omitempty"`
	// Warned is how many days ahead of Expires a warning is due by now; 0 while none is.
	Warned int `json:"warned,omitempty"`
	// Lost are the scopes that the app granted once and no longer does.
	Lost []string `json:"lost,omitempty"`
	// Work is trouble that actions have met; nil once one has succeeded again.
	Work *connection.WorkTrouble `json:"work,omitempty"`
	// LastUsed in Vault's time; zero when never.
	LastUsed time.Time `json:"last_used,omitzero"`
	// Generation at the time of the look. A new one alone is not news.
	Generation int `json:"generation"`
}

// news reports whether the look differs from what was last reported in anything
// that is worth a line of history.
func (l Look) news(reported Look) bool {
	return l.Status != reported.Status || l.Verdict != reported.Verdict ||
		l.Grant != reported.Grant ||
		l.Identity.Known() && l.Identity != reported.Identity ||
		l.Scopes != nil && !sameSet(l.Scopes, reported.Scopes) ||
		!l.Expires.Equal(reported.Expires) ||
		l.LastUsed.Sub(reported.LastUsed) > usedNews
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	seen := make(map[string]bool, len(a))
	for _, x := range a {
		seen[x] = true
	}
	for _, x := range b {
		if !seen[x] {
			return false
		}
	}
	return true
}
