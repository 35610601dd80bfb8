package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

func (c *Console) connectRoutes() {
	const form = "/apps/{app}/connect"
	c.read(form, c.showConnect)
	c.write(form, c.startConnect)
	const again = "/connections/{environment}/{app}/{name}/reconnect"
	c.read(again, c.showReconnect)
	c.write(again, c.startReconnect)
	c.progressRoutes()
}

// showConnect is the form that connects an app; htmx asks for parts of it.
func (c *Console) showConnect(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	f, _, err := c.newForm(ctx, r, choiceOf(r.URL.Query()), nil)
	if err != nil {
		return err
	}
	return c.showForm(w, r, f, nil)
}

// newForm is the form for a new connection, with what was chosen so far.
func (c *Console) newForm(ctx context.Context, r *http.Request, ch choice, wrong problems) (*connectForm, backend.Environment, error) {
	app, err := c.Catalogue.App(r.PathValue("app"))
	if err != nil {
		return nil, backend.Environment{}, err
	}
	f := &connectForm{Purpose: forNew, App: app, Path: "/apps/" + app.ID + "/connect", choice: ch, Problems: wrong, Environments: c.operated(r)}
	if len(f.Environments) == 0 {
		return nil, backend.Environment{}, connection.Refused(connection.ErrNotAllowed, "connecting needs the role operator in an environment",
			"ask an administrator for it")
	}
	if !slices.Contains(f.Environments, f.Environment) {
		f.Environment = f.Environments[0]
	}
	e, err := c.environment(r, f.Environment, access.Operator)
	if err != nil {
		return nil, e, err
	}
	f.MayRegister = access.Of(r.Context()).May(e.Name, access.Admin)
	if !ch.Text.Has(controlName) {
		f.Name, f.Slot = proposeName(ctx, e, app.ID, app.Name)
	} else {
		f.Slot = slotOf(ctx, e, app.ID, f.Name)
	}
	return f, e, c.complete(ctx, e, f, limits{})
}

// showForm is a form whole, or the part of it that htmx asks for.
func (c *Console) showForm(w http.ResponseWriter, r *http.Request, f *connectForm, problem *connection.Problem) error {
	if r.Header.Get("HX-Request") == "true" {
		switch r.Header.Get("HX-Target") {
		case "name-said":
			return c.part(w, r, "connect.html", "name-said", f)
		case "scopes":
			return c.part(w, r, "connect.html", "scopes", f)
		default: // another environment has other names
			f.Live = f.Purpose == forNew
			return c.part(w, r, "connect.html", "rest", f)
		}
	}
	if problem == nil {
		problem = f.summary()
	}
	return c.showWith(w, r, "connect.html", f.section(), f.title(), f, problem)
}

func (f *connectForm) title() string {
	if f.Kept == nil {
		return "Connect " + f.App.Name
	}
	return againTitle(f.Kept.DisplayName, f.Kept.TypedIn)
}

// section is the entry of the navigation that the form belongs to.
func (f *connectForm) section() string {
	if f.Kept == nil {
		return "apps"
	}
	return "connections"
}

// startConnect takes the form. Nothing is started, and no secret left anywhere, unless
// everything in it can be used.
func (c *Console) startConnect(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	f, e, err := c.newForm(ctx, r, choiceOf(r.PostForm), nil)
	if err != nil {
		return err
	}
	switch {
	case r.PostForm.Has("show"): // a browser without scripts has chosen something
		return c.showForm(w, r, f, nil)
	case r.PostForm.Has("register"):
		http.Redirect(w, r, f.registerLink(), http.StatusSeeOther)
		return nil
	}
	t := f.read(r.PostForm)
	if !f.Slot.Free() && !f.Slot.UnderWay {
		f.wrong(controlName, nameProblem(f))
	}
	if len(f.Problems) > 0 {
		return c.showForm(w, r, f, nil)
	}
	in := f.input(t, access.Of(r.Context()).Display())
	plan, err := e.Client.CheckConnect(in)
	if err == nil {
		d := desk{Environment: e, id: in.Connection, path: ConnectPath(in.Connection)}
		err = c.launch(w, r, d, in, plan.Flow, t.secrets)
	}
	return c.formFailed(w, r, f, err)
}

// formFailed shows a form again for what did not work; nil and what is no problem of a
// form's pass.
func (c *Console) formFailed(w http.ResponseWriter, r *http.Request, f *connectForm, err error) error {
	if _, ok := connection.AsProblem(err); !ok {
		return err
	}
	return c.showForm(w, r, f, f.place(err))
}

// read takes the inputs of a form, and puts what is wrong at their fields.
func (f *connectForm) read(form url.Values) typed {
	t := readInputs(form, f.asked())
	for control, problem := range t.problems {
		f.wrong(control, problem)
	}
	f.Fields = drawInputs(f.asked(), t.text, f.Problems)
	return t
}

// input is what the connect is asked to make. It is held for review, so that the
// person sees what came of it before a toolkit is made.
func (f *connectForm) input(t typed, by string) workflows.ConnectInput {
	in := workflows.ConnectInput{DisplayName: f.Name, RequestedBy: by, Review: true}
	in.Connection, in.Method, in.AuthConfig = f.Slot.ID, f.Way.ID, f.Config
	in.Access, in.Actions, in.Values, in.Toolkit = f.Access, f.Actions, t.values, f.Toolkit
	return in
}

// registerLink is where an auth config is made, which comes back to this form.
func (f *connectForm) registerLink() string {
	back := f.link(f.Path, f.Way.Inputs)
	if f.Kept != nil {
		back = f.link(pageOf(f.Kept.ID)+"/reconnect", f.Way.Inputs)
	}
	return "/auth-configs/new?" + url.Values{"environment": {f.Environment}, "app": {f.App.ID}, "method": {f.Way.ID}, "then": {back}}.Encode()
}

func nameProblem(f *connectForm) error {
	if f.Slot.ID == "" {
		return connection.InvalidInput(controlName, "a name needs a letter or a digit", "type in another")
	}
	return connection.Refused(connection.ErrConnectionIDTaken, "there is a connection "+f.Slot.ID.String()+" already", "choose another name")
}
