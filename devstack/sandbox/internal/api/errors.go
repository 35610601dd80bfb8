package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"connectedapps/devstack/sandbox/internal/oauth1"
	"connectedapps/devstack/sandbox/internal/state"
)

// Error is what the API answers as {"error":{"code":…,"message":…}}.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// challenge is the WWW-Authenticate header (RFC 6750 section 3), retryAfter the Retry-After header.
	challenge string
	// stale is set where a new nonce of HTTP Digest is all that is missing.
	stale      bool
	retryAfter time.Duration
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

var (
	errDown           = &Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: "The sandbox is down by setting."}
	errNoSuchResource = &Error{Status: http.StatusNotFound, Code: "not_found", Message: "There is no such resource."}
	errInvalidToken   = &Error{
		Status: http.StatusUnauthorized, Code: "invalid_token", Message: "The credential is unknown, expired or revoked.",
		challenge: `Bearer realm="sandbox", error="invalid_token", error_description="unknown, expired or revoked"`,
	}
	// RFC 6750 section 3.1: a request without any credential is told no error code in the challenge.
	errNoCredential = &Error{
		Status: http.StatusUnauthorized, Code: "unauthorized", Message: "Sign in first.", challenge: `Bearer realm="sandbox"`,
	}
	// RFC 7616 section 3.3: the password was right, so that the client may answer the new challenge by itself.
	errStaleNonce = &Error{Status: http.StatusUnauthorized, Code: "stale_nonce", Message: "The nonce is too old.", stale: true}
	errNoAccount  = &Error{
		Status: http.StatusUnprocessableEntity, Code: "account_required",
		Message: "You belong to several organisations: name one in " + AccountHeader + "; GET /api/v1/accounts lists them.",
	}
	errKeyReused = &Error{
		Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused",
		Message: "This Idempotency-Key was used for another request.",
	}
)

// notSigned is a refused OAuth 1.0a signature.
func notSigned(refusal oauth1.Refusal) *Error {
	return &Error{
		Status: http.StatusUnauthorized, Code: "invalid_token", Message: "The signature was refused: " + refusal.Problem + ".",
		challenge: fmt.Sprintf(`OAuth realm="sandbox", oauth_problem=%q`, refusal.Problem),
	}
}

func insufficientScope(scope string) *Error {
	return &Error{
		Status: http.StatusForbidden, Code: "insufficient_scope", Message: "This needs the scope " + scope + ".",
		challenge: fmt.Sprintf(`Bearer realm="sandbox", error="insufficient_scope", scope=%q`, scope),
	}
}

func invalid(format string, values ...any) *Error {
	return &Error{Status: http.StatusUnprocessableEntity, Code: "invalid", Message: fmt.Sprintf(format, values...)}
}

func rateLimited(retryAfter time.Duration) *Error {
	return &Error{
		Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "Too many requests.", retryAfter: retryAfter,
	}
}

// writeError answers an error of any kind; what is not an *Error and not known here is a 500.
func writeError(w *recorder, err error) {
	var answer *Error
	switch {
	case errors.As(err, &answer):
	case errors.Is(err, state.ErrNotFound):
		answer = errNoSuchResource
	case errors.Is(err, state.ErrIdempotencyKeyReused):
		answer = errKeyReused
	default:
		answer = &Error{Status: http.StatusInternalServerError, Code: "internal", Message: err.Error()}
	}
	if answer.challenge != "" {
		w.Header().Set("WWW-Authenticate", answer.challenge)
	}
	if answer.Status == http.StatusUnauthorized {
		for _, challenge := range w.server.digests.challenges(answer.stale) {
			w.Header().Add("WWW-Authenticate", challenge)
		}
	}
	if answer.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(answer.retryAfter.Seconds()))))
	}
	w.entry.Outcome = answer.Code
	_ = writeJSON(w, answer.Status, map[string]*Error{"error": answer}) // an Error always marshals
}
