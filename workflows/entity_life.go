package workflows

import (
	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// end closes the gate, revokes at the provider, destroys in Vault and is gone.
func (e *entity) end(quiet workflow.Context) error {
	e.stopWatch(quiet)
	e.settleAlerts(quiet)
	var left error
	if e.disconnect != nil {
		e.note(quiet, "Disconnected", e.disconnect.Reason)
		if alerting(quiet) { // it may take a day until the app has taken the revocation
			e.state.Look.Status = connection.Leaving
			e.publish(quiet)
		}
		workflow.SetCurrentDetails(quiet, e.details())
		e.openGate(quiet)
		e.stopReconnect(quiet)
		ref := connection.CredentialRef{Connection: e.state.ID}
		report, err := revokeGrant.do(quiet, fair(revoking, e.state.Owner, e.state.ID), "revoke the grant at the app", activities.RevokeInput{Ref: ref, Account: e.state.account()})
		if err != nil {
			e.revocation, left = "given-up", err
		} else {
			e.revocation = report.Outcome
		}
	}
	if err := discardCandidates(quiet, activities.DiscardInput{Connection: e.state.ID}); err != nil {
		left = err
	}
	said := left != nil && e.state.Alerts.grantMayLive(quiet, e.state.subject(), e.ending())
	err := destroy.do(quiet, vaultWork, "destroy the credential", activities.DestroyInput{
		Ref: connection.CredentialRef{Connection: e.state.ID}, Everything: true})
	if err != nil {
		return final(why(err))
	}
	e.ended = true
	e.mutex.Unlock() // handlers that wait for the turn are told that it is gone
	err = workflow.Await(quiet, func() bool { return workflow.AllHandlersFinished(quiet) })
	if lockErr := e.mutex.Lock(quiet); lockErr != nil || err != nil {
		return lockErr
	}
	if left != nil && !said {
		// No alert says it: closed as failed, so that it stands out. Somebody must end the grant by hand.
		return final(connection.Refused(connection.ErrProviderUnavailable,
			"disconnected, but the app did not take the revocation within a day: "+why(left).Message,
			"end the authorization in the app's own settings"))
	}
	return nil
}

// ending is what ends the connection, in words.
func (e *entity) ending() string {
	if e.disconnect == nil {
		return "a connect that died was undone"
	}
	return "disconnected"
}
