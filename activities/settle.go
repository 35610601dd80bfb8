package activities

import (
	"context"
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

func (s *Spender) noteRefresh(ctx context.Context, ref connection.CredentialRef, now time.Time) {
	_ = s.a.Documents.Note(ctx, ref, map[connection.Fact]time.Time{
		connection.FactLastRefresh: now, connection.FactLastOK: now, connection.FactFailingSince: {},
	}) // a fact for people; the refresh itself is stored
}
