package activities

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// registrationLife is how long an auth config is remembered; a refused client drops it at once.
const registrationLife = time.Minute

// access is a document together with the definition that says how to use it, and
// the client registration that goes with it.
type access struct {
	app    *connectors.App
	method *connectors.Method
	stored connection.Stored
	client connectors.Client
	config connection.AuthConfig
}

func (a *Activities) access(ctx context.Context, stored connection.Stored, id connection.ID) (access, error) {
	app, err := a.Catalogue.App(id.App())
	if err != nil {
		return access{}, err
	}
	method, err := app.Method(stored.Credential.Method)
	if err != nil {
		return access{}, err
	}
	config, err := a.spender.registrations.read(ctx, id.App(), stored.AuthConfig)
	if err != nil && (connection.TypeOf(err) != connection.ErrAuthConfigNotFound || signsAsClient(method)) {
		return access{}, err
	}
	return access{app: app, method: method, stored: stored}.by(config), nil
}

// by is the access with an auth config: its client, and its shared secrets and values
// in place of the copies that were taken when the connection was made.
func (x access) by(config connection.AuthConfig) access {
	held := &x.stored.Credential
	if !x.method.NeedsClient() && len(config.Fields) > 0 && len(held.Fields) > 0 {
		held.Fields = maps.Clone(held.Fields)
		for name := range held.Fields {
			if shared, ok := config.Fields[name]; ok {
				held.Fields[name] = shared
			}
		}
	}
	if config.Method != "" {
		held.Values = under(config, held.Values)
		if derived, err := x.method.Derived(held.Values, with(config.Fields, held.Fields)); err == nil {
			held.Values = overlay(held.Values, derived) // else they stay what they were made of
		}
	}
	x.config, x.client = config, client(config, *held)
	return x
}

// holding is the access with another document of the same connection.
func (x access) holding(stored connection.Stored) access {
	x.stored = stored
	return x.by(x.config)
}

// rotated answers the access anew if the secrets of its auth config that go into
// requests to the API are others by now than those it was made with.
func (a *Activities) rotated(ctx context.Context, x access, id connection.ID) (access, bool) {
	if x.method.NeedsClient() && !signsAsClient(x.method) || x.config.Method == "" {
		return x, false
	}
	a.spender.registrations.drop(id.App(), x.stored.AuthConfig)
	fresh, err := a.access(ctx, x.stored, id)
	return fresh, err == nil && !fresh.config.SameSecrets(x.config)
}

// signsAsClient reports whether requests to the API need the client's own secrets.
func signsAsClient(method *connectors.Method) bool {
	return method.Kind == connection.OAuth1 || method.OAuth != nil && method.OAuth.TLS != nil && method.OAuth.TLS.API
}

func (x access) session() connectors.Session {
	return connectors.Session{App: x.app, Method: x.method, Client: x.client,
		Credential: x.stored.Credential, Values: x.stored.Credential.Values}
}

func (x access) renewable() bool { return x.method.Renewable(x.stored.Credential) }

// early reports whether a token may be renewed while it is still good.
func (x access) early() bool {
	oauth := x.method.OAuth
	return oauth == nil || oauth.Refresh.WhileValid == nil || *oauth.Refresh.WhileValid
}

// spends is the secret that a renewal gives away; the empty one where it costs nothing.
func (x access) spends() connection.Secret {
	token := x.stored.Credential.Default()
	switch {
	case x.method.OAuth == nil || x.method.OAuth.Refresh.With == withGrant:
		return connection.Secret{}
	case x.method.OAuth.Refresh.With == withAccess:
		return token.Access
	case x.method.Kind.Machine() && x.method.OAuth.Refresh.With != withRefresh:
		return connection.Secret{}
	default:
		return token.Refresh
	}
}

// Values of refresh.with in a definition; "" is the kind's own way.
const (
	withRefresh = "refresh"
	withAccess  = "access"
	withGrant   = "grant"
)

// registrations remembers auth configs for a minute: they are read at every
// refresh and change once in months.
type registrations struct {
	store AuthConfigs

	mu   sync.Mutex
	held map[string]heldRegistration
}

type heldRegistration struct {
	config connection.AuthConfig
	until  time.Time
}

func newRegistrations(store AuthConfigs) *registrations {
	return &registrations{store: store, held: map[string]heldRegistration{}}
}

// read answers the auth config; name "" is the zero one, for methods that need none.
func (r *registrations) read(ctx context.Context, app, name string) (connection.AuthConfig, error) {
	if name == "" {
		return connection.AuthConfig{}, nil
	}
	key := app + "/" + name
	r.mu.Lock()
	held, ok := r.held[key]
	r.mu.Unlock()
	if ok && time.Now().Before(held.until) {
		return held.config, nil
	}
	config, _, err := r.store.Read(ctx, app, name)
	if errors.Is(err, connection.ErrAbsent) {
		return connection.AuthConfig{}, noAuthConfig(app, name)
	}
	if err != nil {
		return connection.AuthConfig{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[key] = heldRegistration{config: config, until: time.Now().Add(registrationLife)}
	return config, nil
}

func (r *registrations) drop(app, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, app+"/"+name)
}

func noAuthConfig(app, name string) error {
	return connection.Refused(connection.ErrAuthConfigNotFound, "there is no auth config "+app+"/"+name+" in this environment",
		"create it with: connected-apps auth-configs create")
}

// client is the registration as the protocol wants it. Where there is no auth
// config, client ID and client secret are inputs of the connection.
func client(config connection.AuthConfig, c connection.Credential) connectors.Client {
	known := connectors.Client{ID: config.ClientID, Secret: config.ClientSecret, Fields: config.Fields}
	if known.ID == "" {
		all := with(config.Fields, c.Fields)
		known.ID, known.Secret = under(config, c.Values)[clientID], all[clientSecret]
	}
	return known
}

// What a client registration is called among values, inputs and inbox entries.
const (
	clientID     = "client_id"
	clientSecret = "client_secret"
)

// shared are the values of an auth config, its client ID among them.
func shared(config connection.AuthConfig) map[string]string {
	if config.ClientID == "" {
		return config.Values
	}
	return overlay(config.Values, map[string]string{clientID: config.ClientID})
}

// under are a connection's values, later ones over earlier ones, and over all of them
// those that its auth config holds. Whoever makes a connection must not say where the
// auth config's secrets go.
func under(config connection.AuthConfig, layers ...map[string]string) map[string]string {
	merged := map[string]string{}
	for _, layer := range append(layers, shared(config)) {
		maps.Copy(merged, layer)
	}
	return merged
}

// overlay is base with what is on top of it; neither is changed.
func overlay(base, top map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, top)
	return merged
}
