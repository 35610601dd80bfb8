package activities

import (
	"context"

	"connectedapps/connection"
	"connectedapps/connectors"
)

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
	makeRoom(s.over)
	s.over[attempt] = instead
}

// redemption is what a request to the token endpoint comes after.
type redemption struct {
	unanswered bool // the same token was presented before, and no answer was seen
	trial      bool // the auth config is not in use yet, and to be proven
	told       bool // the caller tells people that it was renewed
}

// redeem asks the token endpoint once and stores what it says.
func (s *Spender) redeem(ctx context.Context, ref connection.CredentialRef, x access, config connection.AuthConfig, how redemption) (connection.Stored, error) {
	request, cancel := context.WithTimeout(ctx, redeemTimeout)
	fresh, err := s.ask(request, x, config)
	cancel()
	if err == nil {
		return s.settle(ctx, ref, x, fresh, config, how.told)
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
