package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) alertsCommand() *cobra.Command {
	return group("alerts", "What people should know of, and where they are told", `  connected-apps alerts list
  connected-apps alerts sinks create ops --kind webhook --url https://ops.example.com/hooks`,
		p.alertsListCommand(), p.alertsShowCommand(), p.alertsResolveCommand(), p.sinksCommand())
}

func (p *program) alertsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show an alert and what became of its messages", Args: takes("ID"),
		Example:           "  connected-apps alerts show alert/development/sandbox/my-account/expired-1",
		ValidArgsFunction: p.completeAlertIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return p.alert(c, args[0], func(ctx context.Context, e *environment) (workflows.AlertState, error) {
				return e.DescribeAlert(ctx, args[0])
			})
		},
	}
}

func (p *program) alertsResolveCommand() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "resolve ID", Short: "Say that a person has taken care of an alert", Args: takes("ID"),
		Long: `Say that a person has taken care of an alert. Sinks are told that it is resolved.

Alerts resolve by themselves when their trouble is over. What they are about is not
changed by this: a connection that has expired stays so until it is reconnected, and
the same trouble raises no second alert.`,
		Example:           `  connected-apps alerts resolve alert/development/sandbox/my-account/grant-may-live-2 --reason "ended in the app's settings"`,
		ValidArgsFunction: p.completeAlertIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return p.alert(c, args[0], func(ctx context.Context, e *environment) (workflows.AlertState, error) {
				return e.ResolveAlert(ctx, args[0], reason)
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "what was done, for those who look at it later")
	return c
}

// alert asks one alert something and shows what it then is.
func (p *program) alert(c *cobra.Command, id string, ask func(context.Context, *environment) (workflows.AlertState, error)) error {
	name, err := workflows.AlertEnvironment(id)
	if err != nil {
		return err
	}
	e, err := p.open(c.Context(), name)
	if err != nil {
		return err
	}
	var state workflows.AlertState
	err = p.work(c.Context(), e, "the alert", func(ctx context.Context) error {
		state, err = ask(ctx, e)
		return err
	})
	if err != nil {
		return err
	}
	return p.print(state, func(t *table) { showAlert(t, state) })
}

func showAlert(t *table, state workflows.AlertState) {
	t.row("ALERT", state.ID)
	t.row("KIND", string(state.Kind))
	t.fact("CONNECTION", state.Connection.String())
	t.fact("AUTH CONFIG", state.AuthConfig)
	t.fact("NAME", state.Name)
	t.fact("ACCOUNT", state.Account)
	t.fact("OWNER", state.Owner)
	t.row("SINCE", moment(state.Opened))
	t.fact("REASON", state.Reason)
	if state.Resolved.IsZero() {
		t.fact("WHAT TO DO", state.Remedy)
	}
	t.fact("SCOPES", strings.Join(state.Scopes, " "))
	if state.Count > 0 {
		t.row("FAILURES", strconv.Itoa(state.Count))
	}
	t.fact("EXPIRES", moment(state.Expires))
	t.row("RESOLVED", or(strings.TrimSpace(moment(state.Resolved)+" "+state.Resolution), "no"))
	if len(state.Deliveries) == 0 {
		return
	}
	t.gap()
	t.row("SINK", "MESSAGE", "STATE", "WHEN", "WHY")
	for _, d := range state.Deliveries {
		when := d.At
		if when.IsZero() {
			when = d.Since
		}
		t.row(d.Sink, d.Type, string(d.State), when.UTC().Format("2006-01-02 15:04:05"), d.Reason)
	}
}

// showOpenAlerts writes the open alerts of a connection or an auth config, each with
// the command that shows what to do about it.
func showOpenAlerts(t *table, open []workflows.OpenAlert) {
	for _, alert := range open {
		t.row("ALERT", fmt.Sprintf("%s since %s: %s", alert.News.Kind, moment(alert.Since), alert.News.Reason))
		t.row("", commandName+"alerts show "+alert.WorkflowID)
	}
}
