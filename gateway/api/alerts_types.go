package api

import "time"

// AlertItem is an open alert in a list.
type AlertItem struct {
	ID          string    `json:"id" example:"alert/development/github/acme-bot/expired-1" doc:"Its ID. Its path is /alerts and what follows the first part of the ID."`
	Kind        string    `json:"kind" example:"expired" doc:"expired, client-refused, scope-lost, failing, expiring or grant-may-live."`
	Environment string    `json:"environment" doc:"The environment it is of."`
	App         string    `json:"app" doc:"The app's ID."`
	Connection  string    `json:"connection,omitempty" doc:"The connection that it is about."`
	AuthConfig  string    `json:"auth_config,omitempty" doc:"The name of the auth config that it is about."`
	Name        string    `json:"name,omitempty" doc:"The display name of what it is about."`
	Owner       string    `json:"owner,omitempty" doc:"Whose connection it is."`
	Since       time.Time `json:"since" doc:"When the trouble began."`
	Reason      string    `json:"reason,omitempty" doc:"What is wrong; left out where the namespace's payloads are encoded: show the alert."`
}

// AlertDetails is everything that is known of an alert.
type AlertDetails struct {
	ID          string     `json:"id" doc:"Its ID."`
	Kind        string     `json:"kind" doc:"What it is about."`
	Environment string     `json:"environment" doc:"The environment it is of."`
	App         string     `json:"app" doc:"The app's ID."`
	Connection  string     `json:"connection,omitempty" doc:"The connection that it is about."`
	AuthConfig  string     `json:"auth_config,omitempty" doc:"The name of the auth config that it is about."`
	Name        string     `json:"name,omitempty" doc:"The display name of what it is about."`
	Owner       string     `json:"owner,omitempty" doc:"Whose connection it is."`
	Account     string     `json:"account,omitempty" doc:"Whose account it is."`
	Reason      string     `json:"reason" doc:"What is wrong."`
	Remedy      string     `json:"remedy,omitempty" doc:"What a person can do about it."`
	Verdict     string     `json:"verdict,omitempty" doc:"What the app's answer means."`
	Count       int        `json:"count,omitempty" doc:"How many attempts of work have failed."`
	Scopes      []string   `json:"scopes,omitempty" doc:"The scopes that were lost."`
	Expires     time.Time  `json:"expires,omitzero" doc:"When what is about to end ends."`
	Opened      time.Time  `json:"opened" doc:"When the trouble began."`
	Resolved    time.Time  `json:"resolved,omitzero" doc:"When it was over; left out while it is open."`
	Resolution  string     `json:"resolution,omitempty" doc:"What ended it."`
	Deliveries  []Delivery `json:"deliveries" doc:"All messages to all sinks, in the order of the messages."`
}

// Delivery is one message to one sink.
type Delivery struct {
	Sink    string    `json:"sink" doc:"The sink's name."`
	Message string    `json:"message" doc:"The message's ID, as the sink gets it."`
	Type    string    `json:"type" example:"alert.opened" doc:"What it says."`
	State   string    `json:"state" doc:"pending, delivered or given-up."`
	Since   time.Time `json:"since" doc:"When it was begun."`
	At      time.Time `json:"at,omitzero" doc:"When it ended."`
	Reason  string    `json:"reason,omitempty" doc:"Why it was given up."`
}

// AlertList is one page of alerts.
type AlertList struct {
	Items      []AlertItem `json:"items" doc:"The open alerts, newest first within each environment."`
	NextCursor string      `json:"next_cursor,omitempty" doc:"Asks for the page after this one; left out at the end."`
}
