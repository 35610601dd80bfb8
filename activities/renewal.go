package activities

import (
	"context"
	"maps"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// ask gets the credential that replaces the present one, by whatever the method
// renews with: once, and without storing anything.
func (s *Spender) ask(ctx context.Context, x access, config connection.AuthConfig) (connection.Credential, error) {
	held := x.stored.Credential
	if x.method.Kind == connection.MultiStep {
		return s.loginAgain(ctx, x, config)
	}
	grant, err := x.method.Refresh(ctx, s.a.Provider, connectors.RefreshInput{
		Client: client(config, held), Refresh: held.Default().Refresh, Scopes: x.scopes(), RedirectURI: s.a.redirectURI(),
		Values: under(config, held.Values), Previous: held})
	if err != nil {
		return connection.Credential{}, err
	}
	return minted(grant, x.method, held, x.stored.Clock.Now()), nil
}

// withinBudget takes a slot of the token endpoint's budget, where it has one.
func (s *Spender) withinBudget(ctx context.Context, ref connection.CredentialRef, x access) error {
	if x.method.OAuth == nil {
		return nil
	}
	return s.budgets.take(ctx, s.a.tokenBudget(ref.Connection, x))
}

// scopes are those to ask for again.
func (x access) scopes() []string {
	if granted := x.stored.Credential.Default().Scopes; granted != nil {
		return granted
	}
	return x.stored.Asked
}

// loginAgain takes the steps of a login from where a renewal begins. Which account
// is meant is known already, and a question ends it: only a person can answer.
func (s *Spender) loginAgain(ctx context.Context, x access, config connection.AuthConfig) (connection.Credential, error) {
	fresh, step, now := x.stored.Credential, "", x.stored.Clock.Now()
	if x.method.Renew != nil {
		step = x.method.Renew.From
	}
	brought := map[string]connectors.TokenAnswer{}
	for range len(x.method.Steps) {
		outcome, err := x.method.RunStep(ctx, s.a.Provider, connectors.StepInput{Stage: connectors.StageSteps, Step: step,
			Client: client(config, fresh), Credential: fresh, Values: under(config, fresh.Values)})
		if err != nil {
			return fresh, err
		}
		if outcome.Ask != nil {
			asked := connection.Refused(connection.ErrReconnectRequired, "the app asks something that only a person can answer", "a person must reconnect")
			asked.Verdict = connection.Revoked
			return fresh, asked
		}
		if only := outcome.Chosen; only != nil && x.stored.Tenant != "" && only.ID != x.stored.Tenant {
			for name := range only.Values { // it stays with its own tenant, whether that is still there or not
				delete(outcome.Values, name)
			}
		}
		fresh = gathered(outcome, x.method, fresh, now)
		maps.Copy(brought, outcome.Tokens)
		if step = outcome.Next; step == "" {
			break
		}
	}
	return minted(&connectors.Grant{Tokens: brought}, x.method, fresh, now), nil
}
