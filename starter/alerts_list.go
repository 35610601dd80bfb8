package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// alertFlags are what alerts list is told.
type alertFlags struct{ app, kind, owner, connection string }

func (p *program) alertsListCommand() *cobra.Command {
	var f alertFlags
	c := &cobra.Command{
		Use: "list", Short: "List open alerts, of all environments unless one is named", Args: takes(),
		Long: `List the open alerts of every environment, or of the one that --environment names,
the latest first. An environment that does not answer is named in a warning.`,
		Example: `  connected-apps alerts list
  connected-apps alerts list --environment production --kind expired --output json`,
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			environments, err := p.chosen(c)
			if err != nil {
				return err
			}
			if filter.Connection != "" && !c.Flags().Changed("environment") {
				environments = []string{filter.Connection.Environment()}
			}
			rows, err := p.listAlerts(c.Context(), environments, filter)
			if err != nil {
				return err
			}
			return p.print(rows, func(t *table) { showAlerts(t, rows, time.Now()) })
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.app, "app", "", "only those of this app")
	flags.StringVar(&f.kind, "kind", "", "only those of this kind: "+strings.Join(alertKinds(), ", "))
	flags.StringVar(&f.owner, "owner", "", "only those of this owner's connections")
	flags.StringVar(&f.connection, "connection", "", "only those of this connection")
	complete(c, "app", p.completeApps)
	complete(c, "kind", fixed(alertKinds()...))
	complete(c, "connection", p.completeOpenIDs)
	return c
}

func alertKinds() []string {
	var all []string
	for _, kind := range connection.AlertKinds() {
		all = append(all, string(kind))
	}
	return all
}

func (f alertFlags) filter() (workflows.AlertFilter, error) {
	filter := workflows.AlertFilter{App: f.app, Kind: connection.AlertKind(f.kind), Owner: f.owner}
	if f.kind != "" && !slices.Contains(connection.AlertKinds(), filter.Kind) {
		return filter, connection.InvalidInput("kind", fmt.Sprintf("%q is not a kind of alert", connection.Bound(f.kind, 40)),
			"use one of "+strings.Join(alertKinds(), ", "))
	}
	var err error
	if f.connection != "" {
		filter.Connection, err = connection.ParseID(f.connection)
	}
	return filter, err
}

// listAlerts asks every environment for its open alerts, and puts the latest first.
func (p *program) listAlerts(ctx context.Context, environments []string, filter workflows.AlertFilter) ([]workflows.AlertRow, error) {
	parts, err := everywhere(ctx, p, environments, listing[workflows.AlertRow]{
		what: "alerts", narrow: "--app, --kind or --owner",
		page: func(ctx context.Context, e *environment, token []byte) ([]workflows.AlertRow, []byte, error) {
			return e.ListAlerts(ctx, filter, pageSize, token)
		},
	})
	rows := []workflows.AlertRow{}
	for _, part := range parts {
		rows = append(rows, part.rows...)
	}
	slices.SortFunc(rows, func(a, b workflows.AlertRow) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID))
	})
	return rows, err
}

func showAlerts(t *table, rows []workflows.AlertRow, now time.Time) {
	t.row("ID", "KIND", "ABOUT", "NAME", "SINCE", "REASON")
	for _, row := range rows {
		about := row.Connection.String()
		if about == "" {
			about = "auth config " + row.Environment + "/" + row.App + "/" + row.AuthConfig
		}
		t.row(row.ID, string(row.Kind), about, or(row.Name, "-"), ago(row.Since, now), connection.Bound(row.Reason, 100))
	}
}
