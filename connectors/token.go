package connectors

import (
	"time"

	"connectedapps/connection"
)

// Client is an OAuth client registration.
type Client struct {
	ID string
	// Secret is empty for public clients.
	Secret connection.Secret
	// Fields are further secrets of the auth config, such as a private key.
	Fields map[string]connection.Secret
}

// AuthorizeInput is what an authorization URL is made of.
type AuthorizeInput struct {
	Client      Client
	RedirectURI string
	Scopes      []string
	// Challenge is the S256 code challenge (RFC 7636 section 4.2).
	Challenge string
	// Values are the connection's, overlaid by the auth config's.
	Values map[string]string
	// AllowHTTP permits an endpoint that is neither https nor on loopback.
	AllowHTTP bool
}

// ExchangeInput is what a code is redeemed with (RFC 6749 section 4.1.3).
type ExchangeInput struct {
	Client      Client
	RedirectURI string
	Code        connection.Secret
	Verifier    connection.Secret
	Values      map[string]string
	// Scopes that were asked for, for definitions that repeat them.
	Scopes []string
	// Fields are the connection's secret inputs.
	Fields map[string]connection.Secret
	// Callback is the callback's query, of which [OAuth.Callback] names what is
	// learnt. Where the definition has a signature over it ([OAuth.CallbackHMAC])
	// it must be whole, the code and state included; the code may be left out.
	Callback map[string]string
}

// RefreshInput is what a token is renewed with (RFC 6749 section 6).
type RefreshInput struct {
	Client  Client
	Refresh connection.Secret
	Scopes  []string
	Values  map[string]string
	// Previous is the credential being renewed; its secrets are scrubbed from error texts.
	Previous connection.Credential
	// RedirectURI for providers that want it here too.
	RedirectURI string
}

// ObtainInput is what a token is had with, without a person: client credentials
// (RFC 6749 section 4.4), an assertion (RFC 7523) or a grant of the provider's own.
type ObtainInput struct {
	Client Client
	Scopes []string
	Values map[string]string
	// Fields are the connection's secret inputs.
	Fields map[string]connection.Secret
}

// DeviceInput is what a device authorization is begun with (RFC 8628 section 3.1).
type DeviceInput struct {
	Client Client
	Scopes []string
	Values map[string]string
	// Fields are the connection's secret inputs.
	Fields map[string]connection.Secret
}

// DeviceAuthorization is what a person is shown, and what is polled with (RFC 8628 section 3.2).
type DeviceAuthorization struct {
	// DeviceCode is the secret to poll with.
	DeviceCode connection.Secret
	// UserCode is typed in at VerificationURI. It is made to be shown, and useless without the person's sign-in.
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	Lifetime                time.Duration
	// Interval between polls, five seconds where the provider names none.
	Interval time.Duration
}

// PollDeviceInput asks whether the person has authorized (RFC 8628 section 3.4).
type PollDeviceInput struct {
	Client     Client
	DeviceCode connection.Secret
	Values     map[string]string
	// Fields are the connection's secret inputs.
	Fields map[string]connection.Secret
	// Interval between polls, as the last answer had it: the authorization's own,
	// then the RetryAfter of each LookAgain. Zero is five seconds.
	Interval time.Duration
}

// OAuth1BeginInput asks for temporary credentials (RFC 5849 section 2.1).
type OAuth1BeginInput struct {
	Client      Client
	CallbackURL string
	Values      map[string]string
}

// OAuth1Begun are temporary credentials, and where to send the person.
type OAuth1Begun struct {
	URL string
	// Token comes back in the callback as oauth_token.
	Token  string
	Secret connection.Secret
}

// OAuth1ExchangeInput is what token credentials are had with (RFC 5849 section 2.3).
type OAuth1ExchangeInput struct {
	Client   Client
	Token    string
	Secret   connection.Secret
	Verifier connection.Secret
	Values   map[string]string
}

// RevokeInput is what a grant is ended with (RFC 7009).
type RevokeInput struct {
	Client     Client
	Credential connection.Credential
	Values     map[string]string
	// Doubtful says that the refresh token may have been used already, and what came for it lost.
	Doubtful bool
}

// Grant is a provider's token answer made standard.
type Grant struct {
	// Tokens are the token sets by name: saved together or not at all.
	Tokens map[string]TokenAnswer
	// Values were learnt from the callback and from the answer.
	Values map[string]string
	// Identity is the zero value when the answer does not tell.
	Identity connection.Identity
}

// TokenAnswer is one token set. It carries lifetimes and no times: whoever
// stores it counts them from the storing, on the store's own clock.
type TokenAnswer struct {
	// Access is empty when the answer was damaged and only a rotated refresh
	// token could be saved from it. It must be stored all the same; Lifetime is
	// then one second, so that the set is renewed at once.
	Access connection.Secret
	// Refresh is empty when the grant cannot be refreshed by token. After a
	// refresh it is the token presented, unless the provider sent a new one.
	Refresh connection.Secret
	// Type as the provider wrote it; "" means Bearer.
	Type string
	// Scopes were granted; nil means the provider did not say.
	Scopes []string
	// Lifetime of the access token and RefreshLifetime of the refresh token; 0 means not told.
	Lifetime        time.Duration
	RefreshLifetime time.Duration
}
