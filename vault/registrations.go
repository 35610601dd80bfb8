package vault

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"connectedapps/connection"
)

// attemptLife is how long an authorization attempt is kept at most: its link
// lives ten minutes, and the rest is for a callback that Vault kept waiting.
const attemptLife = 24 * time.Hour

// AuthConfigs keeps the auth configs of one environment.
type AuthConfigs struct{ kv kv }

// AuthConfigs is the store of auth configs.
func (c *Client) AuthConfigs() AuthConfigs { return AuthConfigs{kv{c, c.layout.Secrets()}} }

// Read answers the auth config with its version; [connection.ErrAbsent] when there is none.
func (s AuthConfigs) Read(ctx context.Context, app, name string) (connection.AuthConfig, int, error) {
	found, err := s.kv.read(ctx, authConfigPath(app, name))
	if err != nil {
		return connection.AuthConfig{}, 0, err
	}
	var stored storedAuthConfig
	if err := json.Unmarshal(found.data, &stored); err != nil {
		return connection.AuthConfig{}, 0, connection.Internal("auth config")
	}
	return stored.decode(), found.version, nil
}

// Write stores the auth config if its version is still the given one; 0 means it must be new.
func (s AuthConfigs) Write(ctx context.Context, app, name string, a connection.AuthConfig, version int) error {
	_, err := s.kv.write(ctx, authConfigPath(app, name), encodeAuthConfig(a), version)
	return err
}

// Destroy removes the auth config and its budgets with their metadata. An absent one is not an error.
func (s AuthConfigs) Destroy(ctx context.Context, app, name string) error {
	if err := s.kv.destroy(ctx, authConfigPath(app, name)); err != nil {
		return err
	}
	if err := s.DestroyBudget(ctx, app, "api/auth-configs/"+name); err != nil {
		return err
	}
	return s.DestroyBudget(ctx, app, "auth-configs/"+name)
}

// ReadBudget answers how much of a budget is used, with its
// version; [connection.ErrAbsent] when nothing was taken yet.
func (s AuthConfigs) ReadBudget(ctx context.Context, app, owner string) (connection.BudgetWindow, int, error) {
	var window connection.BudgetWindow
	found, err := s.kv.read(ctx, budgets+app+"/"+owner)
	if err != nil {
		return window, 0, err
	}
	if err := json.Unmarshal(found.data, &window); err != nil {
		return window, 0, connection.Internal("budget")
	}
	return window, found.version, nil
}

// WriteBudget stores it if its version is still the given one; 0 means it must be new.
func (s AuthConfigs) WriteBudget(ctx context.Context, app, owner string, w connection.BudgetWindow, version int) error {
	_, err := s.kv.write(ctx, budgets+app+"/"+owner, w, version)
	return err
}

// DestroyBudget forgets it. An absent one is not an error.
func (s AuthConfigs) DestroyBudget(ctx context.Context, app, owner string) error {
	return s.kv.destroy(ctx, budgets+app+"/"+owner)
}

// Attempts keeps what the callbacks of authorizations will need.
type Attempts struct{ kv kv }

// Attempts is the store of authorization attempts.
func (c *Client) Attempts() Attempts { return Attempts{kv{c, c.layout.Secrets()}} }

// Read answers the attempt with its version and Vault's clock.
func (s Attempts) Read(ctx context.Context, id connection.ID, attempt string) (connection.Attempt, int, connection.Clock, error) {
	found, err := s.kv.read(ctx, attemptPath(id, attempt))
	if err != nil {
		return connection.Attempt{}, 0, connection.Clock{}, err
	}
	var stored storedAttempt
	if err := json.Unmarshal(found.data, &stored); err != nil {
		return connection.Attempt{}, 0, connection.Clock{}, connection.Internal("authorization attempt")
	}
	return stored.decode(), found.version, found.clock, nil
}

// Write stores the attempt if its version is still the given one; 0 means it must be new.
func (s Attempts) Write(ctx context.Context, id connection.ID, attempt string, a connection.Attempt, version int) error {
	_, err := s.kv.write(ctx, attemptPath(id, attempt), encodeAttempt(a), version)
	return err
}

// Destroy removes one attempt. An absent one is not an error.
func (s Attempts) Destroy(ctx context.Context, id connection.ID, attempt string) error {
	return s.kv.destroy(ctx, attemptPath(id, attempt))
}

// DestroyAll removes every attempt of a connection.
func (s Attempts) DestroyAll(ctx context.Context, id connection.ID) error {
	return s.kv.destroyAll(ctx, attempts+owner(id))
}

// Sweep removes attempts that are too old to be of use and answers how many.
func (s Attempts) Sweep(ctx context.Context) (int, error) {
	return s.sweep(ctx, attempts)
}

// sweep walks folders of slugs and destroys entries past the life of an attempt.
func (s Attempts) sweep(ctx context.Context, folder string) (int, error) {
	names, err := s.kv.list(ctx, folder)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return 0, err
	}
	removed := 0
	for _, name := range names {
		path := folder + name
		if strings.HasSuffix(name, "/") {
			below, err := s.sweep(ctx, path)
			removed += below
			if err != nil {
				return removed, err
			}
			continue
		}
		found, err := s.kv.metadata(ctx, path)
		if errors.Is(err, connection.ErrAbsent) {
			continue
		}
		if err != nil {
			return removed, err
		}
		if found.clock.Now().Sub(found.created) < attemptLife {
			continue
		}
		if err := s.kv.destroy(ctx, path); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
