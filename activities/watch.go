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
		again := connection.LookAgain(fmt.Sprintf("%s; next look in %s", seen(look), wait.Round(time.Second)), wait)
		again.Renewed = look.renewed
		err = again
	} else if problem, ok := connection.AsProblem(err); !ok || problem.Retryable {
		// Vault is in trouble, or this worker is: that says nothing about the connection.
		a.Log.Warn("a look at a connection failed", zap.String("connection", in.Connection.String()), zap.Error(err))
		err = connection.LookAgain("could not look: "+sentence(err), troubleMin)
	}
	return nil, a.leave(ctx, "WatchConnection", err)
}

func seen(l Look) string {
	switch {
	case l.unwell != "":
		return "no good answer: " + l.unwell
	case l.Status == connection.Active:
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
	if in.Reported.Grant != "" && in.Reported.Grant != stored.Grant { // what was known is of another grant
		in.Reported.Scopes, in.Reported.Lost, in.Reported.Work = nil, nil, nil
	}
	if rejected(stored) {
		return expiredLook(in, stored, stored.Rejected.Reason), lookMax, nil
	}
	x, err := a.access(ctx, stored, in.Connection)
	if err != nil {
		return a.trouble(ctx, in, access{stored: stored}, err)
	}
	pace, now := paceOf(in, x), stored.Clock.Now()
	ref.Grant, ref.Generation = stored.Grant, stored.Generation
	if due(planFor(x.stored, pace).refresh, now) {
		fresh, err := a.spender.RenewSeen(ctx, stored, ref, "the access has expired and cannot be renewed without a person")
		if err != nil {
			return a.trouble(ctx, in, x, err)
		}
		x.stored = fresh
		x.stored.Facts.LastOK = now
	}
	if !x.renewable() && expired(x.stored) {
		_, err := a.spender.reject(ctx, ref, "", "the access has expired and cannot be renewed without a person")
		if err == nil { // another credential was stored meanwhile
			return a.look(ctx, in)
		}
		return a.trouble(ctx, in, x, err)
	}
	if x.renewable() && x.config.Mark != nil { // nobody may renew: this will end with the access
		if _, err := a.spender.registration(ctx, ref, x.stored); err != nil {
			return a.trouble(ctx, in, x, err)
		}
	}
	var report *ProbeReport
	if due(planFor(x.stored, pace).probe, now) || in.Reported.healsByProbe() {
		report, err = a.probeStored(ctx, ref, x.stored)
		if err != nil {
			return a.trouble(ctx, in, x, err)
		}
		x.stored.Facts.LastProbe, x.stored.Facts.LastOK = now, now
		if report.Untestable {
			pace.probeEvery = 0
		}
	}
	look, plan := a.healthy(in, x, report), planFor(x.stored, pace)
	plan.tell = a.outlook(in, x).moments
	return look, look.soon(plan.next(x.stored.Clock.Now())), nil
}

// paceOf is how the connection is looked after. One that is in Error is looked at
// whatever its policy, so that it can heal.
func paceOf(in WatchInput, x access) rhythm {
	r := rhythm{renewable: x.renewable(), early: x.early(), onDemand: in.Policy.Idle == connection.OnDemand,
		renewal: x.method.Renewal(), probeEvery: in.Policy.ProbeEvery, seed: in.Connection.String()}
	if r.probeEvery == 0 {
		r.probeEvery = x.method.ProbeInterval()
	}
	if r.onDemand && in.Reported.Status != connection.Error {
		r.probeEvery = 0
	}
	return r
}

// outlook is what there is to tell of ends now.
func (a *Activities) outlook(in WatchInput, x access) outlook {
	return foreseeAfter(in.Reported, endings(x, in.Policy), a.WarnDays, x.stored.Clock.Now())
}

// healsByProbe reports trouble that a passing probe ends. Scopes that are gone are
// not among it: the probe may need none of them.
func (l Look) healsByProbe() bool {
	return l.Status == connection.Error && (l.Verdict != connection.ScopeLost || len(l.Lost) == 0)
}

// soon bounds the wait while work is in trouble: its first success is worth seeing.
func (l Look) soon(wait time.Duration) time.Duration {
	if l.Work == nil {
		return wait
	}
	return min(wait, troubleMax)
}
