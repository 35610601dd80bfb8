package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// ReconnectInput asks a Connection to have a person authenticate again. What it
// leaves out is as the connection has it.
type ReconnectInput struct {
	// Method is another of the app's ways to authenticate, by ID or kind; "" keeps it.
	// The client registration is not kept with it, and of the inputs only those that
	// the other method asks for too.
	Method string `json:"method,omitempty"`
	// RequestedBy is shown to the person who authorizes: who asks for this. Optional.
	RequestedBy string `json:"requested_by,omitempty"`
	// Access and Actions ask for the scopes of more than the toolkits hold, as in a
	// connect. The toolkits stay as they are. Both empty: the scopes that the toolkits need.
	Access  string   `json:"access,omitempty"`
	Actions []string `json:"actions,omitempty"`
	// Values replace inputs that are not secret, by name.
	Values map[string]string `json:"values,omitempty"`
	// AuthConfig replaces the client registration; "" keeps it.
	AuthConfig string `json:"auth_config,omitempty"`
	// AllowOtherAccount lets the connection pass to another account, or to another
	// organisation of the same one.
	AllowOtherAccount bool `json:"allow_other_account,omitempty"`
}

// Reconnecting answers the update reconnect: the connect that is now under way.
// Links, device codes, secrets and questions go to it as to any connect, with its
// Fingerprint.
type Reconnecting struct {
	Connect ConnectInput `json:"connect"`
	// Plan says by its Flow what the connect needs of a person.
	Plan *activities.ConnectPlan `json:"plan"`
}

// OpenReconnect is a reconnect that is under way.
type OpenReconnect struct {
	Session
	RequestedBy string    `json:"requested_by,omitempty"`
	Fingerprint string    `json:"fingerprint"`
	Since       time.Time `json:"since"`
}

// NewCredentials replaces the secrets of a connection whose kind needs no
// authorization at the app. It answers after the test, with the Progress of the
// reconnect that it is: one that did not pass stays open for a correction, which
// is another update with the same input but for Inbox and Values.
type NewCredentials struct {
	Inbox connection.InboxRef `json:"inbox,omitempty"`
	// Values replace inputs that are not secret, by name; the others stay.
	Values            map[string]string `json:"values,omitempty"`
	RequestedBy       string            `json:"requested_by,omitempty"`
	AuthConfig        string            `json:"auth_config,omitempty"`
	AllowOtherAccount bool              `json:"allow_other_account,omitempty"`
}

// handedOver passes new credentials on to the connect that tries them.
type handedOver struct {
	Request    string            `json:"request"`
	Credential ProvideCredential `json:"credential"`
}

// tried answers handedOver.
type tried struct {
	Request  string              `json:"request"`
	Progress Progress            `json:"progress"`
	Problem  *connection.Problem `json:"problem,omitempty"`
}
