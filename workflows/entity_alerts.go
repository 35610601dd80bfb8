package workflows

import (
	"fmt"
	"slices"

	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// settleAlerts makes the connection's open alerts those that its state calls for.
func (e *entity) settleAlerts(ctx workflow.Context) {
	before := len(e.state.Alerts.Open)
	e.state.Alerts.settle(ctx, e.state.subject(), e.wantedAlerts(), e.resolution())
	if len(e.state.Alerts.Open) != before {
		workflow.SetCurrentDetails(ctx, e.details())
	}
}

func (s State) subject() AlertSubject {
	return AlertSubject{Environment: s.ID.Environment(), App: s.ID.App(), Connection: s.ID, Name: s.DisplayName,
		Owner: s.Owner, Account: s.account()}
}

// wantedAlerts is what people should know of the connection: at most one of a kind.
func (e *entity) wantedAlerts() []AlertNews {
	look := e.state.Look
	if e.over() {
		return nil
	}
	news := AlertNews{Reason: look.Reason, Remedy: look.Remedy, Verdict: look.Verdict}
	switch look.Status {
	case connection.Pending, connection.Paused, connection.Leaving:
		return nil
	case connection.Expired:
		news.Kind = connection.AlertExpired
		return []AlertNews{news}
	case connection.Active, connection.Error:
	}
	var all []AlertNews
	add := func(news AlertNews) {
		news.Kind = troubleKind(news.Verdict)
		// A client that several connections share is its auth config's alert, raised once.
		shared := news.Kind == connection.AlertClientRefused && e.state.AuthConfig != ""
		if !shared && !slices.ContainsFunc(all, func(other AlertNews) bool { return other.Kind == news.Kind }) {
			all = append(all, news)
		}
	}
	if look.Status == connection.Error {
		news.Scopes = look.Lost
		if work := look.Work; work != nil && troubleKind(work.Verdict) == troubleKind(news.Verdict) {
			news.Count = work.Count
		}
		add(news)
	}
	if work := look.Work; work != nil {
		add(AlertNews{Reason: work.Reason, Verdict: work.Verdict, Count: work.Count,
			Remedy: "see what the app answers: connected-apps connections test " + e.state.ID.String()})
	}
	if look.Warned > 0 {
		all = append(all, AlertNews{Kind: connection.AlertExpiring, Expires: look.Expires, Days: look.Warned,
			Reason: fmt.Sprintf("%s ends on %s", look.Ending, look.Expires.UTC().Format("2006-01-02 15:04 MST")),
			Remedy: "reconnect it before: connected-apps reconnect " + e.state.ID.String()})
	}
	return all
}

// troubleKind is the kind of alert that a verdict calls for.
func troubleKind(verdict connection.Verdict) connection.AlertKind {
	switch verdict {
	case connection.ScopeLost:
		return connection.AlertScopeLost
	case connection.ClientMisconfigured:
		return connection.AlertClientRefused
	case connection.OK, connection.Transient, connection.RateLimit, connection.RejectedInput, connection.Revoked, connection.OutcomeUnknown:
	}
	return connection.AlertFailing
}

// resolution is why alerts that are not called for any more are over.
func (e *entity) resolution() string {
	switch {
	case e.over():
		return "it was disconnected"
	case e.state.Look.Status == connection.Paused:
		return "it was paused"
	case e.state.Look.Status == connection.Expired:
		return "it has expired"
	default:
		return "it has recovered"
	}
}

// takeFailedWork takes what actions keep meeting, from whichever worker has seen it.
func (e *entity) takeFailedWork(ctx workflow.Context) {
	in := e.failedWork[0]
	e.failedWork = e.failedWork[1:]
	if in.Grant != e.state.Look.Grant || !e.watched() || e.pending() {
		return
	}
	look := e.state.Look
	if look.Work != nil && !in.Trouble.Since.After(look.Work.Last) { // another worker's count of the same trouble
		in.Trouble.Count, in.Trouble.Since = max(in.Trouble.Count, look.Work.Count), look.Work.Since
	}
	look.Work = &in.Trouble
	e.see(ctx, look)
	e.replan = true // the watch must know what to look for
}

// setPolicy changes how the connection looks after itself.
func (e *entity) setPolicy(ctx workflow.Context, in SetPolicy) (connection.Policy, error) {
	if err := e.ready(ctx); err != nil {
		return connection.Policy{}, err
	}
	defer e.mutex.Unlock()
	policy := e.state.Policy
	if in.Idle != nil {
		policy.Idle = *in.Idle
	}
	if in.ProbeEvery != nil {
		policy.ProbeEvery = *in.ProbeEvery
	}
	if in.Expires != nil {
		policy.Expires = *in.Expires
	}
	if err := policy.Check(); err != nil {
		return connection.Policy{}, final(why(err))
	}
	if policy == e.state.Policy {
		return policy, nil
	}
	e.state.Policy = policy
	e.note(ctx, "Policy", policyWords(policy))
	e.replan = true
	workflow.SetCurrentDetails(ctx, e.details())
	return policy, nil
}

// policyWords says a policy in words; "the app's own" for the default.
func policyWords(p connection.Policy) string {
	words := string(connection.KeepFresh)
	if p.Idle != "" {
		words = string(p.Idle)
	}
	if p.ProbeEvery > 0 {
		words += ", looked at every " + p.ProbeEvery.String()
	}
	if !p.Expires.IsZero() {
		words += ", ends on " + p.Expires.UTC().Format("2006-01-02 15:04 MST")
	}
	return words
}
