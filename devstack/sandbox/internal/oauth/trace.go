package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
)

// Details of a ledger entry: why an outcome came about.
const (
	detailUnknown       = "unknown"
	detailExpired       = "expired"
	detailReuse         = "reuse"
	detailCodeReplay    = "code_replay"
	detailFamilyRevoked = "family_revoked"
	detailGrace         = "grace"
	detailReplayed      = "replayed"
	detailDenied        = "denied"
	detailFailed        = "failed_on_request"
	detailPredecessor   = "predecessor"
	detailTooEarly      = "too_early"
	detailRevoked       = "revoked"
)

// reasonClient is the revocation reason when the client asked for it.
const reasonClient = "client"

// trace collects what the storage learns while the library handles one request, for the ledger.
type trace struct {
	grantType           string
	family              string
	account             string
	presentedGeneration uint64
	generation          uint64
	detail              string
	// issuer is whose key an assertion was checked with.
	issuer string
	// presented is the signature of the refresh token presented, inForce are the settings of its family.
	presented string
	inForce   *settings.Settings
	// newestAccessUntil is when the family's newest access token ends; zero where it has been ended.
	newestAccessUntil time.Time
	// revoked is the reason for which the request ended the family; "" if it did not.
	revoked string
	// revocation is the reason kept should the library revoke the family.
	revocation string
}

type traceKey struct{}

func withTrace(ctx context.Context, noted *trace) context.Context {
	return context.WithValue(ctx, traceKey{}, noted)
}

// traceOf answers the trace of the request, or one nobody reads.
func traceOf(ctx context.Context) *trace {
	if noted, ok := ctx.Value(traceKey{}).(*trace); ok {
		return noted
	}
	return &trace{}
}

func (t *trace) noteReplay(detail string) { t.detail, t.revocation = detail, detail }

// describe copies the trace into a ledger entry, with the outcome an error stands for.
func (t *trace) describe(entry *ledger.Entry, err error) {
	entry.Family, entry.Account = t.family, t.account
	entry.PresentedGeneration, entry.Generation = t.presentedGeneration, t.generation
	entry.Outcome, entry.Detail, entry.Revoked = ledger.OutcomeOK, t.detail, t.revoked
	if err == nil {
		return
	}
	entry.Outcome, entry.Generation = errorCode(err), 0
	if errors.Is(err, fosite.ErrTokenExpired) {
		entry.Detail = detailExpired
	}
}

// errorCode is the OAuth error code of an error of the library ("invalid_grant").
func errorCode(err error) string { return fosite.ErrorToRFC6749Error(err).ErrorField }
