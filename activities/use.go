package activities

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectedapps/connection"
)

// lead is how long before its expiry a token is no longer sent: it must survive
// the way to the provider. A tenth of the life where that is shorter.
const lead = 10 * time.Second

// grain is how exact Vault's clock is told and an expiry known: to the second.
const grain = time.Second

// use runs do with a credential that is good as far as can be known, and renews
// it once when the provider says that it is not. What do answers is passed on;
// a credential that is refused although it is fresh is recorded as rejected.
func (a *Activities) use(ctx context.Context, stored connection.Stored, ref connection.CredentialRef, do func(context.Context, access) error) error {
	ref.Grant, ref.Generation = stored.Grant, stored.Generation
	if stored.Login != nil {
		return unfinished(ref.Connection)
	}
	if rejected(stored) {
		return a.spender.dead(ctx, ref, stored)
	}
	x, err := a.access(ctx, stored, ref.Connection)
	if err != nil {
		return err
	}
	renewed := false
	if wait := lastMoment(stored, x); wait > 0 && !pause(ctx, wait) {
		return ctx.Err()
	}
	if expiring(stored, x) {
		fresh, err := a.spender.Renew(ctx, ref, "the access has expired and cannot be renewed without a person")
		switch {
		case err == nil:
			x, renewed = x.holding(fresh), true
		case expired(stored) || connection.TypeOf(err) == connection.ErrReconnectRequired:
			return err
		}
	}
	err = do(ctx, x)
	if !unauthorized(err) {
		return err
	}
	a.reader.drop(ref)
	if fresh, changed := a.rotated(ctx, x, ref.Connection); changed {
		x = fresh
		if err = do(ctx, x); !unauthorized(err) {
			return err
		}
	}
	if !renewed && x.renewable() {
		ref.Generation = x.stored.Generation
		fresh, renewErr := a.spender.Renew(ctx, ref, sentence(err))
		if renewErr != nil {
			return renewErr
		}
		x = x.holding(fresh)
		err = do(ctx, x)
		if !unauthorized(err) {
			return err
		}
	}
	// Refused although fresh. Before the connection is declared dead its probe is
	// asked: an endpoint that answers 401 to everybody must not take it down.
	probe, probeErr := a.probeWithin(ctx, ref.Connection, x)
	switch problem, ok := connection.AsProblem(probeErr); {
	case probeErr == nil && !probe.Untestable:
		refused := connection.Refused(connection.ErrRejectedInput, sentence(err), "the connection itself works; the app refuses this request")
		refused.Verdict, refused.Status = connection.RejectedInput, http.StatusUnauthorized
		return refused
	case ok && problem.Retryable:
		return probeErr // nobody is declared dead while the app is in trouble
	}
	ref.Grant, ref.Generation = x.stored.Grant, x.stored.Generation
	newer, rejectErr := a.spender.reject(ctx, ref, "", sentence(err))
	if rejectErr != nil {
		return rejectErr
	}
	// Somebody has another credential by now.
	if x, err = a.access(ctx, newer, ref.Connection); err != nil {
		return err
	}
	return do(ctx, x)
}

func rejected(s connection.Stored) bool {
	return s.Rejected != nil && s.Rejected.Generation == s.Generation
}

// expired reports whether the access is over by Vault's clock.
func expired(s connection.Stored) bool {
	token := s.Credential.Earliest()
	return !token.ExpiresAt.IsZero() && !s.Clock.Now().Before(token.ExpiresAt)
}

// expiring reports whether the access would end on the way to the provider.
func expiring(s connection.Stored, x access) bool {
	token := s.Credential.Earliest()
	if token.ExpiresAt.IsZero() {
		return false
	}
	ahead := min(lead, token.ExpiresAt.Sub(token.IssuedAt)/10)
	if !x.renewable() || !x.early() {
		ahead = 0
	}
	return !s.Clock.Now().Add(ahead).Before(token.ExpiresAt)
}

// lastMoment is how long to wait before an access is used that ends at any moment, and
// that the app renews only once it has ended; 0 where there is no need to.
func lastMoment(s connection.Stored, x access) time.Duration {
	token := s.Credential.Earliest()
	if token.ExpiresAt.IsZero() || !x.renewable() || x.early() {
		return 0
	}
	if left := token.ExpiresAt.Sub(s.Clock.Now()); left > 0 && left <= grain {
		return left + grain
	}
	return 0
}

func unauthorized(err error) bool {
	problem, ok := connection.AsProblem(err)
	return ok && problem.Type == connection.ErrReconnectRequired && problem.Verdict == connection.Revoked
}

// sentence is the message of a problem without its remedy.
func sentence(err error) string {
	if problem, ok := connection.AsProblem(err); ok {
		return problem.Message
	}
	return "the app refuses the credential"
}

// stored reads a document for use; candidates and people's tests read past the cache.
func (a *Activities) stored(ctx context.Context, ref connection.CredentialRef, cached bool) (connection.Stored, error) {
	read := a.reader.read
	if !cached {
		read = a.Documents.Read
	}
	found, err := read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) {
		return found, a.gone(ctx, ref.Connection)
	}
	return found, err
}
