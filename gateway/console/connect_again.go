package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// kept is a connection that is authenticated again, as it is now.
type kept struct {
	workflows.State
	// Actions are those of its toolkits.
	Actions []string
	// TypedIn: its secrets are typed in, so that this is an update of them.
	TypedIn bool
}

// Account is whose it is, as a person knows it; "" where the app does not tell.
func (k *kept) Account() string { return accountOf(k.Look.Identity) }

// Expired reports whether it cannot be used before it is authenticated again.
func (k *kept) Expired() bool { return k.Look.Status == connection.Expired }

// OtherMethods are those that the connection does not have now, and OtherMethod reports
// whether one of them is chosen. For a new connection they are none.
func (f *connectForm) OtherMethods() []*connectors.Method {
	if f.Kept == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.Methods), f.isKept)
}

func (f *connectForm) OtherMethod() bool { return f.Kept != nil && !f.isKept(f.Way) }

// FirstMethods are those that are shown at once: the present one of a connection, where the app has that still.
func (f *connectForm) FirstMethods() []*connectors.Method {
	if f.Kept == nil {
		return f.Methods
	}
	return slices.DeleteFunc(slices.Clone(f.Methods), func(method *connectors.Method) bool { return !f.isKept(method) })
}

func (f *connectForm) isKept(method *connectors.Method) bool { return f.Kept.Method == method.ID }

// againTitle is what the pages are called on which a connection is authenticated again.
func againTitle(name string, typedIn bool) string {
	if typedIn {
		return "Update the credentials of " + name
	}
	return "Reconnect " + name
}

func (f *connectForm) keepsMethod() bool { return f.Kept != nil && f.Kept.Method == f.Way.ID }

func (c *Console) showReconnect(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	f, _, err := c.againForm(ctx, r, choiceOf(r.URL.Query()))
	if err != nil {
		return err
	}
	return c.showForm(w, r, f, nil)
}

// againForm is the form that authenticates a connection again. What it has is proposed.
func (c *Console) againForm(ctx context.Context, r *http.Request, ch choice) (*connectForm, desk, error) {
	d, err := c.desk(r, access.Operator)
	if err != nil {
		return nil, d, err
	}
	described, err := d.Client.Describe(ctx, d.id)
	if err != nil {
		return nil, d, err
	}
	app, err := c.Catalogue.App(d.id.App())
	if err != nil {
		return nil, d, err
	}
	f := &connectForm{Purpose: forAgain, App: app, Path: pageOf(d.id) + "/reconnect", choice: ch, Kept: &kept{State: described.State},
		MayRegister: access.Of(r.Context()).May(d.Name, access.Admin)}
	f.Environment = d.Name
	for _, toolkit := range described.Toolkits {
		f.Kept.Actions = append(f.Kept.Actions, toolkit.Actions...)
	}
	if f.Method == "" {
		f.Method = described.Method
	}
	proposed := url.Values{}
	for name, value := range described.Values {
		proposed.Set(inputPrefix+name, value)
	}
	for name, values := range ch.Text {
		proposed[name] = values
	}
	f.Text = proposed
	err = c.complete(ctx, d.Environment, f, limits{})
	f.Kept.TypedIn = f.Flow() == activities.FlowInput && f.Secret()
	return f, d, err
}

// startReconnect begins the reconnect and goes on with it as with any connect. What was
// typed in is left for it only once it is under way.
func (c *Console) startReconnect(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	f, d, err := c.againForm(ctx, r, choiceOf(r.PostForm))
	if err != nil {
		return err
	}
	switch {
	case r.PostForm.Has("show"):
		return c.showForm(w, r, f, nil)
	case r.PostForm.Has("register"):
		http.Redirect(w, r, f.registerLink(), http.StatusSeeOther)
		return nil
	}
	t := f.read(r.PostForm)
	if len(f.Problems) > 0 {
		return c.showForm(w, r, f, nil)
	}
	var begun workflows.Reconnecting
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		begun, err = d.Client.Reconnect(ctx, d.id, f.again(t, access.Of(r.Context()).Display()))
		return err
	})
	switch {
	case late:
		lead(w, r, d, true)
		return nil
	case err == nil && begun.Plan == nil:
		return connection.Internal("the plan of a reconnect")
	case err == nil:
		err = c.launch(w, r, d, begun.Connect, begun.Plan.Flow, t.secrets)
	}
	return c.formFailed(w, r, f, err)
}

// again is what is to be another way than the connection has it.
func (f *connectForm) again(t typed, by string) workflows.ReconnectInput {
	in := workflows.ReconnectInput{RequestedBy: by, Access: f.Access, Actions: f.Actions, AllowOtherAccount: f.AllowOther}
	if !f.keepsMethod() {
		in.Method = f.Way.ID
	}
	if !f.keepsMethod() || f.Config != f.Kept.AuthConfig {
		in.AuthConfig = f.Config
	}
	for name, value := range t.values {
		if f.Kept.Values[name] != value {
			if in.Values == nil {
				in.Values = map[string]string{}
			}
			in.Values[name] = value
		}
	}
	return in
}
