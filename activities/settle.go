package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// outcomeUnknown is the reason when a token was presented, no answer was seen,
// and the provider refused it afterwards: the new pair, if there was one, is lost.
const outcomeUnknown = "outcome of a refresh unknown"

// settle stores a new generation, and does not give up while the process lives:
// the old token is worth nothing any more, and the new one is only here.
func (s *Spender) settle(ctx context.Context, ref connection.CredentialRef, x access, fresh connection.Credential, config connection.AuthConfig, told bool) (connection.Stored, error) {
	base := x.stored
	me, spent := base.Intent.Attempt, base.Intent.Fingerprint
	next := base
	for wait := pollMin; ; {
		next.Generation = base.Generation + 1
		next.Credential = fresh
		next.RefreshedBy, next.Intent, next.Rejected = me, nil, nil
		version, err := s.a.Documents.Write(ctx, ref, next.Document, next.Version)
		if err == nil {
			next.Version = version
			if !told || !base.Facts.FailingSince.IsZero() {
				s.noteRefresh(ctx, ref, next.Clock.Now())
			}
			return next, nil
		}
		current, err := s.a.Documents.Read(ctx, ref)
		switch {
		case errors.Is(err, connection.ErrAbsent):
			s.discard(ctx, ref, fresh, config)
			return current, connection.NotFound(ref.Connection)
		case err != nil:
			s.a.Log.Warn("a refreshed credential is waiting to be stored", zap.String("connection", ref.Connection.String()))
			time.Sleep(wait)
			wait = min(2*wait, pollMax)
		case current.RefreshedBy == me:
			return current, nil
		case current.Grant == base.Grant && current.Generation == base.Generation &&
			fingerprint(access{method: x.method, stored: current}.spends()) == spent:
			next = current // only the gate, an intent or a mark was written meanwhile
		case current.Grant == base.Grant:
			// A later generation is stored. Revoking this one could end the whole grant,
			// and that one with it (RFC 7009 section 2.1).
			return current, nil
		default:
			s.discard(ctx, ref, fresh, config)
			return current, nil
		}
	}
}

// discard revokes a credential that came too late: its connection is gone, or has another grant.
func (s *Spender) discard(ctx context.Context, ref connection.CredentialRef, held connection.Credential, config connection.AuthConfig) {
	method, err := s.a.method(ref.Connection.App(), held.Method)
	if err != nil {
		return
	}
	_, err = s.a.drop(ctx, method, config, held)
	s.a.Log.Info("a credential that came too late was dropped", zap.String("connection", ref.Connection.String()),
		zap.Bool("revoked", err == nil))
}

// reject records the provider's final word on a generation before anybody is
// told. Its writer alone tells the Connection. Whoever is asking for a newer
// generation at this moment is waited for. attempt is the caller's own, "" for none.
func (s *Spender) reject(ctx context.Context, ref connection.CredentialRef, attempt, reason string) (connection.Stored, error) {
	me, lost := rand.Text(), false
	for wait := pollMin; ; {
		stored, err := s.a.Documents.Read(ctx, ref)
		switch {
		case errors.Is(err, connection.ErrAbsent):
			return stored, connection.NotFound(ref.Connection)
		case err != nil:
			return stored, err
		case stored.Grant != ref.Grant || stored.Generation > ref.Generation:
			return stored, nil // the one re-read: somebody has a newer one
		case rejected(stored) && stored.Rejected.By == me: // the write whose answer was lost
			return stored, s.tell(ctx, ref, stored)
		case rejected(stored):
			return stored, connection.ReconnectRequired(ref.Connection, stored.Rejected.Reason)
		}
		if other := s.standing(stored.Intent); other != nil && other.Attempt != attempt && stored.Age() < other.Budget {
			if !pause(ctx, wait) {
				return stored, ctx.Err()
			}
			wait = min(2*wait, pollMax)
			continue
		}
		stored.Intent = nil
		stored.Rejected = &connection.Rejection{Generation: stored.Generation, Verdict: connection.Revoked,
			Reason: connection.Bound(reason, 200), By: me}
		_, err = s.a.Documents.Write(ctx, ref, stored.Document, stored.Version)
		switch {
		case err == nil:
			return stored, s.tell(ctx, ref, stored)
		case errors.Is(err, connection.ErrVersionConflict):
		case lost:
			return stored, err
		default:
			lost = true
		}
	}
}

// tell says that a generation is dead, to the Connection and as the error to return.
func (s *Spender) tell(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) error {
	s.a.reader.drop(ref)
	dead := connection.ReconnectRequired(ref.Connection, stored.Rejected.Reason)
	if ref.Candidate {
		return dead
	}
	told := connection.CredentialRef{Connection: ref.Connection, Grant: stored.Grant, Generation: stored.Generation}
	if err := s.a.Workflows.CredentialRejected(ctx, told, stored.Rejected.Verdict, stored.Rejected.Reason); err != nil {
		// The watch finds the mark at its next look.
		s.a.Log.Warn("the connection could not be told that its credential is dead",
			zap.String("connection", ref.Connection.String()), zap.Error(err))
	}
	return dead
}

// withdraw replaces the intent after an answer that changed nothing. Where
// Vault does not take it, the others wait until its budget is over.
func (s *Spender) withdraw(ctx context.Context, ref connection.CredentialRef, announced connection.Stored, intent *connection.Intent) {
	next := announced.Document
	next.Intent = intent
	if _, err := s.a.Documents.Write(ctx, ref, next, announced.Version); err != nil {
		s.finish(announced.Intent.Attempt, intent)
		s.a.Log.Info("an intent stays until its budget is over", zap.String("connection", ref.Connection.String()))
	}
}

// markClient records, once for all connections, that the provider refuses the
// client registration used; only the writer of the mark tells the AuthConfig. It
// answers the problem to return: if the secret was rotated meanwhile, the present one
// is not to blame, and the caller tries again with it.
func (s *Spender) markClient(ctx context.Context, ref connection.CredentialRef, refused connection.Stored, used connection.AuthConfig, problem *connection.Problem) error {
	app, name := ref.Connection.App(), refused.AuthConfig
	if name == "" {
		return problem
	}
	s.registrations.drop(app, name)
	config, version, err := s.a.AuthConfigs.Read(ctx, app, name)
	switch {
	case err != nil:
		return problem
	case !config.SameSecrets(used):
		again := connection.ProviderUnavailable("the client was refused by a secret that has been rotated meanwhile", problem.Status)
		again.RetryAfter = time.Second
		return again
	case config.Mark != nil:
		return clientMarked(ref.Connection, name, config.Mark.Code)
	}
	code := connection.Bound(problem.Message, 200)
	mark := connection.ClientMark{Code: code, At: refused.Clock.Now().UTC().Round(0)}
	config.Mark = &mark
	if err := s.a.AuthConfigs.Write(ctx, app, name, config, version); err != nil {
		// Another was first, or the next refusal will try again; unless it is stored all
		// the same, and nobody will be refused again.
		config, _, err = s.a.AuthConfigs.Read(ctx, app, name)
		if err != nil || config.Mark == nil || *config.Mark != mark {
			return problem
		}
	}
	s.tellClient(ctx, app, name, config)
	return clientMarked(ref.Connection, name, code)
}

// tellClient tells the AuthConfig of the mark, and notes that it was told. Should this
// die in between it is told again, which changes nothing there.
func (s *Spender) tellClient(ctx context.Context, app, name string, marked connection.AuthConfig) {
	err := s.a.Workflows.ClientRefused(ctx, app, name, marked.Rotation, marked.Mark.Code)
	if err == nil {
		err = s.a.change(ctx, app, name, func(config *connection.AuthConfig) (bool, error) {
			if config.Mark == nil || config.Mark.Told || !config.Mark.At.Equal(marked.Mark.At) {
				return false, nil
			}
			mark := *config.Mark
			mark.Told = true
			config.Mark = &mark
			return true, nil
		})
	}
	if err != nil {
		s.a.Log.Warn("the auth config could not be told that its client is refused; the next one who meets the mark tells it",
			zap.String("auth_config", name), zap.Error(err))
	}
}

func (s *Spender) noteRefresh(ctx context.Context, ref connection.CredentialRef, now time.Time) {
	_ = s.a.Documents.Note(ctx, ref, map[connection.Fact]time.Time{
		connection.FactLastRefresh: now, connection.FactLastOK: now, connection.FactFailingSince: {},
	}) // a fact for people; the refresh itself is stored
}
