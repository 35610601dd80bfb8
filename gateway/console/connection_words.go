package console

import (
	"maps"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

// disconnected says what became of the grant of a connection that is gone.
var disconnected = map[string]string{
	"revoked":                "The grant was revoked at the app.",
	"not-offered":            "The app was not told, since it offers no way to: end the authorization, or delete the key, in its own settings.",
	"nothing-to-revoke":      "There was no grant to revoke.",
	"shared":                 "The grant was left alone at the app, since another connection has it too.",
	"pending":                "The app has not answered the revocation yet; it is tried for a day, by itself.",
	"given-up":               "The app did not take the revocation for a day: end the authorization in its own settings.",
	workflows.RevocationGone: "There was no such connection any more.",
}

func init() {
	maps.Copy(sayings, map[string]string{
		"paused":        "The connection is paused: its actions are refused, and nothing is asked of the app.",
		"resumed":       "The connection is resumed.",
		"renamed":       "The connection has its new name.",
		"policy-set":    "The connection looks after itself by the new policy from now on.",
		"still-going":   "This takes longer than usual and goes on by itself. Reload the page in a moment.",
		"toolkit-put":   "The toolkit is in place.",
		"toolkit-gone":  "The toolkit is gone: actions through it are refused from now on.",
		"disconnecting": "The connection is being disconnected; that goes on by itself.",
	})
	for revocation, words := range disconnected {
		sayings["disconnected-"+revocation] = "The connection is disconnected. " + words
	}
}

// accountWords says whose credential it is; "" when the app does not tell.
func accountWords(identity connection.Identity) string {
	switch {
	case identity.Label == "" || identity.Label == identity.Account:
		return identity.Account
	case identity.Account == "":
		return identity.Label
	default:
		return identity.Label + " (" + identity.Account + ")"
	}
}

// policyWords says a policy for people, with the app's own interval where it leaves that.
func policyWords(app *connectors.App, policy connection.Policy) string {
	if policy.Idle == connection.OnDemand {
		return "On demand: nothing is asked of the app while nobody uses it."
	}
	every, whose := policy.ProbeEvery, ""
	if every == 0 && app != nil {
		every, whose = app.ProbeInterval(), ", the app's own interval"
	}
	if every == 0 {
		return "Kept fresh: renewed in time, and looked at regularly."
	}
	return "Kept fresh: renewed in time, and looked at every " + span(every) + whose + "."
}

// statusWords says what a status means for whoever wants to use the connection.
func statusWords(status connection.Status) string {
	switch status {
	case connection.Active:
		return "The last look was good."
	case connection.Expired:
		return "It cannot be used until a person authenticates again. Work that waits carries on then."
	case connection.Error:
		return "It needs attention, and may heal by itself."
	case connection.Paused:
		return "A person switched it off: its actions are refused, and nothing is asked of the app."
	case connection.Pending:
		return "It is still being connected, and cannot be used yet."
	case connection.Leaving:
		return "It is being disconnected: the app has not taken the revocation yet."
	}
	return ""
}

// outcome is what came of a test or a refresh, as its page shows it.
type outcome struct {
	Title string
	Bad   bool
	// Late: nothing is known yet, and it goes on by itself.
	Late   bool
	Facts  []fact
	Remedy string
}

// fact is a name and what it says.
type fact struct{ Name, Text string }

// facts leaves out what says nothing.
func facts(all ...fact) []fact {
	var said []fact
	for _, f := range all {
		if f.Text != "" {
			said = append(said, f)
		}
	}
	return said
}

func testOutcome(result workflows.TestResult) outcome {
	out := outcome{Title: "The test passed"}
	if report := result.Report; report != nil {
		out.Facts = facts(fact{"Tested", report.Tested}, fact{"Account", accountWords(report.Identity)},
			fact{"Organisation", report.Identity.TenantName()}, fact{"Scopes", strings.Join(report.Scopes, " ")})
	}
	switch {
	case result.Report != nil && result.Report.Untestable:
		out.Title = "The app offers nothing to test with; this is not a pass"
	case !result.Passed:
		out.Title, out.Bad = "The test did not pass", true
		if result.Problem != nil {
			out.Title, out.Remedy = "The test did not pass: "+result.Problem.Message, forPage(result.Problem.Remedy)
			out.Facts = append(out.Facts, facts(fact{"Verdict", string(result.Problem.Verdict)})...)
		}
	}
	out.Facts = append(out.Facts, fact{"Status now", string(result.Status)})
	return out
}

func refreshOutcome(result workflows.RefreshResult) outcome {
	out := outcome{Title: "The credential was renewed", Facts: facts(fact{"Status now", string(result.Status)})}
	if !result.Expires.IsZero() {
		out.Facts = append(out.Facts, fact{"Good until", result.Expires.UTC().Format("2006-01-02 15:04 MST") + ", and renewed before"})
	}
	return out
}

// lateOutcome is the outcome of what takes longer than people look at a page.
func lateOutcome(what string) outcome {
	return outcome{Title: what + " takes longer than usual and goes on by itself", Late: true}
}

func problemOutcome(problem *connection.Problem) outcome {
	return outcome{Title: problem.Message, Bad: true, Remedy: forPage(problem.Remedy), Facts: facts(fact{"Verdict", string(problem.Verdict)})}
}

// dayOf is a time as a date field has it; "" for none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// parseDay reads a date field, a day that is yet to come; "" is the zero time.
func parseDay(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, connection.InvalidInput(field, "this is not a day", "write it as 2027-01-31")
	}
	if !day.After(now) {
		return day, connection.InvalidInput(field, "this is past already", "name when it will end")
	}
	return day, nil
}
