package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// messageID is the same for every attempt at every sink, and after a reset of the
// workflow too: receivers tell a repetition by it.
func messageID(firstRun, kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", firstRun, kind, n))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// message is what sinks are told of the alert as it is now.
func (s AlertState) message(kind string, at time.Time) activities.AlertMessage {
	data := activities.AlertData{Alert: s.ID, Kind: s.Kind, Environment: s.Environment, App: s.App,
		Connection: s.Connection, AuthConfig: s.AuthConfig, Name: s.Name, Owner: s.Owner, Account: s.Account,
		Title: s.title(kind), Reason: s.Reason, Remedy: s.Remedy, Verdict: s.Verdict, Count: s.Count, Scopes: s.Scopes,
		Expires: s.Expires, Days: s.Days, Opened: s.Opened, Resolved: s.Resolved, Resolution: s.Resolution}
	return activities.AlertMessage{Type: kind, Timestamp: at.UTC(), Data: data}
}

// title is the alert in one sentence.
func (s AlertState) title(kind string) string {
	if kind == activities.MessageResolved {
		return fmt.Sprintf("Resolved: %s (%s): %s", s.who(), s.Kind, s.Resolution)
	}
	switch s.Kind {
	case connection.AlertExpired:
		return s.who() + " has expired: a person must reconnect it"
	case connection.AlertFailing:
		return s.who() + " is failing"
	case connection.AlertScopeLost:
		if len(s.Scopes) == 0 {
			return s.who() + " may no longer do all that it could"
		}
		return s.who() + " has lost " + strings.Join(s.Scopes, ", ")
	case connection.AlertExpiring:
		return fmt.Sprintf("%s ends within %s unless a person acts", s.who(), days(s.Days))
	case connection.AlertClientRefused:
		return "the app refuses the client registration of " + s.who()
	case connection.AlertGrantMayLive:
		return "a grant of " + s.who() + " may still be good at the app"
	case connection.AlertTest:
		return "this is a test: alerts of " + s.Environment + " arrive here"
	}
	return s.who() + " needs attention"
}

// who is what the alert is about, with the name that people gave it.
func (s AlertState) who() string {
	subject := s.subject()
	if s.Connection == "" {
		subject = "auth config " + strings.TrimPrefix(subject, "auth-config/")
	}
	if s.Name == "" || s.Name == s.Connection.Slug() || s.Name == s.AuthConfig {
		return subject
	}
	return fmt.Sprintf("%s (%s)", s.Name, subject)
}

func days(n int) string {
	if n == 1 {
		return "a day"
	}
	return fmt.Sprintf("%d days", n)
}

// details is what an operator reads on top of the run in the Web UI; no secret can be in it.
func (s AlertState) details() string {
	var b strings.Builder
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", what, value)
		}
	}
	state := "open"
	if !s.Resolved.IsZero() {
		state = "resolved"
	}
	fmt.Fprintf(&b, "**%s**: **%s**\n\n", s.title(activities.MessageOpened), state)
	line("since", s.Opened.UTC().Format(time.RFC3339))
	line("reason", s.Reason)
	line("what to do", s.Remedy)
	line("account", s.Account)
	line("owner", s.Owner)
	if !s.Resolved.IsZero() {
		line("resolved", s.Resolved.UTC().Format(time.RFC3339)+" "+s.Resolution)
	}
	for _, d := range s.Deliveries {
		line("`"+d.Type+"` to "+d.Sink, d.text())
	}
	return b.String()
}

// text is how the delivery fares, in words.
func (d Delivery) text() string {
	text := string(d.State)
	if !d.At.IsZero() {
		text += " at " + d.At.UTC().Format(time.RFC3339)
	}
	return strings.TrimSpace(text + " " + d.Reason)
}
