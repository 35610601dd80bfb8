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

const (
	// pageSize is how many rows are asked for at once, the most that Temporal answers by default.
	pageSize = 1000
	// listLimit bounds a list: beyond it a filter is wanted.
	listLimit = 5000
)

// connectionRow is a connection as connections list writes it.
type connectionRow struct {
	App         string              `json:"app"`
	Name        string              `json:"name"`
	ID          connection.ID       `json:"id"`
	Environment string              `json:"environment"`
	Status      connection.Status   `json:"status"`
	Account     string              `json:"account,omitempty"`
	AuthKind    connection.AuthKind `json:"auth_kind,omitempty"`
	AuthConfig  string              `json:"auth_config,omitempty"`
	Owner       string              `json:"owner,omitempty"`
	Toolkits    []string            `json:"toolkits"`
	// LastUsed is exact to the hour; null is never.
	LastUsed *time.Time `json:"last_used"`
	Expires  *time.Time `json:"expires,omitempty"`
	Created  time.Time  `json:"created"`
}

func (p *program) connectionsListCommand() *cobra.Command {
	var filter workflows.Filter
	var status string
	c := &cobra.Command{
		Use: "list", Short: "List connections, of all environments unless one is named", Args: takes(),
		Long: `List the open connections of every environment, or of the one that --environment
names, sorted by app and name. LAST USED is exact to the hour; "connections show"
has the exact times. An environment that does not answer is named in a warning.`,
		Example: `  connected-apps connections list --status Expired
  connected-apps connections list --environment production --app github --output json`,
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if filter.Status, err = parseStatus(status); err != nil {
				return err
			}
			settings, err := p.settings()
			if err != nil {
				return err
			}
			environments := settings.Environments
			if c.Flags().Changed("environment") {
				environments = []string{p.environment}
			}
			rows, err := p.listAll(c.Context(), environments, filter)
			if err != nil {
				return err
			}
			return p.print(rows, func(t *table) { showConnections(t, rows, time.Now()) })
		},
	}
	flags := c.Flags()
	flags.StringVar(&filter.App, "app", "", "only those of this app")
	flags.StringVar(&status, "status", "", "only those of this status: Active, Error, Expired, Paused or Pending")
	flags.StringVar(&filter.Owner, "owner", "", "only those of this owner")
	flags.StringVar(&filter.AuthConfig, "auth-config", "", "only those made with this auth config")
	complete(c, "app", p.completeApps)
	complete(c, "status", fixed(statuses()...))
	return c
}

func statuses() []string {
	var all []string
	for _, status := range connection.Statuses() {
		all = append(all, string(status))
	}
	return all
}

func parseStatus(text string) (connection.Status, error) {
	status := connection.Status(text)
	if text != "" && !slices.Contains(connection.Statuses(), status) {
		return "", connection.InvalidInput("status", fmt.Sprintf("%q is not a status", connection.Bound(text, 40)),
			"use one of Active, Error, Expired, Paused, Pending")
	}
	return status, nil
}

// listAll asks every environment at once. One that does not answer is a warning,
// unless no other does.
func (p *program) listAll(ctx context.Context, environments []string, filter workflows.Filter) ([]connectionRow, error) {
	rows := []connectionRow{}
	failed := make([]error, len(environments))
	var mu sync.Mutex
	err := p.wait(ctx, "the lists", func(ctx context.Context) error {
		var all sync.WaitGroup
		prepared := make([]*environment, len(environments))
		for i, name := range environments { // one after the other: what they share is opened once
			prepared[i], failed[i] = p.prepare(name)
		}
		for i := range environments {
			if failed[i] != nil {
				continue
			}
			all.Go(func() {
				some, err := prepared[i].list(ctx, filter)
				mu.Lock()
				defer mu.Unlock()
				rows, failed[i] = append(rows, some...), err
			})
		}
		all.Wait()
		return nil
	})
	if err != nil {
		return nil, err
	}
	answered := 0
	for _, err := range failed {
		if err == nil {
			answered++
		}
	}
	for i, err := range failed {
		switch {
		case err == nil:
		case answered == 0:
			return nil, err
		default:
			p.note("warning: the environment %s is left out: %s", environments[i], err)
		}
	}
	slices.SortFunc(rows, func(a, b connectionRow) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	if len(rows) >= listLimit {
		p.note("warning: only the first %d connections of an environment are listed; narrow the list with --app, --status or --owner", listLimit)
	}
	return rows, nil
}

func (e *environment) list(ctx context.Context, filter workflows.Filter) ([]connectionRow, error) {
	if err := e.reachable(ctx); err != nil {
		return nil, err
	}
	var rows []connectionRow
	var page []byte
	for {
		some, next, err := e.List(ctx, filter, pageSize, page)
		if err != nil {
			return rows, err
		}
		if err := e.Exact(ctx, some); err != nil {
			return rows, err
		}
		for _, row := range some {
			rows = append(rows, listed(row))
		}
		if len(next) == 0 || len(rows) >= listLimit {
			return rows, nil
		}
		page = next
	}
}

func listed(row workflows.Row) connectionRow {
	out := connectionRow{App: row.App, Name: row.Name, ID: row.ID, Environment: row.Environment, Status: row.Status, Account: row.Account,
		AuthKind: row.AuthKind, AuthConfig: row.AuthConfig, Owner: row.Owner, Toolkits: row.Toolkits, Created: row.Created}
	if out.Toolkits == nil {
		out.Toolkits = []string{}
	}
	if out.Name == "" {
		out.Name = row.ID.Slug()
	}
	if !row.LastUsed.IsZero() {
		out.LastUsed = &row.LastUsed
	}
	if !row.Expires.IsZero() {
		out.Expires = &row.Expires
	}
	return out
}

func showConnections(t *table, rows []connectionRow, now time.Time) {
	t.row("APP", "NAME", "ID", "ENVIRONMENT", "STATUS", "ACCOUNT", "LAST USED")
	for _, row := range rows {
		used := "never"
		if row.LastUsed != nil {
			used = ago(*row.LastUsed, now)
		}
		t.row(row.App, row.Name, row.ID.String(), row.Environment, string(row.Status), or(row.Account, "-"), used)
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
