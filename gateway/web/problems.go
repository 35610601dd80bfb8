package web

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// StatusOf is the one translation of error types into HTTP. What is not listed
// is a defect of ours, 500.
func StatusOf(kind string) int {
	switch kind {
	case connection.ErrInvalidInput, connection.ErrInvalidArguments, connection.ErrAuthKindNotOffered:
		return http.StatusBadRequest
	case connection.ErrNotSignedIn:
		return http.StatusUnauthorized
	case connection.ErrNotAllowed, connection.ErrAuthorizationFailed, connection.ErrScopeMissing, connection.ErrActionNotInToolkit:
		return http.StatusForbidden
	case connection.ErrUnknownApp, connection.ErrUnknownEnvironment, connection.ErrUnknownAction,
		connection.ErrConnectionNotFound, connection.ErrAuthConfigNotFound, connection.ErrToolkitNotFound,
		connection.ErrSinkNotFound, connection.ErrAlertNotFound, connection.ErrConnectSessionNotFound, connection.ErrTokenNotFound:
		return http.StatusNotFound
	case connection.ErrLinkInvalid, connection.ErrSessionClosed:
		return http.StatusGone
	case connection.ErrConnectionIDTaken, connection.ErrAuthConfigTaken, connection.ErrAuthConfigInUse, connection.ErrSinkTaken, connection.ErrTokenTaken,
		connection.ErrConnectionPending, connection.ErrConnectionPaused, connection.ErrReconnectRequired, connection.ErrOutcomeUnknown:
		return http.StatusConflict
	case connection.ErrRejectedInput, connection.ErrTestFailed, connection.ErrIdentityChanged, connection.ErrClientMisconfigured:
		return http.StatusUnprocessableEntity
	case connection.ErrRateLimited:
		return http.StatusTooManyRequests
	case connection.ErrVaultUnavailable, connection.ErrTemporalUnavailable, connection.ErrProviderUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// TitleOf says in a few words, for a person without our vocabulary, what a type means.
func TitleOf(kind string) string {
	switch kind {
	case connection.ErrLinkInvalid:
		return "This link cannot be used"
	case connection.ErrSessionClosed:
		return "This connect is over"
	case connection.ErrAuthorizationFailed:
		return "Not authorized"
	case connection.ErrNotSignedIn:
		return "Sign in first"
	case connection.ErrNotAllowed:
		return "You may not do this"
	case connection.ErrIdentityChanged:
		return "This is another account"
	case connection.ErrTestFailed:
		return "The test did not pass"
	case connection.ErrVaultUnavailable, connection.ErrTemporalUnavailable, connection.ErrProviderUnavailable:
		return "Not available just now"
	case connection.ErrInvalidInput:
		return "This request cannot be used"
	default:
		return "This did not work"
	}
}

// ProblemOf is an error as it may be shown. What is no problem of ours is logged and
// answered as internal, without its text; one of a request that ended says so.
func ProblemOf(r *http.Request, log *zap.Logger, err error) *connection.Problem {
	if problem, ok := connection.AsProblem(err); ok {
		return problem
	}
	if r.Context().Err() != nil {
		return connection.TemporalUnavailable("there was no answer in time")
	}
	log.Error("a request failed", zap.String("route", r.Pattern), zap.Error(err))
	problem := connection.Internal("the gateway")
	problem.Remedy = "try again; if it stays so, an operator finds more in the gateway's log"
	return problem
}

// Sentence makes of a problem's words, which start small and end bare, a sentence for a
// page. An ID or an address at its beginning stays as it is.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if word, _, _ := strings.Cut(text, " "); !strings.Contains(word, "/") {
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	if !strings.ContainsRune(".!?…", last) {
		text += "."
	}
	return text
}
