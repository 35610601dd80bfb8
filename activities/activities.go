package activities

import (
	"context"
	"net/http"

	"connectedapps/connection"
	"connectedapps/connectors"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"
)

// Activities are the side effects of one environment.
type Activities struct {
	Environment string
	// GatewayURL is where people's browsers reach the gateway; connect links and the redirect URI begin with it.
	GatewayURL string
	Catalogue  *connectors.Catalogue
	// Provider is the one HTTP client for everything that leaves.
	Provider *http.Client
	// WarnDays are how many days ahead of an end people are warned, the most first; nil warns nobody.
	WarnDays []int
	// Budgets are the operator's, by app ID for its API and by app ID and
	// [connectors.TokenBudget] for its token endpoint. One without requests removes
	// the definition's; nil leaves all as the definitions say.
	Budgets     map[string]connectors.Budget
	Documents   Documents
	Inbox       Inbox
	AuthConfigs AuthConfigs
	Attempts    Attempts
	Outputs     Outputs
	Sinks       Sinks
	Workflows   Workflows
	Log         *zap.Logger

	reader  *reader
	spender *Spender
	streaks *streaks
}

// Prepare builds what the fields imply. Call it once, before [Activities.Register].
func (a *Activities) Prepare() {
	if a.Log == nil {
		a.Log = zap.NewNop()
	}
	a.reader = newReader(a.Documents)
	a.spender = newSpender(a)
	a.streaks = newStreaks()
}

// Drain waits until no write of a spent token is in flight. Call it after the
// worker has stopped: leaving earlier would lose a rotated token.
func (a *Activities) Drain(ctx context.Context) { a.spender.drain(ctx) }

// Registry is the part of Temporal's worker that registers activities.
type Registry interface {
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

// RegisterVault registers what talks to Vault and Temporal only, for the workflow queue.
func (a *Activities) RegisterVault(r Registry) {
	register(r, "ValidateConnect", beating(a.ValidateConnect))
	register(r, "AdoptCandidate", beating(a.AdoptCandidate))
	register(r, "WriteGate", beatingAct(a.WriteGate))
	register(r, "DestroyCredential", beatingAct(a.DestroyCredential))
	register(r, "DiscardAttempts", beating(a.DiscardAttempts))
	register(r, "WatchConnectSession", a.WatchConnectSession)
	register(r, "StoreAuthConfig", beating(a.StoreAuthConfig))
	register(r, "DestroyAuthConfig", beatingAct(a.DestroyAuthConfig))
	register(r, "StageRotation", beating(a.StageRotation))
	register(r, "CommitRotation", beatingAct(a.CommitRotation))
	register(r, "AbandonRotation", beatingAct(a.AbandonRotation))
	register(r, "RetireAuthConfig", beatingAct(a.RetireAuthConfig))
	register(r, "CountAuthConfigUsers", beating(a.CountAuthConfigUsers))
	register(r, "WatchAuthConfig", a.WatchAuthConfig)
	register(r, "SweepVault", a.SweepVault)
	register(r, "AnnounceAlert", a.AnnounceAlert)
	register(r, "StoreSink", beating(a.StoreSink))
	register(r, "DestroySink", beatingAct(a.DestroySink))
}

// RegisterEgress registers what talks to providers, for the egress queue.
func (a *Activities) RegisterEgress(r Registry) {
	register(r, "BeginAuthorization", beating(a.BeginAuthorization))
	register(r, "ExchangeCode", beating(a.ExchangeCode))
	register(r, "StoreCredential", beating(a.StoreCredential))
	register(r, "AdvanceLogin", beating(a.AdvanceLogin))
	register(r, "BeginDevice", beating(a.BeginDevice))
	register(r, "PollDevice", beating(a.PollDevice))
	register(r, "ProbeConnection", beating(a.ProbeConnection))
	register(r, "RefreshCredential", beating(a.RefreshCredential))
	register(r, "RevokeGrant", beating(a.RevokeGrant))
	register(r, "ProveRotation", beating(a.ProveRotation))
	register(r, "WatchConnection", a.WatchConnection)
	register(r, "CallAction", a.CallAction)
	register(r, "DeliverAlert", beating(a.DeliverAlert))
	register(r, "DeliverSessionMessage", beating(a.DeliverSessionMessage))
}

func register(r Registry, name string, f any) {
	r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
}

// leave is the way out of every activity: it logs what is not a problem of ours,
// whose text must not reach history, and rebuilds the error for Temporal.
func (a *Activities) leave(ctx context.Context, where string, err error) error {
	if err == nil {
		return nil
	}
	if _, known := connection.AsProblem(err); !known {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.Log.Error("an activity met an error it has no word for", zap.String("activity", where), zap.Error(err))
	}
	return connection.Boundary(where, err)
}
