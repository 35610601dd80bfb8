package gateway

import (
	"context"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// Connects is what the gateway asks of the connects of one environment;
// [workflows.Client] is it. Every error is a [connection.Problem].
type Connects interface {
	// Progress works after a connect is over too; ErrSessionClosed means there never was one.
	Progress(ctx context.Context, id connection.ID) (workflows.Progress, error)
	// BeginAuthorization uses the attempt up and answers the provider's URL without
	// state, or with a state of the provider's own and its hash.
	BeginAuthorization(ctx context.Context, id connection.ID, in workflows.BeginAuthorization) (activities.BeginAuthorizationResult, error)
	// AuthorizationReceived tells the connect that the callback's answer waits in the inbox.
	AuthorizationReceived(ctx context.Context, id connection.ID, in workflows.AuthorizationReceived) error
	// ChooseAccount answers at the login's next question or after the test, which may
	// take longer than ctx allows; ErrInvalidInput means that no such choice is open.
	ChooseAccount(ctx context.Context, id connection.ID, in workflows.ChooseAccount) (workflows.Progress, error)
}

// Sealer binds a cookie to this deployment; the client of package vault is one. Open fails with
// ErrLinkInvalid for what was not sealed by it, or not for the same purpose.
type Sealer interface {
	Seal(ctx context.Context, text, bound string) (string, error)
	Open(ctx context.Context, sealed, bound string) (string, error)
}

// Inbox is where secrets are left for a workflow; package vault has it.
type Inbox interface {
	Leave(ctx context.Context, fields map[string]connection.Secret) (connection.InboxRef, error)
}

// Environment is one environment that a gateway serves.
type Environment struct {
	Name     string
	Connects Connects
	Sealer   Sealer
	Inbox    Inbox
	// Temporal and Vault answer nil when the service is there and lets us in. Nil is not asked.
	Temporal, Vault func(context.Context) error
}
