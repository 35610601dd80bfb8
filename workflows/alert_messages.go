package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// AlertSubject is what an alert is about.
type AlertSubject struct {
	Environment string `json:"environment"`
	App         string `json:"app"`
	// Connection is set for an alert about a connection, AuthConfig (its name) for one about an auth config.
	Connection connection.ID `json:"connection,omitempty"`
	AuthConfig string        `json:"auth_config,omitempty"`
	// Name is the display name.
	Name    string `json:"name,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Account string `json:"account,omitempty"`
}

// AlertNews is what an alert says.
type AlertNews struct {
	Kind    connection.AlertKind `json:"kind"`
	Reason  string               `json:"reason"`
	Remedy  string               `json:"remedy,omitempty"`
	Verdict connection.Verdict   `json:"verdict,omitempty"`
	// Count is how many attempts of work have failed; 0 when none was being done.
	Count int `json:"count,omitempty"`
	// Scopes that were lost.
	Scopes []string `json:"scopes,omitempty"`
	// Expires is when what is about to end ends; Days is how many days ahead of it this was said.
	Expires time.Time `json:"expires,omitzero"`
	Days    int       `json:"days,omitempty"`
}

// AlertInput starts an Alert.
type AlertInput struct {
	AlertSubject
	AlertNews
	Opened time.Time `json:"opened"`
}

// AlertResolved tells an Alert that its trouble is over.
type AlertResolved struct {
	// Resolution says in words what ended it.
	Resolution string    `json:"resolution"`
	At         time.Time `json:"at"`
}

// Alerts are the alerts that an entity has raised; part of its state.
type Alerts struct {
	Open []OpenAlert `json:"open,omitempty"`
	// Raised counts all there ever were: it makes their IDs.
	Raised int `json:"raised,omitempty"`
}

// OpenAlert is an alert whose trouble is not over.
type OpenAlert struct {
	WorkflowID string    `json:"workflow_id"`
	Since      time.Time `json:"since"`
	News       AlertNews `json:"news"`
}

// AlertState is what is known of an alert; `describe` and `resolve` answer it.
type AlertState struct {
	ID string `json:"id"`
	AlertInput
	// Resolved is when its trouble was over; zero while it is open.
	Resolved   time.Time `json:"resolved,omitzero"`
	Resolution string    `json:"resolution,omitempty"`
	// Deliveries are all messages to all sinks, in the order of the messages.
	Deliveries []Delivery `json:"deliveries,omitempty"`
}

// DeliveryState says how far a message has come.
type DeliveryState string

// A delivery is pending until the sink took it, or it was given up.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryGivenUp   DeliveryState = "given-up"
)

// Delivery is one message to one sink.
type Delivery struct {
	Sink string `json:"sink"`
	// Message is the ID that the sink gets, and Type what it says: alert.opened and so on.
	Message string        `json:"message"`
	Type    string        `json:"type"`
	State   DeliveryState `json:"state"`
	// Since is when it was begun, and At when it ended; zero while it is pending.
	Since time.Time `json:"since"`
	At    time.Time `json:"at,omitzero"`
	// Reason is why it was given up.
	Reason string `json:"reason,omitempty"`
}

// AlertSinksState is the input and the state of AlertSinks: which sinks an environment has.
type AlertSinksState struct {
	Environment string `json:"environment"`
	// Sinks are sorted by name.
	Sinks []SinkState `json:"sinks,omitempty"`
}

// SinkState is what is known of a sink, without its secrets.
type SinkState struct {
	Name string              `json:"name"`
	Kind connection.SinkKind `json:"kind"`
	// Host is scheme and host of a webhook; "" for other kinds, whose URL is secret as a whole.
	Host    string    `json:"host,omitempty"`
	Created time.Time `json:"created"`
	// Rotated is zero while it has what it was created with.
	Rotated time.Time `json:"rotated,omitzero"`
	// Disabled is why nothing is delivered to it any more; a rotation enables it again.
	Disabled   string    `json:"disabled,omitempty"`
	DisabledAt time.Time `json:"disabled_at,omitzero"`
}

// CreateSink makes a sink. Its inbox entry holds "url" and, for a webhook, "key".
type CreateSink struct {
	Name  string              `json:"name"`
	Kind  connection.SinkKind `json:"kind"`
	Inbox connection.InboxRef `json:"inbox"`
}

// RotateSink gives a sink what its inbox entry holds: a new key, a new URL, or both.
// A replaced key is signed with for another day.
type RotateSink struct {
	Name  string              `json:"name"`
	Inbox connection.InboxRef `json:"inbox"`
}

// NamedSink is the sink to delete or to test.
type NamedSink struct {
	Name string `json:"name"`
}

// SinkTest is what became of a test message. A sink that did not take it is an answer, not an error.
type SinkTest struct {
	activities.DeliverAlertReport
	// Problem is set when it was not delivered.
	Problem *connection.Problem `json:"problem,omitempty"`
}

// SinkGone tells AlertSinks that a sink does not want any more.
type SinkGone struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}
