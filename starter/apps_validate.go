package main

import (
	"fmt"

	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/spf13/cobra"
)

// validation is what apps validate found.
type validation struct {
	Valid   bool     `json:"valid"`
	Apps    []string `json:"apps"`
	Defects []defect `json:"defects,omitempty"`
}

type defect struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

func (p *program) appsValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate DIR", Short: "Check definitions before they are used", Args: takes("DIR"),
		Long: `Check every definition of a directory, or one file. Each defect is written as
FILE:LINE:COLUMN: FIELD: REASON, as editors understand it; the exit code is 2 when there is one.`,
		Example: "  connected-apps apps validate ./connectors",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(_ *cobra.Command, args []string) error {
			apps, defects := connectors.ValidateDir(args[0])
			report := validation{Valid: len(defects) == 0, Apps: []string{}}
			for _, app := range apps {
				report.Apps = append(report.Apps, app.ID)
			}
			for _, d := range defects {
				report.Defects = append(report.Defects, defect{d.File, d.Line, d.Column, d.Field, d.Reason})
			}
			err := p.print(report, func(t *table) {
				for _, d := range defects {
					t.row(d.Error())
				}
				for _, app := range apps {
					t.row(fmt.Sprintf("%s: %s is sound (%s, %s)", app.Source, app.ID, plural(len(app.Methods), "method"), plural(len(app.Actions), "action")))
				}
			})
			if err == nil && len(defects) == 0 && len(apps) == 0 {
				return connection.InvalidInput("DIR", "there is no definition in "+args[0], "name a directory with .yaml files, or one file")
			}
			if err == nil && len(defects) > 0 {
				return connection.InvalidInput("", plural(len(defects), "defect")+" found", "correct what is listed and run this again")
			}
			return err
		},
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
