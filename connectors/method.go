package connectors

import (
	"slices"
	"time"

	"connectedapps/connection"
)

// Method is one way to authenticate with an app.
type Method struct {
	// ID is a slug, unique within the app.
	ID    string              `yaml:"id"`
	Kind  connection.AuthKind `yaml:"kind"`
	Title string              `yaml:"title"`
	// Help tells a person where to find what is asked for.
	Help string `yaml:"help"`
	// Inputs are what a connection asks for, secret and not.
	Inputs []Input `yaml:"inputs"`
	// ClientInputs are what an auth config of this method asks for beside client ID and client secret.
	ClientInputs []Input `yaml:"client_inputs"`
	// Setup guides the person who must register a client, or make a key.
	Setup *Setup `yaml:"setup"`
	// Client says whether an auth config is needed: "required" or "none". "" is the kind's own way.
	Client string `yaml:"client"`
	// BaseURL replaces the app's for this method; "" keeps it.
	BaseURL Template `yaml:"base_url"`
	// Headers are added to the app's, and win over those of the same name.
	Headers map[string]Text `yaml:"headers"`
	// Derive are values worked out once, when a credential is stored. They are
	// no secrets, whatever they are made of: the definition vouches for that.
	Derive []Computed `yaml:"derive"`
	// Compute are values worked out for every request, in order. They may be
	// secret and are not available to URLs.
	Compute []Computed `yaml:"compute"`
	// OAuth is set for the kinds with a token endpoint and nil for the others.
	OAuth *OAuth `yaml:"oauth"`
	// OAuth1 is set for [connection.OAuth1].
	OAuth1 *OAuth1 `yaml:"oauth1"`
	// Digest says what user name and password are made of. Nil means the inputs username and password.
	Digest *BasicAuth `yaml:"digest"`
	// SigV4 is set for [connection.SigV4].
	SigV4 *SigV4 `yaml:"sigv4"`
	// Steps are the login of [connection.MultiStep], in order.
	Steps []Step `yaml:"steps"`
	// Renew says where a login begins again. Nil is its first step.
	Renew *RenewRules `yaml:"renew"`
	// Logout ends the session of a multi-step login; nil when the provider offers none.
	Logout *Step `yaml:"logout"`
	// FollowUp are requests made with a fresh credential before it is tested.
	FollowUp []Step `yaml:"follow_up"`
	// Probe replaces the app's for this method; nil keeps it.
	Probe *Probe `yaml:"probe"`
	// Untestable says in words why this method cannot be tested; "" when it can.
	Untestable string `yaml:"untestable"`
	// Place says where the credential goes in a request. Empty means the kind's
	// own place: an Authorization header with Bearer or Basic.
	Place []Placement `yaml:"place"`
	// Basic says what user name and password are made of. Nil means the inputs username and password.
	Basic *BasicAuth `yaml:"basic"`

	app *App
}

// Placement puts one part of a credential into a request.
type Placement struct {
	// In is "header", "query", "cookie" or "body".
	In string `yaml:"in"`
	// Name of the header or the query parameter.
	Name Text `yaml:"name"`
	// Value is made of inputs by name, and of {token}: the access token of an OAuth method.
	Value Text `yaml:"value"`
	// Token names the token set {token} is taken from. "" is [connection.DefaultToken].
	Token string `yaml:"token"`
}

// BasicAuth is HTTP Basic with templates, such as "{email}/token" for the user name (RFC 7617).
type BasicAuth struct {
	Username Text `yaml:"username"`
	Password Text `yaml:"password"`
}

// Setup is a guide for the person who prepares an auth config or a key.
type Setup struct {
	// URL is where to do it.
	URL string `yaml:"url" json:"url,omitempty"`
	// Steps are instructions. {redirect_uri} and {scopes} are filled in when they are shown.
	Steps []string `yaml:"steps" json:"steps,omitempty"`
}

// RenewRules say how a multi-step login is renewed.
type RenewRules struct {
	// From is the step a renewal begins with.
	From string `yaml:"from"`
}

// NeedsClient reports whether the method wants a client registration, that is an auth config.
func (m *Method) NeedsClient() bool {
	if m.Client != "" {
		return m.Client == ClientRequired
	}
	return m.Kind.NeedsClient()
}

// Values of [Method.Client].
const (
	ClientRequired = "required"
	ClientNone     = "none"
)

// App is the app this method belongs to.
func (m *Method) App() *App { return m.app }

// ScopesFor lists the scopes to ask for: the method's defaults and those of the
// actions that it offers, sorted, each once. Nil for kinds without scopes.
func (m *Method) ScopesFor(actions []*Action) []string {
	if m.OAuth == nil {
		return nil
	}
	scopes := slices.Clone(m.OAuth.Scopes.Default)
	for _, action := range actions {
		if action.OfferedBy(m) {
			scopes = append(scopes, action.Scopes...)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// Missing lists the scopes that were asked for and that neither were granted nor
// are implied by one that was, in the order they were asked for. Nil when nothing is missing.
func (m *Method) Missing(asked, granted []string) []string {
	covered := map[string]bool{}
	var cover func(scope string)
	cover = func(scope string) {
		if covered[scope] {
			return
		}
		covered[scope] = true
		if m.OAuth != nil {
			for _, implied := range m.OAuth.Scopes.Implies[scope] {
				cover(implied)
			}
		}
	}
	for _, scope := range granted {
		cover(scope)
	}
	var missing []string
	for _, scope := range asked {
		if !covered[scope] {
			missing = append(missing, scope)
		}
	}
	return missing
}

// Rotation says what a refresh does to the refresh token it spends.
type Rotation string

const (
	RotationUnknown Rotation = "unknown" // not documented: treated like strict
	RotationNone    Rotation = "none"    // the token stays
	RotationStrict  Rotation = "strict"  // a new token each time; the old one is dead at once
	RotationGrace   Rotation = "grace"   // a new token each time; the old one works a while longer
)

// Replay says whether a refresh token may be presented a second time after a
// crash left the outcome of the first unknown.
type Replay string

const (
	ReplayAllowed Replay = "allowed" // once more; the worst answer is a refusal
	ReplayNever   Replay = "never"   // a replay would harm more than the lost grant
)

// RenewalPolicy is what whoever keeps a connection alive must know of its tokens.
// Durations of zero mean that nothing is known.
type RenewalPolicy struct {
	Rotation Rotation
	Replay   Replay
	// Margin is how long before its expiry an access token is renewed. It is a
	// ceiling: whoever plans takes a share of the lifetime where that is shorter.
	Margin time.Duration
	// DefaultLifetime of an access token, where the provider's answer names none.
	DefaultLifetime time.Duration
	// RefreshLifetime is how long a refresh token lives.
	RefreshLifetime time.Duration
	// RefreshIdle is how long a refresh token lives unused.
	RefreshIdle time.Duration
}

// defaultMargin leaves room for a few failed refreshes, each with its own
// budget of 45 s, before the token dies.
const defaultMargin = 5 * time.Minute

// Renewal answers how tokens of this method are renewed. For kinds without
// tokens the durations are zero and nothing rotates.
func (m *Method) Renewal() RenewalPolicy {
	if m.OAuth == nil {
		return RenewalPolicy{Rotation: RotationNone, Replay: ReplayAllowed}
	}
	r := m.OAuth.Refresh
	policy := RenewalPolicy{
		Rotation: r.Rotation, Replay: r.Replay, Margin: r.Margin,
		DefaultLifetime: r.DefaultLifetime, RefreshLifetime: r.Lifetime, RefreshIdle: r.Idle,
	}
	if policy.Rotation == "" {
		policy.Rotation = RotationUnknown
	}
	if policy.Replay == "" {
		policy.Replay = ReplayAllowed
	}
	if policy.Margin == 0 {
		policy.Margin = defaultMargin
	}
	return policy
}

// Renewable reports whether a new access token can be had without a person.
func (m *Method) Renewable(c connection.Credential) bool {
	switch m.Kind {
	case connection.OAuth2ClientCredentials, connection.OAuth2JWTBearer, connection.OAuth2Grant:
		return true
	case connection.OAuth2Code, connection.OAuth2Device:
		if m.OAuth.Refresh.With == refreshWithGrant {
			return true
		}
		if m.OAuth.Refresh.With == refreshWithAccess {
			return !c.Default().Access.Empty()
		}
		return !c.Default().Refresh.Empty()
	case connection.MultiStep:
		return !m.renewalAsks()
	case connection.APIKey, connection.Bearer, connection.Headers, connection.Basic, connection.Digest, connection.SigV4,
		connection.OAuth1, connection.None:
		return false
	default:
		return false
	}
}

// Values of [RefreshRules.With].
const (
	refreshWithRefresh = "refresh"
	refreshWithAccess  = "access"
	refreshWithGrant   = "grant"
)

// renewalAsks reports whether the way back to a session has a question for a person in it.
func (m *Method) renewalAsks() bool {
	within := m.Renew == nil
	for _, step := range m.Steps {
		within = within || step.ID == m.Renew.From
		if within && step.Ask != nil {
			return true
		}
	}
	return false
}
