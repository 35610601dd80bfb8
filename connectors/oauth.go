package connectors

import "time"

// OAuth describes an authorization server, as far as it departs from RFC 6749.
type OAuth struct {
	// Issuer is set when the server names itself in the callback (RFC 9207); the
	// callback must then carry exactly this.
	Issuer Template `yaml:"issuer"`
	// ClientAuth is "basic", "post" or "none" (RFC 6749 section 2.3.1), or a
	// template over the auth config's values that yields one of them. It is always explicit.
	ClientAuth Text          `yaml:"client_auth"`
	Scopes     ScopeRules    `yaml:"scopes"`
	Authorize  *AuthorizeEnd `yaml:"authorize"`
	// Callback names values that the callback's query brings: value name to parameter name.
	Callback map[string]string `yaml:"callback"`
	Token    TokenEnd          `yaml:"token"`
	Refresh  RefreshRules      `yaml:"refresh"`
	// Revoke is nil when the provider offers no revocation.
	Revoke *RevokeEnd  `yaml:"revoke"`
	Answer AnswerRules `yaml:"answer"`
	Errors TokenErrors `yaml:"errors"`
}

// ScopeRules say which scopes are always asked for, and how lists of them are written.
type ScopeRules struct {
	Default []string `yaml:"default"`
	// Separator between scopes in requests and answers. "" is a space. Commas
	// and spaces both separate in answers, whatever this says.
	Separator string `yaml:"separator"`
	// Parameter of the authorization request. "" is "scope".
	Parameter string `yaml:"parameter"`
}

// AuthorizeEnd is the authorization endpoint (RFC 6749 section 3.1).
type AuthorizeEnd struct {
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
	// PKCEOff is set where the provider breaks on PKCE (RFC 7636); zero sends it, always S256.
	PKCEOff bool `yaml:"pkce_off"`
}

// TokenEnd is the token endpoint (RFC 6749 section 3.2).
type TokenEnd struct {
	URL     Template        `yaml:"url"`
	Params  map[string]Text `yaml:"params"`
	Headers map[string]Text `yaml:"headers"`
	// Body is "form" (the default) or "json".
	Body string `yaml:"body"`
}

// RefreshRules describe the refresh request and the life of its tokens.
type RefreshRules struct {
	// URL of the refresh request, where it is not the token endpoint's.
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
	// SendScopes repeats the scopes in the refresh request; few providers want that.
	SendScopes      bool          `yaml:"send_scopes"`
	Rotation        Rotation      `yaml:"rotation"`
	Replay          Replay        `yaml:"replay"`
	Margin          time.Duration `yaml:"margin"`
	DefaultLifetime time.Duration `yaml:"default_lifetime"`
	Lifetime        time.Duration `yaml:"lifetime"`
	Idle            time.Duration `yaml:"idle"`
}

// RevokeEnd is the revocation endpoint: RFC 7009 unless it says otherwise.
type RevokeEnd struct {
	URL Template `yaml:"url"`
	// Method is POST by default.
	Method string `yaml:"method"`
	// Body is "form" (the default) or "json".
	Body string `yaml:"body"`
	// Token to hand over: "refresh" (the default; the access token where there is none) or "access".
	Token string `yaml:"token"`
	// Parameter that carries the token. "" is "token"; "-" sends none, where the
	// token that authenticates the request is the one revoked.
	Parameter string `yaml:"parameter"`
	// Auth is "basic", "post", "none" or "bearer". "" is the method's client authentication.
	Auth string `yaml:"auth"`
	// Done is what a successful revocation looks like. "" is any 2xx.
	Done Predicate `yaml:"done"`
}

// AnswerRules say where things stand in a token answer.
type AnswerRules struct {
	// OK holds for an answer with tokens. "" is any 2xx without an error code.
	OK Predicate `yaml:"ok"`
	// Tokens are the token sets by name. Empty means one, [connection.DefaultToken], in its standard places.
	Tokens map[string]TokenRules `yaml:"tokens"`
	// Error and ErrorDescription are found here. "" are the standard names (RFC 6749 section 5.2).
	Error            Path `yaml:"error"`
	ErrorDescription Path `yaml:"error_description"`
	// Values are learnt from the answer: value name to place.
	Values map[string]Path `yaml:"values"`
	// Identity tells whose grant it is, where the answer says so.
	Identity *IdentityRules `yaml:"identity"`
}

// TokenRules say where one token set stands. Each "" is the standard name (RFC 6749 section 5.1).
type TokenRules struct {
	Access  Path `yaml:"access"`
	Refresh Path `yaml:"refresh"`
	Type    Path `yaml:"type"`
	Scope   Path `yaml:"scope"`
	Expires Path `yaml:"expires"`
	// ExpiresForm is how Expires is written. "" is [FormSeconds].
	ExpiresForm    TimeForm `yaml:"expires_form"`
	RefreshExpires Path     `yaml:"refresh_expires"`
	// RefreshExpiresForm is how RefreshExpires is written. "" is [FormSeconds].
	RefreshExpiresForm TimeForm `yaml:"refresh_expires_form"`
	// Optional sets may be missing from an answer.
	Optional bool `yaml:"optional"`
}

// TokenErrors list error codes of the token endpoint beside those of RFC 6749 section 5.2.
type TokenErrors struct {
	Revoked             []string `yaml:"revoked"`
	ClientMisconfigured []string `yaml:"client_misconfigured"`
	Transient           []string `yaml:"transient"`
	RateLimited         []string `yaml:"rate_limited"`
}

// IdentityRules say whose account it is.
type IdentityRules struct {
	// Account is the stable identifier.
	Account Path `yaml:"account"`
	// Label is what a person recognises.
	Label Path `yaml:"label"`
}
