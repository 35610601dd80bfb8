package connection

import "time"

// AlertKind says what an alert is about. It is public contract.
type AlertKind string

const (
	// AlertExpired: the credential is dead; a person must reconnect.
	AlertExpired AlertKind = "expired"
	// AlertFailing: the app has not answered as it should for half an hour, or work has kept failing.
	AlertFailing AlertKind = "failing"
	// AlertScopeLost: the app no longer grants something that it granted before.
	AlertScopeLost AlertKind = "scope-lost"
	// AlertExpiring: access ends soon that cannot be renewed without a person.
	AlertExpiring AlertKind = "expiring"
	// AlertClientRefused: the app refuses the client registration.
	AlertClientRefused AlertKind = "client-refused"
	// AlertGrantMayLive: a grant could not be ended at the app, and may still be good there.
	AlertGrantMayLive AlertKind = "grant-may-live"
	// AlertTest: somebody tries whether alerts arrive. It is delivered and never open.
	AlertTest AlertKind = "test"
)

// AlertKinds lists every kind that can be open, the gravest first.
func AlertKinds() []AlertKind {
	return []AlertKind{AlertExpired, AlertClientRefused, AlertScopeLost, AlertFailing, AlertExpiring, AlertGrantMayLive}
}

// WorkTrouble is what actions of a connection have met again and again, with no
// success in between.
type WorkTrouble struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	// Count is how many attempts have failed, as far as one worker has seen.
	Count int `json:"count"`
	// Since and Last are the first and the last failure, in Vault's time.
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
}
