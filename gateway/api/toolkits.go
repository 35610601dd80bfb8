package api

import (
	"context"
	"net/http"
	"slices"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// ToolkitPath is embedded by the input of every operation on one toolkit.
type ToolkitPath struct {
	ConnectionPath
	Toolkit string `path:"toolkit" maxLength:"63" example:"default" doc:"The toolkit's name, unique within the connection."`
}

// ToolkitActions is a toolkit with its actions.
type ToolkitActions struct {
	Name    string   `json:"name" doc:"Its name."`
	Actions []Action `json:"actions" doc:"Its actions, each with the JSON Schema of its arguments."`
	Unknown []string `json:"unknown,omitempty" doc:"Actions that the app's definition does not know any more."`
}

// ToolkitRequest says which actions a toolkit is to have.
type ToolkitRequest struct {
	Actions []string `json:"actions" minItems:"1" maxItems:"500" doc:"IDs of actions of the app."`
}

type (
	toolkitInput    struct{ ToolkitPath }
	putToolkitInput struct {
		ToolkitPath
		Keyed
		Body ToolkitRequest
	}
	deleteToolkitInput struct {
		ToolkitPath
		Keyed
	}
	toolkitAnswer        struct{ Body Toolkit }
	toolkitActionsAnswer struct{ Body ToolkitActions }
)

func (a *api) registerToolkits() {
	toolkit := func(id, method, summary, description string, role access.Role) operation {
		return operation{id: id, method: method, path: onePath + "/toolkits/{toolkit}", tag: "Toolkits", role: role, summary: summary, description: description}
	}
	register(a, toolkit("show-toolkit", http.MethodGet, "Show a toolkit",
		"Answers the actions of a toolkit with the JSON Schemas of their arguments: what an agent or a workflow needs to call them.", access.Viewer), a.showToolkit)
	register(a, toolkit("put-toolkit", http.MethodPut, "Create or replace a toolkit",
		"Creates or replaces a toolkit; it is answered when whoever acts can see it.", access.Operator), a.putToolkit)
	register(a, toolkit("delete-toolkit", http.MethodDelete, "Delete a toolkit", "Deletes a toolkit. The connection stays.", access.Operator),
		func(ctx context.Context, in *deleteToolkitInput) (*nothing, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			return nil, at(ctx).Client.DeleteToolkit(ctx, id, in.Toolkit)
		})
}

func (a *api) showToolkit(ctx context.Context, in *toolkitInput) (*toolkitActionsAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	d, err := at(ctx).Client.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Toolkits, func(t connection.Toolkit) bool { return t.Name == in.Toolkit })
	if i < 0 {
		return nil, connection.Refused(connection.ErrToolkitNotFound, "the connection has no toolkit "+connection.Bound(in.Toolkit, 63), "show the connection to see which it has")
	}
	app, err := a.catalogue.App(id.App())
	if err != nil {
		return nil, err
	}
	out := ToolkitActions{Name: in.Toolkit, Actions: []Action{}}
	for _, name := range d.Toolkits[i].Actions {
		action, err := app.Action(name)
		if err != nil {
			out.Unknown = append(out.Unknown, name)
			continue
		}
		out.Actions = append(out.Actions, actionOf(action))
	}
	return &toolkitActionsAnswer{out}, nil
}

func (a *api) putToolkit(ctx context.Context, in *putToolkitInput) (*toolkitAnswer, error) {
	id, err := in.id()
	if err == nil {
		err = connection.CheckSlug("toolkit", in.Toolkit)
	}
	if err != nil {
		return nil, err
	}
	toolkit, err := at(ctx).Client.PutToolkit(ctx, id, workflows.PutToolkit{Name: in.Toolkit, Actions: in.Body.Actions})
	return &toolkitAnswer{toolkitOf(toolkit)}, err
}
