package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// A rotation replaces the secrets of an auth config in three steps: the new ones are
// staged beside the old ones, proven, and made current by one compare-and-set, or
// given up. Whoever renews meanwhile uses the old ones.

// StageRotationInput says which inbox entry holds the new secrets of an auth config.
type StageRotationInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
	// Rotation names this rotation; one that is run again knows by it what it did.
	Rotation string `json:"rotation"`
	// ClientID may say which client is meant; another than the auth config's is refused. "" says nothing.
	ClientID string              `json:"client_id,omitempty"`
	Inbox    connection.InboxRef `json:"inbox"`
	// Expires is when the new secrets end; zero when that is not known.
	Expires time.Time `json:"expires,omitzero"`
}

// StageRotationReport says what was staged, without saying it.
type StageRotationReport struct {
	// Changed are the names of the secrets that will be others, sorted.
	Changed []string `json:"changed"`
}

// StageRotation collects the new secrets of an auth config from the inbox and lays
// them beside the present ones. Run again after a crash it finds them there. It
// replaces what another rotation, that was ended from outside, has left.
func (a *Activities) StageRotation(ctx context.Context, in StageRotationInput) (*StageRotationReport, error) {
	report, err := a.stageRotation(ctx, in)
	return report, a.leave(ctx, "StageRotation", err)
}

func (a *Activities) stageRotation(ctx context.Context, in StageRotationInput) (*StageRotationReport, error) {
	for {
		config, version, err := a.authConfig(ctx, in.App, in.Name)
		if err != nil {
			return nil, err
		}
		if config.Next != nil && config.Next.Rotation == in.Rotation {
			return staged(config.Next), a.Inbox.Clear(ctx, in.Inbox)
		}
		if config.Rotation != "" && config.Rotation == in.Rotation { // or the commit would take the new secrets for current
			return nil, connection.Refused(connection.ErrSessionClosed, "this rotation was done already", "rotate again, with another update ID")
		}
		next, err := a.nextSecrets(ctx, in, config)
		if err != nil {
			return nil, err
		}
		config.Next = next
		err = a.AuthConfigs.Write(ctx, in.App, in.Name, config, version)
		if errors.Is(err, connection.ErrVersionConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return staged(next), a.Inbox.Clear(ctx, in.Inbox)
	}
}

func staged(next *connection.NextSecrets) *StageRotationReport {
	changed := slices.Collect(maps.Keys(next.Fields))
	if !next.ClientSecret.Empty() {
		changed = append(changed, clientSecret)
	}
	slices.Sort(changed)
	return &StageRotationReport{Changed: changed}
}

func (a *Activities) nextSecrets(ctx context.Context, in StageRotationInput, config connection.AuthConfig) (*connection.NextSecrets, error) {
	if in.ClientID != "" && in.ClientID != config.ClientID {
		return nil, connection.InvalidInput("client_id", "a rotation keeps the client ID, since tokens belong to the client that they were given to",
			"give the other client an auth config of its own (connected-apps auth-configs create), then: connected-apps reconnect --auth-config")
	}
	method, err := a.method(in.App, config.Method)
	if err != nil {
		return nil, err
	}
	if err := a.checkExpires(ctx, in.Expires); err != nil {
		return nil, err
	}
	given, err := a.left(ctx, in.Inbox)
	if err != nil {
		return nil, err
	}
	next := &connection.NextSecrets{Rotation: in.Rotation, Expires: in.Expires}
	if method.NeedsClient() {
		next.ClientSecret = given[clientSecret]
		delete(given, clientSecret)
	}
	if err := sharedAlready(method, config, given); err != nil {
		return nil, err
	}
	_, inputs := split(configInputs(method))
	inputs = slices.DeleteFunc(inputs, func(input connectors.Input) bool { return given[input.Name].Empty() })
	if _, next.Fields, err = connectors.CheckInputs(inputs, nil, given); err != nil {
		return nil, err
	}
	switch {
	case next.ClientSecret.Empty() && len(next.Fields) == 0:
		return nil, connection.InvalidInput("inbox", "there is no new secret in it", "give the secret that is to replace the present one")
	case public(method, config):
		return nil, connection.InvalidInput("client_secret", "a public client has no secret to rotate", "give a client with a secret an auth config of its own: connected-apps auth-configs create")
	}
	return next, nil
}

// sharedAlready refuses to share a secret by a rotation that each connection has of its
// own: theirs would be replaced in every request.
func sharedAlready(method *connectors.Method, config connection.AuthConfig, given map[string]connection.Secret) error {
	if method.NeedsClient() {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, held := config.Fields[name]; !held {
			return connection.InvalidInput("inbox", fmt.Sprintf("the auth config shares no secret %q that could be rotated", connection.Bound(name, 60)),
				"create another auth config that shares it, and reconnect with that one")
		}
	}
	return nil
}

// checkExpires refuses an end that has passed, by Vault's clock.
func (a *Activities) checkExpires(ctx context.Context, end time.Time) error {
	if end.IsZero() {
		return nil
	}
	clock, err := a.Documents.Clock(ctx)
	if err != nil {
		return err
	}
	if !end.After(clock.Now()) {
		return connection.InvalidInput("expires", "this moment has passed", "give the end of the new secret, or leave it out")
	}
	return nil
}

// authConfig reads an auth config past the cache; ErrAuthConfigNotFound when there is none.
func (a *Activities) authConfig(ctx context.Context, app, name string) (connection.AuthConfig, int, error) {
	config, version, err := a.AuthConfigs.Read(ctx, app, name)
	if errors.Is(err, connection.ErrAbsent) {
		err = noAuthConfig(app, name)
	}
	return config, version, err
}

// EndRotationInput names a rotation that is to be concluded.
type EndRotationInput struct {
	App      string `json:"app"`
	Name     string `json:"name"`
	Rotation string `json:"rotation"`
	// Inbox is the entry that held the new secrets.
	Inbox connection.InboxRef `json:"inbox,omitempty"`
}

// CommitRotation makes the staged secrets the current ones and takes the mark away,
// in one write. Run again it finds them current.
func (a *Activities) CommitRotation(ctx context.Context, in EndRotationInput) error {
	err := a.change(ctx, in.App, in.Name, func(config *connection.AuthConfig) (bool, error) {
		if config.Rotation == in.Rotation {
			return false, nil
		}
		if config.Next == nil || config.Next.Rotation != in.Rotation {
			return false, a.rotationLost(in.App, in.Name)
		}
		*config = config.Rotated()
		return true, nil
	})
	return a.leave(ctx, "CommitRotation", err)
}

// AbandonRotation removes the staged secrets, here and in the inbox; those in use
// stay. Run again, or when nothing was staged, it changes nothing.
func (a *Activities) AbandonRotation(ctx context.Context, in EndRotationInput) error {
	err := a.change(ctx, in.App, in.Name, func(config *connection.AuthConfig) (bool, error) {
		if config.Next == nil || config.Next.Rotation != in.Rotation {
			return false, nil
		}
		config.Next = nil
		return true, nil
	})
	if err == nil || connection.TypeOf(err) == connection.ErrAuthConfigNotFound {
		err = a.Inbox.Clear(ctx, in.Inbox)
	}
	return a.leave(ctx, "AbandonRotation", err)
}

// rotating is the command that rotates an auth config.
func (a *Activities) rotating(app, name string) string {
	return "connected-apps auth-configs rotate " + a.Environment + "/" + app + "/" + name
}

func (a *Activities) rotationLost(app, name string) error {
	return connection.Refused(connection.ErrSessionClosed, "this rotation has been given up", "begin anew with: "+a.rotating(app, name))
}

// change does something to an auth config by compare-and-set; f says whether there is anything to write.
func (a *Activities) change(ctx context.Context, app, name string, f func(*connection.AuthConfig) (bool, error)) error {
	defer a.spender.registrations.drop(app, name)
	for {
		config, version, err := a.authConfig(ctx, app, name)
		if err != nil {
			return err
		}
		if changed, err := f(&config); err != nil || !changed {
			return err
		}
		if err := a.AuthConfigs.Write(ctx, app, name, config, version); !errors.Is(err, connection.ErrVersionConflict) {
			return err
		}
	}
}
