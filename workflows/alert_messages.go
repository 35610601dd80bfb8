package workflows

import (
	"time"

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
