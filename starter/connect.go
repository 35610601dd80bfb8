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

// connectFlags are what connect is told.
type connectFlags struct {
	in         workflows.ConnectInput
	set        []string
	secretFile string
	open       bool
	noWait     bool
	resume     bool
	approve    bool
	cancel     bool
	choose     string
}

func (p *program) connectCommand() *cobra.Command {
	var f connectFlags
	c := &cobra.Command{
		Use: "connect ENVIRONMENT/APP/NAME", Short: "Connect an account of an app, test it and create its toolkit", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Connect an account of an app: authorize it, test it, create its toolkit of actions
and activate it. Nothing is left behind when it is cancelled.

With OAuth a link is printed to standard error; whoever opens it sees who asks for
what, and signs in at the app. With a device code the address and the code to type in
there are printed instead. With other methods the secrets are asked for without
echo, or read with --secret-file: a JSON object, or the bare secret where only one
is asked for.

Where the app asks something in between, such as a one-time code or which of several
accounts is meant, so does this command; without a terminal, answer with
--resume --secret-file FILE, or --resume --choose ID.

A connect stays open for 24 hours whatever becomes of this command. The same
command again, or --resume, goes on with it; --approve ends a review; --cancel ends
it and undoes what it did.`,
		Example: `  connected-apps connect development/sandbox/my-account --method oauth --auth-config demo --open
  connected-apps connect development/sandbox/by-key --method api-key --secret-file key.txt
  connected-apps connect staging/gitea/ci --auth-config acme --access read --owner team-7 --display-name "CI mirror"
  connected-apps connect development/sandbox/my-account --resume`,
		ValidArgsFunction: p.completeIDs,
		RunE: func(c *cobra.Command, args []string) error {
			id, err := p.parseID(c, args[0])
			if err != nil {
				return err
			}
			f.in.Connection = id
			return p.connect(c.Context(), f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.in.Method, "method", "", "one of the app's ways to authenticate; the first when not given")
	flags.StringVar(&f.in.AuthConfig, "auth-config", "", "name of the client registration to use; methods of OAuth need one")
	flags.StringVar(&f.in.Access, "access", "", `"read-write" (the default), or "read" for actions that change nothing`)
	flags.StringArrayVar(&f.in.Actions, "action", nil, "action to allow, instead of --access; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "input that is not secret, as NAME=VALUE; repeatable")
	flags.StringVar(&f.in.Toolkit, "toolkit", "", `name of the toolkit to create (default "default")`)
	flags.StringVar(&f.in.DisplayName, "display-name", "", "name for people; the last part of the ID when not given")
	flags.StringVar(&f.in.Owner, "owner", "", "end user or team that the connection belongs to")
	flags.StringVar(&f.in.RequestedBy, "requested-by", "", "who asks, as the person at the link reads it; your user name when not given")
	flags.BoolVar(&f.in.Review, "review", false, "hold before the toolkit is created, until somebody approves")
	flags.StringVar(&f.secretFile, "secret-file", "", `file with the secrets; "-" is standard input`)
	flags.BoolVar(&f.open, "open", false, "open the link in a browser")
	flags.BoolVar(&f.noWait, "no-wait", false, "write the link to standard output and do not wait")
	flags.BoolVar(&f.resume, "resume", false, "go on with the open connect of this ID")
	flags.BoolVar(&f.approve, "approve", false, "approve the open connect of this ID, which waits for review")
	flags.StringVar(&f.choose, "choose", "", "with --resume: the account to connect, by its ID, where the app offers several")
	flags.BoolVar(&f.cancel, "cancel", false, "end the open connect of this ID and undo it")
	complete(c, "method", p.completeMethods)
	complete(c, "auth-config", p.completeAuthConfigNames)
	complete(c, "access", fixed(connectors.AccessReadWrite, connectors.AccessRead))
	complete(c, "action", p.completeFlagActions)
	return c
}

func (p *program) connect(ctx context.Context, f connectFlags) error {
	id := f.in.Connection
	if f.resume && f.approve || f.resume && f.cancel || f.approve && f.cancel {
		return connection.InvalidInput("", "--resume, --approve and --cancel exclude one another", "give one of them")
	}
	if f.resume || f.approve || f.cancel {
		e, err := p.open(ctx, id.Environment())
		switch {
		case err != nil:
			return err
		case f.cancel:
			return p.cancelConnect(ctx, e, id)
		case f.approve:
			return p.approveConnect(ctx, e, id)
		default:
			return p.resumeConnect(ctx, e, f)
		}
	}
	method, err := p.completeInput(&f)
	if err != nil {
		return err
	}
	e, err := p.prepare(id.Environment())
	if err != nil {
		return err
	}
	plan, err := e.CheckConnect(f.in)
	if err != nil {
		return err
	}
	if plan.Flow == activities.FlowBrowser || plan.Flow == activities.FlowDevice {
		if f.secretFile != "" {
			return connection.InvalidInput("secret-file", plan.MethodTitle+" is authorized by a person at the app and asks for no secret", "leave --secret-file out")
		}
		if err := e.free(ctx, id); err != nil {
			return err
		}
		return p.authorize(ctx, e, f, plan.Flow)
	}
	if f.noWait {
		return connection.InvalidInput("no-wait", "nobody authorizes "+plan.MethodTitle+" at the app, so there is no link", "leave --no-wait out")
	}
	wanted := p.wantedSecrets(method, f)
	fromFile := f.secretFile != ""
	if !fromFile { // nobody types a secret in to learn then that the name is taken
		if err := e.free(ctx, id); err != nil {
			return err
		}
	}
	secrets, err := p.collect(ctx, wanted, f.secretFile)
	if err == nil && f.in.AuthConfig == "" {
		_, _, err = connectors.CheckInputs(wanted, nil, secrets)
	}
	if err == nil && fromFile {
		err = e.free(ctx, id)
	}
	if err != nil {
		return err
	}
	return p.provide(ctx, e, f, method, secrets)
}

// completeInput fills in what follows from the flags, and answers the method.
func (p *program) completeInput(f *connectFlags) (*connectors.Method, error) {
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, err
	}
	app, err := catalogue.App(f.in.Connection.App())
	if err != nil {
		return nil, err
	}
	method, err := app.Method(f.in.Method)
	if err != nil {
		return nil, err
	}
	f.in.Method = method.ID
	if f.in.Values, err = pairs("set", f.set, method.Inputs); err != nil {
		return nil, err
	}
	if f.in.RequestedBy == "" {
		if who, err := user.Current(); err == nil {
			f.in.RequestedBy = who.Username
		}
	}
	return method, nil
}

// wantedSecrets are asked for unless an auth config brings them: then only a file is read.
func (p *program) wantedSecrets(method *connectors.Method, f connectFlags) []connectors.Input {
	wanted := secretInputs(method.Inputs)
	if f.in.AuthConfig != "" && f.secretFile == "" {
		return nil
	}
	return wanted
}

func (p *program) cancelConnect(ctx context.Context, e *environment, id connection.ID) error {
	err := p.work(ctx, e, "the connect to take the cancellation", func(ctx context.Context) error {
		return e.CancelConnect(ctx, id, workflows.Reason{Reason: "cancelled from the command line"})
	})
	if err != nil {
		return noConnect(err, id)
	}
	return p.print(map[string]string{"connection": id.String(), "result": "cancelled"}, func(t *table) {
		t.row("The connect of " + id.String() + " is cancelled; what it did is undone by itself.")
	})
}

func (p *program) approveConnect(ctx context.Context, e *environment, id connection.ID) error {
	err := p.work(ctx, e, "the connection to become active", func(ctx context.Context) error {
		_, err := e.Approve(ctx, id, workflows.Approve{})
		return err
	})
	if err != nil {
		return noConnect(err, id)
	}
	progress, err := e.Progress(ctx, id)
	if err != nil {
		return err
	}
	return p.printConnected(progress)
}

// noConnect says of a missing workflow what it means to a person.
func noConnect(err error, id connection.ID) error {
	if connection.TypeOf(err) != connection.ErrConnectionNotFound {
		return err
	}
	return connection.Refused(connection.ErrSessionClosed, "no connect of "+id.String()+" is under way",
		"see what there is with: connected-apps connections list")
}

// linkReport is what --no-wait writes.
type linkReport struct {
	Connection connection.ID `json:"connection"`
	workflows.Link
	Plan *activities.ConnectPlan `json:"plan,omitempty"`
}
