package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// toolkitForm is the page on which the actions of a toolkit are chosen.
type toolkitForm struct {
	toolkitPage
	// New: there is no such toolkit yet, and the name is asked for.
	New bool
	// Target is where the form goes, Back where the page leads without it.
	Target, Back string
}

func (c *Console) newToolkit(w http.ResponseWriter, r *http.Request) error {
	e, d, err := c.toolkitsConnection(r)
	if err != nil {
		return err
	}
	form := c.newToolkitForm(r, e, d, "", nil)
	return c.show(w, r, "toolkit-edit.html", "connections", "New toolkit", form)
}

func (c *Console) newToolkitForm(r *http.Request, e backend.Environment, d workflows.Description, name string, chosen []string) toolkitForm {
	form := toolkitForm{toolkitPage: c.toolkitPage(r, e, d, connection.Toolkit{Name: name}), New: true,
		Target: pageOf(d.ID) + "/toolkits", Back: pageOf(d.ID)}
	form.Actions = c.choosable(d.State, chosen)
	return form
}

// toolkitsConnection is the connection that a new toolkit is for, of somebody who may make it.
func (c *Console) toolkitsConnection(r *http.Request) (backend.Environment, workflows.Description, error) {
	e, id, err := c.named(r, access.Operator)
	if err != nil {
		return e, workflows.Description{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	d, err := e.Client.Describe(ctx, id)
	d.ID = id
	return e, d, err
}

func (c *Console) createToolkit(w http.ResponseWriter, r *http.Request) error {
	e, d, err := c.toolkitsConnection(r)
	if err != nil {
		return err
	}
	in := workflows.PutToolkit{Name: strings.TrimSpace(r.PostForm.Get("toolkit")), Actions: r.PostForm["action"]}
	err = connection.CheckSlug("toolkit", in.Name)
	if err == nil && slices.ContainsFunc(d.Toolkits, func(t connection.Toolkit) bool { return t.Name == in.Name }) {
		err = connection.InvalidInput("toolkit", "there is a toolkit of that name already", "change that one, or choose another name")
	}
	late := false
	if err == nil {
		late, err = c.putToolkit(r, e, d.ID, in)
	}
	if err != nil {
		form := c.newToolkitForm(r, e, d, connection.Bound(in.Name, 100), in.Actions)
		return c.showWith(w, r, "toolkit-edit.html", "connections", "New toolkit", form, web.ProblemOf(r, c.Log, err))
	}
	if late {
		to(w, r, pageOf(d.ID), "still-going")
		return nil
	}
	to(w, r, pageOf(d.ID)+"/toolkits/"+in.Name, "toolkit-put")
	return nil
}

// putToolkit creates or replaces a toolkit. One without actions would be of no use to anybody.
func (c *Console) putToolkit(r *http.Request, e backend.Environment, id connection.ID, in workflows.PutToolkit) (late bool, err error) {
	if len(in.Actions) == 0 {
		return false, connection.InvalidInput("action", "no action was chosen", "tick at least one")
	}
	late, err = patiently(r.Context(), func(ctx context.Context) error {
		_, err := e.Client.PutToolkit(ctx, id, in)
		return err
	})
	c.Lists.Changed(e.Name)
	return late, err
}

func (c *Console) editToolkit(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, err := c.toolkitOf(r, access.Operator)
	if err != nil {
		return err
	}
	return c.show(w, r, "toolkit-edit.html", "connections", "Change "+toolkit.Name, c.editForm(r, e, d, toolkit))
}

func (c *Console) editForm(r *http.Request, e backend.Environment, d workflows.Description, toolkit connection.Toolkit) toolkitForm {
	form := toolkitForm{toolkitPage: c.toolkitPage(r, e, d, toolkit)}
	form.Target, form.Back = form.Path+"/edit", form.Path
	form.Actions = c.choosable(d.State, toolkit.Actions)
	return form
}

func (c *Console) replaceToolkit(w http.ResponseWriter, r *http.Request) error {
	e, d, toolkit, err := c.toolkitOf(r, access.Operator)
	if err != nil {
		return err
	}
	toolkit.Actions = r.PostForm["action"]
	late, err := c.putToolkit(r, e, d.ID, workflows.PutToolkit{Name: toolkit.Name, Actions: toolkit.Actions})
	if err != nil {
		return c.showWith(w, r, "toolkit-edit.html", "connections", "Change "+toolkit.Name, c.editForm(r, e, d, toolkit), web.ProblemOf(r, c.Log, err))
	}
	said := "toolkit-put"
	if late {
		said = "still-going"
	}
	to(w, r, pageOf(d.ID)+"/toolkits/"+toolkit.Name, said)
	return nil
}

func (c *Console) deleteToolkit(w http.ResponseWriter, r *http.Request) error {
	return c.change(w, r, "toolkit-gone", func(ctx context.Context, e backend.Environment, id connection.ID) error {
		if err := sure(r); err != nil {
			return err
		}
		return e.Client.DeleteToolkit(ctx, id, r.PathValue("toolkit"))
	})
}
