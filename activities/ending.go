package activities

import (
	"time"

	"connectedapps/connection"
)

// This file decides; it asks nobody and reads no clock.

// ending is something that ends and that only a person can replace.
type ending struct {
	at   time.Time
	what string
	// since is when its life began; zero when that is not known, or does not count.
	since time.Time
	// quiet ends are not spoken of in the first half of a life: a refresh may push them forward.
	quiet bool
}

// What can end, in words.
const (
	accessEnds  = "the access, which cannot be renewed without a person"
	refreshEnds = "the refresh token"
	keyEnds     = "the credential"
)

// outlook is what there is to tell people about ends: the part of a [Look], and
// the moments at which it may change.
type outlook struct {
	expires time.Time
	what    string
	warned  int
	moments []time.Time
}

// endings are the ends of a credential that are known.
func endings(x access, policy connection.Policy) []ending {
	var all []ending
	if token := x.stored.Credential.Earliest(); !x.renewable() && !token.ExpiresAt.IsZero() {
		all = append(all, ending{at: token.ExpiresAt, what: accessEnds, since: token.IssuedAt})
	}
	if token := x.stored.Credential.Default(); x.renewable() && x.spendsRefresh() && !token.RefreshExpiresAt.IsZero() {
		all = append(all, ending{at: token.RefreshExpiresAt, what: refreshEnds, since: refreshBegan(token), quiet: true})
	}
	// When a person learnt of this one is nowhere written down, and the date is theirs:
	// it is warned of from the first.
	if !policy.Expires.IsZero() {
		all = append(all, ending{at: policy.Expires, what: keyEnds})
	}
	return all
}

// spendsRefresh reports whether a renewal presents a refresh token.
func (x access) spendsRefresh() bool {
	return !x.spends().Empty() && x.method.OAuth.Refresh.With != withAccess
}

// foresee says which end comes first of those that are spoken of, and how many days
// ahead of it a warning is due by now; warnDays in any order.
func foresee(ends []ending, warnDays []int, now time.Time) outlook {
	var o outlook
	for _, end := range ends {
		o.moments = append(o.moments, end.moments(warnDays)...)
		if end.quiet && now.Before(end.half()) {
			continue
		}
		if o.expires.IsZero() || end.at.Before(o.expires) {
			o.expires, o.what, o.warned = end.at, end.what, end.warned(warnDays, now)
		}
	}
	return o
}

// clockGrain is more than Vault's clock, told in whole seconds and perhaps by another
// of its nodes, goes back between one look and the next.
const clockGrain = time.Minute

// foreseeAfter is foresee for whoever was told before: what was said stays said, though
// the clock that it was said by seems to have gone back behind it.
func foreseeAfter(said Look, ends []ending, warnDays []int, now time.Time) outlook {
	o := foresee(ends, warnDays, now)
	if ahead := foresee(ends, warnDays, now.Add(clockGrain)); ahead.isSaid(said) {
		return ahead
	}
	return o
}

// isSaid reports whether people know all of it.
func (o outlook) isSaid(l Look) bool {
	return o.expires.Equal(l.Expires) && o.what == l.Ending && o.warned == l.Warned
}

// half is the middle of the life of what ends; the zero time where its beginning is not known.
func (e ending) half() time.Time {
	if e.since.IsZero() {
		return time.Time{}
	}
	return e.since.Add(e.at.Sub(e.since) / 2)
}

// warning is when to warn that many days ahead. It reports false in the first half
// of a life: nobody needs to hear that a token of an hour ends within two weeks.
func (e ending) warning(days int) (time.Time, bool) {
	at := e.at.Add(-time.Duration(days) * 24 * time.Hour)
	return at, !at.Before(e.half())
}

// warned is the smallest number of days of the warnings that are due; 0 when none is.
func (e ending) warned(warnDays []int, now time.Time) int {
	smallest := 0
	for _, days := range warnDays {
		if at, ok := e.warning(days); ok && due(at, now) && (smallest == 0 || days < smallest) {
			smallest = days
		}
	}
	return smallest
}

// moments are when what is to be told of the end changes.
func (e ending) moments(warnDays []int) []time.Time {
	var all []time.Time
	if e.quiet {
		all = append(all, e.half())
	}
	for _, days := range warnDays {
		if at, ok := e.warning(days); ok {
			all = append(all, at)
		}
	}
	return all
}
