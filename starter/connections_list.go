package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// listFlags are what connections list is told.
type listFlags struct {
	filter   workflows.Filter
	status   string
	authKind string
	expires  string
	sort     string
	wide     bool
}

func (p *program) connectionsListCommand() *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use: "list", Short: "List connections, of all environments unless one is named", Args: takes(),
		Long: `List the open connections of every environment, or of the one that --environment
names. Filters narrow the list together; --name and --account are matched whole.
An environment that does not answer is named in a warning.

LAST USED is exact for up to 200 connections where this caller may ask Vault, and
exact to the hour otherwise, which is said. A change shows in the list within a
second or so; "connections show" has it at once.`,
		Example: `  connected-apps connections list --status Expired
  connected-apps connections list --environment production --app github --output json
  connected-apps connections list --expires-before 14d --sort expires
  connected-apps connections list --owner alice --sort last-used --wide`,
		ValidArgsFunction: fixed(),
		RunE:              func(c *cobra.Command, _ []string) error { return p.listConnections(c, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.filter.App, "app", "", "only those of this app")
	flags.StringVar(&f.filter.Name, "name", "", "only those with this display name")
	flags.StringVar(&f.filter.Account, "account", "", "only those of this account at the app, as ACCOUNT has it")
	flags.StringVar(&f.status, "status", "", "only those of this status: "+strings.Join(statuses(), ", "))
	flags.StringVar(&f.filter.Owner, "owner", "", "only those of this owner")
	flags.StringVar(&f.filter.Toolkit, "toolkit", "", "only those with a toolkit of this name")
	flags.StringVar(&f.authKind, "auth-kind", "", "only those that authenticate in this way, such as oauth2-code or api-key")
	flags.StringVar(&f.filter.AuthConfig, "auth-config", "", "only those made with this auth config")
	flags.StringVar(&f.expires, "expires-before", "", "only those whose access is known to end before then: a day, a time, or how long from now, such as 14d")
	flags.StringVar(&f.sort, "sort", "app", "order: "+strings.Join(sortedKeys(orders), ", "))
	flags.BoolVar(&f.wide, "wide", false, "show ID, account, owner and the end of access too")
	complete(c, "app", p.completeApps)
	complete(c, "status", fixed(statuses()...))
	complete(c, "auth-kind", fixed(kindNames()...))
	complete(c, "sort", fixed(sortedKeys(orders)...))
	for _, free := range []string{"name", "account", "owner", "toolkit", "auth-config", "expires-before"} {
		complete(c, free, fixed())
	}
	return c
}

func (p *program) listConnections(c *cobra.Command, f listFlags) error {
	filter, err := f.checked(time.Now())
	if err != nil {
		return err
	}
	environments, err := p.chosen(c)
	if err != nil {
		return err
	}
	found, err := p.listAll(c.Context(), environments, filter, true)
	if err != nil {
		return err
	}
	rows := found.rows
	slices.SortStableFunc(rows, orders["app"])
	slices.SortStableFunc(rows, orders[f.sort])
	if err := p.print(rows, func(t *table) { showConnections(t, rows, f.wide, time.Now()) }); err != nil {
		return err
	}
	if p.output == "table" && found.inexact != "" {
		p.note("LAST USED is exact to the hour: %s", found.inexact)
	}
	if p.output == "table" && terminal(p.out) {
		p.note("%s", counted(rows))
	}
	return nil
}

// checked is the filter, once every flag is known to make sense.
func (f listFlags) checked(now time.Time) (workflows.Filter, error) {
	filter := f.filter
	var err error
	if filter.Status, err = parseStatus(f.status); err != nil {
		return filter, err
	}
	if f.authKind != "" && !slices.Contains(kindNames(), f.authKind) {
		return filter, unknownKind("auth-kind", f.authKind)
	}
	filter.AuthKind = connection.AuthKind(f.authKind)
	if f.expires != "" {
		if filter.ExpiresBefore, err = parseWhen("expires-before", f.expires, now); err != nil {
			return filter, err
		}
	}
	if orders[f.sort] == nil {
		return filter, connection.InvalidInput("sort", fmt.Sprintf("%q is not an order", connection.Bound(f.sort, 40)),
			"use one of "+strings.Join(sortedKeys(orders), ", "))
	}
	return filter, nil
}

// chosen is the environment that was named, or all of them.
func (p *program) chosen(c *cobra.Command) ([]string, error) {
	settings, err := p.settings()
	if err != nil {
		return nil, err
	}
	if c.Flags().Changed("environment") {
		return []string{p.environment}, nil
	}
	return settings.Environments, nil
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
			"use one of "+strings.Join(statuses(), ", "))
	}
	return status, nil
}
