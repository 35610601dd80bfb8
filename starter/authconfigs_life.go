package main

import (
	"context"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

const expiresHelp = "when the secret ends: a day (its beginning, UTC), a time, or how long from now, such as 365d; people are warned before"

// rotateTime is how long a rotation may take: the app is given ten minutes to be there.
const rotateTime = 12 * time.Minute

// rotateFlags are what auth-configs rotate is told.
type rotateFlags struct{ clientID, secretFile, expires string }

func (p *program) authConfigsRotateCommand() *cobra.Command {
	var f rotateFlags
	c := &cobra.Command{
		Use: "rotate ENVIRONMENT/APP/NAME", Short: "Replace the secret of an auth config, once the new one is proven", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Replace the secret of an auth config.

The new secret is tried first: one connection that uses the auth config is renewed
or tested with it, or the client asks for a token of its own. Until it has proven
good everything goes on with the old one, and if the app refuses it nothing
changes. Trouble at the app is waited for, ten minutes at most. Connections need
nothing: they use the new secret from their next renewal on.

The client ID stays, since tokens belong to the client that they were given to.
For another client, create another auth config and reconnect with it.`,
		Example: `  connected-apps auth-configs rotate development/sandbox/demo
  connected-apps auth-configs rotate production/gitea/acme --client-secret-file - --expires 2027-01-31 < secret`,
		ValidArgsFunction: p.completeAuthConfigs,
		RunE:              func(c *cobra.Command, args []string) error { return p.rotateAuthConfig(c, args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.clientID, "client-id", "", "make sure that this is the client whose secret is replaced")
	flags.StringVar(&f.secretFile, "client-secret-file", "", `file with the new secret; "-" is standard input, "prompt" asks for it`)
	flags.StringVar(&f.secretFile, "secret-file", "", `the same, for several secrets: a JSON object; those left out stay`)
	flags.StringVar(&f.expires, "expires", "", expiresHelp)
	return c
}

func (p *program) rotateAuthConfig(c *cobra.Command, text string, f rotateFlags) error {
	ctx := c.Context()
	id, err := p.parseID(c, text)
	if err != nil {
		return err
	}
	in := workflows.Rotate{ClientID: f.clientID}
	if f.expires != "" {
		if in.Expires, err = parseEnd("expires", f.expires, time.Now()); err != nil {
			return err
		}
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return err
	}
	app, err := catalogue.App(id.App())
	if err != nil {
		return err
	}
	e, err := p.open(ctx, id.Environment())
	if err != nil {
		return err
	}
	var state workflows.AuthConfigState
	err = p.work(ctx, e, "the auth config", func(ctx context.Context) error {
		state, err = e.DescribeAuthConfig(ctx, id.App(), id.Slug())
		return err
	})
	if err != nil {
		return err
	}
	method, err := app.Method(state.Method)
	if err != nil {
		return err
	}
	secrets, err := p.newSecrets(ctx, method, state, f)
	if err != nil {
		return err
	}
	if in.Inbox, err = p.leave(ctx, e, secrets); err != nil {
		return err
	}
	var result workflows.RotateResult
	err = p.waitFor(ctx, e, "the new secret to be proven", rotateTime, func(ctx context.Context) error {
		result, err = e.RotateAuthConfig(ctx, id.App(), id.Slug(), in)
		return err
	})
	if err != nil {
		return err
	}
	return p.print(result, func(t *table) { showRotation(t, id.String(), result) })
}

// newSecrets asks for those that the auth config has now; one that is optional may be left out.
func (p *program) newSecrets(ctx context.Context, method *connectors.Method, state workflows.AuthConfigState, f rotateFlags) (map[string]connection.Secret, error) {
	if state.Public {
		return nil, connection.InvalidInput("client_secret", "a public client has no secret to rotate", "give a client with a secret an auth config of its own: connected-apps auth-configs create")
	}
	if f.clientID != "" && f.clientID != state.ClientID {
		return nil, connection.InvalidInput("client_id", "the client ID of this auth config is "+state.ClientID+", and a rotation keeps it",
			"give the other client an auth config of its own (connected-apps auth-configs create), then: connected-apps reconnect --auth-config")
	}
	wanted := secretInputs(method.Inputs)
	if method.NeedsClient() {
		wanted = secretInputs(method.ClientInputs)
		if activities.NeedsClientSecret(method) {
			wanted = append([]connectors.Input{clientSecret}, wanted...)
		}
	}
	file := f.secretFile
	if file == "prompt" {
		file = ""
	}
	secrets, err := p.collect(ctx, wanted, file)
	if err == nil && len(secrets) == 0 {
		err = connection.InvalidInput("secret-file", "there is no new secret", "give the secret that is to replace the present one")
	}
	return secrets, err
}

func showRotation(t *table, name string, result workflows.RotateResult) {
	t.row("ROTATED", name)
	t.fact("CHANGED", strings.Join(result.Changed, " "))
	proof := result.Proof
	if result.Reason != "" {
		proof += ": " + result.Reason
	}
	t.fact("PROVEN BY", proof)
	t.fact("EXPIRES", moment(result.Expires))
}

func (p *program) authConfigsRetireCommand() *cobra.Command {
	var in workflows.Retire
	c := &cobra.Command{
		Use: "retire ENVIRONMENT/APP/NAME", Short: "Keep new connections from using an auth config", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Keep new connections from using an auth config. Those that have it go on, and may
be reconnected with it. Retire it before you delete it: its connections can then be
moved to another one, and no new one joins them.`,
		Example: `  connected-apps auth-configs retire production/gitea/acme
  connected-apps auth-configs retire production/gitea/acme --undo`,
		ValidArgsFunction: p.completeAuthConfigs,
		RunE: func(c *cobra.Command, args []string) error {
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			var state workflows.AuthConfigState
			err = p.work(c.Context(), e, "the auth config", func(ctx context.Context) error {
				state, err = e.RetireAuthConfig(ctx, id.App(), id.Slug(), in)
				return err
			})
			if err != nil {
				return err
			}
			return p.printAuthConfig(state)
		},
	}
	c.Flags().BoolVar(&in.Undo, "undo", false, "let new connections use it again")
	return c
}

func (p *program) authConfigsDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete ENVIRONMENT/APP/NAME", Short: "Delete an auth config that no connection uses", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Delete an auth config, with its secrets in Vault. It is refused while connections
use it; the first of them are named. The client at the app stays.`,
		Example:           "  connected-apps auth-configs delete development/sandbox/demo",
		ValidArgsFunction: p.completeAuthConfigs,
		RunE: func(c *cobra.Command, args []string) error {
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			err = p.work(c.Context(), e, "the auth config to be deleted", func(ctx context.Context) error {
				return e.DeleteAuthConfig(ctx, id.App(), id.Slug())
			})
			if err != nil {
				return err
			}
			return p.print(map[string]string{"auth_config": id.String(), "result": "deleted"}, func(t *table) { t.row(id.String() + ": deleted") })
		},
	}
}
