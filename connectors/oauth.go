package connectors

import (
	"time"

	"go.yaml.in/yaml/v4"
)

// OAuth describes an authorization server, as far as it departs from RFC 6749.
type OAuth struct {
	// Issuer is set when the server names itself in the callback (RFC 9207); the
	// callback must then carry exactly this.
	Issuer Template `yaml:"issuer"`
	// Metadata is where the server describes itself; nil when every endpoint is declared.
	Metadata *MetadataEnd `yaml:"metadata"`
	// ClientAuth is one of the constants beginning with clientAuth, or a template
	// over the auth config's values that yields one of them. It is always explicit.
	ClientAuth Text `yaml:"client_auth"`
	// ClientAssertion is what the client authenticates with by a signed JWT (RFC 7523 section 2.2).
	ClientAssertion *JWT `yaml:"client_assertion"`
	// TLS is the client's certificate (RFC 8705); nil for none.
	TLS       *ClientTLS    `yaml:"tls"`
	Scopes    ScopeRules    `yaml:"scopes"`
	Authorize *AuthorizeEnd `yaml:"authorize"`
	// Device is the device authorization endpoint (RFC 8628 section 3.1).
	Device *DeviceEnd `yaml:"device"`
	// CodeParameter is what the callback calls the code. "" is "code", "-" means it brings none.
	CodeParameter string `yaml:"code_parameter"`
	// Callback names values that the callback's query brings.
	Callback map[string]CallbackValue `yaml:"callback"`
	// CallbackHMAC is set where the callback is signed with the client secret.
	CallbackHMAC *CallbackHMAC `yaml:"callback_hmac"`
	Token        TokenEnd      `yaml:"token"`
	// Then are further token requests after an exchange, each with the token of
	// the one before; the last answer counts.
	Then    []TokenEnd   `yaml:"then"`
	Refresh RefreshRules `yaml:"refresh"`
	// Budget of the token endpoint; nil when it has none that is known.
	Budget *Budget `yaml:"budget"`
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
	// Parameters lists scopes that go into parameters of their own, by parameter.
	Parameters map[string][]string `yaml:"parameters"`
	// Implies names what a scope covers beside itself: a provider that grants the
	// one may not name the others.
	Implies map[string][]string `yaml:"implies"`
	// Describe says in plain words what a scope allows.
	Describe map[string]string `yaml:"describe"`
}

// MetadataEnd is a server's own description (RFC 8414, OpenID Connect Discovery 1.0).
type MetadataEnd struct {
	URL Template `yaml:"url"`
	// Issuer must be what the description says of itself.
	Issuer Template `yaml:"issuer"`
}

// DeviceEnd is the device authorization endpoint (RFC 8628 section 3.1).
type DeviceEnd struct {
	URL     Template        `yaml:"url"`
	Params  map[string]Text `yaml:"params"`
	Headers map[string]Text `yaml:"headers"`
}

// CallbackValue is one value that a callback brings.
type CallbackValue struct {
	Parameter string `yaml:"parameter"`
	// Pattern is a regular expression that the whole value must match. A value
	// that becomes part of a token URL needs one.
	Pattern string `yaml:"pattern"`
}

// UnmarshalYAML takes the parameter's name alone too.
func (c *CallbackValue) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&c.Parameter)
	}
	type plain CallbackValue
	return node.Decode((*plain)(c))
}

// CallbackHMAC is a signature over the callback's other parameters, sorted and
// written as a query, keyed with the client secret.
type CallbackHMAC struct {
	Parameter string `yaml:"parameter"`
	// Algorithm is "sha256" (the default) or "sha512"; the signature is in hexadecimal.
	Algorithm string `yaml:"algorithm"`
}

// ClientTLS is a client certificate made of inputs.
type ClientTLS struct {
	// Certificate and Key are PEM.
	Certificate Text `yaml:"certificate"`
	Key         Text `yaml:"key"`
	// API is set where API requests want the certificate too (RFC 8705 section 3).
	API bool `yaml:"api"`
}

// JWT is a signed token to be made (RFC 7519).
type JWT struct {
	// Algorithm is one of RS256, RS384, RS512, PS256, ES256, ES384, EdDSA and HS256. "" is RS256.
	Algorithm string `yaml:"algorithm"`
	// Key is a private key in PEM, or the secret of HS256.
	Key   Text `yaml:"key"`
	KeyID Text `yaml:"key_id"`
	// Header and Claims are JSON whose texts are templates; iat, exp and jti are added to the claims.
	Header map[string]any `yaml:"header"`
	Claims map[string]any `yaml:"claims"`
	// Lifetime of the token; zero is five minutes.
	Lifetime time.Duration `yaml:"lifetime"`
}

// AuthorizeEnd is the authorization endpoint (RFC 6749 section 3.1).
type AuthorizeEnd struct {
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
	// PKCEOff is set where the provider breaks on PKCE (RFC 7636); zero sends it, always S256.
	PKCEOff bool `yaml:"pkce_off"`
	// Rename gives standard parameters other names, and Remove leaves some out.
	Rename map[string]string `yaml:"rename"`
	Remove []string          `yaml:"remove"`
	// Fragment puts the parameters after a # instead of a ?.
	Fragment bool `yaml:"fragment"`
}

// TokenEnd is the token endpoint (RFC 6749 section 3.2).
type TokenEnd struct {
	URL     Template        `yaml:"url"`
	Params  map[string]Text `yaml:"params"`
	Headers map[string]Text `yaml:"headers"`
	// Method is POST by default.
	Method string `yaml:"method"`
	// Body is "form" (the default), "json", "query" or "xml".
	Body string `yaml:"body"`
	// Grant replaces the grant type.
	Grant string `yaml:"grant"`
	// Rename gives standard parameters other names, and Remove leaves some out.
	Rename map[string]string `yaml:"rename"`
	Remove []string          `yaml:"remove"`
	// Assertion is a JWT sent as the parameter assertion (RFC 7523 section 2.1); nil for none.
	Assertion *JWT `yaml:"assertion"`
}

// RefreshRules describe the refresh request and the life of its tokens.
type RefreshRules struct {
	// With says what is presented: "refresh" (the default), "access" where the
	// access token renews itself, or "grant" where the first grant is run again.
	With string `yaml:"with"`
	// URL of the refresh request, where it is not the token endpoint's.
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
	// Headers, Method, Body, Grant, Rename and Remove are as in [TokenEnd]. Where
	// empty, Headers, Method and Body are the token endpoint's.
	Headers map[string]Text   `yaml:"headers"`
	Method  string            `yaml:"method"`
	Body    string            `yaml:"body"`
	Grant   string            `yaml:"grant"`
	Rename  map[string]string `yaml:"rename"`
	Remove  []string          `yaml:"remove"`
	// WhileValid is false where a refresh is refused as long as the access token lives. Nil is true.
	WhileValid *bool `yaml:"while_valid"`
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
	// Params and Headers are sent too, made of the client's and the connection's
	// values, learnt ones among them, and of {token}: the access token that is
	// revoked. One whose variables have no value is left out.
	Params  map[string]Text `yaml:"params"`
	Headers map[string]Text `yaml:"headers"`
	// Method is POST by default.
	Method string `yaml:"method"`
	// Body is "form" (the default) or "json".
	Body string `yaml:"body"`
	// Token to hand over: "refresh" (the default; the access token where there is none) or "access".
	Token string `yaml:"token"`
	// Parameter that carries the token. "" is "token"; "-" sends none, where the
	// token that authenticates the request is the one revoked.
	Parameter string `yaml:"parameter"`
	// Auth is "basic", "post", "none", "secret-as-user" or "bearer". "" is the method's client authentication.
	Auth string `yaml:"auth"`
	// Done is what a successful revocation looks like. "" is any 2xx.
	Done Predicate `yaml:"done"`
	// Shared is set where connections of one account share a grant: it is then revoked with the last.
	Shared bool `yaml:"shared"`
}

// AnswerRules say where things stand in a token answer.
type AnswerRules struct {
	// Format is "" (JSON or a form, whichever it is) or "xml".
	Format string `yaml:"format"`
	// OK holds for an answer with tokens. "" is any 2xx without an error code.
	OK Predicate `yaml:"ok"`
	// Claims are read from a JWT in the answer; nil for none.
	Claims *ClaimRules `yaml:"claims"`
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

// ClaimRules read claims of a JWT that came with the tokens over TLS (OpenID
// Connect Core 1.0 section 3.1.3.7 accepts that in place of its signature).
type ClaimRules struct {
	// Of is where the JWT stands. "" is "id_token".
	Of       Path            `yaml:"of"`
	Values   map[string]Path `yaml:"values"`
	Identity *IdentityRules  `yaml:"identity"`
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
	// Obtain is set for a set that is not in the answer, but had with the refresh token by a further request.
	Obtain *ObtainRules `yaml:"obtain"`
}

// ObtainRules are what is asked for with a refresh token to get another set, such as another resource (RFC 8707).
type ObtainRules struct {
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
	Scopes []string        `yaml:"scopes"`
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
	// Tenant is the organisation, workspace or site, where one account can reach
	// several and the credential is of one of them. "" is none.
	Tenant Path `yaml:"tenant"`
}
