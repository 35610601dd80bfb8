package main

import (
	"context"
	"errors"
	"strings"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) connectionsShowCommand() *cobra.Command {
	return p.entityCommand("show ID", "Show everything that is known of a connection, without its secrets",
		"  connected-apps connections show development/sandbox/my-account",
		func(ctx context.Context, e *environment, id connection.ID, _ []string) error {
			d, err := p.describe(ctx, e, id)
			if err != nil {
				return err
			}
			return p.print(d, func(t *table) { showConnection(t, d) })
		})
}

// describe asks the connection's workflow and, where this caller may, Vault for
// the exact times of last use. Without Vault it says so and does without.
func (p *program) describe(ctx context.Context, e *environment, id connection.ID) (workflows.Description, error) {
	var d workflows.Description
	vaultErr := p.openVault(e)
	if vaultErr == nil {
		e.Facts = e.vault.Documents()
	}
	ask := func(ctx context.Context) error {
		var err error
		d, err = e.Describe(ctx, id)
		return err
	}
	err := p.work(ctx, e, "the connection", ask)
	if connection.TypeOf(err) == connection.ErrVaultUnavailable {
		vaultErr, e.Facts = err, nil
		err = p.work(ctx, e, "the connection", ask)
	}
	if vaultErr != nil && err == nil {
		p.note("warning: the exact times of last use, test and refresh are left out: %s", reason(vaultErr))
	}
	return d, err
}

func reason(err error) string {
	var problem *connection.Problem
	if errors.As(err, &problem) {
		return problem.Message
	}
	return "Vault does not answer"
}

func showConnection(t *table, d workflows.Description) {
	t.row("CONNECTION", d.ID.String())
	t.fact("NAME", d.DisplayName)
	t.fact("OWNER", d.Owner)
	t.row("STATUS", string(d.Look.Status))
	t.fact("REASON", d.Look.Reason)
	t.fact("ACCOUNT", account(d.Look.Identity))
	t.fact("ORGANISATION", d.Look.Identity.TenantName())
	t.fact("METHOD", d.Method)
	t.fact("AUTH CONFIG", d.AuthConfig)
	t.fact("SCOPES", strings.Join(d.Look.Scopes, " "))
	t.fact("EXPIRES", moment(d.Look.Expires))
	t.row("LAST USED", or(moment(d.Facts.LastUsed), "never, as far as is known here"))
	t.fact("LAST OK", moment(d.Facts.LastOK))
	t.fact("LAST TEST", moment(d.Facts.LastProbe))
	t.fact("LAST REFRESH", moment(d.Facts.LastRefresh))
	t.fact("FAILING SINCE", moment(d.Facts.FailingSince))
	t.fact("LAST LOOK", d.LastLook)
	t.fact("NEXT LOOK", moment(d.NextLook))
	t.fact("CREATED", moment(d.Created))
	for _, toolkit := range d.Toolkits {
		t.row("TOOLKIT", toolkit.Name+": "+strings.Join(toolkit.Actions, ", "))
	}
	if len(d.Transitions) == 0 {
		return
	}
	t.gap()
	t.row("WHEN", "WHAT", "WHY")
	const shown = 10
	for _, change := range d.Transitions[max(0, len(d.Transitions)-shown):] {
		t.row(change.At.UTC().Format("2006-01-02 15:04:05"), change.What, change.Reason)
	}
}
