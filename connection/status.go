package connection

// Status is what a person sees of a connection's health.
type Status string

const (
	// Pending: being connected; it cannot be used yet.
	Pending Status = "Pending"
	// Active: the last look was good.
	Active Status = "Active"
	// Expired: only a person can help, by authenticating again.
	Expired Status = "Expired"
	// Error: needs attention and may heal by itself.
	Error Status = "Error"
	// Paused: a person switched it off; nothing is asked of the provider.
	Paused Status = "Paused"
)

// Statuses lists every status, in the order people are shown them.
func Statuses() []Status { return []Status{Active, Error, Expired, Paused, Pending} }

// Verdict is what a provider's answer means for the connection.
type Verdict string

const (
	// OK: the success predicate held.
	OK Verdict = "ok"
	// Transient: a 5xx, the network, a time-out, Vault in trouble. Never expires anyone.
	Transient Verdict = "transient"
	// RateLimit: 429 or a declared hint. Wait and ask again.
	RateLimit Verdict = "rate-limited"
	// RejectedInput: the request itself was wrong.
	RejectedInput Verdict = "rejected-input"
	// Revoked: the credential is dead; a person must authenticate again.
	Revoked Verdict = "revoked"
	// ClientMisconfigured: the client registration was refused, not the grant.
	ClientMisconfigured Verdict = "client-misconfigured"
	// ScopeLost: the credential lives but may no longer do this.
	ScopeLost Verdict = "scope-lost"
	// OutcomeUnknown: it may or may not have happened, and asking again could do it twice.
	OutcomeUnknown Verdict = "outcome-unknown"
)

// AuthKind is how an app authenticates.
type AuthKind string

const (
	// OAuth2Code is the OAuth 2.0 authorization code grant, RFC 6749 section 4.1.
	OAuth2Code AuthKind = "oauth2-code"
	// OAuth2ClientCredentials is RFC 6749 section 4.4.
	OAuth2ClientCredentials AuthKind = "oauth2-client-credentials"
	// APIKey is a key in a header or in the query.
	APIKey AuthKind = "api-key"
	// Bearer is a static token sent as RFC 6750 section 2.1 says.
	Bearer AuthKind = "bearer"
	// Headers are several custom headers at once.
	Headers AuthKind = "headers"
	// Basic is HTTP Basic, RFC 7617.
	Basic AuthKind = "basic"
	// None asks for nothing.
	None AuthKind = "none"
)

// NeedsPerson reports whether the kind sends a person to the provider's own page.
func (k AuthKind) NeedsPerson() bool { return k == OAuth2Code }

// NeedsClient reports whether the kind wants a client registration, that is an auth config.
func (k AuthKind) NeedsClient() bool {
	return k == OAuth2Code || k == OAuth2ClientCredentials
}

// Identity says whose account a credential belongs to. The zero value is "not known".
type Identity struct {
	// Account is the provider's stable identifier of the account.
	Account string `json:"account,omitempty"`
	// Label is what a person recognises: a name or an address.
	Label string `json:"label,omitempty"`
}

// Known reports whether the provider told anything.
func (i Identity) Known() bool { return i.Account != "" || i.Label != "" }
