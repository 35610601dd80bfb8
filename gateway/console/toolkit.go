package console

import (
	"context"
	"net/http"
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// toolkitPath is where a toolkit's pages are.
const toolkitPath = connectionPath + "/toolkits/{toolkit}"

func (c *Console) toolkitRoutes() {
	c.read(connectionPath+"/toolkits", c.newToolkit)
	c.write(connectionPath+"/toolkits", c.createToolkit)
	c.read(toolkitPath, c.showToolkit)
	c.read(toolkitPath+"/edit", c.editToolkit)
	c.write(toolkitPath+"/edit", c.replaceToolkit)
	c.write(toolkitPath+"/delete", c.deleteToolkit)
	c.read(toolkitPath+"/actions/{action}", c.showAction)
	c.write(toolkitPath+"/actions/{action}", c.tryAction)
	c.read(toolkitPath+"/actions/{action}/runs/{key}", c.showRun)
	c.read(toolkitPath+"/actions/{action}/runs/{key}/again", c.changeRun)
}

// toolkitPage is a toolkit with its actions.
type toolkitPage struct {
	ID         connection.ID
	App        appChoice
	Connection string
	Status     connection.Status
	Name       string
	Path       string
	Actions    []shownAction
	MayOperate bool
	// Agents are the ways to give it to an agent.
	Agents []snippet
}

// shownAction is an action in a list.
type shownAction struct {
	ID, Title, Description string
	// Effect is "reads", "changes" or "destroys".
	Effect string
	Input  []schemaRow
	Output []schemaRow
	// InputText and OutputText are the schemas as they are; "" where there is none.
	InputText, OutputText string
	// Missing are scopes that it needs and that were not granted.
	Missing []string
	// Chosen: the toolkit has it.
	Chosen bool
	// Unknown: no loaded definition has it.
	Unknown bool
}

// toolkitOf finds a toolkit of a connection; ErrToolkitNotFound otherwise.
func (c *Console) toolkitOf(r *http.Request, role access.Role) (backend.Environment, workflows.Description, connection.Toolkit, error) {
	var none connection.Toolkit
	e, id, err := c.named(r, role)
	if err != nil {
		return e, workflows.Description{}, none, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	d, err := e.Client.Describe(ctx, id)
	d.ID = id
	if err != nil {
		return e, d, none, err
	}
	name := r.PathValue("toolkit")
	for _, toolkit := range d.Toolkits {
		if toolkit.Name == name {
			return e, d, toolkit, nil
		}
	}
	return e, d, none, connection.Refused(connection.ErrToolkitNotFound, id.String()+" has no toolkit "+connection.Bound(name, 63),
		"see on the connection's page which there are")
}

func (c *Console) showToolkit(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, err := c.toolkitOf(r, access.Viewer)
	switch {
	case connection.TypeOf(err) == connection.ErrConnectionNotFound:
		return c.showGone(w, r, d.ID, web.ProblemOf(r, c.Log, err))
	case err != nil:
		return err
	}
	page := c.toolkitPage(r, e, d, toolkit)
	for _, name := range toolkit.Actions {
		page.Actions = append(page.Actions, c.shownAction(d.State, name))
	}
	page.Agents = c.agentSnippets(d.ID, toolkit.Name)
	return c.show(w, r, "toolkit.html", "connections", toolkit.Name+" of "+page.Connection, page)
}

func (c *Console) toolkitPage(r *http.Request, e backend.Environment, d workflows.Description, toolkit connection.Toolkit) toolkitPage {
	page := toolkitPage{ID: d.ID, App: appChoice{d.ID.App(), c.appName(d.ID.App())}, Connection: d.DisplayName, Status: d.Look.Status,
		Name: toolkit.Name, Path: pageOf(d.ID) + "/toolkits/" + toolkit.Name, MayOperate: access.Of(r.Context()).May(e.Name, access.Operator)}
	if page.Connection == "" {
		page.Connection = d.ID.Slug()
	}
	return page
}

// shownAction puts an action of a connection into the words of the app's definition.
func (c *Console) shownAction(state workflows.State, name string) shownAction {
	app, err := c.Catalogue.App(state.ID.App())
	if err != nil {
		return shownAction{ID: name, Title: name, Unknown: true}
	}
	action, err := app.Action(name)
	if err != nil {
		return shownAction{ID: name, Title: name, Unknown: true}
	}
	shown := describeAction(action)
	if method, err := app.Method(state.Method); err == nil && len(state.Look.Scopes) > 0 {
		shown.Missing = method.Missing(action.Scopes, state.Look.Scopes)
	}
	return shown
}

// describeAction puts an action and its schemas into words.
func describeAction(action *connectors.Action) shownAction {
	shown := shownAction{ID: action.ID, Title: action.Title, Description: action.Description, Effect: effectOf(action),
		Input: schemaRows(action.Input.RawMessage), Output: schemaRows(action.Output.RawMessage),
		InputText: pretty(action.Input.RawMessage), OutputText: pretty(action.Output.RawMessage)}
	if shown.Title == "" {
		shown.Title = action.ID
	}
	return shown
}

// effectOf says in a word what running an action does to the app's data.
func effectOf(action *connectors.Action) string {
	switch {
	case action.Destructive:
		return "destroys"
	case action.ReadOnly:
		return "reads"
	default:
		return "changes"
	}
}

// choosable are the actions that a connection's method offers, those of a toolkit chosen.
func (c *Console) choosable(state workflows.State, chosen []string) []shownAction {
	app, err := c.Catalogue.App(state.ID.App())
	if err != nil {
		return nil
	}
	method, err := app.Method(state.Method)
	var all []shownAction
	for _, action := range app.Actions {
		if err != nil || action.OfferedBy(method) {
			shown := c.shownAction(state, action.ID)
			shown.Chosen = slices.Contains(chosen, action.ID)
			all = append(all, shown)
		}
	}
	return all
}
