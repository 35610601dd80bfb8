package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
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
			settings, err := p.settings()
			if err != nil {
				return err
			}
			environments := settings.Environments
			switch {
			case c.Flags().Changed("environment"):
				environments = []string{p.environment}
			case filter.Connection != "":
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
	flags.StringVar(&f.kind, "kind", "", "only those of this kind: "+kindsOfAlerts(", "))
	flags.StringVar(&f.owner, "owner", "", "only those of this owner's connections")
	flags.StringVar(&f.connection, "connection", "", "only those of this connection")
	complete(c, "app", p.completeApps)
	complete(c, "kind", fixed(alertKinds()...))
	complete(c, "connection", p.completeIDs)
	return c
}

func alertKinds() []string {
	var all []string
	for _, kind := range connection.AlertKinds() {
		all = append(all, string(kind))
	}
	return all
}

func kindsOfAlerts(separator string) string {
	text := ""
	for i, kind := range alertKinds() {
		if i > 0 {
			text += separator
		}
		text += kind
	}
	return text
}

func (f alertFlags) filter() (workflows.AlertFilter, error) {
	filter := workflows.AlertFilter{App: f.app, Kind: connection.AlertKind(f.kind), Owner: f.owner}
	if f.kind != "" && !slices.Contains(connection.AlertKinds(), filter.Kind) {
		return filter, connection.InvalidInput("kind", fmt.Sprintf("%q is not a kind of alert", connection.Bound(f.kind, 40)),
			"use one of "+kindsOfAlerts(", "))
	}
	var err error
	if f.connection != "" {
		filter.Connection, err = connection.ParseID(f.connection)
	}
	return filter, err
}

// listAlerts asks every environment at once. One that does not answer is a warning,
// unless no other does.
func (p *program) listAlerts(ctx context.Context, environments []string, filter workflows.AlertFilter) ([]workflows.AlertRow, error) {
	found := make([][]workflows.AlertRow, len(environments))
	failed := make([]error, len(environments))
	err := p.wait(ctx, "the lists", func(ctx context.Context) error {
		var all sync.WaitGroup
		for i, name := range environments {
			e, err := p.prepare(name) // one after the other: what they share is opened once
			if err != nil {
				failed[i] = err
				continue
			}
			all.Go(func() { found[i], failed[i] = e.alerts(ctx, filter) })
		}
		all.Wait()
		return nil
	})
	if err != nil {
		return nil, err
	}
	answered := slices.Contains(failed, nil)
	for i, err := range failed {
		switch {
		case err == nil:
		case !answered:
			return nil, err
		default:
			p.note("warning: the environment %s is left out: %s", environments[i], err)
		}
	}
	rows := append([]workflows.AlertRow{}, slices.Concat(found...)...)
	slices.SortFunc(rows, func(a, b workflows.AlertRow) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID))
	})
	if len(rows) >= listLimit {
		p.note("warning: only the first %d alerts of an environment are listed; narrow the list with --app, --kind or --owner", listLimit)
	}
	return rows, nil
}

func (e *environment) alerts(ctx context.Context, filter workflows.AlertFilter) ([]workflows.AlertRow, error) {
	if err := e.reachable(ctx); err != nil {
		return nil, err
	}
	var rows []workflows.AlertRow
	var page []byte
	for {
		some, next, err := e.ListAlerts(ctx, filter, pageSize, page)
		if rows = append(rows, some...); err != nil || len(next) == 0 || len(rows) >= listLimit {
			return rows, err
		}
		page = next
	}
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
