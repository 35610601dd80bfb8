package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/vault"

	"github.com/spf13/cobra"
)

const (
	// linkLife is how long a sign-in link may be used: as long as a connect link.
	linkLife = 10 * time.Minute
	// linkMost is the longest that may be asked for.
	linkMost = 24 * time.Hour
)

// consoleFlags are what console is told.
type consoleFlags struct {
	role, life   string
	environments []string
	open         bool
}

// signInLink is what console answers.
type signInLink struct {
	// URL signs whoever opens it first in; it is shown this once.
	URL          string    `json:"url"`
	Role         string    `json:"role"`
	Environments []string  `json:"environments"`
	Expires      time.Time `json:"expires"`
}

func (p *program) consoleCommand() *cobra.Command {
	var f consoleFlags
	c := &cobra.Command{
		Use: "console", Short: "Sign in to the gateway's pages with a one-time link", Args: takes(),
		Long: `Print a link that signs one browser in to the gateway, once: to every environment
whose Vault this command line may use, or to those that --environment names. It is
single use and ends after ten minutes. Whoever opens it first has it: give it to nobody.

The link is made in Vault with the gateway's own identity, so it works where there is
no OpenID provider, or where that is away. The session lasts eight hours.`,
		Example: `  connected-apps console --open
  connected-apps console --role viewer --environment staging --for 1h`,
		ValidArgsFunction: fixed(),
		RunE:              func(c *cobra.Command, _ []string) error { return p.console(c.Context(), f) },
	}
	c.Flags().StringVar(&f.role, "role", string(access.Admin), "what the session may do: viewer, operator or admin")
	c.Flags().StringVar(&f.life, "for", linkLife.String(), "how long the link may be used, such as 10m or 1h")
	c.Flags().StringSliceVarP(&f.environments, "environment", "e", nil, "environments to sign in to; all that are served unless named")
	c.Flags().BoolVar(&f.open, "open", false, "open the link in the browser of this machine")
	complete(c, "role", fixed(roleNames()...))
	complete(c, "for", fixed())
	complete(c, "environment", p.completeEnvironments)
	return c
}

func roleNames() []string {
	var names []string
	for _, role := range access.Roles() {
		names = append(names, string(role))
	}
	return names
}

func (p *program) console(ctx context.Context, f consoleFlags) error {
	role, err := access.ParseRole(f.role)
	if err != nil {
		return err
	}
	life, err := parseSpan("for", f.life)
	if err == nil && (life < time.Minute || life > linkMost) {
		err = connection.InvalidInput("for", "a link may be used for a minute at least and a day at most", "leave --for out, which means ten minutes")
	}
	if err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	if len(f.environments) == 0 {
		f.environments = settings.Environments
	}
	var link signInLink
	var failed map[string]error
	err = p.wait(ctx, "Vault to keep the link", func(ctx context.Context) error {
		link, failed, err = makeLink(ctx, f.environments, p.accessOf, role, life)
		return err
	})
	if err != nil {
		return err
	}
	link.URL = settings.GatewayURL + link.URL
	for _, name := range f.environments {
		if failed[name] != nil {
			p.note("warning: the link does not sign in to %s: %s", name, failed[name])
		}
	}
	if f.open {
		p.browse(ctx, link.URL)
	}
	if p.output == "json" {
		return p.printJSON(link)
	}
	p.note("Single use, until %s. It signs in as %s to %s:", moment(link.Expires), link.Role, strings.Join(link.Environments, ", "))
	return p.line(link.URL)
}

// makeLink stores one link in each environment that can be reached, and answers its
// path. It fails when it is stored in none.
func makeLink(ctx context.Context, environments []string, open func(string) (vault.Access, error), role access.Role, life time.Duration) (signInLink, map[string]error, error) {
	made := signInLink{Role: string(role), Environments: []string{}}
	failed := map[string]error{}
	var link connection.Secret
	for _, name := range environments {
		if slices.Contains(made.Environments, name) {
			continue // named twice
		}
		if link.Empty() || len(made.Environments) == 0 {
			link = access.NewLink(name) // the first that takes it decides who uses it
		}
		store, err := open(name)
		if err == nil {
			var stored connection.SignInLink
			if stored, err = store.CreateLink(ctx, access.Hash(link), string(role), life); err == nil {
				made.Environments, made.Expires = append(made.Environments, name), stored.Expires
			}
		}
		if err != nil {
			failed[name] = err
		}
	}
	if len(made.Environments) == 0 {
		return made, nil, failed[environments[0]]
	}
	made.URL = access.LinkPath(link)
	return made, failed, nil
}

// accessOf opens the store of tokens and links of an environment.
func (p *program) accessOf(name string) (vault.Access, error) {
	settings, err := p.settings()
	if err != nil {
		return vault.Access{}, err
	}
	if err := settings.Serves(name); err != nil {
		return vault.Access{}, err
	}
	log, err := p.log()
	if err != nil {
		return vault.Access{}, err
	}
	client, err := settings.Vault(name, log)
	if err != nil {
		return vault.Access{}, err
	}
	return client.Access(), nil
}
