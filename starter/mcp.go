package main

import (
	"context"
	"io"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/mcp"
	"connectedapps/gateway/web"

	"github.com/spf13/cobra"
)

func (p *program) mcpCommand() *cobra.Command {
	var toolkits []string
	var mode string
	c := &cobra.Command{
		Use: "mcp", Short: "Serve toolkits to an agent on standard input and output", Args: takes(),
		Long: `Serve toolkits as tools of the Model Context Protocol on standard input and output, for a
client that starts this program. It acts with the identity of this command line in
Temporal and in Vault; no gateway is needed, but for the page on which people reconnect.

An agent elsewhere uses the gateway instead: CONNECTED_APPS_GATEWAY_URL/mcp with a token
of its own (connected-apps access create --agent).`,
		Example: `  connected-apps mcp --toolkit development/github/acme-bot/read-only
  connected-apps mcp --toolkit development/github/acme-bot --toolkit development/slack/team --mode search`,
		ValidArgsFunction: fixed(),
		RunE:              func(c *cobra.Command, _ []string) error { return p.serveMCP(c.Context(), toolkits, mode) },
	}
	c.Flags().StringArrayVar(&toolkits, "toolkit", nil, "a toolkit, as ENVIRONMENT/APP/NAME[/TOOLKIT]; may be repeated")
	c.Flags().StringVar(&mode, "mode", "list", "list: a tool for each action; search: tools that find, describe and run actions")
	complete(c, "toolkit", p.completeIDs)
	complete(c, "mode", fixed("list", "search"))
	return c
}

func (p *program) serveMCP(ctx context.Context, toolkits []string, mode string) error {
	refs, err := mcp.ParseToolkits(toolkits)
	if err == nil && len(refs) == 0 {
		err = connection.InvalidInput("toolkit", "no toolkit is named", "name one: --toolkit ENVIRONMENT/APP/NAME[/TOOLKIT]")
	}
	if err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	site, err := web.ParseSite(settings.GatewayURL)
	if err != nil {
		return err
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return err
	}
	log, err := p.log()
	if err != nil {
		return err
	}
	var environments []backend.Environment
	seen := map[string]bool{}
	for _, ref := range refs {
		name := ref.Connection.Environment()
		if seen[name] {
			continue
		}
		seen[name] = true
		e, err := p.open(ctx, name)
		if err != nil {
			return err
		}
		environments = append(environments, backend.Environment{Name: name, Client: e.Client})
	}
	return mcp.Local(ctx, mcp.Options{Site: site, Environments: backend.NewSet(environments...), Catalogue: catalogue, Version: version, Log: log},
		refs, mode, io.NopCloser(p.in), nopWriteCloser{p.out})
}

// nopWriteCloser leaves standard output open: it is not the transport's to close.
type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }
