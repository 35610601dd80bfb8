package workflows

import (
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// takeRefusal takes what was heard of the client at the app. What was said of
// secrets that have been rotated since is past.
func (a *authConfig) takeRefusal(ctx workflow.Context) {
	in := a.refused[0]
	a.refused = a.refused[1:]
	if in.Rotation != a.state.Rotation {
		return
	}
	a.state.Status, a.state.Reason = connection.Error, "the app refuses this client: "+in.Code
	a.publish(ctx)
	a.settleAlerts(ctx)
}

// ensureWatch waits for the next warning of an end, where one is known.
func (a *authConfig) ensureWatch(ctx workflow.Context) {
	if a.watch != nil || a.over() || a.state.Expires.IsZero() {
		return
	}
	watchCtx, cancel := workflow.WithCancel(ctx)
	a.cancelWatch = cancel
	a.watch = watchAuthConfig.start(watchCtx, watchingSecret, "warn before its secrets end", activities.WatchAuthConfigInput{
		App: a.state.App, Name: a.state.Name, Expires: a.state.Expires, Warned: a.state.Warned})
}

// harvest takes a warning that is due.
func (a *authConfig) harvest(ctx workflow.Context) {
	var report *activities.WatchAuthConfigReport
	err := a.watch.Get(ctx, &report)
	a.watch = nil
	if err == nil {
		a.warn(ctx, report)
		return
	}
	workflow.GetLogger(ctx).Error("the watch of an end has failed", "error", err.Error())
	if _, err := workflow.AwaitWithTimeout(ctx, rewatchAfter, a.over); err != nil {
		workflow.GetLogger(ctx).Info("the pause was cut short", "error", err.Error())
	}
}

func (a *authConfig) warn(ctx workflow.Context, report *activities.WatchAuthConfigReport) {
	a.state.Warned = report.Warned
	a.settleAlerts(ctx)
}

// stopWatch cancels the watch and waits until it is gone. A warning that it carried
// nevertheless is taken, unless it is of an end that is no longer the one.
func (a *authConfig) stopWatch(ctx workflow.Context) {
	changed := a.replan
	a.replan = false
	if a.watch == nil {
		return
	}
	a.cancelWatch()
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	var report *activities.WatchAuthConfigReport
	err := a.watch.Get(quiet, &report)
	a.watch = nil
	if err == nil && report != nil && !changed && !a.over() {
		a.warn(quiet, report)
	}
}

// settleAlerts makes the open alerts those that the state calls for.
func (a *authConfig) settleAlerts(ctx workflow.Context) {
	about := AlertSubject{Environment: a.in.Environment, App: a.in.App, AuthConfig: a.in.Name, Name: a.in.Name}
	resolution := "its secret was rotated"
	if a.over() {
		resolution = "it was deleted"
	}
	a.state.Alerts.settle(ctx, about, a.wantedAlerts(), resolution)
}

// wantedAlerts is what people should know of it: at most one of a kind.
func (a *authConfig) wantedAlerts() []AlertNews {
	if a.over() {
		return nil
	}
	rotate := "connected-apps auth-configs rotate " + a.label()
	var all []AlertNews
	if a.state.Status == connection.Error {
		all = append(all, AlertNews{Kind: connection.AlertClientRefused, Verdict: connection.ClientMisconfigured, Reason: a.state.Reason,
			Remedy: "give it the secret that the app knows: " + rotate})
	}
	if a.state.Warned > 0 {
		all = append(all, AlertNews{Kind: connection.AlertExpiring, Expires: a.state.Expires, Days: a.state.Warned,
			Reason: fmt.Sprintf("its secret ends on %s", a.state.Expires.UTC().Format("2006-01-02 15:04 MST")),
			Remedy: "make a new one at the app, then: " + rotate})
	}
	return all
}
