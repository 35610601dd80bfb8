package console

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// alertsMost is how many open alerts of an environment are listed, the newest first.
const alertsMost = 500

func init() {
	maps.Copy(sayings, map[string]string{
		"alert-resolved": "The alert is resolved.",
		"sink-deleted":   "The sink is gone: nothing is delivered to it any more.",
	})
}

func (c *Console) alertRoutes() {
	c.read("/alerts", c.showAlerts)
	c.read("/alerts/count", c.showAlertCount)
	c.read("/alerts/{id...}", c.showAlert)
	c.write("/alerts/{id...}", c.resolveAlert)
}

// alertTitle says a kind of alert for people.
func alertTitle(kind connection.AlertKind) string {
	switch kind {
	case connection.AlertExpired:
		return "Expired: a person must reconnect"
	case connection.AlertFailing:
		return "Failing"
	case connection.AlertScopeLost:
		return "Scopes were lost"
	case connection.AlertExpiring:
		return "Access ends soon"
	case connection.AlertClientRefused:
		return "The app refuses the client"
	case connection.AlertGrantMayLive:
		return "A grant may still be good"
	case connection.AlertTest:
		return "Test"
	}
	return string(kind)
}

// pageOfAlert is an alert's own page.
func pageOfAlert(id string) string { return (&url.URL{Path: "/alerts/" + id}).EscapedPath() }

// authConfigPage is an auth config's own page.
func authConfigPage(environment, app, name string) string {
	return "/auth-configs/" + environment + "/" + app + "/" + name
}

// alertsPage is the list of open alerts.
type alertsPage struct {
	Query, Environment, App string
	Kind                    connection.AlertKind
	Environments            []string
	Kinds                   []connection.AlertKind
	Apps                    []appChoice
	Rows                    []alertRow
	Total                   int
	Away                    []away
	// More names environments with more open alerts than are listed.
	More []string
}

// alertRow is an open alert of the list.
type alertRow struct {
	workflows.AlertRow
	App  appChoice
	Link string
	// About is the subject, AboutLink its page.
	About, AboutLink string
	// Repair is what the kind calls for; its zero value is nothing.
	Repair repair
}

type alertAnswer struct {
	rows []workflows.AlertRow
	more bool
}

func (c *Console) showAlerts(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	query := r.URL.Query()
	page := alertsPage{Query: connection.Bound(strings.TrimSpace(query.Get("q")), 100), Environment: query.Get("environment"), App: query.Get("app"),
		Kind: connection.AlertKind(query.Get("kind")), Environments: namesOf(c.seen(r)), Kinds: connection.AlertKinds()}
	answers := everywhere(c, r, func(e backend.Environment) (alertAnswer, error) {
		rows, next, err := e.Client.ListAlerts(ctx, workflows.AlertFilter{}, alertsMost, nil)
		return alertAnswer{rows, len(next) > 0}, err
	})
	page.Away = awayOf(answers)
	for _, answer := range answers {
		page.Total += len(answer.Answer.rows)
		if answer.Problem == nil {
			c.alerts.Saw(answer.Environment.Name, len(answer.Answer.rows))
		}
		if answer.Answer.more {
			page.More = append(page.More, answer.Environment.Name)
		}
		for _, row := range answer.Answer.rows {
			shown := c.alertRow(row)
			if !access.Of(r.Context()).May(row.Environment, access.Operator) {
				shown.Repair = repair{}
			}
			if !slices.Contains(page.Apps, shown.App) {
				page.Apps = append(page.Apps, shown.App)
			}
			if page.matches(shown) {
				page.Rows = append(page.Rows, shown)
			}
		}
	}
	slices.SortFunc(page.Apps, func(a, b appChoice) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	slices.SortFunc(page.Rows, func(a, b alertRow) int { return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID)) })
	if partOnly(r) {
		return c.part(w, r, "alerts.html", "alerts", page)
	}
	return c.show(w, r, "alerts.html", "alerts", "Alerts", page)
}

func (c *Console) alertRow(row workflows.AlertRow) alertRow {
	shown := alertRow{AlertRow: row, App: appChoice{row.App, c.appName(row.App)}, Link: pageOfAlert(row.ID)}
	subject := workflows.AlertSubject{Environment: row.Environment, App: row.App, Connection: row.Connection, AuthConfig: row.AuthConfig, Name: row.Name}
	shown.About, shown.AboutLink = about(subject)
	shown.Repair = repairOf(row.Kind, subject)
	return shown
}

// repair is a page on which the trouble of an alert can be ended.
type repair struct{ Title, Link string }

// repairOf is the repair that a kind of alert calls for. Whether the person may do it,
// the page that it leads to says.
func repairOf(kind connection.AlertKind, subject workflows.AlertSubject) repair {
	_, page := about(subject)
	switch {
	case kind == connection.AlertClientRefused && subject.AuthConfig != "":
		return repair{"Open the auth config", authConfigPage(subject.Environment, subject.App, subject.AuthConfig)}
	case subject.Connection == "" && subject.AuthConfig != "" && kind == connection.AlertExpiring:
		return repair{"Replace the secret", page}
	case subject.Connection == "":
		return repair{}
	}
	switch kind {
	case connection.AlertExpired, connection.AlertScopeLost, connection.AlertExpiring:
		return repair{"Reconnect", page + "/reconnect"}
	case connection.AlertFailing, connection.AlertClientRefused:
		return repair{"See what is wrong", page}
	case connection.AlertGrantMayLive, connection.AlertTest: // nothing that a page here could end
	}
	return repair{}
}

// about names what an alert is about, and its page.
func about(subject workflows.AlertSubject) (name, link string) {
	if subject.Connection == "" {
		return "Auth config " + subject.AuthConfig, authConfigPage(subject.Environment, subject.App, subject.AuthConfig)
	}
	if subject.Name != "" {
		return subject.Name, pageOf(subject.Connection)
	}
	return subject.Connection.Slug(), pageOf(subject.Connection)
}

func (p alertsPage) matches(row alertRow) bool {
	if p.Environment != "" && row.Environment != p.Environment || p.App != "" && row.App.ID != p.App || p.Kind != "" && row.Kind != p.Kind {
		return false
	}
	text := strings.ToLower(row.ID + " " + row.About + " " + row.App.Name + " " + row.Owner + " " + row.Reason)
	for word := range strings.FieldsSeq(strings.ToLower(p.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// alertView is one alert.
type alertView struct {
	workflows.AlertState
	App              appChoice
	About, AboutLink string
	Title, Remedy    string
	MayOperate       bool
	// Repair is what the kind calls for; its zero value is nothing.
	Repair repair
}

// ofAlert finds the environment of the alert that a path is about.
func (c *Console) ofAlert(r *http.Request, role access.Role) (backend.Environment, string, error) {
	id := r.PathValue("id")
	name, err := workflows.AlertEnvironment(id)
	if err != nil {
		return backend.Environment{}, id, err
	}
	e, err := c.environment(r, name, role)
	return e, id, err
}

func (c *Console) showAlert(w http.ResponseWriter, r *http.Request) error {
	e, id, err := c.ofAlert(r, access.Viewer)
	if err != nil {
		return err
	}
	return c.showAlertWith(w, r, e, id, nil)
}

// showAlertWith shows an alert, and what did not work; nil for nothing.
func (c *Console) showAlertWith(w http.ResponseWriter, r *http.Request, e backend.Environment, id string, problem *connection.Problem) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	state, err := e.Client.DescribeAlert(ctx, id)
	if err != nil {
		return err
	}
	state.ID = id
	page := alertView{AlertState: state, App: appChoice{state.App, c.appName(state.App)}, Title: alertTitle(state.Kind),
		Remedy: forPage(state.Remedy), MayOperate: access.Of(r.Context()).May(e.Name, access.Operator)}
	page.About, page.AboutLink = about(state.AlertSubject)
	if page.MayOperate && state.Resolved.IsZero() {
		page.Repair = repairOf(state.Kind, state.AlertSubject)
	}
	return c.showWith(w, r, "alert.html", "alerts", page.Title, page, problem)
}

func (c *Console) resolveAlert(w http.ResponseWriter, r *http.Request) error {
	e, id, err := c.ofAlert(r, access.Operator)
	if err != nil {
		return err
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		_, err := e.Client.ResolveAlert(ctx, id, reasonOf(r))
		return err
	})
	c.alerts.Changed(e.Name)
	if err != nil {
		return c.showAlertWith(w, r, e, id, web.ProblemOf(r, c.Log, err))
	}
	said := "alert-resolved"
	if late {
		said = "still-going"
	}
	to(w, r, pageOfAlert(id), said)
	return nil
}
