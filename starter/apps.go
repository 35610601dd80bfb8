package main

import (
	"fmt"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/spf13/cobra"
)

func (p *program) appsCommand() *cobra.Command {
	return group("apps", "The App Gallery: what can be connected", "",
		p.appsListCommand(), p.appsShowCommand(), p.appsValidateCommand())
}

// appRow is an app in a list.
type appRow struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Summary    string   `json:"summary,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Methods    []string `json:"methods"`
	Actions    int      `json:"actions"`
	Source     string   `json:"source"`
}

func (p *program) appsListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the apps that are defined", Args: takes(),
		Long:              "List the apps that are defined: the built-in ones, and those of the directories in CONNECTED_APPS_CONNECTORS.",
		ValidArgsFunction: fixed(),
		RunE: func(*cobra.Command, []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			rows := []appRow{}
			for _, app := range catalogue.Apps() {
				rows = append(rows, rowOfApp(app))
			}
			return p.print(rows, func(t *table) {
				t.row("APP", "NAME", "METHODS", "ACTIONS", "SUMMARY")
				for _, row := range rows {
					t.row(row.ID, row.Name, strings.Join(row.Methods, ", "), fmt.Sprint(row.Actions), row.Summary)
				}
			})
		},
	}
}

func rowOfApp(app *connectors.App) appRow {
	row := appRow{ID: app.ID, Name: app.Name, Summary: app.Summary, Categories: app.Categories, Methods: []string{},
		Actions: len(app.Actions), Source: app.Source}
	for _, method := range app.Methods {
		row.Methods = append(row.Methods, method.ID)
	}
	return row
}

// appReport is everything a person needs to connect an app.
type appReport struct {
	appRow
	Homepage string         `json:"homepage,omitempty"`
	Docs     string         `json:"docs,omitempty"`
	Auth     []methodReport `json:"auth"`
	Offers   []actionRow    `json:"offers"`
	Digest   string         `json:"digest"`
}

type methodReport struct {
	ID    string              `json:"id"`
	Title string              `json:"title"`
	Kind  connection.AuthKind `json:"kind"`
	Help  string              `json:"help,omitempty"`
	// Inputs are asked for by connect, ClientInputs by auth-configs create.
	Inputs       []inputReport `json:"inputs,omitempty"`
	ClientInputs []inputReport `json:"client_inputs,omitempty"`
}

type inputReport struct {
	Name     string   `json:"name"`
	Title    string   `json:"title,omitempty"`
	Help     string   `json:"help,omitempty"`
	Secret   bool     `json:"secret"`
	Optional bool     `json:"optional,omitempty"`
	Default  string   `json:"default,omitempty"`
	Enum     []string `json:"enum,omitempty"`
}

func (p *program) appsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show APP", Short: "Show how an app authenticates, what it asks for, and its actions", Args: takes("APP"),
		Example:           "  connected-apps apps show sandbox",
		ValidArgsFunction: p.completeApps,
		RunE: func(_ *cobra.Command, args []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			app, err := catalogue.App(args[0])
			if err != nil {
				return err
			}
			report := reportOfApp(app)
			return p.print(report, func(t *table) { showApp(t, report) })
		},
	}
}

func reportOfApp(app *connectors.App) appReport {
	report := appReport{appRow: rowOfApp(app), Homepage: app.Homepage, Docs: app.DocsURL, Digest: app.Digest, Auth: []methodReport{}, Offers: []actionRow{}}
	for _, method := range app.Methods {
		report.Auth = append(report.Auth, methodReport{ID: method.ID, Title: method.Title, Kind: method.Kind, Help: method.Help,
			Inputs: reportInputs(method.Inputs), ClientInputs: reportInputs(method.ClientInputs)})
	}
	for _, action := range app.Actions {
		report.Offers = append(report.Offers, rowOfAction(action))
	}
	return report
}

func reportInputs(inputs []connectors.Input) []inputReport {
	var reports []inputReport
	for _, input := range inputs {
		if !input.Hidden {
			reports = append(reports, inputReport{Name: input.Name, Title: input.Title, Help: input.Help, Secret: input.Secret,
				Optional: input.Optional, Default: input.Default, Enum: input.Enum})
		}
	}
	return reports
}

func showApp(t *table, report appReport) {
	t.fact("APP", report.ID)
	t.fact("NAME", report.Name)
	t.fact("SUMMARY", report.Summary)
	t.fact("DOCS", report.Docs)
	t.fact("DEFINED IN", report.Source)
	t.gap()
	t.row("METHOD", "KIND", "TITLE")
	for _, method := range report.Auth {
		t.row(method.ID, string(method.Kind), method.Title)
		for _, input := range method.Inputs {
			t.row("  "+input.Name, howGiven(input, "--set "+input.Name+"=…"), input.Help)
		}
		for _, input := range method.ClientInputs {
			t.row("  "+input.Name, howGiven(input, "auth-configs create --set "+input.Name+"=…"), input.Help)
		}
	}
	t.gap()
	t.row("ACTION", "EFFECT", "TITLE")
	for _, action := range report.Offers {
		t.row(action.ID, action.effect(), action.Title)
	}
}

// howGiven says how an input is handed over.
func howGiven(input inputReport, plain string) string {
	how := plain
	if input.Secret {
		how = "secret, asked for"
	}
	switch {
	case input.Default != "":
		how += ", default " + input.Default
	case input.Optional:
		how += ", optional"
	}
	return how
}
