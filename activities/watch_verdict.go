package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
)

// healthy is what there is to see where nothing has failed. report is nil where nothing was probed.
func (a *Activities) healthy(in WatchInput, x access, report *ProbeReport) Look {
	look := Look{Status: connection.Active, Verdict: connection.OK,
		Grant: x.stored.Grant, Generation: x.stored.Generation, Identity: in.Reported.Identity,
		Scopes: grantedNow(in.Reported, x, report), Lost: in.Reported.Lost, Work: workLeft(in.Reported, x.stored),
		LastUsed: latest(in.Reported.LastUsed, x.stored.Facts.LastUsed)}
	if report != nil && report.Identity.Known() {
		look.Identity = report.Identity.Over(in.Reported.Identity)
	}
	look.foresees(a.outlook(in, x))
	if x.stored.RefreshedBy != "" {
		look.renewed = x.stored.Credential.Earliest().IssuedAt
	}
	if look.Scopes == nil { // the app says nothing of scopes: nothing is known to have changed
		look.Scopes = in.Reported.Scopes
	} else {
		look.Lost = lost(in.Reported, x, look.Scopes)
	}
	if len(look.Lost) > 0 {
		look.Status, look.Verdict = connection.Error, connection.ScopeLost
		look.Reason = connection.Bound("the app no longer grants: "+strings.Join(look.Lost, ", "), 500)
		look.Remedy = "reconnect it and grant them again: connected-apps reconnect " + in.Connection.String()
	}
	return look
}

// grantedNow are the scopes that the app grants now; nil where it has not said. A
// refresh tells where the credential has one. Where it has none, only a probe can,
// and what the last one has told stands until the next.
func grantedNow(reported Look, x access, report *ProbeReport) []string {
	token := x.stored.Credential.Default()
	switch {
	case x.renewable() && token.Scopes != nil:
		return token.Scopes
	case report != nil && report.told:
		return report.Scopes
	case reported.Scopes != nil:
		return reported.Scopes
	default:
		return token.Scopes
	}
}

// offlineAccess asks for a refresh token (OpenID Connect Core 1.0 section 11). Whoever
// has one has it, though few answers to a refresh name it again.
const offlineAccess = "offline_access"

// lost are the scopes that were granted once and are not now, nor implied by one that is.
func lost(reported Look, x access, granted []string) []string {
	once := slices.Concat(reported.Scopes, reported.Lost)
	slices.Sort(once)
	if x.renewable() {
		granted = append(slices.Clone(granted), offlineAccess)
	}
	return x.method.Missing(slices.Compact(once), granted)
}

// workLeft is the trouble at work that no action has ended by a success.
func workLeft(reported Look, stored connection.Stored) *connection.WorkTrouble {
	if reported.Work == nil || stored.Facts.LastUsed.After(reported.Work.Last) {
		return nil
	}
	return reported.Work
}

// foresees takes over what there is to tell of ends.
func (l *Look) foresees(o outlook) { l.Expires, l.Ending, l.Warned = o.expires, o.what, o.warned }

// trouble says what an error means for the connection. The credential is only
// declared dead by a verdict that says so; everything else heals by itself. The
// method is nil where the error is that there is none.
func (a *Activities) trouble(ctx context.Context, in WatchInput, x access, err error) (Look, time.Duration, error) {
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Type == connection.ErrVaultUnavailable || problem.Type == connection.ErrInternal {
		return Look{}, 0, err
	}
	stored, look := x.stored, in.Reported
	look.Grant, look.Generation = stored.Grant, stored.Generation
	look.LastUsed = latest(look.LastUsed, stored.Facts.LastUsed)
	look.Work = workLeft(in.Reported, stored)
	if x.method != nil {
		look.foresees(a.outlook(in, x))
	}
	switch problem.Verdict {
	case connection.Revoked:
		return expiredLook(in, stored, problem.Message), lookMax, nil
	case connection.ClientMisconfigured, connection.ScopeLost:
		look.Status, look.Verdict = connection.Error, problem.Verdict
		look.Reason, look.Remedy = problem.Message, problem.Remedy
		return look, troubleMax, nil
	case connection.RateLimit:
		look.unwell = problem.Message
		return look, a.waitForTurn(in.Connection, x, problem), nil
	case connection.OK, connection.Transient, connection.RejectedInput, connection.OutcomeUnknown:
	}
	look.unwell = problem.Message
	failing := a.failing(ctx, in, stored)
	if failing >= brokenAfter {
		look.Status, look.Verdict = connection.Error, connection.Transient
		look.Reason = problem.Message
		look.Remedy = "nothing: it is tried again by itself and heals when the app answers"
	}
	return look, troubleWait(failing), nil
}

// failing is how long nothing has worked, by a fact in Vault that is noted at the first failure.
func (a *Activities) failing(ctx context.Context, in WatchInput, stored connection.Stored) time.Duration {
	now, since := stored.Clock.Now(), stored.Facts.FailingSince
	if !since.IsZero() && !stored.Facts.LastOK.After(since) { // unbroken
		return now.Sub(since)
	}
	_ = a.Documents.Note(ctx, connection.CredentialRef{Connection: in.Connection},
		map[connection.Fact]time.Time{connection.FactFailingSince: now}) // the next look notes it if this one could not
	return 0
}

func expiredLook(in WatchInput, stored connection.Stored, reason string) Look {
	look := missing(in)
	// An error names the connection and says that it has expired; the status has said so.
	look.Reason = strings.TrimPrefix(reason, connection.ReconnectRequired(in.Connection, "").Message)
	look.Remedy = connection.AuthenticateAgain(in.Connection)
	look.Grant, look.Generation = stored.Grant, stored.Generation
	return look
}

// missing is the look at a credential that is gone. Warnings of an end are over with it.
func missing(in WatchInput) Look {
	look := in.Reported
	look.Status, look.Verdict = connection.Expired, connection.Revoked
	look.Reason, look.Remedy = "its credential is no longer in Vault", connection.AuthenticateAgain(in.Connection)
	look.Work, look.Warned = nil, 0
	return look
}
