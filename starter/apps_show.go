package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"

	"github.com/spf13/cobra"
)

// appReport is everything a person needs to connect an app.
type appReport struct {
	appRow
	Homepage string         `json:"homepage,omitempty"`
	Docs     string         `json:"docs,omitempty"`
	Auth     []methodReport `json:"auth"`
	// Recovery are hints for a person whose connection died.
	Recovery []string    `json:"recovery,omitempty"`
	Offers   []actionRow `json:"offers"`
	Digest   string      `json:"digest"`
}

type methodReport struct {
	ID    string              `json:"id"`
	Title string              `json:"title"`
	Kind  connection.AuthKind `json:"kind"`
	Help  string              `json:"help,omitempty"`
	// AuthConfig is set when a client must be registered before anybody can connect.
	AuthConfig bool `json:"auth_config"`
	// Inputs are asked for by connect, ClientInputs by auth-configs create.
	Inputs       []inputReport `json:"inputs,omitempty"`
	ClientInputs []inputReport `json:"client_inputs,omitempty"`
	// Setup says how to register the client or make the key; what it mentions is filled in.
	Setup *connectors.Setup `json:"setup,omitempty"`
	// Scopes are those that every action together needs.
	Scopes []scopeReport `json:"scopes,omitempty"`
	// Test says in words what a test of the credential does, or why there is none.
	Test string `json:"test"`
}

type scopeReport struct {
	Scope string `json:"scope"`
	// Allows says it in plain words; "" when the definition does not tell.
	Allows string `json:"allows,omitempty"`
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
			settings, err := p.settings()
			if err != nil {
				return err
			}
			report := reportOfApp(app, settings.GatewayURL+activities.CallbackPath)
			return p.print(report, func(t *table) { showApp(t, report) })
		},
	}
}

func reportOfApp(app *connectors.App, redirectURI string) appReport {
	report := appReport{appRow: rowOfApp(app), Homepage: app.Homepage, Docs: app.DocsURL, Recovery: app.Recovery,
		Digest: app.Digest, Auth: []methodReport{}, Offers: []actionRow{}}
	for _, method := range app.Methods {
		report.Auth = append(report.Auth, reportOfMethod(app, method, redirectURI))
	}
	for _, action := range app.Actions {
		report.Offers = append(report.Offers, rowOfAction(action))
	}
	return report
}

func reportOfMethod(app *connectors.App, method *connectors.Method, redirectURI string) methodReport {
	report := methodReport{ID: method.ID, Title: method.Title, Kind: method.Kind, Help: method.Help, AuthConfig: method.NeedsClient(),
		Inputs: reportInputs(method.Inputs), ClientInputs: reportInputs(method.ClientInputs), Test: testOf(app, method)}
	scopes := method.ScopesFor(app.Actions)
	for _, scope := range scopes {
		report.Scopes = append(report.Scopes, scopeReport{scope, method.OAuth.Scopes.Describe[scope]})
	}
	if method.OAuth != nil {
		for _, parameter := range slices.Sorted(maps.Keys(method.OAuth.Scopes.Parameters)) {
			for _, scope := range method.OAuth.Scopes.Parameters[parameter] {
				report.Scopes = append(report.Scopes, scopeReport{parameter + ": " + scope, method.OAuth.Scopes.Describe[scope]})
			}
		}
	}
	if method.Setup != nil {
		list := strings.Join(scopes, " ")
		if method.OAuth == nil { // a key is given the same rights by hand
			list = strings.Join(scopesOfActions(app), " ")
		}
		if list == "" {
			list = "(none)"
		}
		fill := strings.NewReplacer("{redirect_uri}", redirectURI, "{scopes}", list)
		report.Setup = &connectors.Setup{URL: method.Setup.URL}
		for _, step := range method.Setup.Steps {
			report.Setup.Steps = append(report.Setup.Steps, fill.Replace(step))
		}
	}
	return report
}

func scopesOfActions(app *connectors.App) []string {
	var scopes []string
	for _, action := range app.Actions {
		scopes = append(scopes, action.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// testOf says in words what a test of a connection does.
func testOf(app *connectors.App, method *connectors.Method) string {
	probe := method.Probe
	if method.Untestable != "" {
		return "cannot be tested: " + method.Untestable
	}
	if probe == nil {
		probe = app.Probe
	}
	if probe == nil {
		return "cannot be tested: the app offers no request that proves a credential"
	}
	text := probe.Tests
	if text == "" {
		verb := probe.Method
		if verb == "" {
			verb = http.MethodGet
		}
		text = verb + " " + string(probe.Path)
	}
	if probe.Needs != "" {
		text += fmt.Sprintf(" (only when %s is given)", probe.Needs)
	}
	return text
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
	t.fact("CATEGORIES", strings.Join(report.Categories, ", "))
	t.fact("HOMEPAGE", report.Homepage)
	t.fact("DOCS", report.Docs)
	t.fact("DEFINED IN", report.Source)
	t.gap()
	t.row("METHOD", "KIND", "TITLE")
	for _, method := range report.Auth {
		t.row(method.ID, string(method.Kind), method.Title)
		showMethod(t, method)
	}
	t.gap()
	t.row("ACTION", "EFFECT", "TITLE")
	for _, action := range report.Offers {
		title := action.Title
		if len(action.Methods) > 0 {
			title += " (only by " + strings.Join(action.Methods, ", ") + ")"
		}
		t.row(action.ID, action.effect(), title)
	}
	if len(report.Recovery) > 0 {
		t.gap()
		t.row("WHEN A CONNECTION DIED")
		for _, hint := range report.Recovery {
			t.row("  " + hint)
		}
	}
}

func showMethod(t *table, method methodReport) {
	if method.Help != "" {
		t.row("  help", "", method.Help)
	}
	if method.AuthConfig {
		t.row("  auth config", "needed", "register a client, then: connected-apps auth-configs create")
	}
	if method.Setup != nil {
		if method.Setup.URL != "" {
			t.row("  setup", "at", method.Setup.URL)
		}
		for i, step := range method.Setup.Steps {
			t.row("  setup", fmt.Sprint(i+1), step)
		}
	}
	for _, input := range method.Inputs {
		t.row("  "+input.Name, howGiven(input, "--set "+input.Name+"=…"), input.words())
	}
	for _, input := range method.ClientInputs {
		t.row("  "+input.Name, howGiven(input, "auth-configs create --set "+input.Name+"=…"), input.words())
	}
	for _, scope := range method.Scopes {
		t.row("  scope", scope.Scope, scope.Allows)
	}
	t.row("  test", "", method.Test)
}

// words are what the definition says of an input.
func (i inputReport) words() string {
	text := i.Help
	if text == "" {
		text = i.Title
	}
	if len(i.Enum) > 0 {
		text = strings.TrimPrefix(text+"; ", "; ") + "one of " + strings.Join(i.Enum, ", ")
	}
	return text
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
