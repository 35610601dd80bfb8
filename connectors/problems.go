package connectors

import (
	"fmt"
	"net/http"
	"time"

	"connectedapps/connection"
)

// badURL reports that a URL of a definition cannot be built from the values given.
func badURL(t Template, reason string) *connection.Problem {
	return connection.InvalidInput("", fmt.Sprintf("the URL %s cannot be used: %s", t, reason), "check the values it is made of")
}

// missingValue reports a template variable without a value.
func missingValue(name string) *connection.Problem {
	return connection.InvalidInput(name, "it is missing", "give a value for "+name)
}

// invalidArguments reports what is wrong with an action's arguments. place is
// a JSON path, "$" for the whole.
func invalidArguments(place, reason string) *connection.Problem {
	p := connection.Refused(connection.ErrInvalidArguments, reason, "correct the arguments; the action's schema says what they may be")
	p.Field = place
	return p
}

// rejectedInput reports that the provider refused the request itself.
func rejectedInput(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrRejectedInput, message, "")
	p.Verdict, p.Status = connection.RejectedInput, status
	return p
}

// unauthorized reports a credential that was not accepted. The status is always
// 401, also for providers that say so with another: the caller looks at it to
// decide whether a refresh may help.
func unauthorized(message string) *connection.Problem {
	p := connection.Refused(connection.ErrReconnectRequired, message, "refresh the credential, or have a person reconnect")
	p.Verdict, p.Status = connection.Revoked, http.StatusUnauthorized
	return p
}

// grantRevoked reports that the token endpoint has ended the grant.
func grantRevoked(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrReconnectRequired, message, "a person must reconnect")
	p.Verdict, p.Status = connection.Revoked, status
	return p
}

// clientMisconfigured reports that the client registration was refused.
func clientMisconfigured(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrClientMisconfigured, message, "check client ID and client secret of the auth config")
	p.Verdict, p.Status = connection.ClientMisconfigured, status
	return p
}

// scopeMissing reports that a good credential does not cover the request.
func scopeMissing(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrScopeMissing, message, "reconnect with more scopes, or give the key more rights")
	p.Verdict, p.Status = connection.ScopeLost, status
	return p
}

// rateLimited reports that the provider asks to wait.
func rateLimited(message string, status int, wait time.Duration) *connection.Problem {
	p := connection.RateLimited(message, wait)
	p.Status = status
	return p
}

// outcomeUnknown reports a change that may or may not have happened. It is never retried.
func outcomeUnknown(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrOutcomeUnknown, message,
		"look at the provider whether it happened before asking again; an idempotency key, where the action takes one, avoids this")
	p.Verdict, p.Status = connection.OutcomeUnknown, status
	return p
}

// testFailed reports an answer that proves nothing, though it was not a refusal.
func testFailed(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrTestFailed, message, "check the address and the credential")
	p.Verdict, p.Status = connection.RejectedInput, status
	return p
}

// authorizationFailed reports a code that was not accepted.
func authorizationFailed(message string, status int) *connection.Problem {
	p := connection.Refused(connection.ErrAuthorizationFailed, message, "authorize again")
	p.Verdict, p.Status = connection.RejectedInput, status
	return p
}
