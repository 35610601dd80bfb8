package main

import (
	"context"
	"os"
	"os/user"
	"time"

	"connectedapps/connection"

	"github.com/spf13/cobra"
)

func (p *program) accessCommand() *cobra.Command {
	return group("access", "Access tokens by which programs and agents use the gateway", `  connected-apps access create ci --environment staging --role operator --expires 90d
  connected-apps access create triage --agent --toolkit production/github/acme-bot
  connected-apps access list`,
		p.accessCreateCommand(), p.accessListCommand(), p.accessRevokeCommand())
}

// accessRow is a token as lists show it; what it is, nobody knows any more.
type accessRow struct {
	Environment string `json:"environment"`
	connection.AccessToken
}

// createdToken is what access create answers. Token is shown this once.
type createdToken struct {
	accessRow
	Token string `json:"token"`
}

// whoRuns says for a list who made a token.
func whoRuns() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	host, _ := os.Hostname()
	return connection.Bound(clean(name+"@"+host), 100)
}

func (p *program) accessListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List access tokens, of all environments unless one is named", Args: takes(),
		Long: `List the access tokens of every environment, or of the one that --environment names:
who made them, what they may do and until when. The tokens themselves are kept nowhere.`,
		Example: `  connected-apps access list
  connected-apps access list --environment production --output json`,
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			environments, err := p.chosen(c)
			if err != nil {
				return err
			}
			return p.listTokens(c.Context(), environments)
		},
	}
}

func (p *program) listTokens(ctx context.Context, environments []string) error {
	rows := []accessRow{}
	failed := map[string]error{}
	err := p.wait(ctx, "the lists", func(ctx context.Context) error {
		for _, name := range environments {
			store, err := p.accessOf(name)
			var tokens []connection.AccessToken
			if err == nil {
				tokens, err = store.Tokens(ctx)
			}
			for _, token := range tokens {
				rows = append(rows, accessRow{name, token})
			}
			if err != nil {
				failed[name] = err
			}
		}
		return nil
	})
	if err == nil && len(failed) == len(environments) && len(failed) > 0 {
		err = failed[environments[0]]
	}
	if err != nil {
		return err
	}
	for _, name := range environments {
		if failed[name] != nil {
			p.note("warning: the environment %s is left out: %s", name, failed[name])
		}
	}
	return p.print(rows, func(t *table) {
		t.row("ENVIRONMENT", "NAME", "ROLE", "CREATED", "EXPIRES", "BY", "TOOLKITS")
		for _, row := range rows {
			end := "never"
			if !row.Expires.IsZero() {
				end = ago(row.Expires, time.Now())
			}
			t.row(row.Environment, row.Name, row.Role, ago(row.Created, time.Now()), end, row.CreatedBy, toolkitTexts(row.Toolkits))
		}
	})
}

func (p *program) accessRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Revoke an access token", Args: takes("NAME"),
		Long:              `Destroy what is known of a token. Gateways refuse it five seconds later at the latest.`,
		Example:           `  connected-apps access revoke ci --environment staging`,
		ValidArgsFunction: p.completeTokens,
		RunE: func(c *cobra.Command, args []string) error {
			if err := connection.CheckSlug("NAME", args[0]); err != nil {
				return err
			}
			store, err := p.accessOf(p.environment)
			if err != nil {
				return err
			}
			count := 0
			err = p.wait(c.Context(), "Vault to forget the token", func(ctx context.Context) error {
				count, err = store.Revoke(ctx, args[0])
				return err
			})
			if err == nil && count == 0 {
				err = connection.Refused(connection.ErrTokenNotFound, "there is no access token "+args[0]+" in "+p.environment, "list them: connected-apps access list")
			}
			if err == nil {
				p.note("The token %s of %s is revoked.", args[0], p.environment)
			}
			return err
		},
	}
}

// completeTokens proposes the tokens of the environment that --environment names.
func (p *program) completeTokens(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	store, err := p.accessOf(p.environment)
	if len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, proposeTime)
	defer cancel()
	tokens, err := store.Tokens(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, token := range tokens {
		names = append(names, token.Name+"\t"+token.Role)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
