package workflows

import (
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// obtain waits for something to obtain a credential from, and tests what it got,
// until a test passes. A failed one is not the end while a person is there.
func (c *connect) obtain(ctx workflow.Context) *connection.Problem {
	c.waitForPerson(ctx)
	c.undo.add("remove authorization attempts and what was not adopted", c.discard)
	for {
		if problem := c.await(ctx, func() bool { return len(c.pending) > 0 }); problem != nil {
			return problem
		}
		next := c.pending[0]
		c.pending = c.pending[1:]
		passed := c.tryOne(ctx, next)
		if passed {
			c.tested = true
			c.closeAttempts()
		}
		next.done = true
		if passed {
			return nil
		}
	}
}

// tryOne obtains and tests one credential. It is not cancelled halfway: what a
// step stores must be known here to be undone.
func (c *connect) tryOne(ctx workflow.Context, next *event) bool {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.progress.Problem = nil
	var report *activities.StoredReport
	var err error
	in := c.in.ConnectRequest
	switch {
	case next.authorization != nil:
		c.enter(ctx, PhaseObtaining)
		c.attempt = next.authorization.Attempt
		report, err = exchangeCode.do(ctx, exchange, "redeem the authorization code", activities.ExchangeCodeInput{
			Connection: in.Connection, Attempt: c.attempt, Method: c.plan.Method, Inbox: next.authorization.Inbox,
			Issuer: next.authorization.Issuer, Scopes: c.plan.Scopes, Values: c.plan.Values})
		c.settleAttempt(c.attempt, err)
	case next.credential != nil && c.plan.Kind == connection.OAuth2ClientCredentials:
		c.enter(ctx, PhaseObtaining)
		report, err = obtainClient.do(ctx, asked, "obtain a token by client credentials", activities.ObtainClientCredentialsInput{
			Connection: in.Connection, Grant: fresh(ctx), Method: c.plan.Method, AuthConfig: in.AuthConfig,
			Scopes: c.plan.Scopes, Values: c.plan.Values})
	case next.credential != nil:
		c.enter(ctx, PhaseObtaining)
		values := c.plan.Values
		if len(next.credential.Values) > 0 {
			values = next.credential.Values
		}
		report, err = storeCredential.do(ctx, asked, "collect the credential from the inbox", activities.StoreCredentialInput{
			Connection: in.Connection, Grant: fresh(ctx), Method: c.plan.Method, AuthConfig: in.AuthConfig,
			Inbox: next.credential.Inbox, Values: values})
	default:
		report = c.progress.Stored
	}
	if err != nil || report == nil {
		c.progress.Problem = why(err)
		c.waitForPerson(ctx)
		return false
	}
	c.progress.Stored = report
	return c.test(ctx, report)
}

func (c *connect) test(ctx workflow.Context, stored *activities.StoredReport) bool {
	c.enter(ctx, PhaseTesting)
	report, err := probeConnection.do(ctx, asked, "test the credential", activities.ProbeInput{Ref: stored.Ref})
	if err != nil {
		c.progress.Problem = why(err)
		if c.progress.Problem.Type != connection.ErrReconnectRequired {
			c.progress.Problem.Remedy = strings.TrimPrefix(c.progress.Problem.Remedy+"; correct it and test again", "; ")
		} else {
			c.progress.Problem = &connection.Problem{Type: connection.ErrTestFailed, Verdict: connection.Revoked, Status: c.progress.Problem.Status,
				Message: "the app does not accept this credential", Remedy: "check it and provide it again"}
		}
		c.failAttempt(c.progress.Problem)
		c.enter(ctx, PhaseTestFailed)
		return false
	}
	c.progress.Test = report
	stored.Ref = report.Ref
	if report.Identity.Known() {
		stored.Identity = report.Identity
	}
	if stored.Scopes == nil {
		stored.Scopes = report.Scopes
	}
	return true
}
