package activities

import (
	"context"
	"errors"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// reject records the provider's final word on a generation before anybody is
// told. Its writer tells the Connection. Whoever is asking for a newer
// generation at this moment is waited for. attempt is the caller's own, "" for none.
func (s *Spender) reject(ctx context.Context, ref connection.CredentialRef, attempt, reason string) (connection.Stored, error) {
	lost := false
	for wait := pollMin; ; {
		stored, over, err := s.current(ctx, ref, nil) // the one re-read
		if over {
			return stored, err
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
			Reason: connection.Bound(reason, 200)}
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

// dead is the error for whoever meets a rejection. Where the gate does not know of it
// yet, its writer may have died before it told.
func (s *Spender) dead(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) error {
	if serving(stored.Gate) {
		return s.tell(ctx, ref, stored)
	}
	return connection.ReconnectRequired(ref.Connection, stored.Rejected.Reason)
}

// tell says that a generation is dead, to the Connection (once by each process that
// knows) and as the error to return.
func (s *Spender) tell(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) error {
	dead := connection.ReconnectRequired(ref.Connection, stored.Rejected.Reason)
	told := connection.CredentialRef{Connection: ref.Connection, Grant: stored.Grant, Generation: stored.Generation}
	if ref.Candidate || !s.first(told) {
		return dead
	}
	s.a.reader.drop(ref)
	if err := s.a.Workflows.CredentialRejected(ctx, told, stored.Rejected.Verdict, stored.Rejected.Reason); err != nil {
		s.forget(told) // whoever meets the rejection next tells, or the watch at its next look
		s.a.Log.Warn("the connection could not be told that its credential is dead",
			zap.String("connection", ref.Connection.String()), zap.Error(err))
	}
	return dead
}

// first reports whether this process has not told of this generation yet, and takes it as told.
func (s *Spender) first(told connection.CredentialRef) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[told] {
		return false
	}
	makeRoom(s.told)
	s.told[told] = true
	return true
}

func (s *Spender) forget(told connection.CredentialRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.told, told)
}
