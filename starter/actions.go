package main

import (
	"encoding/json"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/spf13/cobra"
)

func (p *program) actionsCommand() *cobra.Command {
	return group("actions", "What an app can do, and doing it", "",
		p.actionsListCommand(), p.actionsShowCommand(), p.actionsRunCommand())
}

// actionRow is an action in a list.
type actionRow struct {
	ID          string                  `json:"id"`
	Title       string                  `json:"title,omitempty"`
	ReadOnly    bool                    `json:"read_only"`
	Destructive bool                    `json:"destructive,omitempty"`
	Scopes      []string                `json:"scopes,omitempty"`
	Status      connectors.ActionStatus `json:"status,omitempty"`
	// Methods are those that offer it; empty means all.
	Methods []string `json:"methods,omitempty"`
}

func rowOfAction(action *connectors.Action) actionRow {
	return actionRow{ID: action.ID, Title: action.Title, ReadOnly: action.ReadOnly, Destructive: action.Destructive,
		Scopes: action.Scopes, Status: action.Status, Methods: action.Methods}
}

// effect says in a word what running it does to the app's data.
func (r actionRow) effect() string {
	switch {
	case r.Destructive:
		return "destroys"
	case r.ReadOnly:
		return "reads"
	default:
		return "changes"
	}
}

func showActions(t *table, rows []actionRow) {
	t.row("ACTION", "EFFECT", "TITLE")
	for _, row := range rows {
		t.row(row.ID, row.effect(), row.Title)
	}
}

func (p *program) actionsListCommand() *cobra.Command {
	var toolkit string
	c := &cobra.Command{
		Use: "list APP|ID", Short: "List the actions of an app, or of a connection's toolkit", Args: takes("APP|ID"),
		Example: `  connected-apps actions list sandbox
  connected-apps actions list development/sandbox/my-account --toolkit reader`,
		ValidArgsFunction: p.completeApps,
		RunE: func(c *cobra.Command, args []string) error {
			rows := []actionRow{}
			if strings.Contains(args[0], "/") {
				e, id, err := p.named(c.Context(), c, args[0])
				if err != nil {
					return err
				}
				state, err := p.stateOf(c.Context(), e, id)
				if err != nil {
					return err
				}
				found, err := toolkitOf(state, toolkit)
				if err != nil {
					return err
				}
				rows = p.actionsOf(id, found)
			} else {
				catalogue, err := p.catalogue()
				if err != nil {
					return err
				}
				app, err := catalogue.App(args[0])
				if err != nil {
					return err
				}
				for _, action := range app.Actions {
					rows = append(rows, rowOfAction(action))
				}
			}
			return p.print(rows, func(t *table) { showActions(t, rows) })
		},
	}
	c.Flags().StringVar(&toolkit, "toolkit", connection.DefaultToolkit, "toolkit of the connection")
	complete(c, "toolkit", p.completeFlagToolkits)
	return c
}

// actionReport is everything a caller must know of an action.
type actionReport struct {
	App string `json:"app"`
	actionRow
	Description string `json:"description,omitempty"`
	Idempotent  bool   `json:"idempotent"`
	// IdempotencyKey reports whether a key makes a repetition safe.
	IdempotencyKey bool            `json:"idempotency_key"`
	Paged          bool            `json:"paged"`
	SecretOutputs  []string        `json:"secret_outputs,omitempty"`
	Input          json.RawMessage `json:"input,omitempty"`
	Output         json.RawMessage `json:"output,omitempty"`
}

func (p *program) actionsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show APP|ID ACTION", Short: "Show an action with the JSON Schema of its arguments", Args: takes("APP|ID", "ACTION"),
		Example:           "  connected-apps actions show sandbox list-contacts",
		ValidArgsFunction: p.completeActions,
		RunE: func(_ *cobra.Command, args []string) error {
			action, err := p.action(args[0], args[1])
			if err != nil {
				return err
			}
			report := actionReport{App: action.App().ID, actionRow: rowOfAction(action), Description: action.Description, Idempotent: action.Idempotent,
				IdempotencyKey: action.IdempotencyKey != "", Paged: action.Paging != nil, SecretOutputs: action.SecretOutputs,
				Input: action.Input.RawMessage, Output: action.Output.RawMessage}
			return p.print(report, func(t *table) { showAction(t, report) })
		},
	}
}

// action finds an action by app, or by the ID of one of its connections.
func (p *program) action(of, name string) (*connectors.Action, error) {
	if strings.Contains(of, "/") {
		id, err := connection.ParseID(of)
		if err != nil {
			return nil, err
		}
		of = id.App()
	}
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, err
	}
	app, err := catalogue.App(of)
	if err != nil {
		return nil, err
	}
	return app.Action(name)
}

func showAction(t *table, report actionReport) {
	t.row("ACTION", report.App+" "+report.ID)
	t.fact("TITLE", report.Title)
	t.fact("DESCRIPTION", report.Description)
	t.row("EFFECT", report.effect())
	t.fact("SCOPES", strings.Join(report.Scopes, " "))
	if report.Paged {
		t.row("PAGED", "yes: --cursor asks for the next page")
	}
	if report.IdempotencyKey {
		t.row("REPEATABLE", "with --idempotency-key")
	}
	t.fact("KEPT IN VAULT", strings.Join(report.SecretOutputs, ", "))
	arguments := schemaOf(report.Input)
	if len(arguments.Properties) == 0 {
		return
	}
	t.gap()
	t.row("ARGUMENT", "TYPE", "ALLOWED", "DESCRIPTION")
	for _, name := range sortedKeys(arguments.Properties) {
		property := arguments.Properties[name]
		text := property.Description
		if arguments.requires(name) {
			text = strings.TrimSpace("(required) " + text)
		}
		t.row(name, strings.Join(property.types(), " or "), or(property.limits(), "-"), text)
	}
}
