package connection

import (
	"maps"
	"slices"
	"time"
)

// DefaultToken is the name of a grant's token set where there is only one.
const DefaultToken = "default"

// Credential is the secret material of one connection. It lives in Vault, and in
// memory on its way to the provider.
type Credential struct {
	// Method names which of the app's ways to authenticate this is.
	Method string
	// Tokens are the token sets of an OAuth grant by name; mostly just [DefaultToken].
	// They are saved together or not at all. Nil for kinds without tokens.
	Tokens map[string]Token
	// Fields are the secrets a person typed in, by input name. Nil for OAuth.
	Fields map[string]Secret
	// Values are the inputs and learnt values that are not secret, such as a base URL or a tenant.
	Values map[string]string
}

// Token is one token set of an OAuth grant.
type Token struct {
	Access  Secret
	Refresh Secret // empty when the grant cannot be refreshed by token
	Type    string // as the provider wrote it; "" means Bearer
	// Scopes were granted, not asked for. Nil means the provider did not say.
	Scopes []string
	// IssuedAt and ExpiresAt are in Vault's time. A zero ExpiresAt means it does not expire, as far as is known.
	IssuedAt  time.Time
	ExpiresAt time.Time
	// RefreshExpiresAt is when the refresh token itself dies, where the provider says so,
	// and RefreshIssuedAt when that end was set: the beginning of a refresh token's life.
	// Both in Vault's time; zero when not known.
	RefreshExpiresAt time.Time
	RefreshIssuedAt  time.Time
}

// Default is the token set used where an action names none; the zero Token when there is none.
func (c Credential) Default() Token { return c.Tokens[DefaultToken] }

// Earliest is the token set whose access ends first: it decides when all of them
// are renewed. Where none is known to end it is the default one.
func (c Credential) Earliest() Token {
	earliest := c.Default()
	for _, name := range slices.Sorted(maps.Keys(c.Tokens)) {
		token := c.Tokens[name]
		if !token.ExpiresAt.IsZero() && (earliest.ExpiresAt.IsZero() || token.ExpiresAt.Before(earliest.ExpiresAt)) {
			earliest = token
		}
	}
	return earliest
}

// Secrets lists every secret text of the credential, for scrubbing answers. Empty ones are left out.
func (c Credential) Secrets() []string {
	var all []string
	for _, token := range c.Tokens {
		all = appendSecret(appendSecret(all, token.Access), token.Refresh)
	}
	for _, field := range c.Fields {
		all = appendSecret(all, field)
	}
	return all
}

func appendSecret(all []string, s Secret) []string {
	if s.Empty() {
		return all
	}
	return append(all, s.Reveal())
}

// AuthConfig is a reusable client registration, or a shared credential, of one
// app in one environment, as Vault holds it.
type AuthConfig struct {
	// Method names which of the app's ways to authenticate it serves.
	Method string
	// ClientID is public; ClientSecret is empty for public clients.
	ClientID     string
	ClientSecret Secret
	// Fields are the further secrets of a client registration, such as a private key,
	// and shared secrets for methods without one.
	Fields map[string]Secret
	// Values are inputs that are not secret, such as the host of a self-hosted provider.
	Values map[string]string
	// Scopes replace the ones derived from the access level, when not empty.
	Scopes []string
	// Mark is set by the first who was told that the client is refused, and
	// cleared by a rotation. While it is set nobody calls the token endpoint.
	Mark *ClientMark
	// Retired configs serve the connections they have and take no new ones.
	Retired bool
	// Expires is when the client secret, or the shared credential, ends, where a person
	// knows it; zero when it is not known to.
	Expires time.Time
	// Rotation names the rotation that brought the present secrets; "" for those it was made with.
	Rotation string
	// Next is what a rotation has staged and nobody but its proof uses; nil while none is under way.
	Next *NextSecrets
}

// NextSecrets are the secrets that a rotation is about to make current. What is
// not among them stays as it is.
type NextSecrets struct {
	// Rotation names the rotation that staged them.
	Rotation     string
	ClientSecret Secret
	Fields       map[string]Secret
	// Expires is when they end; zero when that is not known.
	Expires time.Time
}

// Rotated is the auth config with its next secrets made current, and without a
// mark, which was the old ones'. One without next secrets is answered as it is.
func (a AuthConfig) Rotated() AuthConfig {
	next := a.Next
	if next == nil {
		return a
	}
	if !next.ClientSecret.Empty() {
		a.ClientSecret = next.ClientSecret
	}
	if len(next.Fields) > 0 {
		fields := maps.Clone(a.Fields)
		if fields == nil {
			fields = map[string]Secret{}
		}
		maps.Copy(fields, next.Fields)
		a.Fields = fields
	}
	a.Rotation, a.Expires, a.Mark, a.Next = next.Rotation, next.Expires, nil, nil
	return a
}

// SameSecrets reports whether two auth configs prove themselves by the same client and secrets.
func (a AuthConfig) SameSecrets(b AuthConfig) bool {
	return a.ClientID == b.ClientID && a.ClientSecret == b.ClientSecret && maps.Equal(a.Fields, b.Fields)
}

// ClientMark records that the provider refused the client registration itself.
type ClientMark struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"` // Vault's time
	// Told says that the AuthConfig knows. Whoever meets a mark that nobody has told of
	// tells it: its writer may have died in between.
	Told bool `json:"told,omitempty"`
}

// BudgetWindow is how much of a budget has been handed out.
type BudgetWindow struct {
	// Start in Vault's time; zero when nothing was taken yet.
	Start time.Time `json:"start"`
	Taken int       `json:"taken"`
}

// Attempt is one try of a person to authorize, as Vault holds it: what the
// callback will need and nobody else may know.
type Attempt struct {
	Verifier    Secret // PKCE code verifier, RFC 7636
	RedirectURI string
	Issuer      string // expected in the callback, RFC 9207; "" when not advertised
	AuthConfig  string
	// Presented counts how often the code was given to the token endpoint; never more than twice.
	Presented int
	// Values are what the server's own description told (RFC 8414), on their way into the credential.
	Values map[string]string
	// Token and TokenSecret are the temporary credentials of OAuth 1.0a, and URL is
	// where they sent the person (RFC 5849 section 2.1).
	Token       string
	TokenSecret Secret
	URL         string
	// Device is set for a device authorization, and nil for the others.
	Device *DeviceCode
}

// DeviceCode is a device authorization that waits for a person (RFC 8628 section 3.2).
type DeviceCode struct {
	// Code is polled with; the person never sees it.
	Code                    Secret
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	// Interval between polls, as the provider asked for it last.
	Interval time.Duration
	// ExpiresAt is when the code is over, in Vault's time.
	ExpiresAt time.Time
}
