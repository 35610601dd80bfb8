package workflows

import (
	"fmt"
	"slices"

	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// versionAlerts marks runs that raise alerts, and do what came with them; older
// histories replay without.
const versionAlerts = "alerts"

// alerting reports whether this run is one of those that raise alerts.
func alerting(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, versionAlerts, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// settle makes the open alerts those that are wanted, at most one of a kind: each
// is an Alert workflow of its own, started when its trouble begins and told when it
// is over or more is to be said. Nothing is done, and no event written, while all
// is as it was. resolution says why those that are not wanted any more are over.
func (a *Alerts) settle(ctx workflow.Context, about AlertSubject, wanted []AlertNews, resolution string) {
	if a.settled(wanted) || !alerting(ctx) {
		return
	}
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	var open []OpenAlert
	for _, alert := range a.Open {
		i := slices.IndexFunc(wanted, func(n AlertNews) bool { return n.Kind == alert.News.Kind })
		switch {
		case i < 0:
			tell(ctx, alert, signalAlertResolved, AlertResolved{Resolution: resolution, At: workflow.Now(ctx)})
			continue
		case saysMore(alert.News, wanted[i]):
			alert.News = wanted[i]
			if !tell(ctx, alert, signalAlertNews, alert.News) {
				continue // a person has resolved what was known then: this is another
			}
		}
		open = append(open, alert)
	}
	for _, news := range wanted {
		if !slices.ContainsFunc(open, func(alert OpenAlert) bool { return alert.News.Kind == news.Kind }) {
			if id, ok := a.raise(ctx, about, news); ok {
				open = append(open, OpenAlert{WorkflowID: id, Since: workflow.Now(ctx), News: news})
			}
		}
	}
	a.Open = open
}

// settled reports whether nobody has to be told anything.
func (a *Alerts) settled(wanted []AlertNews) bool {
	if len(wanted) != len(a.Open) {
		return false
	}
	for _, news := range wanted {
		i := slices.IndexFunc(a.Open, func(alert OpenAlert) bool { return alert.News.Kind == news.Kind })
		if i < 0 || saysMore(a.Open[i].News, news) {
			return false
		}
	}
	return true
}

// saysMore reports whether people must hear again of an alert that is open: its end
// has come nearer by a step, or more scopes are gone. How often something failed, and
// in which words, is no reason to wake anybody twice.
func saysMore(said, now AlertNews) bool {
	return now.Days != said.Days || !slices.Equal(now.Scopes, said.Scopes)
}

// raise starts an alert that lives on by itself, and answers its ID.
func (a *Alerts) raise(ctx workflow.Context, about AlertSubject, news AlertNews) (string, bool) {
	in := AlertInput{AlertSubject: about, AlertNews: news, Opened: workflow.Now(ctx)}
	for {
		a.Raised++
		id := alertWorkflowID(about, news.Kind, a.Raised)
		if news.Kind == connection.AlertGrantMayLive {
			in.Remedy = endGrant(id)
		}
		child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: id, TaskQueue: Queue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
			StaticSummary: fmt.Sprintf("%s: %s", news.Kind, about.subject()),
		}), TypeAlert, in)
		err := child.GetChildWorkflowExecution().Get(ctx, nil)
		if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			continue // of an earlier connection of this ID, and still being delivered
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("an alert could not be raised", "kind", string(news.Kind), "error", err.Error())
		}
		return id, err == nil
	}
}

// tell passes something on to an open alert. It reports whether there was one: an alert
// that a person has resolved is gone.
func tell(ctx workflow.Context, alert OpenAlert, signal string, message any) bool {
	err := workflow.SignalExternalWorkflow(ctx, alert.WorkflowID, "", signal, message).Get(ctx, nil)
	if err != nil {
		workflow.GetLogger(ctx).Info("an alert was over already", "alert", alert.WorkflowID)
	}
	return err == nil
}

// subject is what the alert is about, as people name it.
func (s AlertSubject) subject() string {
	if s.Connection != "" {
		return s.Connection.String()
	}
	return "auth-config/" + s.Environment + "/" + s.App + "/" + s.AuthConfig
}

func alertWorkflowID(about AlertSubject, kind connection.AlertKind, n int) string {
	return fmt.Sprintf("alert/%s/%s-%d", about.subject(), kind, n)
}
