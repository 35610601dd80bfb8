package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
)

const (
	// redeemTimeout bounds the one request to the token endpoint.
	redeemTimeout = 20 * time.Second
	// budget is how long an announced spender may take: the request and a window to
	// write its answer. Within it everybody else waits; past it the spender is taken
	// for dead, and the same token is presented once more.
	budget = 45 * time.Second
	// presentWithin is how soon after its intent was sent to Vault a token must be on its
	// way. A process that was held up for longer (by Vault, or because it was stopped)
	// must not present it any more: past the budget somebody else has, and a second use
	// of a token may revoke the whole grant.
	presentWithin = budget - redeemTimeout - 15*time.Second
	// tokenPresentations is how often a token may be given to the provider while each
	// time somebody died before the answer: once, and once more.
	tokenPresentations = 2
	// coolDown keeps a crowd of actions from asking a token endpoint again that has just failed.
	coolDown = 3 * time.Second
	// pollMin and pollMax pace those who wait for another's refresh.
	pollMin, pollMax = 100 * time.Millisecond, 2 * time.Second
)

// Spender is the only one that spends refresh tokens. It holds no lock that time
// could release under it: within a process a single flight, and between processes
// Vault's compare-and-set, decide who spends; an intent written before the request
// tells the others, and whoever comes after a crash.
type Spender struct {
	a             *Activities
	registrations *registrations
	budgets       *budgets
	flights       singleflight.Group
	writing       sync.WaitGroup

	mu      sync.Mutex
	cooling map[string]cooling
	// over are intents of this process that may still stand in Vault although nothing
	// follows them, by attempt: what they are to be read as.
	over map[string]*connection.Intent
	// told are the dead generations of which this process has told the Connection.
	told map[connection.CredentialRef]bool
}

type cooling struct {
	until time.Time
	err   error
}

func newSpender(a *Activities) *Spender {
	return &Spender{a: a, registrations: newRegistrations(a.AuthConfigs), budgets: newBudgets(a), cooling: map[string]cooling{},
		over: map[string]*connection.Intent{}, told: map[connection.CredentialRef]bool{}}
}

// Renew answers a document newer than the generation the caller found wanting.
// Many may ask at once: one request goes out. Where there is nothing to renew
// with, the generation is recorded as rejected for the reason given.
//
// The work goes on if the caller is cancelled, since a token that has been spent
// must be stored whoever is still waiting.
func (s *Spender) Renew(ctx context.Context, ref connection.CredentialRef, reason string) (connection.Stored, error) {
	return s.renew(ctx, ref, reason, nil)
}

// RenewSeen is Renew for whoever has just read the document, and will tell people itself
// when it was renewed: Vault is not asked for either. Should the document have changed
// meanwhile, compare-and-set says so.
func (s *Spender) RenewSeen(ctx context.Context, seen connection.Stored, ref connection.CredentialRef, reason string) (connection.Stored, error) {
	return s.renew(ctx, ref, reason, &seen)
}

func (s *Spender) renew(ctx context.Context, ref connection.CredentialRef, reason string, seen *connection.Stored) (connection.Stored, error) {
	key := fmt.Sprintf("%s#%s#%d", placeName(ref), ref.Grant, ref.Generation)
	if err := s.cooled(key); err != nil {
		return connection.Stored{}, err
	}
	flight := s.flights.DoChan(key, func() (any, error) {
		s.writing.Add(1)
		defer s.writing.Done()
		stored, err := s.spendAs(context.WithoutCancel(ctx), ref, spending{reason: reason, me: rand.Text(), seen: seen})
		if err == nil {
			s.a.reader.hold(ref, stored)
		} else {
			s.a.reader.drop(ref)
			s.cool(key, err)
		}
		return stored, err
	})
	return landed(ctx, flight)
}

// Try renews once with an auth config that is not in use yet, to prove it. A
// credential that is had with it is stored as any other, under the name of this try,
// so that RefreshedBy tells whether it was this one that renewed. An app that refuses
// marks nothing and rejects nothing: that was the new secret's fault, or the old
// one's to find out.
func (s *Spender) Try(ctx context.Context, ref connection.CredentialRef, config connection.AuthConfig, me string) (connection.Stored, error) {
	s.writing.Add(1)
	defer s.writing.Done()
	stored, err := s.spendAs(context.WithoutCancel(ctx), ref, spending{me: me, trial: &config})
	if err == nil {
		s.a.reader.hold(ref, stored)
	} else {
		s.a.reader.drop(ref)
	}
	return stored, err
}

// spending is who spends and why.
type spending struct {
	reason string
	me     string // the fencing token
	// trial is the auth config to use in place of the stored one; nil for none.
	trial *connection.AuthConfig
	// seen is the document as the caller has just read it; nil has it read.
	seen *connection.Stored
}

// current answers what the caller has seen, or what is stored where it has seen nothing,
// and whether that is all there is to do about the generation: it is gone, replaced or dead.
func (s *Spender) current(ctx context.Context, ref connection.CredentialRef, seen *connection.Stored) (stored connection.Stored, over bool, err error) {
	if seen != nil {
		stored = *seen
	} else {
		stored, err = s.a.Documents.Read(ctx, ref)
	}
	switch {
	case errors.Is(err, connection.ErrAbsent):
		return stored, true, connection.NotFound(ref.Connection)
	case err != nil:
		return stored, true, err
	case stored.Grant != ref.Grant || stored.Generation > ref.Generation:
		return stored, true, nil // somebody was faster
	case rejected(stored):
		return stored, true, s.dead(ctx, ref, stored)
	}
	return stored, false, nil
}

func (s *Spender) spendAs(ctx context.Context, ref connection.CredentialRef, by spending) (connection.Stored, error) {
	reason, me, trial, seen := by.reason, by.me, by.trial, by.seen
	for wait := pollMin; ; seen = nil { // it is good for the first turn
		stored, over, err := s.current(ctx, ref, seen)
		if over {
			return stored, err
		}
		x, err := s.a.access(ctx, stored, ref.Connection)
		if err != nil {
			return stored, err
		}
		if trial != nil {
			x = x.by(*trial)
		}
		if !x.renewable() {
			if trial != nil {
				return stored, connection.ReconnectRequired(ref.Connection, "it cannot be renewed without a person")
			}
			return s.reject(ctx, ref, me, reason)
		}
		stored.Intent = s.standing(stored.Intent)
		before := stored.Intent
		if before != nil && before.Budget > 0 {
			if stored.Age() < before.Budget {
				time.Sleep(wait)
				wait = min(2*wait, pollMax)
				continue
			}
			if x.presentedOut(before.Presentations) {
				if trial != nil {
					return stored, connection.ReconnectRequired(ref.Connection, outcomeUnknown)
				}
				return s.reject(ctx, ref, me, outcomeUnknown)
			}
		}
		config := x.config
		if trial == nil {
			if config, err = s.registration(ctx, ref, stored); err != nil {
				return stored, err
			}
		}
		x.stored.Intent = stored.Intent
		if err := s.withinBudget(ctx, ref, x); err != nil {
			return stored, err
		}
		sent := time.Now()
		announced, err := s.announce(ctx, ref, x, me)
		if errors.Is(err, connection.ErrVersionConflict) {
			continue
		}
		if err != nil {
			return stored, err
		}
		if time.Since(sent) > presentWithin {
			s.withdraw(ctx, ref, announced, before)
			continue
		}
		x.stored = announced
		return s.redeem(ctx, ref, x, config, redemption{unanswered: before != nil && !x.spends().Empty(), trial: trial != nil, told: by.seen != nil})
	}
}

// drain waits until no answer of a provider is still to be written.
func (s *Spender) drain(ctx context.Context) {
	done := make(chan struct{})
	go func() { s.writing.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		s.a.Log.Error("stopping with a refresh in flight; the next worker will present the same token once more")
	}
}

func (s *Spender) cooled(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.cooling[key]
	if ok && time.Now().Before(held.until) {
		return held.err
	}
	delete(s.cooling, key)
	return nil
}

// cool remembers a failure that others would only meet again.
func (s *Spender) cool(key string, err error) {
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Verdict != connection.Transient && problem.Verdict != connection.RateLimit {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	makeRoom(s.cooling)
	s.cooling[key] = cooling{until: time.Now().Add(min(max(problem.RetryAfter, coolDown), budget)), err: err}
	s.a.Log.Info("a refresh did not succeed and will be tried again", zap.String("credential", key),
		zap.String("verdict", string(problem.Verdict)), zap.String("reason", problem.Message))
}
