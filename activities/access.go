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

// access is a document together with the definition that says how to use it.
type access struct {
	app    *connectors.App
	method *connectors.Method
	stored connection.Stored
}

func (a *Activities) access(stored connection.Stored, id connection.ID) (access, error) {
	app, err := a.Catalogue.App(id.App())
	if err != nil {
		return access{}, err
	}
	method, err := app.Method(stored.Credential.Method)
	if err != nil {
		return access{}, err
	}
	return access{app: app, method: method, stored: stored}, nil
}

func (x access) session() connectors.Session {
	return connectors.Session{App: x.app, Method: x.method, Credential: x.stored.Credential, Values: x.stored.Credential.Values}
}

func (x access) renewable() bool { return x.stored.Renewable(x.method.Kind) }

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

// client is the registration as the protocol wants it.
func client(config connection.AuthConfig) connectors.Client {
	return connectors.Client{ID: config.ClientID, Secret: config.ClientSecret}
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
