package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/mcp"

	"github.com/spf13/cobra"
)

// tokenFlags are what access create is told.
type tokenFlags struct {
	role, expires string
	agent         bool
	toolkits      []string
}

func (p *program) accessCreateCommand() *cobra.Command {
	var f tokenFlags
	c := &cobra.Command{
		Use: "create NAME", Short: "Make an access token of an environment", Args: takes("NAME"),
		Long: `Make a token by which a program uses the gateway in one environment, and print it, once.
Only its SHA-256 is kept, in the environment's Vault. Send it as

  Authorization: Bearer cat_ENVIRONMENT_…

A token without --expires stays until it is revoked. With --agent it is for an agent: it
may use the toolkits that --toolkit names, as MCP tools, and nothing else. They belong to
one environment, which need not be named again.`,
		Example: `  connected-apps access create ci --environment staging --role operator --expires 90d
  connected-apps access create triage --agent --toolkit production/github/acme-bot/read-only
  connected-apps access create board --role viewer > token`,
		ValidArgsFunction: fixed(),
		RunE:              func(c *cobra.Command, args []string) error { return p.createToken(c, args[0], f) },
	}
	c.Flags().StringVar(&f.role, "role", string(access.Viewer), "what it may do: viewer, operator or admin")
	c.Flags().StringVar(&f.expires, "expires", "", "how long it is good, such as 12h or 90d; for ever unless said")
	c.Flags().BoolVar(&f.agent, "agent", false, "an agent's: no role, and the toolkits that are named")
	c.Flags().StringArrayVar(&f.toolkits, "toolkit", nil, "a toolkit for the agent, as ENVIRONMENT/APP/NAME[/TOOLKIT]; may be repeated")
	complete(c, "role", fixed(roleNames()...))
	complete(c, "expires", fixed())
	complete(c, "toolkit", p.completeIDs)
	return c
}

// tokenOf is the token that the flags describe, and its environment.
func (p *program) tokenOf(c *cobra.Command, name string, f tokenFlags) (connection.AccessToken, string, error) {
	token := connection.AccessToken{Name: name, CreatedBy: whoRuns()}
	if err := connection.CheckSlug("NAME", name); err != nil {
		return token, "", err
	}
	if !f.agent {
		if len(f.toolkits) > 0 {
			return token, "", connection.InvalidInput("toolkit", "only an agent's token has toolkits", "add --agent")
		}
		role, err := access.ParseRole(f.role)
		token.Role = string(role)
		return token, p.environment, err
	}
	if c.Flags().Changed("role") {
		return token, "", connection.InvalidInput("role", "an agent has no role", "leave --role or --agent out")
	}
	refs, err := mcp.ParseToolkits(f.toolkits)
	if err == nil && len(refs) == 0 {
		err = connection.InvalidInput("toolkit", "an agent needs a toolkit", "name one: --toolkit ENVIRONMENT/APP/NAME[/TOOLKIT]")
	}
	if err != nil {
		return token, "", err
	}
	environment := refs[0].Connection.Environment()
	if c.Flags().Changed("environment") {
		environment = p.environment
	}
	for _, ref := range refs {
		if ref.Connection.Environment() != environment {
			return token, "", connection.InvalidInput("toolkit", ref.String()+" is not of "+environment,
				"a token is known to the Vault of one environment; make one for each")
		}
	}
	token.Role, token.Toolkits = access.AgentRole, refs
	return token, environment, nil
}

func (p *program) createToken(c *cobra.Command, name string, f tokenFlags) error {
	made, environment, err := p.tokenOf(c, name, f)
	if err != nil {
		return err
	}
	var life time.Duration
	if f.expires != "" {
		if life, err = parseSpan("expires", f.expires); err == nil && life < time.Minute {
			err = connection.InvalidInput("expires", "a token must last a minute at least", "write it as 12h or 90d")
		}
		if err != nil {
			return err
		}
	}
	store, err := p.accessOf(environment)
	if err != nil {
		return err
	}
	token := access.NewToken(environment)
	err = p.wait(c.Context(), "Vault to keep the token", func(ctx context.Context) error {
		there, err := store.Tokens(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(there, func(t connection.AccessToken) bool { return t.Name == name }) {
			return connection.Refused(connection.ErrTokenTaken, "there is an access token "+name+" in "+environment+" already",
				"choose another name, or revoke that one first: connected-apps access revoke "+name+" --environment "+environment)
		}
		made, err = store.CreateToken(ctx, access.Hash(token), made, life)
		return err
	})
	if err != nil {
		return err
	}
	if p.output == "json" {
		return p.printJSON(createdToken{accessRow: accessRow{Environment: environment, AccessToken: made}, Token: token.Reveal()})
	}
	end := "until it is revoked"
	if !made.Expires.IsZero() {
		end = "until " + moment(made.Expires)
	}
	if f.agent {
		p.note("The token %s is for an agent's use of %s, %s. It is not shown again:", name, toolkitTexts(made.Toolkits), end)
	} else {
		p.note("The token %s is good in %s as %s, %s. It is not shown again:", name, environment, made.Role, end)
	}
	return p.line(token.Reveal())
}

func toolkitTexts(refs []connection.ToolkitRef) string {
	texts := make([]string, len(refs))
	for i, ref := range refs {
		texts[i] = ref.String()
	}
	return strings.Join(texts, ", ")
}
