package workflows

import (
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// grantMayLive raises the alert that the app has not taken a revocation: what was
// meant to end may still be good there. Nothing that happens later resolves it; it
// stays open, and outlives whoever raised it, until a person has looked. It reports
// whether it was raised. Runs from before alerts raise none.
func (a *Alerts) grantMayLive(ctx workflow.Context, about AlertSubject, what string) bool {
	if !alerting(ctx) {
		return false
	}
	_, raised := a.raise(ctx, about, AlertNews{Kind: connection.AlertGrantMayLive,
		Reason: what + ", but the app did not take the revocation within a day"})
	return raised
}

// endGrant is what to do about an alert of a grant that may live, which a person resolves.
func endGrant(alert string) string {
	return "end the authorization in the app's own settings, then: connected-apps alerts resolve " + alert
}

// unrevoked reports whether candidates are gone from Vault and not from the app.
func unrevoked(err error) bool { return connection.TypeOf(err) == connection.ErrProviderUnavailable }

// subject is what an alert of the connect itself is about: what it would have made.
func (c *connect) subject() AlertSubject {
	about := State{ID: c.in.Connection, DisplayName: c.name(), Owner: c.in.Owner}
	if c.candidate != nil {
		about.Look.Identity = c.candidate.Identity
	}
	return about.subject()
}
