package main

import (
	"context"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

const (
	// countedRows is for how many auth configs of a list their connections are counted: a request each.
	countedRows = 100
	// usersShown is how many connections are shown with an auth config.
	usersShown = 20
)

func (p *program) authConfigsListCommand() *cobra.Command {
	var app string
	c := &cobra.Command{
		Use: "list", Short: "List the auth configs of an environment", Args: takes(),
		Long: `List the auth configs of an environment. USED BY counts the connections that have
one, for the first 100 of the list.`,
		Example:           "  connected-apps auth-configs list --environment production --app github",
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := p.authConfigs(c.Context(), app)
			if err != nil {
				return err
			}
			return p.print(rows, func(t *table) {
				t.row("APP", "NAME", "ENVIRONMENT", "KIND", "STATUS", "USED BY")
				for _, row := range rows {
					used := "?"
					if row.UsedBy != nil {
						used = strconv.Itoa(*row.UsedBy)
					}
					t.row(row.App, row.Name, row.Environment, string(row.Kind), string(row.Status), used)
				}
			})
		},
	}
	c.Flags().StringVar(&app, "app", "", "only those of this app")
	complete(c, "app", p.completeApps)
	return c
}

// authConfigs lists those of the environment that --environment names.
func (p *program) authConfigs(ctx context.Context, app string) ([]workflows.AuthConfigRow, error) {
	parts, err := everywhere(ctx, p, []string{p.environment}, listing[workflows.AuthConfigRow]{
		what: "auth configs", narrow: "--app",
		page: func(ctx context.Context, e *environment, token []byte) ([]workflows.AuthConfigRow, []byte, error) {
			return e.ListAuthConfigs(ctx, app, pageSize, token)
		},
	})
	if err != nil {
		return nil, err
	}
	rows := append([]workflows.AuthConfigRow{}, parts[0].rows...)
	return rows, p.wait(ctx, "the counts", func(ctx context.Context) error {
		return parts[0].e.CountAuthConfigUsers(ctx, rows[:min(countedRows, len(rows))])
	})
}

// shownAuthConfig is what show prints as JSON.
type shownAuthConfig struct {
	workflows.AuthConfigState
	// UsedBy is how many connections use it, and Users are the first of them.
	UsedBy int                        `json:"used_by"`
	Users  []workflows.AuthConfigUser `json:"users,omitempty"`
}

func (p *program) authConfigsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ENVIRONMENT/APP/NAME", Short: "Show what is known of an auth config, without its secrets", Args: takes("ENVIRONMENT/APP/NAME"),
		Long: `Show what is known of an auth config: its state, its last rotation, when its
secret ends, open alerts, and the first 20 connections that use it.`,
		Example:           "  connected-apps auth-configs show development/sandbox/demo",
		ValidArgsFunction: p.completeAuthConfigs,
		RunE: func(c *cobra.Command, args []string) error {
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			var shown shownAuthConfig
			err = p.work(c.Context(), e, "the auth config", func(ctx context.Context) error {
				var err error
				if shown.AuthConfigState, err = e.DescribeAuthConfig(ctx, id.App(), id.Slug()); err != nil {
					return err
				}
				shown.Users, shown.UsedBy, err = e.AuthConfigUsers(ctx, id.App(), id.Slug(), usersShown)
				return err
			})
			if err != nil {
				return err
			}
			return p.print(shown, func(t *table) {
				showAuthConfig(t, shown.AuthConfigState)
				t.row("USED BY", plural(shown.UsedBy, "connection"))
				for _, user := range shown.Users {
					t.row("", user.Connection.String()+" ("+string(user.Status)+")")
				}
			})
		},
	}
}

func (p *program) printAuthConfig(state workflows.AuthConfigState) error {
	return p.print(state, func(t *table) { showAuthConfig(t, state) })
}

func showAuthConfig(t *table, state workflows.AuthConfigState) {
	t.fact("AUTH CONFIG", state.Environment+"/"+state.App+"/"+state.Name)
	t.fact("METHOD", state.Method)
	t.fact("CLIENT ID", state.ClientID)
	if state.Public {
		t.fact("CLIENT SECRET", "none: a public client")
	}
	for _, name := range sortedKeys(state.Values) {
		t.fact(strings.ToUpper(name), state.Values[name])
	}
	t.fact("SCOPES", strings.Join(state.Scopes, " "))
	t.fact("STATUS", statusOf(state))
	t.fact("REASON", state.Reason)
	t.fact("EXPIRES", moment(state.Expires))
	t.fact("CREATED", moment(state.Created))
	t.fact("ROTATED", moment(state.Rotated))
	t.fact("PROVEN BY", state.Proof)
	showOpenAlerts(t, state.Alerts.Open)
}

// statusOf says the status, and that it takes no new connections.
func statusOf(state workflows.AuthConfigState) string {
	switch {
	case !state.Retired:
		return string(state.Status)
	case state.Status == connection.Active:
		return workflows.StatusRetired + ": it takes no new connections"
	default:
		return string(state.Status) + ", retired"
	}
}
