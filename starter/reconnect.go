package main

import (
	"context"
	"os/user"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// reconnectFlags are what reconnect is told.
type reconnectFlags struct {
	in         workflows.ReconnectInput
	set        []string
	secretFile string
	open       bool
	noWait     bool
}

func (p *program) reconnectCommand() *cobra.Command {
	var f reconnectFlags
	c := &cobra.Command{
		Use: "reconnect ENVIRONMENT/APP/NAME", Short: "Have a person authenticate a connection again", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Authenticate a connection again, because it has expired, because it needs more scopes,
or to replace a key. Its ID, its toolkits and its settings stay. The old credential
works on until the new one has passed its test, and is revoked at the app after that.

With --method it is authenticated another way from then on, such as by signing in
instead of by a key.

Another account than before, or another organisation of the same account, is refused
unless --allow-other-account is given. The same command again goes on with an open
reconnect; "connected-apps connect ID --cancel" ends it and changes nothing.`,
		Example: `  connected-apps reconnect development/sandbox/my-account --open
  connected-apps reconnect development/sandbox/by-key --secret-file key.txt
  connected-apps reconnect development/sandbox/by-key --method oauth --auth-config demo
  connected-apps reconnect production/slack/team --access read-write`,
		ValidArgsFunction: p.completeOpenIDs,
		RunE: func(c *cobra.Command, args []string) error {
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			return p.reconnect(c.Context(), e, id, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.in.Method, "method", "", "another of the app's ways to authenticate; the connection's own when not given")
	flags.StringVar(&f.in.AuthConfig, "auth-config", "", "name of another client registration to use; not kept when --method is another")
	flags.StringVar(&f.in.Access, "access", "", `ask for the scopes of "read" or "read-write"; those of the toolkits when not given`)
	flags.StringArrayVar(&f.in.Actions, "action", nil, "ask for the scopes of this action, instead of --access; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "input that is not secret, as NAME=VALUE; repeatable")
	flags.BoolVar(&f.in.AllowOtherAccount, "allow-other-account", false, "let the connection pass to another account of the app, or another organisation")
	flags.StringVar(&f.in.RequestedBy, "requested-by", "", "who asks, as the person at the link reads it; your user name when not given")
	flags.StringVar(&f.secretFile, "secret-file", "", `file with the secrets; "-" is standard input`)
	flags.BoolVar(&f.open, "open", false, "open the link in a browser")
	flags.BoolVar(&f.noWait, "no-wait", false, "write the link to standard output and do not wait")
	complete(c, "method", p.completeMethods)
	complete(c, "auth-config", p.completeAuthConfigNames)
	complete(c, "access", fixed(connectors.AccessReadWrite, connectors.AccessRead))
	complete(c, "action", p.completeFlagActions)
	return c
}

func (p *program) reconnect(ctx context.Context, e *environment, id connection.ID, f reconnectFlags) error {
	begun, method, err := p.beginReconnect(ctx, e, id, f)
	if err != nil {
		return err
	}
	connect := connectFlags{in: begun.Connect, open: f.open, noWait: f.noWait, secretFile: f.secretFile}
	connect.in.Values = begun.Plan.Values // what a correction begins with
	switch begun.Plan.Flow {
	case activities.FlowBrowser, activities.FlowDevice:
		if f.secretFile != "" {
			return connection.InvalidInput("secret-file", begun.Plan.MethodTitle+" is authorized by a person at the app and asks for no secret", "leave --secret-file out")
		}
		return p.authorize(ctx, e, connect, begun.Plan.Flow)
	case activities.FlowInput:
		secrets, err := p.collect(ctx, secretInputs(method.Inputs), f.secretFile)
		if err != nil {
			return p.openStill(ctx, id, err)
		}
		return p.provide(ctx, e, connect, method, secrets)
	case activities.FlowAutomatic:
		return p.provide(ctx, e, connect, method, nil)
	}
	return connection.Internal("the plan of a reconnect")
}

// beginReconnect starts the reconnect, or joins the open one, and answers the method it is by.
func (p *program) beginReconnect(ctx context.Context, e *environment, id connection.ID, f reconnectFlags) (workflows.Reconnecting, *connectors.Method, error) {
	var begun workflows.Reconnecting
	described, err := e.Describe(ctx, id)
	if err != nil {
		return begun, nil, err
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return begun, nil, err
	}
	app, err := catalogue.App(id.App())
	if err != nil {
		return begun, nil, err
	}
	method, err := app.Method(or(f.in.Method, described.State.Method))
	if err != nil {
		return begun, nil, err
	}
	if f.in.Method != "" {
		f.in.Method = method.ID
	}
	if f.in.Values, err = pairs("set", f.set, method.Inputs); err != nil {
		return begun, nil, err
	}
	if f.in.RequestedBy == "" {
		if who, err := user.Current(); err == nil {
			f.in.RequestedBy = who.Username
		}
	}
	err = p.work(ctx, e, "the reconnect to start", func(ctx context.Context) error {
		var err error
		begun, err = e.Reconnect(ctx, id, f.in)
		return err
	})
	return begun, method, err
}
