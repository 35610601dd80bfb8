package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"

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
	// tokenPresentations is how often a token may be given to the provider while each
	// time somebody died before the answer: once, and once more.
	tokenPresentations = 2
	// coolDown keeps a crowd of actions from asking a token endpoint again that has just failed.
	coolDown = 3 * time.Second
	// markTold is how long the writer of a mark on a client may take to tell of it;
	// after that whoever meets the mark does.
	markTold = time.Minute
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
}

type cooling struct {
	until time.Time
	err   error
}

func newSpender(a *Activities) *Spender {
	return &Spender{a: a, registrations: newRegistrations(a.AuthConfigs), budgets: newBudgets(a), cooling: map[string]cooling{},
		over: map[string]*connection.Intent{}}
}

// Renew answers a document newer than the generation the caller found wanting.
// Many may ask at once: one request goes out. Where there is nothing to renew
// with, the generation is recorded as rejected for the reason given.
//
// The work goes on if the caller is cancelled, since a token that has been spent
// must be stored whoever is still waiting.
func (s *Spender) Renew(ctx context.Context, ref connection.CredentialRef, reason string) (connection.Stored, error) {
	key := fmt.Sprintf("%s#%s#%d", placeName(ref), ref.Grant, ref.Generation)
	if err := s.cooled(key); err != nil {
		return connection.Stored{}, err
	}
	flight := s.flights.DoChan(key, func() (any, error) {
		s.writing.Add(1)
		defer s.writing.Done()
		stored, err := s.spend(context.WithoutCancel(ctx), ref, reason)
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
	stored, err := s.spendAs(context.WithoutCancel(ctx), ref, "", me, &config)
	if err == nil {
		s.a.reader.hold(ref, stored)
	} else {
		s.a.reader.drop(ref)
	}
	return stored, err
}

func (s *Spender) spend(ctx context.Context, ref connection.CredentialRef, reason string) (connection.Stored, error) {
	return s.spendAs(ctx, ref, reason, rand.Text(), nil)
}

// spendAs spends under the name me. A trial is the auth config to use in place of the stored one; nil for none.
func (s *Spender) spendAs(ctx context.Context, ref connection.CredentialRef, reason, me string, trial *connection.AuthConfig) (connection.Stored, error) {
	for wait := pollMin; ; {
		stored, err := s.a.Documents.Read(ctx, ref)
		switch {
		case errors.Is(err, connection.ErrAbsent):
			return stored, connection.NotFound(ref.Connection)
		case err != nil:
			return stored, err
		case stored.Grant != ref.Grant || stored.Generation > ref.Generation:
			return stored, nil // somebody was faster
		case stored.Rejected != nil && stored.Rejected.Generation == stored.Generation:
			return stored, connection.ReconnectRequired(ref.Connection, stored.Rejected.Reason)
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
		announced, err := s.announce(ctx, ref, x, me)
		if errors.Is(err, connection.ErrVersionConflict) {
			continue
		}
		if err != nil {
			return stored, err
		}
		x.stored = announced
		return s.redeem(ctx, ref, x, config, redemption{unanswered: before != nil && !x.spends().Empty(), trial: trial != nil})
	}
}

// registration is the client to refresh with. A client that the provider has
// refused is not tried again by anybody until its auth config changes. The one alert
// of it depends on the AuthConfig's being told, which is made up for here.
func (s *Spender) registration(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) (connection.AuthConfig, error) {
	config, err := s.registrations.read(ctx, ref.Connection.App(), stored.AuthConfig)
	if err == nil && config.Mark != nil {
		s.registrations.drop(ref.Connection.App(), stored.AuthConfig)
		config, err = s.registrations.read(ctx, ref.Connection.App(), stored.AuthConfig)
		if err == nil && config.Mark != nil {
			if mark := config.Mark; !mark.Told && stored.Clock.Now().Sub(mark.At) > markTold {
				s.tellClient(ctx, ref.Connection.App(), stored.AuthConfig, config)
			}
			err = clientMarked(stored.AuthConfig, config.Mark.Code)
		}
	}
	return config, err
}

func clientMarked(name, code string) error {
	problem := connection.Refused(connection.ErrClientMisconfigured,
		fmt.Sprintf("the app refuses the client registration of auth config %q (%s)", name, code),
		"give it the secret that the app knows now, with: connected-apps auth-configs rotate")
	problem.Verdict = connection.ClientMisconfigured
	return problem
}

// announce writes the intent by compare-and-set. Whoever succeeds spends; the
// write also proves that Vault will take the answer. A write whose answer was
// lost is recognised by its fencing token.
func (s *Spender) announce(ctx context.Context, ref connection.CredentialRef, x access, me string) (connection.Stored, error) {
	stored := x.stored
	before, presentations := stored.Intent, 1
	if before != nil {
		presentations += before.Presentations
	}
	stored.Intent = &connection.Intent{Attempt: me, Budget: budget, Presentations: presentations,
		Fingerprint: fingerprint(x.spends())}
	version, err := s.a.Documents.Write(ctx, ref, stored.Document, stored.Version)
	if err == nil {
		stored.Version = version
		return stored, nil
	}
	current, again := s.a.Documents.Read(ctx, ref)
	if again == nil && current.Intent != nil && current.Intent.Attempt == me {
		return current, nil
	}
	s.finish(me, before) // it may be stored all the same
	return stored, err
}

// presentedOut reports whether a token that was presented so often, and each time by
// somebody who died before the answer, may not be presented again. A refresh that
// spends no token may always be repeated.
func (x access) presentedOut(presentations int) bool {
	renewal := x.method.Renewal()
	if x.method.Kind.Machine() || renewal.Rotation == connectors.RotationNone {
		return false
	}
	return renewal.Replay == connectors.ReplayNever || presentations >= tokenPresentations
}

// standing is what an intent in Vault is to be read as.
func (s *Spender) standing(intent *connection.Intent) *connection.Intent {
	if intent == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if instead, ok := s.over[intent.Attempt]; ok {
		return instead
	}
	return intent
}

// finish remembers what an attempt's intent is to be read as, where Vault would not take it.
func (s *Spender) finish(attempt string, instead *connection.Intent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.over) >= cacheSize {
		clear(s.over)
	}
	s.over[attempt] = instead
}

// redemption is what a request to the token endpoint comes after.
type redemption struct {
	unanswered bool // the same token was presented before, and no answer was seen
	trial      bool // the auth config is not in use yet, and to be proven
}

// redeem asks the token endpoint once and stores what it says.
func (s *Spender) redeem(ctx context.Context, ref connection.CredentialRef, x access, config connection.AuthConfig, how redemption) (connection.Stored, error) {
	request, cancel := context.WithTimeout(ctx, redeemTimeout)
	fresh, err := s.ask(request, x, config)
	cancel()
	if err == nil {
		return s.settle(ctx, ref, x, fresh, config)
	}
	problem, _ := connection.AsProblem(err)
	if problem == nil {
		problem = connection.ProviderUnavailable("the token endpoint did not answer", 0)
	}
	switch problem.Verdict {
	case connection.Revoked:
		if how.trial {
			s.withdraw(ctx, ref, x.stored, nil)
			return x.stored, problem
		}
		reason := problem.Message
		if how.unanswered {
			reason = outcomeUnknown
		}
		return s.reject(ctx, ref, x.stored.Intent.Attempt, reason)
	case connection.ClientMisconfigured:
		s.withdraw(ctx, ref, x.stored, nil)
		if how.trial {
			return x.stored, problem
		}
		return x.stored, s.markClient(ctx, ref, x.stored, config, problem)
	case connection.OK, connection.Transient, connection.RateLimit, connection.RejectedInput,
		connection.ScopeLost, connection.OutcomeUnknown:
		// It may have been spent all the same. The closed intent remembers that, so that
		// a later refusal is told as what it is; it holds nobody up, and does not count
		// as a death.
		closed := *x.stored.Intent
		closed.Budget, closed.Presentations = 0, 0
		s.withdraw(ctx, ref, x.stored, &closed)
	}
	return x.stored, problem
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
	if len(s.cooling) >= cacheSize {
		clear(s.cooling)
	}
	s.cooling[key] = cooling{until: time.Now().Add(min(max(problem.RetryAfter, coolDown), budget)), err: err}
	s.a.Log.Info("a refresh did not succeed and will be tried again", zap.String("credential", key),
		zap.String("verdict", string(problem.Verdict)), zap.String("reason", problem.Message))
}
