package backend

import (
	"context"
	"strings"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
)

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

// Payloads seals and opens what Temporal keeps; the codec of package vault is one. What does
// not open is an ErrPayloadUnreadable.
type Payloads interface {
	Seal(ctx context.Context, payloads []*commonpb.Payload) ([]*commonpb.Payload, error)
	Open(ctx context.Context, payload *commonpb.Payload) (*commonpb.Payload, error)
	// Status says in a few words whether the gateway itself seals.
	Status() string
}

// Environment is one environment that a gateway serves, with its own identity in Vault.
type Environment struct {
	Name string
	// Namespace is Temporal's, for links to its Web UI.
	Namespace string
	// Client is the environment's workflows.
	Client Client
	Sealer Sealer
	Inbox  Inbox
	// Payloads is nil where there is no codec.
	Payloads Payloads
	// Temporal and Vault answer nil when the service is there and lets us in. Nil is not asked.
	Temporal, Vault func(context.Context) error
}

// Leave puts secrets into the environment's inbox and answers their reference; ""
// when there are none, which is what a message without secrets carries.
func (e Environment) Leave(ctx context.Context, secrets map[string]connection.Secret) (connection.InboxRef, error) {
	if len(secrets) == 0 {
		return "", nil
	}
	return e.Inbox.Leave(ctx, secrets)
}

// Set is the environments of a gateway, in the order in which people are shown them.
type Set struct{ all []Environment }

// NewSet is a set in the order given.
func NewSet(all ...Environment) Set { return Set{all} }

// All lists the environments.
func (s Set) All() []Environment { return s.all }

// Names lists their names.
func (s Set) Names() []string {
	names := make([]string, len(s.all))
	for i, e := range s.all {
		names[i] = e.Name
	}
	return names
}

// Named finds an environment; ErrUnknownEnvironment names those that are served.
func (s Set) Named(name string) (Environment, error) {
	for _, e := range s.all {
		if e.Name == name {
			return e, nil
		}
	}
	return Environment{}, connection.Refused(connection.ErrUnknownEnvironment,
		"there is no environment "+connection.Bound(name, 63), "choose one of: "+strings.Join(s.Names(), ", "))
}

// Of finds the environment of a connection.
func (s Set) Of(id connection.ID) (Environment, error) { return s.Named(id.Environment()) }
