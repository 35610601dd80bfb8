package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/vault"

	"github.com/hashicorp/vault/api"
	"github.com/spf13/cobra"
)

func (p *program) setupCommand() *cobra.Command {
	return group("setup", "Prepare servers for use", "", p.setupVaultCommand())
}

// setupReport says what setup vault wrote.
type setupReport struct {
	Environment string `json:"environment"`
	Worker      string `json:"worker"`
	Gateway     string `json:"gateway"`
}

func (p *program) setupVaultCommand() *cobra.Command {
	var directory string
	var life time.Duration
	c := &cobra.Command{
		Use: "vault", Short: "Install an environment's mounts, policies and AppRoles in Vault", Args: takes(),
		Long: `Install what an environment needs in Vault: its mounts, keys, policies and AppRoles.
It needs VAULT_ADDR and an administrator's VAULT_TOKEN, is safe to repeat, and writes
fresh logins for the worker and the gateway, readable by you alone:

  DIR/worker/ENVIRONMENT/role-id   DIR/worker/ENVIRONMENT/secret-id
  DIR/gateway/ENVIRONMENT/role-id  DIR/gateway/ENVIRONMENT/secret-id

Each process is given its own directory: CONNECTED_APPS_IDENTITIES=DIR/worker for the
workers, DIR/gateway for the gateway and this command line.`,
		Example:           "  connected-apps setup vault --environment production --directory /etc/connected-apps/identities",
		ValidArgsFunction: fixed(),
		RunE:              func(c *cobra.Command, _ []string) error { return p.setupVault(c.Context(), directory, life) },
	}
	c.Flags().StringVar(&directory, "directory", "", "where the logins are written (required)")
	c.Flags().DurationVar(&life, "token-ttl", time.Hour, "how long a login lasts before it is renewed")
	return c
}

func (p *program) setupVault(ctx context.Context, directory string, life time.Duration) error {
	if directory == "" {
		return connection.InvalidInput("directory", "it is missing", "give --directory DIR, where the logins are written")
	}
	if life < time.Minute {
		return connection.InvalidInput("token-ttl", "a login must last a minute at least", "give a duration such as 1h")
	}
	if os.Getenv("VAULT_TOKEN") == "" {
		return connection.InvalidInput("VAULT_TOKEN", "it is not set", "set it to an administrator's token for this one command")
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	config := api.DefaultConfig()
	if config.Error != nil {
		return connection.InvalidInput("VAULT_*", "a variable cannot be understood", "correct the environment")
	}
	admin, err := api.NewClient(config)
	if err != nil {
		return connection.InvalidInput("VAULT_ADDR", "the address cannot be used", "give a URL such as https://vault.example:8200")
	}
	layout := vault.Layout{Prefix: settings.VaultPrefix, Environment: p.environment}
	var identities map[string]vault.Identity
	err = p.wait(ctx, "Vault to be set up", func(ctx context.Context) error {
		identities, err = vault.Setup(ctx, admin, layout, vault.SetupOptions{TokenTTL: life})
		return err
	})
	if err != nil {
		return setupProblem(err)
	}
	report := setupReport{Environment: p.environment, Worker: filepath.Join(directory, vault.Worker, p.environment),
		Gateway: filepath.Join(directory, vault.Gateway, p.environment)}
	for who, path := range map[string]string{vault.Worker: report.Worker, vault.Gateway: report.Gateway} {
		if err := writeIdentity(path, identities[who]); err != nil {
			return err
		}
	}
	return p.print(report, func(t *table) {
		t.row("ENVIRONMENT", report.Environment)
		t.row("WORKER", report.Worker)
		t.row("GATEWAY", report.Gateway)
	})
}

// setupProblem says what Vault refused, without the library's many lines.
func setupProblem(err error) error {
	if problem, ok := connection.AsProblem(err); ok {
		return problem
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	problem := connection.VaultUnavailable(connection.Bound(text, 400))
	problem.Remedy = "check VAULT_ADDR, that Vault is unsealed, and that VAULT_TOKEN is an administrator's; running this again is safe"
	return problem
}

// writeIdentity writes a login so that nobody else can read it, and never half of one.
func writeIdentity(directory string, identity vault.Identity) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return connection.InvalidInput("directory", "the directory "+directory+" cannot be made", "name a directory that you may write")
	}
	for name, text := range map[string]string{"role-id": identity.RoleID, "secret-id": identity.SecretID.Reveal()} {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path+".new", []byte(text+"\n"), 0o600); err == nil {
			err = os.Rename(path+".new", path)
			if err == nil {
				continue
			}
		}
		return connection.InvalidInput("directory", "the file "+path+" cannot be written", "name a directory that you may write")
	}
	return nil
}
