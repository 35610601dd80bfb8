package main

import (
	"context"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) toolkitsCommand() *cobra.Command {
	return group("toolkits", "Named selections of a connection's actions", "",
		p.toolkitsListCommand(), p.toolkitsShowCommand(), p.toolkitsPutCommand(), p.toolkitsDeleteCommand())
}

// stateOf asks the connection's workflow for its state, without Vault.
func (p *program) stateOf(ctx context.Context, e *environment, id connection.ID) (workflows.State, error) {
	var d workflows.Description
	err := p.work(ctx, e, "the connection", func(ctx context.Context) error {
		var err error
		d, err = e.Describe(ctx, id)
		return err
	})
	return d.State, err
}

func (p *program) toolkitsListCommand() *cobra.Command {
	return p.entityCommand("list ID", "List the toolkits of a connection", "  connected-apps toolkits list development/sandbox/my-account",
		func(ctx context.Context, e *environment, id connection.ID, _ []string) error {
			state, err := p.stateOf(ctx, e, id)
			if err != nil {
				return err
			}
			toolkits := state.Toolkits
			if toolkits == nil {
				toolkits = []connection.Toolkit{}
			}
			return p.print(toolkits, func(t *table) {
				t.row("TOOLKIT", "ACTIONS", "")
				for _, toolkit := range toolkits {
					t.row(toolkit.Name, strconv.Itoa(len(toolkit.Actions)), strings.Join(toolkit.Actions, ", "))
				}
			})
		})
}

func (p *program) toolkitsShowCommand() *cobra.Command {
	c := p.entityCommand("show ID TOOLKIT", "Show the actions of a toolkit", "  connected-apps toolkits show development/sandbox/my-account default",
		func(ctx context.Context, e *environment, id connection.ID, args []string) error {
			state, err := p.stateOf(ctx, e, id)
			if err != nil {
				return err
			}
			toolkit, err := toolkitOf(state, args[0])
			if err != nil {
				return err
			}
			rows := p.actionsOf(id, toolkit)
			return p.print(struct {
				Connection connection.ID `json:"connection"`
				Name       string        `json:"name"`
				Actions    []actionRow   `json:"actions"`
			}{id, toolkit.Name, rows}, func(t *table) { showActions(t, rows) })
		})
	c.ValidArgsFunction = p.completeToolkits
	return c
}

func (p *program) toolkitsPutCommand() *cobra.Command {
	var actions []string
	c := p.entityCommand("put ID TOOLKIT", "Create a toolkit, or replace its actions",
		"  connected-apps toolkits put development/sandbox/my-account reader --action list-contacts --action get-contact",
		func(ctx context.Context, e *environment, id connection.ID, args []string) error {
			if err := connection.CheckSlug("toolkit", args[0]); err != nil {
				return err
			}
			if len(actions) == 0 {
				return connection.InvalidInput("action", "no action was chosen", "give --action once for each; see: connected-apps actions list "+id.App())
			}
			var toolkit connection.Toolkit
			err := p.work(ctx, e, "the connection", func(ctx context.Context) error {
				var err error
				toolkit, err = e.PutToolkit(ctx, id, workflows.PutToolkit{Name: args[0], Actions: actions})
				return err
			})
			if err != nil {
				return err
			}
			rows := p.actionsOf(id, toolkit)
			return p.print(toolkit, func(t *table) { showActions(t, rows) })
		})
	c.ValidArgsFunction = p.completeToolkits
	c.Flags().StringArrayVar(&actions, "action", nil, "action that the toolkit offers; repeatable")
	complete(c, "action", p.completeFlagActions)
	return c
}

func (p *program) toolkitsDeleteCommand() *cobra.Command {
	c := p.change("delete ID TOOLKIT", "Remove a toolkit; actions through it are refused from then on",
		"  connected-apps toolkits delete development/sandbox/my-account reader", "toolkit removed", false,
		func(ctx context.Context, e *environment, id connection.ID, args []string, _ string) error {
			return e.DeleteToolkit(ctx, id, args[0])
		})
	c.ValidArgsFunction = p.completeToolkits
	return c
}

func toolkitOf(state workflows.State, name string) (connection.Toolkit, error) {
	for _, toolkit := range state.Toolkits {
		if toolkit.Name == name {
			return toolkit, nil
		}
	}
	return connection.Toolkit{}, connection.Refused(connection.ErrToolkitNotFound, state.ID.String()+" has no toolkit "+strconv.Quote(connection.Bound(name, 63)),
		"see: connected-apps toolkits list "+state.ID.String())
}

// actionsOf puts a toolkit's actions into the words of the app's definition.
func (p *program) actionsOf(id connection.ID, toolkit connection.Toolkit) []actionRow {
	app, known := p.appOf(id.String())
	rows := []actionRow{}
	for _, name := range toolkit.Actions {
		row := actionRow{ID: name}
		if known {
			if action, err := app.Action(name); err == nil {
				row = rowOfAction(action)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
