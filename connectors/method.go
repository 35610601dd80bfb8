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
	// OAuth is set for the OAuth kinds and nil for the others.
	OAuth *OAuth `yaml:"oauth"`
	// Place says where the credential goes in a request. Empty means the kind's
	// own place: an Authorization header with Bearer or Basic.
	Place []Placement `yaml:"place"`
	// Basic says what user name and password are made of. Nil means the inputs username and password.
	Basic *BasicAuth `yaml:"basic"`

	app *App
}

// Placement puts one part of a credential into a request.
type Placement struct {
	// In is "header" or "query".
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

// App is the app this method belongs to.
func (m *Method) App() *App { return m.app }

// ScopesFor lists the scopes to ask for: the method's defaults and those of the
// actions, sorted, each once. Nil for kinds without scopes.
func (m *Method) ScopesFor(actions []*Action) []string {
	if m.OAuth == nil {
		return nil
	}
	scopes := slices.Clone(m.OAuth.Scopes.Default)
	for _, action := range actions {
		scopes = append(scopes, action.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
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
