package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// ConnectSessionInput starts a ConnectSession: a link, good once, with which one person
// makes one connection. What it says is fixed; what it leaves open is that person's choice.
type ConnectSessionInput struct {
	Environment string `json:"environment"`
	// Session is the slug that names it.
	Session string `json:"session"`
	App     string `json:"app"`
	// ConnectRequest is what will be connected. Its Connection, of the session's environment
	// and app, is needed. A Method, AuthConfig, access or value that is left out is chosen at
	// the start; an AuthConfig that is chosen there names a program only, and lends no access.
	// Kept and AuthConfigChosen are not used.
	activities.ConnectRequest
	// DisplayName is free text for people; "" is the connection's slug.
	DisplayName string `json:"display_name,omitempty"`
	// Owner is the platform's end user or team, for filtering. Optional.
	Owner string `json:"owner,omitempty"`
	// RequestedBy is shown to the person: who asks for this. Optional.
	RequestedBy string `json:"requested_by,omitempty"`
	// ReturnTo is where the browser is sent in the end. Here it is kept only: the gateway
	// leads nowhere but to the origins that its operator allows. Optional.
	ReturnTo string `json:"return_to,omitempty"`
	// Notify names the alert sink that is told how it ended; "" is none.
	Notify string `json:"notify,omitempty"`
	// TokenSHA256 is the hexadecimal SHA-256 of the link's token, which never comes here. It
	// tells nobody the token, and is not for those who have no business with the link.
	TokenSHA256 string `json:"token_sha256,omitempty"`
	// Life is how long the person has until a connect must have begun; 0 is 30 minutes, a
	// day is the most.
	Life time.Duration `json:"life,omitempty"`
}

// SessionState is how far a connect session has come.
type SessionState string

// A session is open until its link is used, claimed while the person chooses, and
// connecting while a ConnectApp of it runs. A connect that came to nothing leads back to
// claimed. Nothing follows the other four.
const (
	SessionOpen       SessionState = "open"
	SessionClaimed    SessionState = "claimed"
	SessionConnecting SessionState = "connecting"
	SessionConnected  SessionState = "connected"
	SessionFailed     SessionState = "failed"
	SessionCancelled  SessionState = "cancelled"
	SessionExpired    SessionState = "expired"
)

// Over reports whether nothing follows.
func (s SessionState) Over() bool {
	return s == SessionConnected || s == SessionFailed || s == SessionCancelled || s == SessionExpired
}

// ConnectSessionState is what is known of a connect session: the answer to the query
// describe, and the result of the workflow.
type ConnectSessionState struct {
	// ConnectSessionInput is what it was created with. See [ConnectSessionState.Admits].
	ConnectSessionInput
	// BrowserSHA256 is that of the claim; "" before. See [ConnectSessionState.ClaimedBy].
	BrowserSHA256 string       `json:"browser_sha256,omitempty"`
	State         SessionState `json:"state"`
	Created       time.Time    `json:"created"`
	// Expires is when it ends unless a connect is open then.
	Expires time.Time `json:"expires"`
	// Claimed is when the link was used, Ended when it was over; zero before.
	Claimed time.Time `json:"claimed,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Connect is the connect under way, or the last one there was; nil before that.
	Connect *ConnectInput `json:"connect,omitempty"`
	// Result is set once connected.
	Result *ConnectResult `json:"result,omitempty"`
	// Problem is why the last connect came to nothing, or why the session ended without one.
	Problem *connection.Problem `json:"problem,omitempty"`
	// Delivery is how the message to the sink fares; nil before the end, and without Notify.
	Delivery *Delivery `json:"delivery,omitempty"`
}

// ClaimSession uses the link of a session up. The browser that did may repeat it.
type ClaimSession struct {
	// TokenSHA256 is the hexadecimal SHA-256 of the link's token, BrowserSHA256 that of a
	// random secret that only the claiming browser has.
	TokenSHA256   string `json:"token_sha256"`
	BrowserSHA256 string `json:"browser_sha256"`
}

// StartSession is what the person chose, and begins the connect. What the session has
// fixed is left out or repeated; anything else is an ErrInvalidInput.
type StartSession struct {
	// BrowserSHA256 is that of the claim.
	BrowserSHA256 string `json:"browser_sha256"`
	// Method and AuthConfig, Access and Actions, and Values are as in a connect.
	Method     string            `json:"method,omitempty"`
	AuthConfig string            `json:"auth_config,omitempty"`
	Access     string            `json:"access,omitempty"`
	Actions    []string          `json:"actions,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}
