package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// ConnectInput starts a ConnectApp. Everything in it is immutable for the session.
type ConnectInput struct {
	activities.ConnectRequest
	// DisplayName is free text for people; "" is the slug.
	DisplayName string `json:"display_name,omitempty"`
	// Owner is the platform's end user or team, for filtering. Optional.
	Owner string `json:"owner,omitempty"`
	// RequestedBy is shown to the person who authorizes: who asks for this. Optional.
	RequestedBy string `json:"requested_by,omitempty"`
	// Review holds the connect before the toolkit is created until approve is sent.
	Review bool `json:"review,omitempty"`
	// Mode is "" for a new connection. With [ModeReplace] the Connection itself starts
	// the ConnectApp, to replace its credential, and with [ModeSession] a ConnectSession
	// does, for a new connection; nobody else can.
	Mode string `json:"mode,omitempty"`
	// Known is the account that the connection has, in mode replace: another one, or
	// another tenant of it, is refused unless AllowOtherAccount is set. The zero value
	// pins nothing.
	Known             connection.Identity `json:"known,omitzero"`
	AllowOtherAccount bool                `json:"allow_other_account,omitempty"`
	// Fingerprint stands for the input: a request with another one for an ID whose
	// connect is open is answered ConnectionIDTaken, never with somebody else's
	// link. The Client fills it in; others send any text that changes with the input.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// ModeReplace is the mode of a ConnectApp that replaces a connection's credential.
const ModeReplace = "replace"

// ModeSession is the mode of a ConnectApp that a ConnectSession has started. It makes a
// new connection as any other; its links, codes and secrets go to the one that runs,
// and never start another.
const ModeSession = "session"

// ConnectResult is what a ConnectApp that succeeded made.
type ConnectResult struct {
	Connection connection.ID       `json:"connection"`
	Status     connection.Status   `json:"status"`
	Identity   connection.Identity `json:"identity,omitzero"`
	Toolkit    connection.Toolkit  `json:"toolkit"`
	Scopes     []string            `json:"scopes,omitempty"`
	// Missing scopes were asked for and not granted.
	Missing []string `json:"missing,omitempty"`
	// Uncovered are actions of kept toolkits, as toolkit/action, that a reconnect did
	// not ask the scopes of: they may be refused now.
	Uncovered []string `json:"uncovered,omitempty"`
}

// Phase is how far a connect has come.
type Phase string

// Phases in their order. Failed and Cancelled can follow any before Active.
const (
	PhaseValidating    Phase = "validating"
	PhaseReserving     Phase = "reserving"
	PhaseAuthorization Phase = "waiting-for-authorization"
	PhaseCredential    Phase = "waiting-for-credential"
	PhaseDevice        Phase = "waiting-for-device"
	PhaseObtaining     Phase = "obtaining"
	PhaseAnswer        Phase = "waiting-for-answer"
	PhaseChoice        Phase = "waiting-for-choice"
	PhaseTesting       Phase = "testing"
	PhaseTestFailed    Phase = "test-failed"
	PhaseReview        Phase = "waiting-for-review"
	PhaseActivating    Phase = "activating"
	PhaseActive        Phase = "active"
	PhaseFailed        Phase = "failed"
	PhaseCancelled     Phase = "cancelled"
)

// Over reports whether nothing follows.
func (p Phase) Over() bool { return p == PhaseActive || p == PhaseFailed || p == PhaseCancelled }

// Progress is everything a connect can tell.
type Progress struct {
	Connection  connection.ID `json:"connection"`
	DisplayName string        `json:"display_name,omitempty"`
	RequestedBy string        `json:"requested_by,omitempty"`
	Owner       string        `json:"owner,omitempty"`
	// Mode is the request's: [ModeReplace] for a reconnect, [ModeSession] for a session's.
	Mode  string `json:"mode,omitempty"`
	Phase Phase  `json:"phase"`
	// Plan is set once the request has been checked.
	Plan     *activities.ConnectPlan `json:"plan,omitempty"`
	Attempts []AttemptState          `json:"attempts,omitempty"`
	// Device is what a person is shown who authorizes on another device.
	Device *DevicePrompt `json:"device,omitempty"`
	// Question waits for an answer, Choices for one of them to be chosen.
	Question *activities.Question `json:"question,omitempty"`
	Choices  *activities.Choices  `json:"choices,omitempty"`
	// Stored says what was obtained; nil before that.
	Stored *activities.StoredReport `json:"stored,omitempty"`
	// Test is the last test that passed, Problem the last thing that did not work.
	Test    *activities.ProbeReport `json:"test,omitempty"`
	Problem *connection.Problem     `json:"problem,omitempty"`
	Result  *ConnectResult          `json:"result,omitempty"`
	// Until is when the session ends by itself.
	Until time.Time `json:"until,omitzero"`
}

// AttemptState is how far one authorization attempt has come.
type AttemptState struct {
	ID string `json:"id"`
	// State is "open", "begun", "exchanging", "succeeded", "failed" or "expired".
	State   string              `json:"state"`
	Expires time.Time           `json:"expires"`
	Problem *connection.Problem `json:"problem,omitempty"`

	// StateSHA256 binds the callback to this attempt: hex SHA-256 of the state that only the browser has.
	StateSHA256 string `json:"state_sha256,omitempty"`
}

// States of an authorization attempt.
const (
	AttemptOpen       = "open"
	AttemptBegun      = "begun"
	AttemptExchanging = "exchanging"
	AttemptSucceeded  = "succeeded"
	AttemptFailed     = "failed"
	AttemptExpired    = "expired"
)

// RequestLink asks for a connect link.
type RequestLink struct {
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Link is where a person connects; single use.
type Link struct {
	Attempt string `json:"attempt"`
	// URL is "" when the worker knows no gateway.
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// BeginAuthorization is sent by the gateway when the person presses the button.
type BeginAuthorization struct {
	Attempt     string `json:"attempt"`
	StateSHA256 string `json:"state_sha256"`
}

// AuthorizationReceived is sent by the gateway after it has put the callback's
// code, or error, into the inbox.
type AuthorizationReceived struct {
	Attempt     string              `json:"attempt"`
	StateSHA256 string              `json:"state_sha256"`
	Inbox       connection.InboxRef `json:"inbox"`
	// Issuer is the callback's iss parameter (RFC 9207), "" when there was none.
	Issuer string `json:"iss,omitempty"`
}

// ProvideCredential hands typed-in secrets over. It answers after the test.
type ProvideCredential struct {
	Inbox       connection.InboxRef `json:"inbox,omitempty"`
	Fingerprint string              `json:"fingerprint,omitempty"`
	// Values replace inputs of the request that are not secret, such as a base URL that was wrong. Optional.
	Values map[string]string `json:"values,omitempty"`
}

// Approve ends the review.
type Approve struct {
	// Actions replace the toolkit's actions; empty keeps what was asked for.
	Actions []string `json:"actions,omitempty"`
}

// RequestDevice asks for a code to authorize with on another device.
type RequestDevice struct {
	Fingerprint string `json:"fingerprint,omitempty"`
}

// DevicePrompt is what the person is shown: go there, and type in the code.
type DevicePrompt struct {
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	// VerificationURIComplete holds the code already; "" when the app offers none.
	VerificationURIComplete string    `json:"verification_uri_complete,omitempty"`
	Expires                 time.Time `json:"expires"`
}

// AnswerStep answers a question of the login. Secrets wait in the inbox.
type AnswerStep struct {
	Step   string              `json:"step"`
	Inbox  connection.InboxRef `json:"inbox,omitempty"`
	Values map[string]string   `json:"values,omitempty"`
}

// ChooseAccount answers which of several accounts is meant.
type ChooseAccount struct {
	ID string `json:"id"`
}
