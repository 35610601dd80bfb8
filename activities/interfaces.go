package activities

import (
	"context"
	"time"

	"connectedapps/connection"
)

// Documents keeps credential documents. Package vault implements it; the errors
// are connection.ErrAbsent, connection.ErrVersionConflict and Problems.
type Documents interface {
	Read(ctx context.Context, ref connection.CredentialRef) (connection.Stored, error)
	Write(ctx context.Context, ref connection.CredentialRef, d connection.Document, version int) (int, error)
	Destroy(ctx context.Context, ref connection.CredentialRef) error
	Note(ctx context.Context, ref connection.CredentialRef, facts map[connection.Fact]time.Time) error
	// Clock is Vault's, for what is stored for the first time.
	Clock(ctx context.Context) (connection.Clock, error)
	Candidates(ctx context.Context, id connection.ID) ([]string, error)
	Connections(ctx context.Context) ([]connection.ID, error)
	WithCandidates(ctx context.Context) ([]connection.ID, error)
}

// Inbox is where callers leave secrets.
type Inbox interface {
	Read(ctx context.Context, ref connection.InboxRef) (map[string]connection.Secret, error)
	Clear(ctx context.Context, ref connection.InboxRef) error
	Sweep(ctx context.Context) (int, error)
}

// AuthConfigs keeps client registrations and shared credentials.
type AuthConfigs interface {
	Read(ctx context.Context, app, name string) (connection.AuthConfig, int, error)
	Write(ctx context.Context, app, name string, a connection.AuthConfig, version int) error
	Destroy(ctx context.Context, app, name string) error
	// ReadBudget and WriteBudget keep how much of a budget is used. The owner is an auth
	// config or a connection of the app; below api/ it is the budget of the app's API.
	ReadBudget(ctx context.Context, app, owner string) (connection.BudgetWindow, int, error)
	WriteBudget(ctx context.Context, app, owner string, w connection.BudgetWindow, version int) error
	DestroyBudget(ctx context.Context, app, owner string) error
}

// Sinks keeps where alerts are delivered, with what signs them.
type Sinks interface {
	// List answers the names, sorted.
	List(ctx context.Context) ([]string, error)
	Read(ctx context.Context, name string) (connection.Sink, int, connection.Clock, error)
	Write(ctx context.Context, name string, s connection.Sink, version int) error
	Destroy(ctx context.Context, name string) error
}

// Outputs keeps secrets that actions answered with.
type Outputs interface {
	Keep(ctx context.Context, id connection.ID, fields map[string]connection.Secret) (string, error)
	DestroyAll(ctx context.Context, id connection.ID) error
}

// Attempts keeps what the callback of an authorization will need.
type Attempts interface {
	Read(ctx context.Context, id connection.ID, attempt string) (connection.Attempt, int, connection.Clock, error)
	Write(ctx context.Context, id connection.ID, attempt string, a connection.Attempt, version int) error
	Destroy(ctx context.Context, id connection.ID, attempt string) error
	DestroyAll(ctx context.Context, id connection.ID) error
	Sweep(ctx context.Context) (int, error)
}

// Workflows is what activities tell and ask the workflows. Package workflows
// implements it over the Temporal client.
type Workflows interface {
	// CredentialRejected tells the Connection that the provider has said the last word on a generation.
	CredentialRejected(ctx context.Context, ref connection.CredentialRef, verdict connection.Verdict, reason string) error
	// WorkFailed tells the Connection that actions with this grant keep failing.
	WorkFailed(ctx context.Context, ref connection.CredentialRef, trouble connection.WorkTrouble) error
	// ClientRefused tells the AuthConfig that the provider refuses its registration, with
	// the secrets that the rotation named brought.
	ClientRefused(ctx context.Context, app, name, rotation, code string) error
	// SinkGone tells the environment's AlertSinks that a sink is disabled, and why.
	SinkGone(ctx context.Context, name, reason string) error
	// UsersOf answers up to n connections that use the auth config, those that work first,
	// and how many there are. It may be some seconds behind.
	UsersOf(ctx context.Context, app, name string, n int) ([]connection.ID, int, error)
	// SessionOpen reports whether that run of the connection's ConnectApp is still open.
	SessionOpen(ctx context.Context, id connection.ID, runID string) (bool, error)
	// ConnectionOpen reports whether the Connection's workflow is open.
	ConnectionOpen(ctx context.Context, id connection.ID) (bool, error)
	// EachOpenConnection goes through the environment's connections whose workflow is
	// open, in no order. It may be some seconds behind.
	EachOpenConnection(ctx context.Context, each func(connection.ID)) error
	// Disconnected answers when a connection that is gone was disconnected; zero while it
	// is open, and when it was never made or never finished.
	Disconnected(ctx context.Context, id connection.ID) (time.Time, error)
	// OthersShareGrant reports whether another connection of the same app has the same
	// account by the same auth config, so that revoking this one's grant would end theirs.
	OthersShareGrant(ctx context.Context, id connection.ID, account, authConfig string) (bool, error)
}
