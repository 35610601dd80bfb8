package workflows

import (
	"slices"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// adopt makes the candidate that ConnectApp has tested this connection's
// credential, and answers it.
func (e *entity) adopt(ctx workflow.Context) {
	in := *e.activate
	answer := activated{Grant: in.Ref.Grant}
	before := *e.state
	e.state.Look = adopted(before.Look, in, e.connecting.Connect.AllowOtherAccount)
	e.state.Method, e.state.Kind, e.state.AuthConfig = in.Method, in.Kind, in.AuthConfig
	e.state.Policy.Expires = time.Time{} // that of the credential there was
	e.state.Digest, e.state.Renewable, e.state.Values = in.Digest, in.Renewable, in.Values
	if in.Toolkit.Name != "" {
		e.state.Toolkits = withToolkit(e.state.Toolkits, in.Toolkit)
	}
	_, err := adoptCandidate.do(ctx, vaultWork, "put the credential in place and open the gate",
		activities.AdoptInput{Ref: in.Ref, Gate: e.gate()})
	if err != nil {
		*e.state = before
		answer.Problem = why(err)
	} else {
		e.state.Session = nil
		answer.Status, answer.Toolkits = e.state.Look.Status, e.state.Toolkits
		answer.Uncovered = uncovered(e.state.Toolkits, in.Actions)
		e.note(ctx, string(e.state.Look.Status), adoption(before, in, answer.Uncovered))
		e.publish(ctx)
		e.settleAlerts(ctx)
	}
	e.reply(ctx, in, answer)
	if e.watch != nil { // of the session, or of what was replaced
		e.cancelWatch()
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		_ = e.watch.Get(quiet, nil) // however it ended, it is over
		e.watch = nil
	}
	e.activate = nil
}

func (e *entity) reply(ctx workflow.Context, in activate, answer activated) {
	if err := workflow.SignalExternalWorkflow(ctx, in.ReplyTo, "", signalActivated, answer).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("the connect is gone", "error", err.Error())
	}
}

// adopted is what is seen of the connection once it has the credential. What a
// person has paused stays so, and an account that the app did not name again is
// still the last one that it named, unless it may have become another.
func adopted(before activities.Look, in activate, another bool) activities.Look {
	look := activities.Look{Status: connection.Active, Verdict: connection.OK, Grant: in.Ref.Grant,
		Generation: in.Ref.Generation, Identity: in.Identity, Scopes: in.Scopes, Expires: in.Expires, LastUsed: before.LastUsed}
	if before.Status == connection.Paused {
		look.Status, look.Verdict, look.Reason = before.Status, before.Verdict, before.Reason
	}
	if !another {
		look.Identity = look.Identity.Over(before.Identity)
	}
	return look
}

// uncovered are the actions of toolkits that the credential was not asked for, as toolkit/action.
func uncovered(toolkits []connection.Toolkit, asked []string) []string {
	var missing []string
	for _, toolkit := range toolkits {
		for _, action := range toolkit.Actions {
			if !slices.Contains(asked, action) {
				missing = append(missing, toolkit.Name+"/"+action)
			}
		}
	}
	return missing
}

// adoption says what happened, for the connection's list of transitions.
func adoption(before State, in activate, uncovered []string) string {
	whose := in.Identity.Label
	if tenant := in.Identity.TenantName(); tenant != "" {
		whose += " (" + tenant + ")"
	}
	if before.Look.Status == connection.Pending {
		return "connected " + whose
	}
	said := "reconnected " + whose
	if len(in.Missing) > 0 {
		said += "; not granted: " + strings.Join(in.Missing, " ")
	}
	if len(uncovered) > 0 {
		said += "; scopes not asked for: " + strings.Join(uncovered, " ")
	}
	return connection.Bound(said, 1000)
}
