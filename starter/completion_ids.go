package main

import (
	"context"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

const (
	// proposeTime is how long a shell may wait for what only a server knows.
	proposeTime = 2 * time.Second
	// proposeMost is how many of them are proposed: more is no help to choose.
	proposeMost = 100
)

// completeIDs proposes ENVIRONMENT/APP/ for the first argument, part by part.
func (p *program) completeIDs(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	settings, err := p.settings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var proposals []string
	for _, environment := range settings.Environments {
		if !strings.HasPrefix(begun, environment+"/") {
			proposals = append(proposals, environment+"/")
			continue
		}
		for _, app := range catalogue.Apps() {
			proposals = append(proposals, environment+"/"+app.ID+"/")
		}
	}
	return proposals, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeOpenIDs does the same and, once environment and app are there, proposes the
// connections that there are.
func (p *program) completeOpenIDs(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || strings.Count(begun, "/") < 2 {
		return p.completeIDs(c, args, begun)
	}
	var proposals []string
	for _, row := range p.begunWith(c, begun) {
		proposals = append(proposals, row.ID.String()+"\t"+strings.TrimSpace(string(row.Status)+" "+clean(row.Account)))
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
}

// completeToolkits proposes the toolkits of the connection that the first argument names.
func (p *program) completeToolkits(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return p.completeOpenIDs(c, args, begun)
	}
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, row := range p.begunWith(c, args[0]) {
		if row.ID.String() == args[0] {
			return row.Toolkits, cobra.ShellCompDirectiveNoFileComp
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeFlagToolkits does the same for a flag beside a connection ID.
func (p *program) completeFlagToolkits(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.completeToolkits(c, args[:1], "")
}

// begunWith asks for connections whose ID begins like that, as far as its app at least.
func (p *program) begunWith(c *cobra.Command, begun string) []workflows.Row {
	name, _, ok := appOfBegun(begun)
	if !ok {
		return nil
	}
	return proposed(c, p, name, func(ctx context.Context, e *environment) ([]workflows.Row, error) {
		rows, _, err := e.List(ctx, workflows.Filter{IDPrefix: begun}, proposeMost, nil)
		return rows, err
	})
}

// appOfBegun reads environment and app of ENVIRONMENT/APP/ and whatever follows.
func appOfBegun(begun string) (environment, app string, ok bool) {
	environment, rest, _ := strings.Cut(begun, "/")
	app, _, ok = strings.Cut(rest, "/")
	return environment, app, ok && connection.CheckSlug("environment", environment) == nil && connection.CheckSlug("app", app) == nil
}

// proposed asks an environment for what may be proposed. Whatever fails, or takes
// long, proposes nothing: a shell has no place for errors.
func proposed[R any](c *cobra.Command, p *program, name string, ask func(context.Context, *environment) ([]R, error)) []R {
	e, err := p.prepare(name)
	if err != nil {
		return nil
	}
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, proposeTime)
	defer cancel()
	rows, err := ask(ctx, e)
	if err != nil {
		return nil
	}
	return rows
}
