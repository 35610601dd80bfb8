package activities

import (
	"time"

	"connectedapps/connection"
)

// Look is what a look at a connection found: the part of it that people see.
type Look struct {
	Status  connection.Status  `json:"status"`
	Verdict connection.Verdict `json:"verdict,omitempty"`
	// Reason says in words why the status is not Active.
	Reason string `json:"reason,omitempty"`
	// Remedy says what a person can do about it.
	Remedy   string              `json:"remedy,omitempty"`
	Grant    string              `json:"grant"`
	Identity connection.Identity `json:"identity,omitzero"`
	Scopes   []string            `json:"scopes,omitempty"`
	// Expires is when a person must have acted, in Vault's time: the end of an access that
	// cannot be renewed, of a refresh token, or of a key; zero when there is no such end.
	Expires time.Time `json:"expires,omitzero"`
	// Ending says what ends then, in words.
	Ending string `json:"ending,omitempty"`
	// Warned is how many days ahead of Expires a warning is due by now; 0 while none is.
	Warned int `json:"warned,omitempty"`
	// Lost are the scopes that the app granted once and no longer does.
	Lost []string `json:"lost,omitempty"`
	// Work is trouble that actions have met; nil once one has succeeded again.
	Work *connection.WorkTrouble `json:"work,omitempty"`
	// LastUsed in Vault's time; zero when never.
	LastUsed time.Time `json:"last_used,omitzero"`
	// renewed is when the credential was last renewed, in Vault's time; zero when never.
	renewed time.Time
	// unwell is the trouble of this very look, where it changes nothing yet.
	unwell string
	// Generation at the time of the look. A new one alone is not news.
	Generation int `json:"generation"`
}

// news reports whether the look differs from what was last reported in anything
// that is worth a line of history.
func (l Look) news(reported Look) bool {
	return l.Status != reported.Status || l.Verdict != reported.Verdict ||
		l.Grant != reported.Grant ||
		l.Identity.Known() && l.Identity != reported.Identity ||
		l.Scopes != nil && !sameSet(l.Scopes, reported.Scopes) ||
		!l.Expires.Equal(reported.Expires) || l.Ending != reported.Ending || l.Warned != reported.Warned ||
		!sameSet(l.Lost, reported.Lost) || worked(l.Work) != worked(reported.Work) ||
		l.LastUsed.Sub(reported.LastUsed) > usedNews
}

// worked is what of trouble at work is news: that there is some, and of which kind.
func worked(trouble *connection.WorkTrouble) connection.Verdict {
	if trouble == nil {
		return ""
	}
	return trouble.Verdict
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	seen := make(map[string]bool, len(a))
	for _, x := range a {
		seen[x] = true
	}
	for _, x := range b {
		if !seen[x] {
			return false
		}
	}
	return true
}
