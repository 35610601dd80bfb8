package workflows

import (
	"time"

	"connectedapps/connection"
)

// StatusRetired is how a list shows an auth config that takes no new connections and
// is not refused by the app.
const StatusRetired = "Retired"

// Rotate replaces the secrets of an auth config. Its client stays.
type Rotate struct {
	// Inbox holds the new secrets, by the names they were created with; those left out stay.
	Inbox connection.InboxRef `json:"inbox"`
	// ClientID may say which client is meant; another one is refused. "" says nothing.
	ClientID string `json:"client_id,omitempty"`
	// Expires is when the new secrets end; zero when that is not known.
	Expires time.Time `json:"expires,omitzero"`
}

// RotateResult says how the secrets were replaced.
type RotateResult struct {
	// Changed are the names of the secrets that are others now.
	Changed []string `json:"changed"`
	// Proof is "connection <id>", "client-credentials", or "unproven" with the Reason.
	Proof   string    `json:"proof"`
	Reason  string    `json:"reason,omitempty"`
	Rotated time.Time `json:"rotated"`
	Expires time.Time `json:"expires,omitzero"`
}

// Retire says that an auth config takes no new connections, or with Undo that it does again.
type Retire struct {
	Undo bool `json:"undo,omitempty"`
}
