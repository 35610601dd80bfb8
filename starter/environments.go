package main

import (
	"context"
	"os"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/deployment"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

// opened is what a run has opened so far; most commands need little of it.
type opened struct {
	settings     *deployment.Settings
	catalogue    *connectors.Catalogue
	environments map[string]*environment
}

// environment is one environment's workflows, and its Vault where it was asked for.
type environment struct {
	*workflows.Client
	vault *vault.Client
}

func (p *program) settings() (*deployment.Settings, error) {
	if p.opened.settings == nil {
		settings, err := deployment.Read()
		if err != nil {
			return nil, err
		}
		p.opened.settings = &settings
	}
	return p.opened.settings, nil
}

func (p *program) catalogue() (*connectors.Catalogue, error) {
	if p.opened.catalogue != nil {
		return p.opened.catalogue, nil
	}
	settings, err := p.settings()
	if err != nil {
		return nil, err
	}
	p.opened.catalogue, err = settings.Catalogue()
	return p.opened.catalogue, err
}

// log is silent unless the person asked for it: errors of a command are its answer, not its log.
func (p *program) log() (*zap.Logger, error) {
	settings, err := p.settings()
	if err != nil || os.Getenv("CONNECTED_APPS_LOG_LEVEL") == "" {
		return zap.NewNop(), err
	}
	return settings.Log()
}

// open prepares an environment's client and makes sure that Temporal is there,
// so that a service that is away is said within seconds and not after a time-out.
func (p *program) open(ctx context.Context, name string) (*environment, error) {
	e, err := p.prepare(name)
	if err != nil {
		return nil, err
	}
	return e, e.reachable(ctx)
}

func (p *program) prepare(name string) (*environment, error) {
	if e := p.opened.environments[name]; e != nil {
		return e, nil
	}
	settings, err := p.settings()
	if err != nil {
		return nil, err
	}
	if err := settings.Serves(name); err != nil {
		return nil, err
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, err
	}
	log, err := p.log()
	if err != nil {
		return nil, err
	}
	client, err := settings.Client(name, catalogue, nil, log)
	if err != nil {
		return nil, err
	}
	return &environment{Client: client}, nil
}

// openVault adds the environment's Vault, for handing secrets over.
func (p *program) openVault(e *environment) error {
	if e.vault != nil {
		return nil
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	log, err := p.log()
	if err != nil {
		return err
	}
	e.vault, err = settings.Vault(e.Environment, log)
	return err
}

// leave puts secrets into the inbox; without any there is nothing to leave.
func (p *program) leave(ctx context.Context, e *environment, secrets map[string]connection.Secret) (connection.InboxRef, error) {
	if len(secrets) == 0 {
		return "", nil
	}
	if err := p.openVault(e); err != nil {
		return "", err
	}
	var ref connection.InboxRef
	err := p.wait(ctx, "Vault to take the secrets", func(ctx context.Context) error {
		var err error
		ref, err = e.vault.Inbox().Leave(ctx, secrets)
		return err
	})
	return ref, err
}

// named opens the environment of a connection ID given as an argument.
func (p *program) named(ctx context.Context, c *cobra.Command, text string) (*environment, connection.ID, error) {
	id, err := p.parseID(c, text)
	if err != nil {
		return nil, "", err
	}
	e, err := p.open(ctx, id.Environment())
	return e, id, err
}

// parseID reads a connection ID; --environment may repeat its environment and not contradict it.
func (p *program) parseID(c *cobra.Command, text string) (connection.ID, error) {
	id, err := connection.ParseID(text)
	if err != nil {
		return "", err
	}
	if c.Flags().Changed("environment") && p.environment != id.Environment() {
		return "", connection.InvalidInput("environment", "the connection ID names "+id.Environment()+" and --environment names "+p.environment,
			"leave --environment out")
	}
	return id, nil
}
