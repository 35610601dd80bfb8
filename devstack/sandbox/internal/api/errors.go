package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"connectedapps/devstack/sandbox/internal/state"
)

// Error is what the API answers as {"error":{"code":…,"message":…}}.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// challenge is the WWW-Authenticate header (RFC 6750 section 3), retryAfter the Retry-After header.
	challenge  string
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
	errKeyReused = &Error{
		Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused",
		Message: "This Idempotency-Key was used for another request.",
	}
)

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
	if answer.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(answer.retryAfter.Seconds()))))
	}
	w.entry.Outcome = answer.Code
	_ = writeJSON(w, answer.Status, map[string]*Error{"error": answer}) // an Error always marshals
}
