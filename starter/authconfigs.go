package main

import (
	"context"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) authConfigsCommand() *cobra.Command {
	return group("auth-configs", "Client registrations and shared credentials, entered once and chosen at connect", "",
		p.authConfigsCreateCommand(), p.authConfigsListCommand(), p.authConfigsShowCommand(),
		p.authConfigsRotateCommand(), p.authConfigsRetireCommand(), p.authConfigsDeleteCommand())
}

// clientSecret is what an OAuth client registration asks for beside its public ID.
var clientSecret = connectors.Input{Name: "client_secret", Title: "Client secret", Secret: true}

// authConfigFlags are what auth-configs create is told.
type authConfigFlags struct {
	method, clientID, secretFile, expires string
	public                                bool
	set, scopes                           []string
}

func (p *program) authConfigsCreateCommand() *cobra.Command {
	var f authConfigFlags
	c := &cobra.Command{
		Use: "create ENVIRONMENT/APP/NAME", Short: "Store a client registration or a shared credential", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Store a client registration (client ID and client secret of an OAuth app), or
shared credentials of another method, in the environment's Vault.

The client secret is asked for without echo, or read with --client-secret-file. A
client that has none, because its kind is public, is stored with --public.`,
		Example: `  connected-apps auth-configs create development/sandbox/demo --method oauth --client-id my-client
  connected-apps auth-configs create production/gitea/acme --client-id 4f1a --client-secret-file - --set base_url=https://git.acme.example < secret`,
		ValidArgsFunction: p.completeIDs,
		RunE:              func(c *cobra.Command, args []string) error { return p.createAuthConfig(c, args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.method, "method", "", "one of the app's ways to authenticate; the first when not given")
	flags.StringVar(&f.clientID, "client-id", "", "public ID of the OAuth client")
	flags.StringVar(&f.secretFile, "client-secret-file", "", `file with the secret; "-" is standard input, "prompt" asks for it`)
	flags.StringVar(&f.secretFile, "secret-file", "", `the same, for methods without a client: a JSON object of the secrets`)
	flags.BoolVar(&f.public, "public", false, "the client has no secret")
	flags.StringArrayVar(&f.set, "set", nil, "input that is not secret, as NAME=VALUE; repeatable")
	flags.StringArrayVar(&f.scopes, "scope", nil, "scope to ask for instead of those that the actions need; repeatable")
	flags.StringVar(&f.expires, "expires", "", expiresHelp)
	complete(c, "method", p.completeMethods)
	return c
}

func (p *program) createAuthConfig(c *cobra.Command, text string, f authConfigFlags) error {
	ctx := c.Context()
	id, err := p.parseID(c, text)
	if err != nil {
		return err
	}
	in := activities.StoreAuthConfigInput{App: id.App(), Name: id.Slug(), Method: f.method, ClientID: f.clientID, Scopes: f.scopes}
	catalogue, err := p.catalogue()
	if err != nil {
		return err
	}
	app, err := catalogue.App(in.App)
	if err != nil {
		return err
	}
	method, err := app.Method(in.Method)
	if err != nil {
		return err
	}
	if in.Values, err = pairs("set", f.set, append(method.Inputs, method.ClientInputs...)); err != nil {
		return err
	}
	if f.expires != "" {
		if in.Expires, err = parseEnd("expires", f.expires, time.Now()); err != nil {
			return err
		}
	}
	in.Method = method.ID
	if _, _, err := activities.CheckAuthConfig(catalogue, in); err != nil {
		return err
	}
	secrets, err := p.authConfigSecrets(ctx, method, f)
	if err != nil {
		return err
	}
	e, err := p.open(ctx, id.Environment())
	if err != nil {
		return err
	}
	if in.Inbox, err = p.leave(ctx, e, secrets); err != nil {
		return err
	}
	var state workflows.AuthConfigState
	err = p.work(ctx, e, "the auth config to be stored", func(ctx context.Context) error {
		state, err = e.CreateAuthConfig(ctx, in)
		return err
	})
	if err != nil {
		return err
	}
	return p.printAuthConfig(state)
}

func (p *program) authConfigSecrets(ctx context.Context, method *connectors.Method, f authConfigFlags) (map[string]connection.Secret, error) {
	file := f.secretFile
	if file == "prompt" {
		file = ""
	}
	if !method.NeedsClient() {
		return p.collect(ctx, secretInputs(method.Inputs), file)
	}
	wanted := secretInputs(method.ClientInputs)
	switch {
	case f.public && f.secretFile != "" && len(wanted) == 0:
		return nil, connection.InvalidInput("public", "a public client has no secret", "give one of --public and --client-secret-file")
	case !f.public && activities.NeedsClientSecret(method):
		wanted = append([]connectors.Input{clientSecret}, wanted...)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	return p.collect(ctx, wanted, file)
}
