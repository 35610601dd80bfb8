package main

import (
	"strings"

	"connectedapps/connectors"
	"connectedapps/deployment"

	"github.com/spf13/cobra"
)

// completer proposes what a word may become. A shell waits while it runs: only names
// that people gave are asked of a server, and not for long.
type completer = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

func complete(c *cobra.Command, flag string, f completer) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic("completion of an unknown flag: " + flag) // a defect of the command tree, found by any test
	}
}

// fixed proposes from a list.
func fixed(choices ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return choices, cobra.ShellCompDirectiveNoFileComp
	}
}

func (p *program) completeEnvironments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	settings, err := deployment.Read()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return settings.Environments, cobra.ShellCompDirectiveNoFileComp
}

// completeApps proposes app IDs for the first argument.
func (p *program) completeApps(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, app := range catalogue.Apps() {
		ids = append(ids, app.ID+"\t"+app.Name)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeActions proposes the actions of the app that the first argument names.
func (p *program) completeActions(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return p.completeOpenIDs(c, args, begun)
	}
	app, ok := p.appOf(args[0])
	if !ok || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, action := range app.Actions {
		ids = append(ids, action.ID+"\t"+action.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeFlagActions does the same for a flag beside a connection ID.
func (p *program) completeFlagActions(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.completeActions(c, args[:1], "")
}

// completeMethods proposes the ways to authenticate with the app of the first argument.
func (p *program) completeMethods(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	app, ok := p.appOf(args[0])
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, method := range app.Methods {
		ids = append(ids, method.ID+"\t"+method.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// appOf finds the app of an app ID or of a connection ID.
func (p *program) appOf(text string) (*connectors.App, bool) {
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, false
	}
	if parts := strings.Split(text, "/"); len(parts) == 3 {
		text = parts[1]
	}
	app, err := catalogue.App(text)
	return app, err == nil
}
