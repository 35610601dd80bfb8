package main

import (
	"context"
	"fmt"
	"time"

	"connectedapps/connection"
)

func refreshBars() []bar {
	return []bar{{name: "refresh", what: "a refresh by the watch: what it asks of Vault and of the app", run: refreshCost,
		floor: "one read, one intent and one write of Vault, one token request", target: "≤ 3 operations of Vault, 1 token request"}}
}

const refreshed, refreshedShort = 50, 8

// life of an access token in the bars, and margin before its end at which it is renewed (connectors' default).
const life, margin = time.Hour, 5 * time.Minute

// refreshCost makes connections due and counts who was asked until all are renewed.
func refreshCost(ctx context.Context, r *rig) (*result, error) {
	s, err := r.stack()
	if err != nil {
		return nil, err
	}
	defer s.close()
	count, rounds := refreshed, r.rounds
	if r.short {
		count, rounds = refreshedShort, max(rounds, 3) // a median is not moved by one look that was cut in two
	}
	f, err := s.newFlock(ctx, "refresh")
	if err != nil {
		return nil, err
	}
	defer f.end(ctx, r)
	now := time.Now()
	err = f.grow(ctx, r, count, func(int) member {
		return member{issued: now, expires: now.Add(24 * time.Hour), refreshable: true, probeEvery: connection.ProbeMax}
	})
	if err != nil {
		return nil, err
	}
	if err := f.awaitLooks(ctx, count); err != nil {
		return nil, err
	}
	var operations, requests, looks []float64
	var all []vaultRequest
	for i := range rounds {
		due := time.Now()
		if err := f.due(ctx, count, func(int) (issued, expires time.Time) { return due.Add(margin - life), due.Add(margin) }); err != nil {
			return nil, err
		}
		mark, err := s.sandbox.mark(ctx)
		if err != nil {
			return nil, err
		}
		before, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		asked, err := r.auditing(ctx, func() error {
			if err := f.lookNow(ctx, count); err != nil {
				return err
			}
			if err := f.awaitGeneration(ctx, count, i+2, time.Minute); err != nil {
				return err
			}
			return sleep(ctx, time.Second) // what follows the write is over
		})
		if err != nil {
			return nil, err
		}
		after, err := s.view.counters(ctx)
		if err != nil {
			return nil, err
		}
		tokens, err := s.sandbox.since(ctx, mark, "token")
		if err != nil {
			return nil, err
		}
		own := byWorker(asked)
		all = append(all, own...)
		operations, requests = append(operations, float64(len(own))/float64(count)), append(requests, float64(len(tokens))/float64(count))
		looks = append(looks, after.since(before).lookCost(environment).looks/float64(count))
		r.say("round %d of %d: %.2f operations of Vault (%s), %.2f token requests", i+1, rounds, last(operations), kinds(byKind(own)), last(requests))
	}
	return &result{Checks: []check{
		across(operations, atMost("operations of Vault for a refresh", 0, 3, "")).exact(),
		across(requests, atMost("token requests for a refresh", 0, 1, "")).exact(),
	}, Figures: []figure{{"looks for a refresh", median(looks), ""}},
		Note: fmt.Sprintf("Of %d refreshes, Vault was asked: %s.", count*rounds, kinds(byKind(all)))}, nil
}

// due makes the first of the flock due, by rewriting their documents. Nobody has looked yet.
func (f *flock) due(ctx context.Context, count int, when func(i int) (issued, expires time.Time)) error {
	documents := f.stack.admin.Documents()
	return together(ctx, count, flockWriters, func(ctx context.Context, i int) error {
		ref := connection.CredentialRef{Connection: f.ids[i]}
		stored, err := documents.Read(ctx, ref)
		if err != nil {
			return err
		}
		token := stored.Credential.Default()
		token.IssuedAt, token.ExpiresAt = when(i)
		held := stored.Document
		held.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: token}
		_, err = documents.Write(ctx, ref, held, stored.Version)
		return err
	})
}

// lookNow has the first of the flock looked at.
func (f *flock) lookNow(ctx context.Context, count int) error {
	return together(ctx, count, flockWriters, func(ctx context.Context, i int) error { return f.stack.lookNow(ctx, f.ids[i]) })
}

// awaitLooks waits until each of the first has been looked at once.
func (f *flock) awaitLooks(ctx context.Context, count int) error {
	return together(ctx, count, flockWriters, func(ctx context.Context, i int) error { return f.stack.awaitLook(ctx, f.ids[i], time.Time{}) })
}

// awaitGeneration waits until all of the first have that generation.
func (f *flock) awaitGeneration(ctx context.Context, count, generation int, within time.Duration) error {
	documents := f.stack.admin.Documents()
	left := f.ids[:count]
	return until(ctx, within, func() (bool, error) {
		for len(left) > 0 {
			stored, err := documents.Read(ctx, connection.CredentialRef{Connection: left[0]})
			if err != nil {
				return false, err
			}
			if stored.Rejected != nil {
				return false, fmt.Errorf("%s: the app refused: %s", left[0], stored.Rejected.Reason)
			}
			if stored.Generation < generation {
				return false, nil
			}
			left = left[1:]
		}
		return true, nil
	})
}
