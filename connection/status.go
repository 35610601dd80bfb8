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
	// Leaving: it is being disconnected; the app has not taken the revocation yet.
	Leaving Status = "Disconnecting"
)

// Statuses lists every status, in the order people are shown them.
func Statuses() []Status { return []Status{Active, Error, Expired, Paused, Pending, Leaving} }

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
	// OAuth2Device is the device authorization grant, RFC 8628.
	OAuth2Device AuthKind = "oauth2-device"
	// OAuth2JWTBearer is a signed assertion as a grant, RFC 7523; service accounts use it.
	OAuth2JWTBearer AuthKind = "oauth2-jwt-bearer"
	// OAuth2Grant is any other grant of a token endpoint: password, token exchange, a vendor's own.
	OAuth2Grant AuthKind = "oauth2-grant"
	// OAuth1 is OAuth 1.0a, RFC 5849.
	OAuth1 AuthKind = "oauth1"
	// APIKey is a key in a header, the query, a cookie or the body.
	APIKey AuthKind = "api-key"
	// Bearer is a static token sent as RFC 6750 section 2.1 says.
	Bearer AuthKind = "bearer"
	// Headers are several custom headers at once.
	Headers AuthKind = "headers"
	// Basic is HTTP Basic, RFC 7617.
	Basic AuthKind = "basic"
	// Digest is HTTP Digest, RFC 7616.
	Digest AuthKind = "digest"
	// SigV4 is AWS Signature Version 4.
	SigV4 AuthKind = "aws-sigv4"
	// MultiStep is an ordered list of requests that ends in a session.
	MultiStep AuthKind = "multi-step"
	// None asks for nothing.
	None AuthKind = "none"
)

// NeedsBrowser reports whether the kind sends a person to the provider's own page and back.
func (k AuthKind) NeedsBrowser() bool { return k == OAuth2Code || k == OAuth1 }

// NeedsClient reports whether the kind wants a client registration, that is an
// auth config, unless its definition says otherwise.
func (k AuthKind) NeedsClient() bool {
	return k == OAuth2Code || k == OAuth2ClientCredentials || k == OAuth2Device || k == OAuth1
}

// UsesTokenEndpoint reports whether tokens come from an OAuth 2.0 token endpoint.
func (k AuthKind) UsesTokenEndpoint() bool {
	return k == OAuth2Code || k == OAuth2Device || k.Machine()
}

// Machine reports whether the kind gets its tokens from a token endpoint without a person, again and again.
func (k AuthKind) Machine() bool {
	return k == OAuth2ClientCredentials || k == OAuth2JWTBearer || k == OAuth2Grant
}

// Identity says whose account a credential belongs to. The zero value is "not known".
type Identity struct {
	// Account is the provider's stable identifier of the account.
	Account string `json:"account,omitempty"`
	// Label is what a person recognises: a name or an address.
	Label string `json:"label,omitempty"`
	// Tenant is the organisation, workspace or site of the account that the connection
	// is of, where one account can reach several; "" where it cannot, or it is not known.
	Tenant string `json:"tenant,omitempty"`
	// TenantLabel is how a person recognises the tenant; "" where only its ID is known.
	TenantLabel string `json:"tenant_label,omitempty"`
}

// Known reports whether the provider told whose account it is.
func (i Identity) Known() bool { return i.Account != "" || i.Label != "" }

// Over is what is known once i is told, where before was known already: what i leaves
// out stays. The tenant stays only where the account does.
func (i Identity) Over(before Identity) Identity {
	if !i.Known() {
		i.Account, i.Label = before.Account, before.Label
	}
	if (i.Tenant == "" && i.Account == before.Account) || (i.TenantLabel == "" && i.Tenant == before.Tenant) {
		i.Tenant, i.TenantLabel = before.Tenant, before.TenantLabel
	}
	return i
}

// TenantName is the tenant as people are told of it; "" where it is not known.
func (i Identity) TenantName() string {
	if i.TenantLabel != "" {
		return i.TenantLabel
	}
	return i.Tenant
}
