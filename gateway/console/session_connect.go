package console

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// ending is the last page of a guest.
type ending struct {
	workflows.ConnectSessionState
	AppName, ReturnTo string
	// Account is whose was connected, as a person knows it; "" where the app does not tell.
	Account string
}

// showGuest shows a guest how far the session has come: what is left to choose, the
// connect itself, or how it ended.
func (c *Console) showGuest(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	d, err := c.guestDesk(r)
	if err != nil {
		return err
	}
	switch state := d.guest.state; {
	case state.State.Over():
		return c.showEnding(w, d)
	case state.State == workflows.SessionConnecting:
		return c.showState(w, r, d, nil, nil)
	}
	f, err := c.choiceForm(ctx, d, choiceOf(r.URL.Query()))
	if err != nil {
		return err
	}
	return c.showChoice(w, r, d, f, d.guest.state.Problem)
}

// showEnding says how it ended, and leads back to where the guest came from.
func (c *Console) showEnding(w http.ResponseWriter, d desk) error {
	page := ending{ConnectSessionState: d.guest.state, AppName: d.id.App(), ReturnTo: c.returnTo(d.guest.state)}
	if app, err := c.Catalogue.App(d.id.App()); err == nil {
		page.AppName = app.Name
	}
	if page.Result != nil {
		page.Account = accountOf(page.Result.Identity)
	}
	title := "It was not connected"
	switch page.State {
	case workflows.SessionConnected:
		title = page.AppName + " is connected"
	case workflows.SessionCancelled:
		title = "Cancelled"
	case workflows.SessionExpired:
		title = "This link is too old"
	case workflows.SessionFailed, workflows.SessionOpen, workflows.SessionClaimed, workflows.SessionConnecting:
	}
	http.SetCookie(w, c.forget(page.Session)) // nothing is left to do
	if page.ReturnTo != "" {
		w.Header().Set("Refresh", "3;url="+page.ReturnTo)
	}
	return c.render(w, http.StatusOK, "session_end.html", "guest-frame", frame{Title: title, Page: page})
}

// choiceForm is the form with what the session has left open.
func (c *Console) choiceForm(ctx context.Context, d desk, ch choice) (*connectForm, error) {
	state := d.guest.state
	app, err := c.Catalogue.App(d.id.App())
	if err != nil {
		return nil, err
	}
	fixed := limits{method: state.Method != "", config: state.AuthConfig != "", access: state.Access != "" || len(state.Actions) > 0}
	f := &connectForm{Purpose: forGuest, App: app, Path: d.path + "/start", choice: ch, Settled: state.Values}
	f.Environment = d.Name
	if fixed.config {
		f.Config = state.AuthConfig
		config, err := d.Client.DescribeAuthConfig(ctx, app.ID, state.AuthConfig)
		if err != nil {
			return nil, err
		}
		f.Method, fixed.method = config.Method, true
	}
	if state.Method != "" {
		f.Method = state.Method
	}
	if fixed.access {
		again := choiceAgain(workflows.ConnectInput{ConnectRequest: state.ConnectRequest})
		f.Access, f.Actions = again.Access, again.Actions
	}
	return f, c.complete(ctx, d.Environment, f, fixed)
}

func (c *Console) showChoice(w http.ResponseWriter, r *http.Request, d desk, f *connectForm, problem *connection.Problem) error {
	page := frame{Title: "Connect " + f.App.Name, FormToken: d.token, Page: guestChoice{f, d.guest.state, d.path}, Problem: problem}
	status, part := http.StatusOK, "guest-frame"
	if r.Header.Get("HX-Request") == "true" {
		page.Problem = nil
		if part = "rest"; r.Header.Get("HX-Target") == "scopes" {
			part = "scopes"
		}
	} else if len(f.Problems) > 0 && problem == nil {
		page.Problem = f.summary()
	}
	if r.Method == http.MethodPost && page.Problem != nil {
		status = web.StatusOf(page.Problem.Type)
	}
	return c.render(w, status, "session_choice.html", part, page)
}

// guestChoice is the form of a guest, with the session that it belongs to.
type guestChoice struct {
	*connectForm
	Session workflows.ConnectSessionState
	// SessionPath is the session's own page.
	SessionPath string
}

// startGuest begins the connect that the guest has chosen, without a review: nobody is
// there who would look at it.
func (c *Console) startGuest(w http.ResponseWriter, r *http.Request, d desk) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	if d.guest.state.State != workflows.SessionClaimed {
		http.Redirect(w, r, d.path, http.StatusSeeOther)
		return nil
	}
	f, err := c.choiceForm(ctx, d, choiceOf(r.PostForm))
	if err != nil {
		return err
	}
	if r.PostForm.Has("show") {
		return c.showChoice(w, r, d, f, nil)
	}
	if chosen := r.PostForm.Get(controlConfig); chosen != "" && chosen != f.Config { // nothing else is used in its stead unasked
		return c.showChoice(w, r, d, f, connection.InvalidInput(controlConfig, "the auth config that was chosen cannot be used here", "see below what can be chosen"))
	}
	if len(f.Levels) > 0 && r.PostForm.Get(controlAccess) == connectors.AccessActions {
		return c.showChoice(w, r, d, f, connection.InvalidInput("", "single actions cannot be chosen here", "see below what can be chosen"))
	}
	t := f.read(r.PostForm)
	if len(f.Problems) > 0 {
		return c.showChoice(w, r, d, f, nil)
	}
	in := workflows.StartSession{BrowserSHA256: d.guest.browser(), Method: f.Way.ID, AuthConfig: f.Config, Values: t.values}
	if len(f.Levels) > 0 {
		in.Access, in.Actions = f.Access, f.Actions
	}
	var begun workflows.Reconnecting
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		begun, err = d.Client.StartConnectSession(ctx, d.guest.Session, in)
		return err
	})
	switch {
	case late:
		lead(w, r, d, true)
		return nil
	case err == nil:
		err = c.launch(w, r, d, begun.Connect, flowOf(begun.Plan), t.secrets)
	}
	if _, ok := connection.AsProblem(err); ok {
		return c.showChoice(w, r, d, f, f.place(err))
	}
	return err
}

// flowOf is what a plan needs of a person.
func flowOf(plan *activities.ConnectPlan) activities.Flow {
	if plan == nil {
		return activities.FlowAutomatic
	}
	return plan.Flow
}

// pulseGuest leads to the session's page again once its connect is over.
func (c *Console) pulseGuest(w http.ResponseWriter, r *http.Request) error {
	d, err := c.guestDesk(r)
	switch {
	case connection.TypeOf(err) == connection.ErrTemporalUnavailable || connection.TypeOf(err) == connection.ErrVaultUnavailable:
		w.WriteHeader(http.StatusNoContent)
		return nil
	case err != nil || d.guest.state.State != workflows.SessionConnecting:
		w.Header().Set("HX-Refresh", "true")
		return nil
	}
	return c.beat(w, r, d)
}

func (c *Console) cancelGuest(w http.ResponseWriter, r *http.Request, d desk) error {
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		_, err := d.Client.CancelConnectSession(ctx, d.guest.Session, workflows.Reason{Reason: "cancelled by the person with the link"})
		return err
	})
	if err != nil && connection.TypeOf(err) != connection.ErrSessionClosed { // its page says how it ended
		return err
	}
	if late && d.guest.state.State == workflows.SessionConnecting {
		leadCancelled(w, r, d)
		return nil
	}
	http.Redirect(w, r, d.path, http.StatusSeeOther)
	return nil
}
