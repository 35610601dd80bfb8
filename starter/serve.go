package main

import (
	"context"
	"errors"
	"net"
	"syscall"

	"connectedapps/connection"
	"connectedapps/deployment"
	"connectedapps/gateway"
	"connectedapps/gateway/backend"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func (p *program) serveCommand() *cobra.Command {
	var link bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the gateway that browsers come to", Args: takes(),
		Long: `Run the gateway: the console, the API, the MCP server of agents, the connect links, the OAuth callback, /healthz
and /readyz, for every environment in CONNECTED_APPS_ENVIRONMENTS. It keeps no state; run
as many as you like behind one CONNECTED_APPS_GATEWAY_URL. It stops in order on SIGTERM.

People sign in at the OpenID provider that CONNECTED_APPS_OIDC_ISSUER names. Without one
a one-time link is printed at the start if standard output is a terminal: a link in a log
would let in whoever reads it. "connected-apps console" makes others.`,
		Example:           "  CONNECTED_APPS_GATEWAY_URL=https://connect.example CONNECTED_APPS_LISTEN=:8400 connected-apps serve",
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := p.settings()
			if err != nil {
				return err
			}
			log, err := settings.Log()
			if err != nil {
				return err
			}
			defer func() { _ = log.Sync() }() // standard error cannot always be synced
			if !c.Flags().Changed("link") {
				link = terminal(p.out)
			}
			return p.serve(c.Context(), *settings, link, log)
		},
	}
	c.Flags().BoolVar(&link, "link", false, "print a sign-in link for an administrator; by default only to a terminal")
	return c
}

func (p *program) serve(ctx context.Context, settings deployment.Settings, link bool, log *zap.Logger) error {
	catalogue, err := p.catalogue()
	if err != nil {
		return err
	}
	options := gateway.Options{URL: settings.GatewayURL, Catalogue: catalogue, AllowHTTP: settings.AllowHTTP,
		TemporalUI: settings.TemporalUI, ReturnTo: settings.ReturnTo, Version: version, Log: log}
	secrets := map[string]*vault.Client{}
	for _, name := range settings.Environments {
		if secrets[name], err = settings.Vault(name, log); err != nil {
			return err
		}
		opened, err := settings.Open(name, catalogue, secrets[name], log)
		if err != nil {
			return err
		}
		options.Environments = append(options.Environments, serving(opened, secrets[name]))
	}
	if options.Guard, err = p.guardOf(settings, secrets, log); err != nil {
		return err
	}
	g, err := gateway.New(options)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", settings.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return connection.InvalidInput("CONNECTED_APPS_LISTEN", "another program listens on "+settings.Listen+" already",
			"stop it, or set CONNECTED_APPS_LISTEN to another address")
	}
	if err != nil {
		return connection.InvalidInput("CONNECTED_APPS_LISTEN", "the gateway cannot listen on "+settings.Listen, "give an address of this machine, such as 127.0.0.1:8400")
	}
	log.Info("the gateway serves", zap.String("url", settings.GatewayURL), zap.String("listen", listener.Addr().String()),
		zap.Strings("environments", settings.Environments), zap.String("catalogue", catalogue.Digest()))
	go p.greet(ctx, settings, secrets, link) // Vault may take a while, and nobody waits for that
	err = g.Serve(ctx, listener)
	log.Info("the gateway has stopped")
	return err
}

// serving is an environment with its real servers behind it.
func serving(opened deployment.Opened, secrets *vault.Client) backend.Environment {
	client := opened.Client
	return backend.Environment{
		Name: client.Environment, Namespace: client.Namespace(), Client: client, Sealer: secrets, Inbox: secrets.Inbox(), Payloads: opened.Payloads,
		// The smallest question that proves the namespace and its visibility store.
		Temporal: func(ctx context.Context) error {
			_, _, err := client.List(ctx, workflows.Filter{}, 1, nil)
			return err
		},
		Vault: secrets.Ready,
	}
}
