package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectedapps/connection"
)

// RetireAuthConfigInput says whether an auth config is to take new connections.
type RetireAuthConfigInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
	// Retired configs take no new connections and serve those they have.
	Retired bool `json:"retired"`
}

// RetireAuthConfig writes into Vault whether the auth config takes new connections.
// Run again it finds that written.
func (a *Activities) RetireAuthConfig(ctx context.Context, in RetireAuthConfigInput) error {
	err := a.change(ctx, in.App, in.Name, func(config *connection.AuthConfig) (bool, error) {
		changed := config.Retired != in.Retired
		config.Retired = in.Retired
		return changed, nil
	})
	return a.leave(ctx, "RetireAuthConfig", err)
}

// checkRetired refuses a retired auth config to a new connect. A connection that has
// it may be reconnected with it: it must not be lost because nobody is to join it.
func (a *Activities) checkRetired(ctx context.Context, in ConnectRequest, config connection.AuthConfig) error {
	if !config.Retired {
		return nil
	}
	live, err := a.Documents.Read(ctx, connection.CredentialRef{Connection: in.Connection})
	if err == nil && live.AuthConfig == in.AuthConfig {
		return nil
	}
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return err
	}
	return connection.InvalidInput("auth_config", fmt.Sprintf("auth config %q is retired and takes no new connections", in.AuthConfig),
		fmt.Sprintf("choose another one, or take it back into use with: connected-apps auth-configs retire %s/%s/%s --undo",
			in.Connection.Environment(), in.Connection.App(), in.AuthConfig))
}

const (
	// usersNamed is how many connections a refusal to delete names.
	usersNamed = 5
	// settleUsers lets the list of connections catch up between two counts: a
	// connection that was made a moment ago may not be in it yet.
	settleUsers = time.Second
)

// CountAuthConfigUsersInput names an auth config that is retired.
type CountAuthConfigUsersInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
}

// CountAuthConfigUsersReport says who uses it.
type CountAuthConfigUsersReport struct {
	Count int `json:"count"`
	// Connections are the first few.
	Connections []connection.ID `json:"connections,omitempty"`
}

// CountAuthConfigUsers counts who uses an auth config, twice with a pause between,
// since the list of connections may be behind. It changes nothing.
func (a *Activities) CountAuthConfigUsers(ctx context.Context, in CountAuthConfigUsersInput) (*CountAuthConfigUsersReport, error) {
	report := &CountAuthConfigUsersReport{}
	for i := range 2 {
		users, count, err := a.Workflows.UsersOf(ctx, in.App, in.Name, usersNamed)
		if err != nil {
			return nil, a.leave(ctx, "CountAuthConfigUsers", err)
		}
		if count > 0 {
			report.Count, report.Connections = count, users
			break
		}
		if i == 0 && !pause(ctx, settleUsers) {
			return nil, ctx.Err()
		}
	}
	return report, nil
}

// WatchAuthConfigInput says whose end to watch, and what people have been told.
type WatchAuthConfigInput struct {
	App  string `json:"app"`
	Name string `json:"name"`
	// Expires is when the secrets end, in Vault's time.
	Expires time.Time `json:"expires"`
	// Warned is how many days ahead the last warning was; 0 for none.
	Warned int `json:"warned,omitempty"`
}

// WatchAuthConfigReport is a warning that is due.
type WatchAuthConfigReport struct {
	// Warned is how many days ahead of the end it is due.
	Warned int `json:"warned"`
}

// WatchAuthConfig returns when the next warning of an end is due. Until then it
// costs no history: an attempt ends with the time of the next look.
func (a *Activities) WatchAuthConfig(ctx context.Context, in WatchAuthConfigInput) (*WatchAuthConfigReport, error) {
	clock, err := a.Documents.Clock(ctx)
	if err != nil {
		return nil, a.leave(ctx, "WatchAuthConfig", connection.LookAgain("could not look: "+sentence(err), troubleMin))
	}
	end, now := ending{at: in.Expires}, clock.Now()
	if warned := end.warned(a.WarnDays, now); warned != in.Warned && end.warned(a.WarnDays, now.Add(clockGrain)) != in.Warned {
		return &WatchAuthConfigReport{Warned: warned}, nil
	}
	wait := plan{tell: end.moments(a.WarnDays)}.next(now)
	return nil, a.leave(ctx, "WatchAuthConfig", connection.LookAgain(fmt.Sprintf("ends on %s; next look in %s",
		in.Expires.UTC().Format("2006-01-02"), wait.Round(time.Second)), wait))
}
