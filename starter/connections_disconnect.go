package main

import (
	"context"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// disconnected says what became of the grant.
var disconnected = map[string]string{
	"revoked":                "The grant was revoked at the app.",
	"not-offered":            "The app was not told, since it offers no way to: end the authorization, or delete the key, in its own settings.",
	"nothing-to-revoke":      "There was no grant to revoke.",
	"shared":                 "The grant was left alone at the app, since another connection has it too.",
	"pending":                "The app has not answered the revocation yet; it is tried for a day, by itself.",
	"given-up":               "The app did not take the revocation for a day: end the authorization in its own settings.",
	workflows.RevocationGone: "There was no such connection any more.",
}

func (p *program) disconnectCommand() *cobra.Command {
	var f bulkFlags
	c := &cobra.Command{
		Use: "disconnect [ID]", Short: "Revoke the grant, destroy the credential and end one connection, or all of an owner",
		Long: `Disconnect one connection: the grant is revoked at the app where it offers that, the
credential is destroyed, and workflows that use the connection fail from then on.

With --owner and without ID, all connections of that owner are disconnected, in every
environment or in the one that --environment names; --app and --status narrow that
further. What would go is shown first and must be confirmed, or --yes given; --dry-run
only shows it. Eight are disconnected at a time. The exit code says whether all went;
the same command again takes up those that did not.`,
		Example: `  connected-apps connections disconnect development/sandbox/my-account --reason "account closed"
  connected-apps connections disconnect --owner alice --dry-run
  connected-apps connections disconnect --owner alice --environment production --yes --reason "left the company"`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return takes("ID")(c, args)
		},
		ValidArgsFunction: p.completeOpenIDs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c, args); err != nil {
				return err
			}
			if len(args) == 0 {
				return p.disconnectAll(c, f)
			}
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			return p.disconnectOne(c.Context(), e, id, f.reason)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.reason, "reason", "", "why, for those who look at it later")
	flags.StringVar(&f.owner, "owner", "", "all connections of this owner, instead of one by its ID")
	flags.StringVar(&f.app, "app", "", "with --owner: only those of this app")
	flags.StringVar(&f.status, "status", "", "with --owner: only those of this status")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --owner: show what would go, and change nothing")
	flags.BoolVar(&f.yes, "yes", false, "with --owner: do not ask")
	complete(c, "app", p.completeApps)
	complete(c, "status", fixed(statuses()...))
	complete(c, "owner", fixed())
	complete(c, "reason", fixed())
	return c
}

func (p *program) disconnectOne(ctx context.Context, e *environment, id connection.ID, why string) error {
	var result workflows.DisconnectResult
	err := p.work(ctx, e, "the app to revoke the grant", func(ctx context.Context) error {
		var err error
		result, err = e.Disconnect(ctx, id, why)
		return err
	})
	if err != nil {
		return err
	}
	return p.print(result, func(t *table) {
		t.row(id.String() + " is disconnected.")
		t.row(disconnected[result.Revocation])
	})
}
