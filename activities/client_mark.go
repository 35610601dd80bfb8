package activities

import (
	"context"
	"fmt"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// markTold is how long the writer of a mark on a client may take to tell of it;
// after that whoever meets the mark does.
const markTold = time.Minute

// registration is the client to refresh with. A client that the provider has
// refused is not tried again by anybody until its auth config changes. The one alert
// of it depends on the AuthConfig's being told, which is made up for here.
func (s *Spender) registration(ctx context.Context, ref connection.CredentialRef, stored connection.Stored) (connection.AuthConfig, error) {
	config, err := s.registrations.read(ctx, ref.Connection.App(), stored.AuthConfig)
	if err == nil && config.Mark != nil {
		s.registrations.drop(ref.Connection.App(), stored.AuthConfig)
		config, err = s.registrations.read(ctx, ref.Connection.App(), stored.AuthConfig)
		if err == nil && config.Mark != nil {
			if mark := config.Mark; !mark.Told && stored.Clock.Now().Sub(mark.At) > markTold {
				s.tellClient(ctx, ref.Connection.App(), stored.AuthConfig, config)
			}
			err = clientMarked(ref.Connection, stored.AuthConfig, config.Mark.Code)
		}
	}
	return config, err
}

// clientMarked says the same to every connection whose client the provider has refused.
func clientMarked(id connection.ID, name, code string) error {
	problem := connection.Refused(connection.ErrClientMisconfigured,
		fmt.Sprintf("the app refuses the client registration of auth config %q (%s)", name, code),
		fmt.Sprintf("give it the secret that the app knows now: connected-apps auth-configs rotate %s/%s/%s", id.Environment(), id.App(), name))
	problem.Verdict = connection.ClientMisconfigured
	return problem
}

// markClient records, once for all connections, that the provider refuses the
// client registration used; only the writer of the mark tells the AuthConfig. It
// answers the problem to return: if the secret was rotated meanwhile, the present one
// is not to blame, and the caller tries again with it.
func (s *Spender) markClient(ctx context.Context, ref connection.CredentialRef, refused connection.Stored, used connection.AuthConfig, problem *connection.Problem) error {
	app, name := ref.Connection.App(), refused.AuthConfig
	if name == "" {
		return problem
	}
	s.registrations.drop(app, name)
	config, version, err := s.a.AuthConfigs.Read(ctx, app, name)
	switch {
	case err != nil:
		return problem
	case !config.SameSecrets(used):
		again := connection.ProviderUnavailable("the client was refused by a secret that has been rotated meanwhile", problem.Status)
		again.RetryAfter = time.Second
		return again
	case config.Mark != nil:
		return clientMarked(ref.Connection, name, config.Mark.Code)
	}
	code := connection.Bound(problem.Message, 200)
	mark := connection.ClientMark{Code: code, At: refused.Clock.Now().UTC().Round(0)}
	config.Mark = &mark
	if err := s.a.AuthConfigs.Write(ctx, app, name, config, version); err != nil {
		// Another was first, or the next refusal will try again; unless it is stored all
		// the same, and nobody will be refused again.
		config, _, err = s.a.AuthConfigs.Read(ctx, app, name)
		if err != nil || config.Mark == nil || *config.Mark != mark {
			return problem
		}
	}
	s.tellClient(ctx, app, name, config)
	return clientMarked(ref.Connection, name, code)
}

// tellClient tells the AuthConfig of the mark, and notes that it was told. Should this
// die in between it is told again, which changes nothing there.
func (s *Spender) tellClient(ctx context.Context, app, name string, marked connection.AuthConfig) {
	err := s.a.Workflows.ClientRefused(ctx, app, name, marked.Rotation, marked.Mark.Code)
	if err == nil {
		err = s.a.change(ctx, app, name, func(config *connection.AuthConfig) (bool, error) {
			if config.Mark == nil || config.Mark.Told || !config.Mark.At.Equal(marked.Mark.At) {
				return false, nil
			}
			mark := *config.Mark
			mark.Told = true
			config.Mark = &mark
			return true, nil
		})
	}
	if err != nil {
		s.a.Log.Warn("the auth config could not be told that its client is refused; the next one who meets the mark tells it",
			zap.String("auth_config", name), zap.Error(err))
	}
}
