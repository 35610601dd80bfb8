package workflows

import (
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// event is something to obtain a credential from, or to test again.
type event struct {
	authorization *AuthorizationReceived
	device        *activities.StoredReport // of an authorization on another device
	credential    *ProvideCredential
	stops         int // how often it has come to a question for the person
	done          bool
}

// obtain waits for something to obtain a credential from, and tests what it got,
// until a test passes. A failed one is not the end while a person is there.
func (c *connect) obtain(ctx workflow.Context) *connection.Problem {
	c.waitForPerson(ctx)
	c.undo.add("remove authorization attempts and what was not adopted", c.discard)
	for {
		if problem := c.await(ctx, func() bool { return len(c.pending) > 0 }); problem != nil {
			return problem
		}
		c.current = c.pending[0]
		c.pending = c.pending[1:]
		passed, problem := c.tryOne(ctx, c.current)
		if passed {
			c.tested = true
			c.closeAttempts()
		}
		c.current.done = true
		c.current = nil
		if passed || problem != nil {
			return problem
		}
	}
}

// tryOne obtains and tests one credential. No step is cancelled halfway: what it
// stores must be known here to be undone. Only waiting for a person is cancelled,
// and that is the problem it answers.
func (c *connect) tryOne(ctx workflow.Context, next *event) (bool, *connection.Problem) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	c.progress.Problem = nil
	report, err := c.take(quiet, next)
	if err != nil || report == nil {
		c.progress.Problem = why(err)
		c.waitForPerson(ctx)
		return false, nil
	}
	c.candidate = report
	if done, problem := c.logIn(ctx, next); !done {
		return false, problem
	}
	c.progress.Stored = c.candidate
	return c.test(quiet, c.candidate), nil
}

// take stores what the event brought as a candidate.
func (c *connect) take(quiet workflow.Context, next *event) (*activities.StoredReport, error) {
	in := c.in.ConnectRequest
	switch {
	case next.authorization != nil:
		c.enter(quiet, PhaseObtaining)
		c.attempt = next.authorization.Attempt
		report, err := exchangeCode.do(quiet, fair(exchange, c.in.Owner, c.in.Connection), "redeem the authorization code", activities.ExchangeCodeInput{
			Connection: in.Connection, Attempt: c.attempt, Method: c.plan.Method, Inbox: next.authorization.Inbox,
			Issuer: next.authorization.Issuer, Scopes: c.plan.Scopes, Values: c.plan.Values})
		c.settleAttempt(c.attempt, err)
		return report, err
	case next.device != nil:
		return next.device, nil
	case next.credential != nil:
		c.enter(quiet, PhaseObtaining)
		if len(next.credential.Values) > 0 {
			c.values = next.credential.Values
		}
		return storeCredential.do(quiet, fair(asked, c.in.Owner, c.in.Connection), "collect the credential from the inbox", activities.StoreCredentialInput{
			Connection: in.Connection, Grant: fresh(quiet), Method: c.plan.Method, AuthConfig: in.AuthConfig,
			Inbox: next.credential.Inbox, Values: c.values})
	default:
		return c.candidate, nil
	}
}

func (c *connect) test(ctx workflow.Context, stored *activities.StoredReport) bool {
	c.enter(ctx, PhaseTesting)
	report, err := probeConnection.do(ctx, fair(asked, c.in.Owner, c.in.Connection), "test the credential", activities.ProbeInput{Ref: stored.Ref})
	if err != nil {
		c.refuse(ctx, failedTest(why(err)))
		return false
	}
	stored.Ref = report.Ref
	stored.Identity = report.Identity.Over(stored.Identity)
	if problem := c.strangers(stored.Identity); problem != nil {
		c.refuse(ctx, problem)
		return false
	}
	if stored.Scopes == nil {
		stored.Scopes = report.Scopes
	}
	c.progress.Test = report
	return true
}

// strangers is why a replacement may not take a credential: it is of another account
// than the connection's, or of another tenant of it. Nil where that is allowed.
func (c *connect) strangers(is connection.Identity) *connection.Problem {
	switch was := c.in.Known; {
	case c.in.Mode != ModeReplace || c.in.AllowOtherAccount:
		return nil
	case anotherAccount(was, is):
		return connection.IdentityChanged(c.in.Connection, was, is)
	case was.Tenant != "" && is.Tenant != "" && was.Tenant != is.Tenant:
		return connection.TenantChanged(c.in.Connection, was, is)
	default: // a tenant that was not known before is taken as it is
		return nil
	}
}

// refuse ends a try whose credential was obtained and is not the right one.
func (c *connect) refuse(ctx workflow.Context, problem *connection.Problem) {
	c.progress.Problem = problem
	c.failAttempt(problem)
	c.enter(ctx, PhaseTestFailed)
}

// failedTest says of a probe that did not pass what the person can do, who is still there.
func failedTest(problem *connection.Problem) *connection.Problem {
	if problem.Type == connection.ErrReconnectRequired {
		message := "the app does not accept this credential"
		if _, words, found := strings.Cut(problem.Message, " has expired: "); found {
			message += ": " + words
		}
		return &connection.Problem{Type: connection.ErrTestFailed, Verdict: connection.Revoked, Status: problem.Status,
			Message: message, Remedy: "check it and provide it again"}
	}
	problem.Remedy = strings.TrimPrefix(problem.Remedy+"; correct it and test again", "; ")
	return problem
}

// anotherAccount reports whether two identities are known to be of two accounts.
// A label alone may change with a person's name, and counts only where that is all there is.
func anotherAccount(was, is connection.Identity) bool {
	switch {
	case was.Account != "" && is.Account != "":
		return was.Account != is.Account
	case was.Label != "" && is.Label != "":
		return was.Label != is.Label
	default:
		return false
	}
}
