package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// resultMax bounds what a page shows of a result.
const resultMax = 64 << 10

// runKey is how the keys look under which pages run actions.
var runKey = regexp.MustCompile(`^[A-Za-z0-9]{16,64}$`)

// actionPage is one action of a toolkit: what it is, the form to try it, and how to call it.
type actionPage struct {
	toolkitPage
	Action shownAction
	Fields []argumentField
	// Whole is all arguments as JSON, where they were given so.
	Whole      string
	Projection string
	Wait       bool
	// Key makes sure that sending the form twice runs the action once.
	Key      string
	Snippets []snippet
}

// chosenAction is an action of a toolkit; ErrActionNotInToolkit where the toolkit has not got it.
func (c *Console) chosenAction(r *http.Request, role access.Role) (backend.Environment, workflows.Description, connection.Toolkit, *connectors.Action, error) {
	e, d, toolkit, err := c.toolkitOf(r, role)
	if err != nil {
		return e, d, toolkit, nil, err
	}
	name := r.PathValue("action")
	if !slices.Contains(toolkit.Actions, name) {
		return e, d, toolkit, nil, connection.Refused(connection.ErrActionNotInToolkit,
			"the toolkit "+toolkit.Name+" has no action "+connection.Bound(name, 100), "choose it for the toolkit first")
	}
	app, err := c.Catalogue.App(d.ID.App())
	if err != nil {
		return e, d, toolkit, nil, err
	}
	action, err := app.Action(name)
	return e, d, toolkit, action, err
}

func (c *Console) showAction(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, action, err := c.chosenAction(r, access.Viewer)
	if err != nil {
		return err
	}
	return c.show(w, r, "toolkit-action.html", "connections", action.Title, c.actionPage(r, e, d, toolkit, action, nil))
}

// actionPage is the page with what was typed into its form before; nil is nothing.
func (c *Console) actionPage(r *http.Request, e backend.Environment, d workflows.Description, toolkit connection.Toolkit, action *connectors.Action, typed url.Values) actionPage {
	page := actionPage{toolkitPage: c.toolkitPage(r, e, d, toolkit), Action: c.shownAction(d.State, action.ID),
		Fields: argumentFields(action.Input.RawMessage, typed), Whole: typed.Get(wholeField), Key: rand.Text(),
		Projection: typed.Get("projection"), Wait: typed.Get("wait") == "yes"}
	page.Snippets = c.snippets(e, d.ID, toolkit.Name, action)
	return page
}

// tryAction runs an action under the key of its form, and leads to the page of the run.
func (c *Console) tryAction(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, action, err := c.chosenAction(r, access.Operator)
	if err != nil {
		return err
	}
	in := activities.CallActionInput{Connection: d.ID, Toolkit: toolkit.Name, Action: action.ID, IdempotencyKey: r.PostForm.Get("key"),
		Projection: strings.TrimSpace(r.PostForm.Get("projection")), Cursor: r.PostForm.Get("cursor"), MaxBytes: resultMax,
		WaitForReconnect: r.PostForm.Get("wait") == "yes"}
	begun, err := c.run(r, e, action, &in)
	if err == nil || begun {
		to(w, r, pageOf(d.ID)+"/toolkits/"+toolkit.Name+"/actions/"+action.ID+"/runs/"+in.IdempotencyKey, "")
		return nil
	}
	problem := web.ProblemOf(r, c.Log, err)
	page := c.actionPage(r, e, d, toolkit, action, r.PostForm)
	if problem.Field != "idempotency_key" && runKey.MatchString(in.IdempotencyKey) {
		page.Key = in.IdempotencyKey // sent again it is the same run
	}
	blame(page.Fields, problem)
	return c.showWith(w, r, "toolkit-action.html", "connections", action.Title, page, problem)
}

// run checks and runs an action. begun reports that there is a run whose page says
// what became of it, also where that was an error.
func (c *Console) run(r *http.Request, e backend.Environment, action *connectors.Action, in *activities.CallActionInput) (begun bool, err error) {
	if !runKey.MatchString(in.IdempotencyKey) {
		return false, connection.InvalidInput("idempotency_key", "the form has no key", "send it once more")
	}
	if in.Arguments, err = argumentsOf(argumentFields(action.Input.RawMessage, r.PostForm), r.PostForm); err != nil {
		return false, err
	}
	if err := action.CheckArguments(in.Arguments); err != nil {
		return false, err
	}
	if !action.ReadOnly {
		if err := sure(r); err != nil {
			return false, err
		}
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		_, err := e.Client.RunAction(ctx, *in)
		return err
	})
	if err == nil || late {
		return true, nil
	}
	if known, _ := connection.AsProblem(err); known != nil && known.Field == "idempotency_key" {
		return false, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	_, missing := e.Client.ActionRun(ctx, in.Connection, in.IdempotencyKey)
	return missing == nil, err
}

// runPage is one run of an action: how far it has come or how it ended.
type runPage struct {
	toolkitPage
	Action    shownAction
	Run       workflows.ActionRun
	Arguments string
	// Data is the result, Cut that the page does not show all of it.
	Data string
	Cut  bool
	// Secrets are the outputs that were put into Vault, with where.
	Secrets []fact
	// Self is the page's own address, Again that of the form.
	Self, Again string
	// Parked: it waits for a person to reconnect.
	Parked bool
	// NextKey is the key for the page after this one; "" where there is none to be had.
	NextKey string
}

func (c *Console) showRun(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, action, err := c.chosenAction(r, access.Operator)
	if err != nil {
		return err
	}
	key := r.PathValue("key")
	run, err := runOf(r, e, d.ID, action, key)
	if err != nil {
		return err
	}
	page := runPage{toolkitPage: c.toolkitPage(r, e, d, toolkit), Action: c.shownAction(d.State, action.ID), Run: run,
		Arguments: pretty(run.Input.Arguments), Parked: !run.Over && run.Input.WaitForReconnect && d.Look.Status == connection.Expired}
	page.Again = page.Path + "/actions/" + action.ID
	page.Self = page.Again + "/runs/" + key
	if result := run.Result; result != nil {
		page.Data, page.Cut = shownData(result.Data), result.Truncated
		for _, place := range slices.Sorted(maps.Keys(result.Secrets)) {
			page.Secrets = append(page.Secrets, fact{place, result.Secrets[place]})
		}
		if result.NextCursor != "" && action.ReadOnly {
			page.NextKey = rand.Text()
		}
	}
	if partOnly(r) {
		return c.part(w, r, "toolkit-run.html", "run", page)
	}
	return c.show(w, r, "toolkit-run.html", "connections", page.Action.Title, page)
}

// runOf looks at the run of an action under a key.
func runOf(r *http.Request, e backend.Environment, id connection.ID, action *connectors.Action, key string) (workflows.ActionRun, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	run, err := e.Client.ActionRun(ctx, id, key)
	if err == nil && run.Input.Action != action.ID {
		err = connection.InvalidInput("run", "that run is of another action", "begin at the connection's page")
	}
	return run, err
}

// changeRun is the form of an action with what a run of it was given. That comes from
// the run: a link could have put anything there.
func (c *Console) changeRun(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, action, err := c.chosenAction(r, access.Operator)
	if err != nil {
		return err
	}
	run, err := runOf(r, e, d.ID, action, r.PathValue("key"))
	if err != nil {
		return err
	}
	typed := typedArguments(argumentFields(action.Input.RawMessage, nil), run.Input.Arguments)
	typed.Set("projection", run.Input.Projection)
	if run.Input.WaitForReconnect {
		typed.Set("wait", "yes")
	}
	return c.show(w, r, "toolkit-action.html", "connections", action.Title, c.actionPage(r, e, d, toolkit, action, typed))
}

// shownData is a result as people read it, at most a page of it: what an app answers may be anything.
func shownData(data json.RawMessage) string {
	text := pretty(data)
	if text == "" {
		text = string(data)
	}
	return connection.Bound(text, 4*resultMax)
}
