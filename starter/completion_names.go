package main

import (
	"context"
	"strings"

	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// completeAuthConfigs proposes ENVIRONMENT/APP/NAME of the auth configs that there
// are, for the first argument.
func (p *program) completeAuthConfigs(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || strings.Count(begun, "/") < 2 {
		return p.completeIDs(c, args, begun)
	}
	var proposals []string
	for _, row := range p.authConfigsBegunWith(c, begun) {
		proposals = append(proposals, row.Environment+"/"+row.App+"/"+row.Name+"\t"+string(row.Status))
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
}

// completeAuthConfigNames does the same, by name, for a flag beside a connection ID.
func (p *program) completeAuthConfigNames(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var proposals []string
	if len(args) > 0 {
		for _, row := range p.authConfigsBegunWith(c, args[0]) {
			proposals = append(proposals, row.Name+"\t"+string(row.Status))
		}
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
}

// authConfigsBegunWith asks for the auth configs of the app that an ID begins with.
func (p *program) authConfigsBegunWith(c *cobra.Command, begun string) []workflows.AuthConfigRow {
	name, app, ok := appOfBegun(begun)
	if !ok {
		return nil
	}
	return proposed(c, p, name, func(ctx context.Context, e *environment) ([]workflows.AuthConfigRow, error) {
		rows, _, err := e.ListAuthConfigs(ctx, app, proposeMost, nil)
		return rows, err
	})
}

// completeAlertIDs proposes the IDs of open alerts, part by part as far as the app.
func (p *program) completeAlertIDs(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const ofConnection, ofAuthConfig = "alert/", "alert/auth-config/"
	head := ofConnection
	if strings.HasPrefix(begun, ofAuthConfig) {
		head = ofAuthConfig
	}
	rest := strings.TrimPrefix(begun, head)
	name, _, ok := appOfBegun(rest)
	if len(args) > 0 || !ok {
		ids, directive := p.completeIDs(c, args, rest)
		for i := range ids {
			ids[i] = head + ids[i]
		}
		if len(ids) > 0 && head == ofConnection {
			ids = append(ids, ofAuthConfig)
		}
		return ids, directive
	}
	var proposals []string
	for _, row := range proposed(c, p, name, func(ctx context.Context, e *environment) ([]workflows.AlertRow, error) {
		rows, _, err := e.ListAlerts(ctx, workflows.AlertFilter{IDPrefix: begun}, proposeMost, nil)
		return rows, err
	}) {
		proposals = append(proposals, row.ID+"\t"+clean(row.Name))
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
}

// completeSinks proposes, for the first argument, the alert sinks of the environment
// that --environment names.
func (p *program) completeSinks(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var proposals []string
	for _, sink := range proposed(c, p, p.environment, func(ctx context.Context, e *environment) ([]workflows.SinkState, error) {
		return e.Sinks(ctx)
	}) {
		proposals = append(proposals, sink.Name+"\t"+string(sink.Kind))
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
}
