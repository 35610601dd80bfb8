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
	return &cobra.Command{
		Use: "serve", Short: "Run the gateway that browsers come to", Args: takes(),
		Long: `Run the gateway: the connect links, the OAuth callback, /healthz and /readyz, for
every environment in CONNECTED_APPS_ENVIRONMENTS. It keeps no state; run as many as
you like behind one CONNECTED_APPS_GATEWAY_URL. It stops in order on SIGTERM.`,
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
			return p.serve(c.Context(), *settings, log)
		},
	}
}

func (p *program) serve(ctx context.Context, settings deployment.Settings, log *zap.Logger) error {
	catalogue, err := p.catalogue()
	if err != nil {
		return err
	}
	options := gateway.Options{URL: settings.GatewayURL, Catalogue: catalogue, AllowHTTP: settings.AllowHTTP, Log: log}
	for _, name := range settings.Environments {
		secrets, err := settings.Vault(name, log)
		if err != nil {
			return err
		}
		client, err := settings.Client(name, catalogue, secrets, log)
		if err != nil {
			return err
		}
		options.Environments = append(options.Environments, serving(client, secrets))
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
	err = g.Serve(ctx, listener)
	log.Info("the gateway has stopped")
	return err
}

// serving is an environment with its real servers behind it.
func serving(client *workflows.Client, secrets *vault.Client) backend.Environment {
	return backend.Environment{
		Name: client.Environment, Namespace: client.Namespace(), Client: client, Sealer: secrets, Inbox: secrets.Inbox(),
		// The smallest question that proves the namespace and its visibility store.
		Temporal: func(ctx context.Context) error {
			_, _, err := client.List(ctx, workflows.Filter{}, 1, nil)
			return err
		},
		Vault: secrets.Ready,
	}
}
