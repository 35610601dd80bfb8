package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) connectionsCommand() *cobra.Command {
	return group("connections", "List connections, look at them and change them", "",
		p.connectionsListCommand(), p.connectionsShowCommand(), p.connectionsTestCommand(), p.connectionsRefreshCommand(),
		p.setPolicyCommand(), p.pauseCommand(), p.resumeCommand(), p.renameCommand(), p.disconnectCommand())
}

// entityCommand is a command about one connection whose workflow answers.
func (p *program) entityCommand(use, short, example string, run func(ctx context.Context, e *environment, id connection.ID, args []string) error) *cobra.Command {
	fields := strings.Fields(use)[1:]
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: takes(fields...), ValidArgsFunction: p.completeOpenIDs,
		RunE: func(c *cobra.Command, args []string) error {
			e, id, err := p.named(c.Context(), c, args[0])
			if err != nil {
				return err
			}
			return run(c.Context(), e, id, args[1:])
		},
	}
}

func (p *program) connectionsTestCommand() *cobra.Command {
	return p.entityCommand("test ID", "Ask the app whether a connection works, now", "  connected-apps connections test development/sandbox/my-account",
		func(ctx context.Context, e *environment, id connection.ID, _ []string) error {
			var result workflows.TestResult
			err := p.work(ctx, e, "the test", func(ctx context.Context) error {
				var err error
				result, err = e.Test(ctx, id)
				return err
			})
			if err != nil {
				return err
			}
			err = p.print(result, func(t *table) {
				t.fact("STATUS", string(result.Status))
				if report := result.Report; report != nil {
					t.fact("TESTED", report.Tested)
					t.fact("ACCOUNT", account(report.Identity))
					t.fact("SCOPES", strings.Join(report.Scopes, " "))
				}
			})
			if err != nil || result.Passed || result.Report != nil && result.Report.Untestable {
				return err
			}
			if result.Problem != nil {
				return result.Problem
			}
			return connection.Refused(connection.ErrTestFailed, "the test of "+id.String()+" did not pass", "see: connected-apps connections show "+id.String())
		})
}

func (p *program) connectionsRefreshCommand() *cobra.Command {
	return p.entityCommand("refresh ID", "Renew the credential of a connection, now", "  connected-apps connections refresh development/sandbox/my-account",
		func(ctx context.Context, e *environment, id connection.ID, _ []string) error {
			var result workflows.RefreshResult
			err := p.work(ctx, e, "the refresh", func(ctx context.Context) error {
				var err error
				result, err = e.Refresh(ctx, id)
				return err
			})
			if err != nil {
				return err
			}
			return p.print(result, func(t *table) {
				t.row("STATUS", string(result.Status))
				t.row("GENERATION", strconv.Itoa(result.Generation))
				t.fact("EXPIRES", moment(result.Expires))
			})
		})
}

// change is a command that changes one connection and says what is so now.
func (p *program) change(use, short, example, done string, withReason bool, run func(ctx context.Context, e *environment, id connection.ID, args []string, reason string) error) *cobra.Command {
	var reason string
	c := p.entityCommand(use, short, example, func(ctx context.Context, e *environment, id connection.ID, args []string) error {
		err := p.work(ctx, e, "the connection", func(ctx context.Context) error { return run(ctx, e, id, args, reason) })
		if err != nil {
			return err
		}
		return p.print(map[string]string{"connection": id.String(), "result": done}, func(t *table) { t.row(id.String() + ": " + done) })
	})
	if withReason {
		c.Flags().StringVar(&reason, "reason", "", "why, for those who look at it later")
	}
	return c
}

func (p *program) pauseCommand() *cobra.Command {
	return p.change("pause ID", "Switch a connection off: nothing is asked of the app until it is resumed",
		`  connected-apps connections pause development/sandbox/my-account --reason "the account is being moved"`, "paused", true,
		func(ctx context.Context, e *environment, id connection.ID, _ []string, reason string) error {
			return e.Pause(ctx, id, reason)
		})
}

func (p *program) resumeCommand() *cobra.Command {
	return p.change("resume ID", "Switch a paused connection on again",
		"  connected-apps connections resume development/sandbox/my-account", "resumed", true,
		func(ctx context.Context, e *environment, id connection.ID, _ []string, reason string) error {
			return e.Resume(ctx, id, reason)
		})
}

func (p *program) renameCommand() *cobra.Command {
	return p.change("rename ID NAME", "Change the display name of a connection; its ID stays",
		`  connected-apps connections rename development/sandbox/my-account "Address book of the sales team"`, "renamed", false,
		func(ctx context.Context, e *environment, id connection.ID, args []string, _ string) error {
			return e.Rename(ctx, id, args[0])
		})
}

// account says whose credential it is; "" when the app does not tell.
func account(identity connection.Identity) string {
	switch {
	case identity.Label == "" || identity.Label == identity.Account:
		return identity.Account
	case identity.Account == "":
		return identity.Label
	default:
		return identity.Label + " (" + identity.Account + ")"
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
