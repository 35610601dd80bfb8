package activities

import (
	"time"

	"connectedapps/connection"
)

// The types of messages that sinks get. They are public contract.
const (
	MessageOpened   = "alert.opened"
	MessageUpdated  = "alert.updated"
	MessageResolved = "alert.resolved"
	MessageTest     = "alert.test"
)

// AlertMessage is what a sink is told: the body of a webhook is this as JSON. It is
// public contract. Every attempt, at every sink, sends the same bytes.
type AlertMessage struct {
	// Type is one of the four above.
	Type string `json:"type"`
	// Timestamp is when it happened. When it was sent is in the header webhook-timestamp.
	Timestamp time.Time `json:"timestamp"`
	Data      AlertData `json:"data"`
}

// AlertData is an alert as its message tells it. What does not apply is left out.
type AlertData struct {
	// Alert is the ID of the alert: all messages of one alert have the same.
	Alert       string               `json:"alert"`
	Kind        connection.AlertKind `json:"kind"`
	Environment string               `json:"environment"`
	App         string               `json:"app,omitempty"`
	// Connection is set for an alert about a connection, AuthConfig (its name) for one about an auth config.
	Connection connection.ID `json:"connection,omitempty"`
	AuthConfig string        `json:"auth_config,omitempty"`
	// Name is the display name.
	Name    string `json:"name,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Account string `json:"account,omitempty"`
	// Title is one sentence for people.
	Title   string             `json:"title"`
	Reason  string             `json:"reason,omitempty"`
	Remedy  string             `json:"remedy,omitempty"`
	Verdict connection.Verdict `json:"verdict,omitempty"`
	// Count is how many attempts of work have failed.
	Count  int      `json:"count,omitempty"`
	Scopes []string `json:"scopes,omitempty"`
	// Expires is when what is about to end ends, and Days how many days ahead of it this was said.
	Expires  time.Time `json:"expires,omitzero"`
	Days     int       `json:"days,omitempty"`
	Opened   time.Time `json:"opened,omitzero"`
	Resolved time.Time `json:"resolved,omitzero"`
	// Resolution says in words what ended it.
	Resolution string `json:"resolution,omitempty"`
}
