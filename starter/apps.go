package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/spf13/cobra"
)

func (p *program) appsCommand() *cobra.Command {
	return group("apps", "The App Gallery: what can be connected", "",
		p.appsListCommand(), p.appsShowCommand(), p.appsValidateCommand(), p.appsNewCommand())
}

// appRow is an app in a list.
type appRow struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Summary    string   `json:"summary,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Methods    []string `json:"methods"`
	// Kinds are those of the methods, each once.
	Kinds   []connection.AuthKind `json:"kinds"`
	Actions int                   `json:"actions"`
	Source  string                `json:"source"`
}

// appFilter is what apps list is narrowed by; "" does not narrow.
type appFilter struct{ category, search, auth string }

// passes reports whether an app is asked for.
func (f appFilter) passes(app *connectors.App) bool {
	row := rowOfApp(app)
	if f.category != "" && !slices.Contains(app.Categories, f.category) {
		return false
	}
	if f.auth != "" && !slices.Contains(row.Kinds, connection.AuthKind(f.auth)) {
		return false
	}
	text := strings.ToLower(strings.Join([]string{app.ID, app.Name, app.Summary}, "\n"))
	return strings.Contains(text, strings.ToLower(f.search))
}

func (p *program) appsListCommand() *cobra.Command {
	var f appFilter
	c := &cobra.Command{
		Use: "list", Short: "List the apps that are defined", Args: takes(),
		Long: "List the apps that are defined: the built-in ones, and those of the directories in CONNECTED_APPS_CONNECTORS.",
		Example: `  connected-apps apps list --category crm
  connected-apps apps list --auth oauth2-code --search mail`,
		ValidArgsFunction: fixed(),
		RunE: func(*cobra.Command, []string) error {
			if f.auth != "" && !slices.Contains(kindNames(), f.auth) {
				return unknownKind("auth", f.auth)
			}
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			rows := []appRow{}
			for _, app := range catalogue.Apps() {
				if f.passes(app) {
					rows = append(rows, rowOfApp(app))
				}
			}
			return p.print(rows, func(t *table) {
				t.row("APP", "NAME", "CATEGORIES", "AUTH", "ACTIONS")
				for _, row := range rows {
					t.row(row.ID, row.Name, strings.Join(row.Categories, ", "), joined(row.Kinds), strconv.Itoa(row.Actions))
				}
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.category, "category", "", "only those of this category")
	flags.StringVar(&f.search, "search", "", "only those whose ID, name or summary holds this text")
	flags.StringVar(&f.auth, "auth", "", "only those that offer this kind of authentication")
	complete(c, "category", p.completeCategories)
	complete(c, "search", fixed())
	complete(c, "auth", fixed(kindNames()...))
	return c
}

// completeCategories proposes the categories that apps have.
func (p *program) completeCategories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := p.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for _, app := range catalogue.Apps() {
		found = append(found, app.Categories...)
	}
	slices.Sort(found)
	return slices.Compact(found), cobra.ShellCompDirectiveNoFileComp
}

func rowOfApp(app *connectors.App) appRow {
	row := appRow{ID: app.ID, Name: app.Name, Summary: app.Summary, Categories: app.Categories, Methods: []string{},
		Kinds: []connection.AuthKind{}, Actions: len(app.Actions), Source: app.Source}
	for _, method := range app.Methods {
		row.Methods = append(row.Methods, method.ID)
		if !slices.Contains(row.Kinds, method.Kind) {
			row.Kinds = append(row.Kinds, method.Kind)
		}
	}
	return row
}

func joined(kinds []connection.AuthKind) string {
	texts := make([]string, len(kinds))
	for i, kind := range kinds {
		texts[i] = string(kind)
	}
	return strings.Join(texts, ", ")
}

// unknownKind reports a kind of authentication that there is none of.
func unknownKind(flag, kind string) error {
	return connection.InvalidInput(flag, fmt.Sprintf("%q is no kind of authentication", connection.Bound(kind, 40)),
		"use one of: "+strings.Join(kindNames(), ", "))
}
