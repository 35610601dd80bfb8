package main

import (
	"fmt"
	"strings"

	"connectedapps/connection"

	"github.com/spf13/cobra"
)

// defaultEnvironment is where commands act that are told nothing else: the one in
// which a mistake costs least.
const defaultEnvironment = "development"

// newRoot builds the command tree.
func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "connected-apps",
		Short: "Connect apps, test the connections and use their toolkits",
		Long: `connected-apps connects third-party apps durably: it authorizes, tests, creates a
toolkit of actions, and keeps the connection alive. It speaks to the workflows of
an environment; "connected-apps serve" runs the gateway that browsers come to.

A connection is named ENVIRONMENT/APP/NAME, for example development/sandbox/my-account.

Secrets are asked for without echo, or read from a file or standard input with
--secret-file. No flag takes a secret.

` + exitHelp(),
		Example: `  connected-apps apps list
  connected-apps auth-configs create development/sandbox/demo --method oauth --client-id my-client
  connected-apps connect development/sandbox/my-account --method oauth --auth-config demo --open
  connected-apps actions run development/sandbox/my-account list-contacts --arg limit=5
  connected-apps connections list --output json`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args[0])
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return p.ready(c) },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&p.output, "output", "o", "table", `how results are written: "table" or "json"`)
	flags.StringVarP(&p.environment, "environment", "e", defaultEnvironment, "environment to act in, where no connection ID names one")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return connection.InvalidInput("", err.Error(), "see: "+c.CommandPath()+" --help")
	})
	complete(root, "output", fixed("table", "json"))
	complete(root, "environment", p.completeEnvironments)
	root.AddCommand(p.appsCommand(), p.authConfigsCommand(), p.connectCommand(), p.reconnectCommand(), p.connectionsCommand(),
		p.toolkitsCommand(), p.actionsCommand(), p.alertsCommand(), p.accessCommand(), p.consoleCommand(), p.mcpCommand(), p.serveCommand(), p.setupCommand(), p.versionCommand())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// ready checks the global flags once, before any command runs.
func (p *program) ready(*cobra.Command) error {
	p.running = true
	if p.output != "table" && p.output != "json" {
		return connection.InvalidInput("output", fmt.Sprintf("%q is not a form of output", connection.Bound(p.output, 40)), "use table or json")
	}
	return connection.CheckSlug("environment", p.environment)
}

func unknownCommand(c *cobra.Command, name string) error {
	remedy := "see: " + c.CommandPath() + " --help"
	c.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets only where it suggests itself
	if near := c.SuggestionsFor(name); len(near) > 0 {
		remedy = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return connection.InvalidInput("", fmt.Sprintf("there is no command %q", c.CommandPath()+" "+connection.Bound(name, 40)), remedy)
}

// takes checks how many arguments a command got, and names what is missing.
func takes(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return connection.InvalidInput(names[len(args)], "the argument is missing", "write: "+c.UseLine())
		case len(args) > len(names):
			return connection.InvalidInput("", fmt.Sprintf("%q is one argument too many", connection.Bound(args[len(names)], 40)), "write: "+c.UseLine())
		}
		return nil
	}
}
