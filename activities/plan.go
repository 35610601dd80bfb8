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
	// tell are moments at which there is something new to say; those that have passed do not count.
	tell []time.Time
}

// rhythm is how a connection is looked after: by its definition, and by its policy.
type rhythm struct {
	renewable bool
	// early says whether a token may be renewed before it has expired.
	early bool
	// onDemand renews for nobody but a refresh token that would be forgotten.
	onDemand bool
	renewal  connectors.RenewalPolicy
	// probeEvery is 0 where nothing is probed.
	probeEvery time.Duration
	// seed of the jitter: the connection's own.
	seed string
}

// planFor says when a credential is to be refreshed and probed. The jitter is the
// connection's own and always the same, so that connections made together drift
// apart once, and an attempt that is run again decides the same.
func planFor(stored connection.Stored, r rhythm) plan {
	var p plan
	if token := stored.Credential.Earliest(); !r.renewable {
		p.end = token.ExpiresAt
	} else {
		if !token.ExpiresAt.IsZero() && !r.onDemand {
			p.refresh = r.beforeExpiry(token)
		}
		if r.renewal.RefreshIdle > 0 {
			p.refresh = sooner(p.refresh, token.IssuedAt.Add(r.renewal.RefreshIdle*3/4))
		}
		if !r.onDemand && r.early {
			p.refresh = sooner(p.refresh, r.beforeHalf(stored.Credential.Default()))
		}
	}
	if r.probeEvery > 0 {
		last := latest(stored.Facts.LastOK, stored.Facts.LastProbe)
		if r.renewable && stored.RefreshedBy != "" { // a renewal shows that it lives, too
			last = latest(last, stored.Credential.Earliest().IssuedAt)
		}
		if last.IsZero() {
			last = stored.WrittenAt
		}
		p.probe = last.Add(r.probeEvery - jitter(r.seed, r.probeEvery/10))
	}
	return p
}

// beforeExpiry is when to renew an access that will expire.
func (r rhythm) beforeExpiry(token connection.Token) time.Time {
	margin := min(r.renewal.Margin, token.ExpiresAt.Sub(token.IssuedAt)/refreshShare)
	if !r.early {
		margin = 0
	}
	return token.ExpiresAt.Add(-margin - jitter(r.seed, margin/2))
}

// beforeHalf is when to find out whether a refresh pushes the refresh token's own end
// forward: before the second half of its life, in which people are told of it. The
// zero time when there is no such end, or a refresh has been there.
func (r rhythm) beforeHalf(token connection.Token) time.Time {
	if token.RefreshExpiresAt.IsZero() || token.Refresh.Empty() {
		return time.Time{}
	}
	began := refreshBegan(token)
	life := token.RefreshExpiresAt.Sub(began)
	at := began.Add(life/2 - jitter(r.seed, life/20))
	if !token.IssuedAt.Before(at) {
		return time.Time{}
	}
	return at
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// next is how long until the earliest of what is due.
func (p plan) next(now time.Time) time.Duration {
	wait := lookMax
	for _, due := range []time.Time{p.refresh, p.probe, p.end} {
		if !due.IsZero() {
			wait = min(wait, due.Sub(now))
		}
	}
	for _, moment := range p.tell {
		if moment.After(now) {
			wait = min(wait, moment.Sub(now))
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
