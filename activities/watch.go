package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// WatchInput says what to watch and what is known already. It is the whole
// memory of the watch: an attempt compares with Reported to tell what is news.
type WatchInput struct {
	Connection connection.ID `json:"connection"`
	// Policy is the connection's own; the zero value is the default.
	Policy   connection.Policy `json:"policy,omitzero"`
	Reported Look              `json:"reported"`
}

// WatchConnection looks at a connection and returns only when there is news.
// Otherwise it ends with a benign LookAgain that asks to be tried again when the
// next thing is due: Temporal keeps that timer, and no event is written.
//
// Killed at any point it is run again; what it does goes through the one spender.
func (a *Activities) WatchConnection(ctx context.Context, in WatchInput) (*Look, error) {
	pulse := startPulse(ctx)
	defer pulse.stop()
	look, wait, err := a.look(ctx, in)
	if err == nil && look.news(in.Reported) {
		return &look, nil
	}
	if err == nil {
		err = connection.LookAgain(fmt.Sprintf("%s; next look in %s", seen(look), wait.Round(time.Second)), wait)
	} else if problem, ok := connection.AsProblem(err); !ok || problem.Retryable {
		// Vault is in trouble, or this worker is: that says nothing about the connection.
		a.Log.Warn("a look at a connection failed", zap.String("connection", in.Connection.String()), zap.Error(err))
		err = connection.LookAgain("could not look: "+sentence(err), troubleMin)
	}
	return nil, a.leave(ctx, "WatchConnection", err)
}

func seen(l Look) string {
	if l.Status == connection.Active {
		return "healthy"
	}
	return string(l.Status) + ": " + l.Reason
}

// look does what is due and says what there is to see and when to look again.
func (a *Activities) look(ctx context.Context, in WatchInput) (Look, time.Duration, error) {
	ref := connection.CredentialRef{Connection: in.Connection}
	stored, err := a.Documents.Read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) {
		return missing(in), lookMax, nil
	}
	if err != nil {
		return Look{}, 0, err
	}
	if rejected(stored) {
		return expiredLook(in, stored, stored.Rejected.Reason), lookMax, nil
	}
	x, err := a.access(ctx, stored, in.Connection)
	if err != nil {
		return a.trouble(ctx, in, stored, err)
	}
	probeEvery := in.Policy.ProbeEvery
	if probeEvery == 0 {
		probeEvery = x.app.ProbeInterval()
	}
	schedule := func() plan {
		return planFor(x.stored, x.renewable(), x.early(), x.method.Renewal(), probeEvery, in.Connection.String())
	}
	p, now := schedule(), stored.Clock.Now()
	ref.Grant, ref.Generation = stored.Grant, stored.Generation
	if due(p.refresh, now) {
		fresh, err := a.spender.Renew(ctx, ref, "the access has expired and cannot be renewed without a person")
		if err != nil {
			return a.trouble(ctx, in, stored, err)
		}
		x.stored = fresh
		x.stored.Facts.LastOK = now
	}
	if !x.renewable() && expired(x.stored) {
		_, err := a.spender.reject(ctx, ref, "", "the access has expired and cannot be renewed without a person")
		if err == nil { // another credential was stored meanwhile
			return a.look(ctx, in)
		}
		return a.trouble(ctx, in, x.stored, err)
	}
	healing := in.Reported.Status == connection.Error
	var report *ProbeReport
	if p = schedule(); due(p.probe, now) || healing {
		report, err = a.probeStored(ctx, ref, x.stored)
		if err != nil {
			return a.trouble(ctx, in, x.stored, err)
		}
		x.stored.Facts.LastProbe, x.stored.Facts.LastOK = now, now
		if report.Untestable {
			probeEvery = 0
		}
	}
	return a.healthy(in, x, report), schedule().next(x.stored.Clock.Now()), nil
}

func (a *Activities) healthy(in WatchInput, x access, report *ProbeReport) Look {
	token := x.stored.Credential.Default()
	look := Look{
		Status: connection.Active, Verdict: connection.OK,
		Grant: x.stored.Grant, Generation: x.stored.Generation,
		Identity: in.Reported.Identity, Scopes: token.Scopes, LastUsed: latest(in.Reported.LastUsed, x.stored.Facts.LastUsed),
	}
	if report != nil {
		if report.Identity.Known() {
			look.Identity = report.Identity
		}
		if look.Scopes == nil {
			look.Scopes = report.Scopes
		}
	}
	if !x.renewable() {
		look.Expires = x.stored.Credential.Earliest().ExpiresAt
	}
	return look
}

// trouble says what an error means for the connection. The credential is only
// declared dead by a verdict that says so; everything else heals by itself.
func (a *Activities) trouble(ctx context.Context, in WatchInput, stored connection.Stored, err error) (Look, time.Duration, error) {
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Type == connection.ErrVaultUnavailable || problem.Type == connection.ErrInternal {
		return Look{}, 0, err
	}
	look := in.Reported
	look.Grant, look.Generation = stored.Grant, stored.Generation
	look.LastUsed = latest(look.LastUsed, stored.Facts.LastUsed)
	switch problem.Verdict {
	case connection.Revoked:
		return expiredLook(in, stored, problem.Message), lookMax, nil
	case connection.ClientMisconfigured, connection.ScopeLost:
		look.Status, look.Verdict = connection.Error, problem.Verdict
		look.Reason, look.Remedy = problem.Message, problem.Remedy
		return look, troubleMax, nil
	case connection.RateLimit:
		return look, max(problem.RetryAfter, troubleMin), nil
	case connection.OK, connection.Transient, connection.RejectedInput, connection.OutcomeUnknown:
	}
	now := stored.Clock.Now()
	since := stored.Facts.FailingSince
	if since.IsZero() || stored.Facts.LastOK.After(since) { // unbroken: nothing has worked since
		since = now
		_ = a.Documents.Note(ctx, connection.CredentialRef{Connection: in.Connection},
			map[connection.Fact]time.Time{connection.FactFailingSince: now}) // the next look notes it if this one could not
	}
	if failing := now.Sub(since); failing >= brokenAfter {
		look.Status, look.Verdict = connection.Error, connection.Transient
		look.Reason = problem.Message
		look.Remedy = "nothing: it is tried again by itself and heals when the app answers"
		return look, troubleWait(failing), nil
	}
	return look, troubleWait(now.Sub(since)), nil
}

func expiredLook(in WatchInput, stored connection.Stored, reason string) Look {
	look := in.Reported
	look.Status, look.Verdict = connection.Expired, connection.Revoked
	look.Reason, look.Remedy = reason, "reconnect it: a person must authenticate again"
	look.Grant, look.Generation = stored.Grant, stored.Generation
	return look
}

func missing(in WatchInput) Look {
	look := in.Reported
	look.Status, look.Verdict = connection.Expired, connection.Revoked
	look.Reason, look.Remedy = "its credential is no longer in Vault", "reconnect it, or disconnect it"
	return look
}
