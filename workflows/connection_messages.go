package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// State is everything a Connection knows; it is the input of its next run too.
type State struct {
	ID          connection.ID       `json:"id"`
	DisplayName string              `json:"display_name"`
	Owner       string              `json:"owner,omitempty"`
	Method      string              `json:"method,omitempty"`
	Kind        connection.AuthKind `json:"kind,omitempty"`
	AuthConfig  string              `json:"auth_config,omitempty"`
	// Values are the inputs that are not secret, as the connection was made with them.
	Values map[string]string `json:"values,omitempty"`
	// Digest identifies the definition the connection was made with.
	Digest string `json:"digest,omitempty"`
	// Look is what was last seen: status, reason, identity, scopes, expiry, last use.
	Look activities.Look `json:"look"`
	// Toolkits by name.
	Toolkits []connection.Toolkit `json:"toolkits,omitempty"`
	// Renewable says whether it can be refreshed without a person.
	Renewable bool `json:"renewable,omitempty"`
	// Policy is how it looks after itself.
	Policy connection.Policy `json:"policy,omitzero"`
	// Alerts that it has raised.
	Alerts Alerts `json:"alerts,omitzero"`
	// Transitions are the last hundred changes, the oldest first.
	Transitions []Transition `json:"transitions,omitempty"`
	// Session is the connect that reserved this connection, while it is Pending.
	Session *Session `json:"session,omitempty"`
	// Reconnect is the reconnect that is under way; nil while there is none.
	Reconnect *OpenReconnect `json:"reconnect,omitempty"`
	Created   time.Time      `json:"created,omitzero"`
	// Runs counts how often the workflow has continued as new.
	Runs int `json:"runs,omitempty"`
}

// Session names one run of a ConnectApp.
type Session struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	// LookAfter is how long the run that names itself here need not be looked after; 0
	// for one that is looked at at once.
	LookAfter time.Duration `json:"look_after,omitempty"`
}

// Transition is one change of a connection.
type Transition struct {
	At time.Time `json:"at"`
	// What happened, in a word: a status, or what a person did.
	What   string `json:"what"`
	Reason string `json:"reason,omitempty"`
}

// TestResult answers the update test.
type TestResult struct {
	Passed  bool                    `json:"passed"`
	Report  *activities.ProbeReport `json:"report,omitempty"`
	Problem *connection.Problem     `json:"problem,omitempty"`
	Status  connection.Status       `json:"status"`
}

// RefreshResult answers the update refresh.
type RefreshResult struct {
	Generation int               `json:"generation"`
	Expires    time.Time         `json:"expires,omitzero"`
	Status     connection.Status `json:"status"`
}

// PutToolkit creates or replaces a toolkit.
type PutToolkit struct {
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// DeleteToolkit removes a toolkit.
type DeleteToolkit struct {
	Name string `json:"name"`
}

// Rename changes the display name.
type Rename struct {
	DisplayName string `json:"display_name"`
}

// SetPolicy changes how a connection looks after itself. What is nil stays.
type SetPolicy struct {
	Idle       *connection.IdlePolicy `json:"idle,omitempty"`
	ProbeEvery *time.Duration         `json:"probe_every,omitempty"`
	// Expires is when the present credential ends; the zero time says that it does not, as far as is known.
	Expires *time.Time `json:"expires,omitempty"`
}

// WorkFailed tells the Connection what its actions have met again and again.
type WorkFailed struct {
	Grant   string                 `json:"grant"`
	Trouble connection.WorkTrouble `json:"trouble"`
}

// Reason is why a person paused, resumed or disconnected. Optional.
type Reason struct {
	Reason string `json:"reason,omitempty"`
}

// DisconnectResult says what became of a disconnect.
type DisconnectResult struct {
	// Revocation is "revoked", "not-offered", "nothing-to-revoke", "given-up"
	// after a day of trying, or "pending" while the provider has not answered yet.
	Revocation string `json:"revocation"`
}

// CredentialRejected tells the Connection what the provider said last about a generation.
type CredentialRejected struct {
	Grant      string             `json:"grant"`
	Generation int                `json:"generation"`
	Verdict    connection.Verdict `json:"verdict"`
	Reason     string             `json:"reason"`
}

// activate hands a tested candidate to the Connection.
type activate struct {
	ReplyTo string `json:"reply_to"`
	// RunID is the run that ReplyTo names.
	RunID      string                   `json:"run_id,omitempty"`
	Ref        connection.CredentialRef `json:"ref"`
	Method     string                   `json:"method"`
	Kind       connection.AuthKind      `json:"kind"`
	AuthConfig string                   `json:"auth_config,omitempty"`
	Digest     string                   `json:"digest"`
	Identity   connection.Identity      `json:"identity,omitzero"`
	Scopes     []string                 `json:"scopes,omitempty"`
	Renewable  bool                     `json:"renewable,omitempty"`
	Expires    time.Time                `json:"expires,omitzero"`
	Values     map[string]string        `json:"values,omitempty"`
	// Toolkit to create; one without a name creates none, since a reconnect keeps what there is.
	Toolkit connection.Toolkit `json:"toolkit"`
	// Actions are those whose scopes were asked for, and Missing the scopes that were not granted.
	Actions []string `json:"actions,omitempty"`
	Missing []string `json:"missing,omitempty"`
}

// activated answers activate.
type activated struct {
	Grant   string              `json:"grant"`
	Problem *connection.Problem `json:"problem,omitempty"`
	// Status and Toolkits are what the connection then has.
	Status    connection.Status    `json:"status,omitempty"`
	Toolkits  []connection.Toolkit `json:"toolkits,omitempty"`
	Uncovered []string             `json:"uncovered,omitempty"`
}

// release gives a reservation up; only the session that made it can.
type release struct {
	Session Session `json:"session"`
}

// Fields of an auth config, as its entity knows them.
type AuthConfigState struct {
	Environment string            `json:"environment"`
	App         string            `json:"app"`
	Name        string            `json:"name"`
	Method      string            `json:"method"`
	Kind        string            `json:"kind,omitempty"`
	ClientID    string            `json:"client_id,omitempty"`
	Values      map[string]string `json:"values,omitempty"`
	Scopes      []string          `json:"scopes,omitempty"`
	Public      bool              `json:"public,omitempty"`
	// Status is "Active", or "Error" once the provider has refused the client.
	Status  connection.Status `json:"status"`
	Reason  string            `json:"reason,omitempty"`
	Created time.Time         `json:"created,omitzero"`
	// Retired: it serves the connections it has and takes no new ones.
	Retired bool `json:"retired,omitempty"`
	// Expires is when the secrets end, and Warned how many days ahead of it people have been told.
	Expires time.Time `json:"expires,omitzero"`
	Warned  int       `json:"warned,omitempty"`
	// Rotation names the last rotation, Rotated is when it was and Proof what it was proven by.
	Rotation string    `json:"rotation,omitempty"`
	Rotated  time.Time `json:"rotated,omitzero"`
	Proof    string    `json:"proof,omitempty"`
	// Alerts that it has raised.
	Alerts Alerts `json:"alerts,omitzero"`
}

// ClientRefused tells the AuthConfig that the provider refuses its registration.
type ClientRefused struct {
	Code string `json:"code"`
	// Rotation brought the secrets that were refused; "" for those it was made with.
	Rotation string `json:"rotation,omitempty"`
}

// AuthConfigInput starts an AuthConfig; its secrets wait in the inbox.
type AuthConfigInput struct {
	Environment string `json:"environment"`
	activities.StoreAuthConfigInput
	// State is set when the entity continues as new.
	State *AuthConfigState `json:"state,omitempty"`
}

// updateCreated answers when the auth config has been stored; it is sent with the start.
const updateCreated = "created"

// created tells one request to create an auth config from another for the same name.
type created struct {
	ClientID string              `json:"client_id,omitempty"`
	Inbox    connection.InboxRef `json:"inbox,omitempty"`
	Request  string              `json:"request"`
}
