package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

const (
	// countedRows is for how many auth configs of a list their connections are counted: a request each.
	countedRows = 100
	// usersShown is how many connections are shown with an auth config.
	usersShown = 20
	// completeTime is how long a shell waits for names.
	completeTime = 2 * time.Second
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
			e, err := p.open(c.Context(), p.environment)
			if err != nil {
				return err
			}
			var rows []workflows.AuthConfigRow
			err = p.wait(c.Context(), "the list", func(ctx context.Context) error {
				var err error
				if rows, err = e.authConfigs(ctx, app); err != nil {
					return err
				}
				return e.CountAuthConfigUsers(ctx, rows[:min(countedRows, len(rows))])
			})
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

// authConfigs lists all of an environment's auth configs, page by page.
func (e *environment) authConfigs(ctx context.Context, app string) ([]workflows.AuthConfigRow, error) {
	rows := []workflows.AuthConfigRow{}
	for page := []byte(nil); ; {
		some, next, err := e.ListAuthConfigs(ctx, app, pageSize, page)
		if rows = append(rows, some...); err != nil || len(next) == 0 {
			return rows, err
		}
		page = next
	}
}

// completeAuthConfigs proposes the auth configs that there are for the first
// argument. A shell waits while it runs: it gives up soon, and says nothing of errors.
func (p *program) completeAuthConfigs(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	parts := strings.Split(begun, "/")
	if len(args) > 0 || len(parts) < 3 {
		return p.completeIDs(c, args, begun)
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeTime)
	defer cancel()
	e, err := p.prepare(parts[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	rows, _, err := e.ListAuthConfigs(ctx, parts[1], pageSize, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var proposals []string
	for _, row := range rows {
		proposals = append(proposals, row.Environment+"/"+row.App+"/"+row.Name+"\t"+string(row.Status))
	}
	return proposals, cobra.ShellCompDirectiveNoFileComp
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
				t.row("USED BY", connectionsOf(shown.UsedBy))
				for _, user := range shown.Users {
					t.row("", user.Connection.String()+" ("+string(user.Status)+")")
				}
			})
		},
	}
}

func connectionsOf(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return strconv.Itoa(n) + " connections"
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
	for _, alert := range state.Alerts.Open {
		t.row("ALERT", string(alert.News.Kind)+": "+alert.News.Reason+": "+alert.News.Remedy)
	}
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
