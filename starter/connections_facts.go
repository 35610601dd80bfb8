package main

import (
	"fmt"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// transitionsShown is how many changes connections show writes unless asked for all.
const transitionsShown = 10

// showConnection writes a connection for a person: what it is, how it is and what to
// do, then what it may do, then when it did what.
func showConnection(t *table, r shownReport) {
	t.row("ID", r.ID.String())
	t.row("APP", named(r.AppName, r.App))
	t.fact("NAME", r.DisplayName)
	t.row("ENVIRONMENT", r.Environment)
	t.fact("OWNER", r.Owner)
	showHealth(t, r)
	t.fact("ACCOUNT", account(r.Look.Identity))
	t.fact("ORGANISATION", r.Look.Identity.TenantName())
	t.fact("METHOD", method(r))
	t.fact("AUTH CONFIG", r.AuthConfig)
	t.fact("SCOPES", strings.Join(r.Look.Scopes, " "))
	t.fact("SCOPES LOST", strings.Join(r.Look.Lost, " "))
	for _, name := range sortedKeys(r.Values) {
		t.fact("VALUE", name+"="+r.Values[name])
	}
	for _, toolkit := range r.Toolkits {
		t.row("TOOLKIT", toolkit.Name+": "+or(strings.Join(toolkit.Actions, ", "), "no actions"))
	}
	t.row("POLICY", r.PolicyWords)
	showTimes(t, r)
	t.row("WORKFLOW", r.WorkflowID+", run "+r.RunID)
}

// showHealth writes how it is, what to do, and what is under way.
func showHealth(t *table, r shownReport) {
	t.row("STATUS", string(r.Look.Status))
	t.fact("REASON", r.Look.Reason)
	t.fact("WHAT TO DO", r.WhatToDo)
	t.fact("FAILING SINCE", moment(r.Facts.FailingSince))
	if work := r.Look.Work; work != nil {
		t.row("WORK FAILS", fmt.Sprintf("%s since %s: %s", plural(work.Count, "attempt"), moment(work.Since), work.Reason))
	}
	showOpenAlerts(t, r.Alerts.Open)
	if open := r.Reconnect; open != nil {
		line := "under way since " + moment(open.Since)
		if open.RequestedBy != "" {
			line += ", asked for by " + open.RequestedBy
		}
		t.row("RECONNECT", line+"; go on with: "+commandName+"connect "+r.ID.String()+" --resume")
	}
}

// showTimes writes when it was last used, tested and renewed, and what comes next.
func showTimes(t *table, r shownReport) {
	t.fact("ACCESS ENDS", ending(r))
	used := r.Facts.LastUsed
	if r.Look.LastUsed.After(used) {
		used = r.Look.LastUsed
	}
	switch {
	case used.IsZero() && r.exact:
		t.row("LAST USED", "never")
	case used.IsZero():
		t.row("LAST USED", "never, as far as is known here")
	case r.exact:
		t.row("LAST USED", moment(used))
	default:
		t.row("LAST USED", moment(used)+", to the hour")
	}
	t.fact("LAST OK", moment(r.Facts.LastOK))
	t.fact("LAST TEST", moment(r.Facts.LastProbe))
	t.fact("LAST REFRESH", moment(r.Facts.LastRefresh))
	last, _, _ := strings.Cut(r.LastLook, "; next look in ") // how long it was then; when it is, the next line says
	t.fact("LAST LOOK", last)
	t.fact("NEXT LOOK", moment(r.NextLook))
	t.fact("CREATED", moment(r.Created))
}

// ending says when access ends that only a person can prolong; "" when that is not known.
func ending(r shownReport) string {
	when := moment(r.Look.Expires)
	if when != "" && r.Look.Ending != "" {
		when += ": " + r.Look.Ending
	}
	return when
}

// method says how it authenticates, and whether it renews itself.
func method(r shownReport) string {
	if r.Method == "" {
		return ""
	}
	words := named(r.MethodTitle, r.Method) + ", " + string(r.Kind)
	if r.Renewable {
		words += ", renewed by itself"
	}
	return words
}

// named is a title with the ID behind it.
func named(title, id string) string {
	return account(connection.Identity{Label: title, Account: id})
}

// showTimeline writes the last changes, or all that are kept.
func showTimeline(t *table, all []workflows.Transition, whole bool) {
	if len(all) == 0 {
		return
	}
	shown := all
	if !whole {
		shown = all[max(0, len(all)-transitionsShown):]
	}
	t.gap()
	t.row("WHEN", "WHAT", "WHY")
	now := time.Now()
	for _, change := range shown {
		t.row(change.At.UTC().Format("2006-01-02 15:04:05 MST")+" ("+ago(change.At, now)+")", change.What, change.Reason)
	}
	if more := len(all) - len(shown); more > 0 {
		t.row(fmt.Sprintf("%d before that: --timeline shows them", more))
	}
}
