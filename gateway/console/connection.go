package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// connectionPath is where a connection's pages are.
const connectionPath = "/connections/{environment}/{app}/{name}"

func (c *Console) connectionRoutes() {
	c.read(connectionPath, c.showConnection)
	c.write(connectionPath+"/test", c.testConnection)
	c.write(connectionPath+"/refresh", c.refreshConnection)
	c.write(connectionPath+"/pause", c.pauseConnection)
	c.write(connectionPath+"/resume", c.resumeConnection)
	c.write(connectionPath+"/rename", c.renameConnection)
	c.write(connectionPath+"/policy", c.setConnectionPolicy)
	c.write(connectionPath+"/disconnect", c.disconnectConnection)
}

// connectionPage is everything that is known of a connection.
type connectionPage struct {
	workflows.Description
	App  appChoice
	Path string
	Name string
	// MayOperate: the person may repair and change it.
	MayOperate bool
	// Says is what the status means, Remedy what to do about it.
	Says, Remedy string
	Method       string
	Account      string
	LastUsed     time.Time
	PolicyWords  string
	// Intervals are the probe intervals to choose from.
	Intervals []interval
	// ExpiresOn is the told end of the credential as a date field has it.
	ExpiresOn string
	// Again is how its button is called by which a person authenticates again; "" for a kind without credentials.
	Again string
	// RunLink leads to the run in Temporal's Web UI; "" where none is known.
	RunLink string
	// Timeline is what has happened, the newest first; Earlier is the rest of it.
	Timeline, Earlier []happening
	// Values are what is no secret, by the titles of the form.
	Values  []fact
	Outcome *outcome
}

// Can reports whether the status allows something: "ask" its app, "pause", "resume" or "leave".
func (p connectionPage) Can(what string) bool {
	working := p.Look.Status == connection.Active || p.Look.Status == connection.Error
	switch what {
	case "ask":
		return working || p.Look.Status == connection.Expired
	case "refresh":
		return working && p.Renewable
	case "pause":
		return working
	case "resume":
		return p.Look.Status == connection.Paused
	default:
		return p.Look.Status != connection.Pending && p.Look.Status != connection.Leaving
	}
}

func (c *Console) showConnection(w http.ResponseWriter, r *http.Request) error {
	e, id, err := c.named(r, access.Viewer)
	if err != nil {
		return err
	}
	page, err := c.connectionPage(r, e, id)
	switch {
	case connection.TypeOf(err) == connection.ErrConnectionNotFound:
		return c.showGone(w, r, id, web.ProblemOf(r, c.Log, err))
	case err != nil:
		return err
	}
	return c.show(w, r, "connection.html", "connections", page.Name, page)
}

// gonePage is what can be said of a connection that is not there.
type gonePage struct {
	ID      connection.ID
	App     appChoice
	Says    string
	Offered bool
}

// showGone says when a connection ended, and how to have it again.
func (c *Console) showGone(w http.ResponseWriter, r *http.Request, id connection.ID, problem *connection.Problem) error {
	_, err := c.Catalogue.App(id.App())
	f := c.frame(r, "connections", id.String(), gonePage{ID: id, App: appChoice{id.App(), c.appName(id.App())}, Says: problem.Message, Offered: err == nil})
	return c.render(w, http.StatusNotFound, "connection-gone.html", "frame", f)
}

// connectionPage asks for everything that is known of a connection and puts it into words.
func (c *Console) connectionPage(r *http.Request, e backend.Environment, id connection.ID) (connectionPage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	described, err := e.Client.Describe(ctx, id)
	if err != nil {
		return connectionPage{}, err
	}
	page := connectionPage{Description: described, Path: pageOf(id), Name: described.DisplayName,
		App: appChoice{id.App(), c.appName(id.App())}, MayOperate: access.Of(r.Context()).May(e.Name, access.Operator),
		Says: statusWords(described.Look.Status), Remedy: forPage(described.Look.Remedy), Account: accountWords(described.Look.Identity),
		Method: kindTitle(described.Kind), LastUsed: described.Look.LastUsed, ExpiresOn: dayOf(described.Policy.Expires), Again: again(described.Kind)}
	page.Description.ID = id
	if page.Name == "" {
		page.Name = id.Slug()
	}
	if described.Facts.LastUsed.After(page.LastUsed) {
		page.LastUsed = described.Facts.LastUsed
	}
	app, err := c.Catalogue.App(id.App())
	page.Values = titledValues(described.Values)
	if err == nil {
		if method, err := app.Method(described.Method); err == nil && described.Method != "" {
			page.Values = titledValues(described.Values, slices.Concat(method.Inputs, method.ClientInputs)...)
			if method.Title != "" {
				page.Method = method.Title + ", " + page.Method
			}
		}
	}
	page.PolicyWords = policyWords(app, described.Policy)
	page.Intervals = intervals(app, described.Policy.ProbeEvery)
	if c.TemporalUI != "" && e.Namespace != "" && described.RunID != "" {
		page.RunLink = strings.TrimRight(c.TemporalUI, "/") + "/namespaces/" + url.PathEscape(e.Namespace) + "/workflows/" +
			url.PathEscape(workflows.ConnectionWorkflowID(id)) + "/" + url.PathEscape(described.RunID)
	}
	page.Timeline = timeline(described.State)
	sayOnce(page.Timeline, described.Look.Reason)
	if len(page.Timeline) > happeningsShown {
		page.Timeline, page.Earlier = page.Timeline[:happeningsShown], page.Timeline[happeningsShown:]
	}
	return page, nil
}

// again is how the way to a new credential is called.
func again(kind connection.AuthKind) string {
	switch {
	case kind == connection.None:
		return ""
	case kind.NeedsBrowser() || kind == connection.OAuth2Device || kind == "":
		return "Reconnect"
	default:
		return "Update credentials"
	}
}

// happeningsShown is how much of the timeline is open at first.
const happeningsShown = 15

// happening is one entry of the timeline.
type happening struct {
	At           time.Time
	What, Reason string
	// Link leads to the alert that it is; "" for a change.
	Link string
	// Tone is the class of what it looks like.
	Tone string
}

// timeline puts changes and open alerts together, the newest first.
func timeline(state workflows.State) []happening {
	var all []happening
	for _, change := range state.Transitions {
		all = append(all, happening{At: change.At, What: change.What, Reason: change.Reason, Tone: toneOf(change.What)})
	}
	for _, alert := range state.Alerts.Open {
		all = append(all, happening{At: alert.Since, What: "Alert: " + alertTitle(alert.News.Kind), Reason: alert.News.Reason,
			Link: pageOfAlert(alert.WorkflowID), Tone: "bad"})
	}
	slices.SortStableFunc(all, func(a, b happening) int { return b.At.Compare(a.At) })
	return all
}

// sayOnce takes out of a timeline the reasons that stand above it already, as that of
// the status, and those of alerts that a change has too.
func sayOnce(all []happening, said string) {
	for i := range all {
		again := sameReason(all[i].Reason, said) || all[i].Link != "" && slices.ContainsFunc(all, func(other happening) bool {
			return other.Link == "" && sameReason(all[i].Reason, other.Reason)
		})
		if again {
			all[i].Reason = ""
		}
	}
}

// sameReason reports whether two texts are the same, as far as neither was cut.
func sameReason(a, b string) bool {
	short, long := strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	if len(short) > len(long) {
		short, long = long, short
	}
	if cut, was := strings.CutSuffix(short, "…"); was && cut != "" {
		return strings.HasPrefix(long, cut)
	}
	return short == long
}

func toneOf(what string) string {
	switch connection.Status(what) {
	case connection.Active:
		return "good"
	case connection.Expired, connection.Error:
		return "bad"
	case connection.Pending, connection.Paused, connection.Leaving:
	}
	return ""
}

// interval is a probe interval to choose; its value is a duration as Go writes it, "" for the app's own.
type interval struct {
	Value, Title string
	Chosen       bool
}

// intervals are some usual ones, with the one that is set now among them.
func intervals(app *connectors.App, now time.Duration) []interval {
	own := "The app's own"
	if app != nil {
		own += " (" + span(app.ProbeInterval()) + ")"
	}
	all := []interval{{Title: own, Chosen: now == 0}}
	usual := []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
	if now != 0 && !slices.Contains(usual, now) {
		usual = append(usual, now)
		slices.Sort(usual)
	}
	for _, every := range usual {
		all = append(all, interval{every.String(), span(every), every == now})
	}
	return all
}
