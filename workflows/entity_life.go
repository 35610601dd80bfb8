package workflows

import (
	"cmp"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// adopt makes the candidate that ConnectApp has tested this connection's
// credential, and answers it.
func (e *entity) adopt(ctx workflow.Context) {
	in := *e.activate
	answer := activated{Grant: in.Ref.Grant}
	before := e.state
	e.state.Look = activities.Look{Status: connection.Active, Verdict: connection.OK, Grant: in.Ref.Grant,
		Generation: in.Ref.Generation, Identity: in.Identity, Scopes: in.Scopes, Expires: in.Expires}
	e.state.Method, e.state.Kind, e.state.AuthConfig = in.Method, in.Kind, in.AuthConfig
	e.state.Digest, e.state.Renewable = in.Digest, in.Renewable
	e.state.Toolkits = withToolkit(e.state.Toolkits, in.Toolkit)
	_, err := adoptCandidate.do(ctx, vaultWork, "put the credential in place and open the gate",
		activities.AdoptInput{Ref: in.Ref, Gate: e.gate()})
	if err != nil {
		e.state = before
		answer.Problem = why(err)
	} else {
		e.state.Session = nil
		e.note(ctx, string(connection.Active), "connected "+in.Identity.Label)
		e.publish(ctx)
	}
	if err := workflow.SignalExternalWorkflow(ctx, in.ReplyTo, "", signalActivated, answer).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("the connect is gone", "error", err.Error())
	}
	if e.watch != nil { // of the session
		e.cancelWatch()
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		_ = e.watch.Get(quiet, nil) // however it ended, it is over
		e.watch = nil
	}
	e.activate = nil
}

func withToolkit(toolkits []connection.Toolkit, one connection.Toolkit) []connection.Toolkit {
	rest := withoutToolkit(toolkits, one.Name)
	rest = append(rest, one)
	slices.SortFunc(rest, func(a, b connection.Toolkit) int { return cmp.Compare(a.Name, b.Name) })
	return rest
}

func withoutToolkit(toolkits []connection.Toolkit, name string) []connection.Toolkit {
	return slices.DeleteFunc(slices.Clone(toolkits), func(t connection.Toolkit) bool { return t.Name == name })
}

// end closes the gate, revokes at the provider, destroys in Vault and is gone.
func (e *entity) end(quiet workflow.Context) error {
	e.stopWatch(quiet)
	var unrevoked error
	if e.disconnect != nil {
		e.note(quiet, "Disconnected", e.disconnect.Reason)
		workflow.SetCurrentDetails(quiet, e.details())
		e.openGate(quiet)
		ref := connection.CredentialRef{Connection: e.state.ID}
		report, err := revokeGrant.do(quiet, revoking, "revoke the grant at the app", activities.RevokeInput{Ref: ref})
		if err != nil {
			e.revocation, unrevoked = "given-up", err
		} else {
			e.revocation = report.Outcome
		}
	}
	if err := discardCandidates(quiet, activities.DiscardInput{Connection: e.state.ID}); err != nil {
		unrevoked = err
	}
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
	if unrevoked != nil {
		// Closed as failed, so that it stands out: somebody must end the grant by hand.
		return final(connection.Refused(connection.ErrProviderUnavailable,
			"disconnected, but the app did not take the revocation within a day: "+why(unrevoked).Message,
			"end the authorization in the app's own settings"))
	}
	return nil
}
