package gateway

import (
	"net/http"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// statusOf is the one translation of error types into HTTP. What is not listed
// is a defect of ours, 500.
func statusOf(kind string) int {
	switch kind {
	case connection.ErrInvalidInput, connection.ErrInvalidArguments, connection.ErrAuthKindNotOffered:
		return http.StatusBadRequest
	case connection.ErrAuthorizationFailed, connection.ErrScopeMissing, connection.ErrActionNotInToolkit:
		return http.StatusForbidden
	case connection.ErrUnknownApp, connection.ErrUnknownEnvironment, connection.ErrUnknownAction,
		connection.ErrConnectionNotFound, connection.ErrAuthConfigNotFound, connection.ErrToolkitNotFound,
		connection.ErrSinkNotFound, connection.ErrAlertNotFound, connection.ErrConnectSessionNotFound:
		return http.StatusNotFound
	case connection.ErrLinkInvalid, connection.ErrSessionClosed:
		return http.StatusGone
	case connection.ErrConnectionIDTaken, connection.ErrAuthConfigTaken, connection.ErrAuthConfigInUse, connection.ErrSinkTaken,
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

// titleOf says in a few words, for a person without our vocabulary, what a type means.
func titleOf(kind string) string {
	switch kind {
	case connection.ErrLinkInvalid:
		return "This link cannot be used"
	case connection.ErrSessionClosed:
		return "This connect is over"
	case connection.ErrAuthorizationFailed:
		return "Not authorized"
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

// fail answers with the page of a problem. A status of 0 takes the type's own.
// What is no problem of ours is logged and shown as internal, without its text.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error, status int) {
	g.failWith(w, r, err, status, notice{})
}

// failToward is fail for a person whose connect is known: the page leads to its result.
func (g *Gateway) failToward(w http.ResponseWriter, r *http.Request, err error, result string) {
	g.failWith(w, r, err, 0, notice{Link: result, LinkText: "See how far it has come"})
}

// failWith puts the problem into words on a page that has its links already.
func (g *Gateway) failWith(w http.ResponseWriter, r *http.Request, err error, status int, page notice) {
	problem, ok := connection.AsProblem(err)
	if !ok {
		if r.Context().Err() != nil {
			problem = connection.TemporalUnavailable("there was no answer in time")
		} else {
			g.log.Error("a request failed", zap.String("route", r.Pattern), zap.Error(err))
			problem = connection.Internal("the gateway")
			problem.Remedy = "try again; if it stays so, an operator finds more in the gateway's log"
		}
	}
	if status == 0 {
		status = statusOf(problem.Type)
	}
	g.log.Info("a request was refused", zap.String("route", r.Pattern), zap.Int("status", status), zap.String("type", problem.Type))
	page.Title, page.Message, page.Next, page.Bad = titleOf(problem.Type), sentence(problem.Message), sentence(problem.Remedy), true
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
		if page.Next == "" {
			page.Next = "Reload this page in a moment."
		}
	}
	g.render(w, status, "notice.html", page)
}

func (g *Gateway) unknownPage(w http.ResponseWriter, r *http.Request) {
	g.render(w, http.StatusNotFound, "notice.html", notice{Title: "There is no such page", Bad: true,
		Message: "The address may have been cut or mistyped.", Next: "Open the whole link that you were given, or ask for a new one."})
}
