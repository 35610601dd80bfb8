package workflows

import (
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// updateCredentials replaces secrets that were typed in. It is a reconnect whose
// credential comes along; it answers what became of the test.
func (e *entity) updateCredentials(ctx workflow.Context, in NewCredentials) (Progress, error) {
	again := ReconnectInput{RequestedBy: in.RequestedBy, AuthConfig: in.AuthConfig, AllowOtherAccount: in.AllowOtherAccount}
	begun, err := e.begin(ctx, again, typedIn)
	if err != nil {
		return Progress{}, err
	}
	child, open := e.child, e.state.Reconnect
	if child == nil || open == nil {
		return Progress{}, final(connection.Refused(connection.ErrSessionClosed, "the reconnect is over", "send the credentials again"))
	}
	message := handedOver{Request: fresh(ctx), Credential: ProvideCredential{Inbox: in.Inbox, Fingerprint: begun.Connect.Fingerprint}}
	if len(in.Values) > 0 {
		message.Credential.Values = changed(begun.Plan.Values, in.Values)
	}
	// If the connect is gone already the signal fails, and how it ended says why.
	_ = workflow.SignalExternalWorkflow(ctx, open.WorkflowID, open.RunID, signalHandedOver, message).Get(ctx, nil)
	var answer *tried
	err = workflow.Await(ctx, func() bool {
		answer = e.answerTo(message.Request)
		return answer != nil || child.IsReady()
	})
	switch {
	case err != nil:
		return Progress{}, err
	case answer == nil:
		if err := child.Get(ctx, nil); err != nil {
			return Progress{}, final(why(err))
		}
		return Progress{}, final(connection.Refused(connection.ErrSessionClosed, "the reconnect was finished by another credential", "test the connection"))
	}
	return answer.Progress, final(answer.Problem)
}

// typedIn refuses a kind whose credential cannot be handed over.
func typedIn(plan *activities.ConnectPlan) *connection.Problem {
	switch plan.Flow {
	case activities.FlowInput, activities.FlowAutomatic:
		return nil
	case activities.FlowBrowser, activities.FlowDevice:
	}
	return connection.InvalidInput("method", plan.MethodTitle+" is authorized by a person at the app", "reconnect it instead")
}

// answerTo takes the answer to a request out of those that have come.
func (e *entity) answerTo(request string) *tried {
	i := slices.IndexFunc(e.answers, func(t tried) bool { return t.Request == request })
	if i < 0 {
		return nil
	}
	answer := e.answers[i]
	e.answers = slices.Delete(e.answers, i, i+1)
	return &answer
}

// tryHandedOver is the connect's side: the same as provide-credential, answered by signal.
func (c *connect) tryHandedOver(ctx workflow.Context, in handedOver) {
	defer func() { c.handing-- }()
	answer := tried{Request: in.Request}
	var err error
	if answer.Progress, err = c.provideCredential(ctx, in.Credential); err != nil {
		answer.Problem = why(err)
	}
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	id := ConnectionWorkflowID(c.in.Connection)
	if err := workflow.SignalExternalWorkflow(quiet, id, "", signalTried, answer).Get(quiet, nil); err != nil {
		workflow.GetLogger(quiet).Warn("the connection is gone", "error", err.Error())
	}
}
