package console

import (
	"context"
	"crypto/subtle"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"

	"go.uber.org/zap"
)

// SessionPaths is where [Console.Sessions] is mounted: whoever comes there has not signed in.
const SessionPaths = "/connect-session/"

// Sessions answers people who came with the link of a connect session and have not
// signed in: everything below /connect-session/.
func (c *Console) Sessions() http.Handler {
	const page = "/connect-session/{environment}/{session}"
	mux := http.NewServeMux()
	get := func(pattern string, handle func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { c.failGuest(w, r, handle(w, r)) })
	}
	post := func(pattern string, handle func(http.ResponseWriter, *http.Request, desk) error) {
		mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) { c.failGuest(w, r, c.guestForm(w, r, handle)) })
	}
	get(page+"/{token}", c.showInvitation)
	mux.HandleFunc("POST "+page+"/{token}", func(w http.ResponseWriter, r *http.Request) { c.failGuest(w, r, c.claimSession(w, r)) })
	get(page, c.showGuest)
	get(page+"/pulse", c.pulseGuest)
	get(page+"/start", c.showGuest)
	post(page+"/start", c.startGuest)
	post(page+"/cancel", c.cancelGuest)
	for name, move := range c.moves() {
		if name == "approve" || name == "link" || name == "cancel" { // a session has no review, and is for one person
			continue
		}
		post(page+"/"+name, func(w http.ResponseWriter, r *http.Request, d desk) error {
			if d.guest.state.State != workflows.SessionConnecting {
				http.Redirect(w, r, d.path, http.StatusSeeOther)
				return nil
			}
			return c.moved(w, r, d, move)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.failGuest(w, r, unknownLink()) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", contentPolicy)
		w.Header().Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		mux.ServeHTTP(w, r)
	})
}

func unknownLink() error {
	return connection.Refused(connection.ErrLinkInvalid, "this link is not known here", "open the whole link that you were given, or ask for a new one")
}

// failGuest answers with the page of a problem, without the way into the console.
func (c *Console) failGuest(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		return
	}
	problem := web.ProblemOf(r, c.Log, err)
	f := frame{Title: web.TitleOf(problem.Type), Problem: problem}
	if err := c.render(w, web.StatusOf(problem.Type), "session_notice.html", "guest-frame", f); err != nil {
		http.Error(w, "The page could not be built. An operator finds more in the gateway's log.", http.StatusInternalServerError)
	}
}

// session is the session that a path names, as it stands. What cannot be one is an
// unknown link, whatever is wrong with it.
func (c *Console) session(ctx context.Context, r *http.Request) (backend.Environment, workflows.ConnectSessionState, error) {
	e, err := c.Environments.Named(r.PathValue("environment"))
	name := r.PathValue("session")
	if err != nil || connection.CheckSlug("session", name) != nil {
		return e, workflows.ConnectSessionState{}, unknownLink()
	}
	state, err := e.Client.ConnectSession(ctx, name)
	if connection.TypeOf(err) == connection.ErrConnectSessionNotFound {
		err = unknownLink()
	}
	return e, state, err
}

// invitation is the page that shows who asks for what. It uses nothing up, so that
// programs which preview links do no harm.
type invitation struct {
	workflows.ConnectSessionState
	AppName string
}

func (c *Console) showInvitation(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	e, state, err := c.invited(ctx, r)
	if err != nil {
		return err
	}
	cl, err := c.recall(r, e, state)
	switch {
	case err == nil && state.ClaimedBy(cl.browser()):
		http.Redirect(w, r, GuestPath(e.Name, state.Session), http.StatusSeeOther)
		return nil
	case err != nil && connection.TypeOf(err) != connection.ErrLinkInvalid:
		return err
	}
	if err := used(state); err != nil {
		return err
	}
	if err != nil {
		cookie, err := c.remember(ctx, e, newClaim(state))
		if err != nil {
			return err
		}
		c.makeRoom(w, r)
		http.SetCookie(w, cookie)
	}
	page := invitation{ConnectSessionState: state, AppName: state.App}
	if app, err := c.Catalogue.App(state.App); err == nil {
		page.AppName = app.Name
	}
	return c.render(w, http.StatusOK, "session_invitation.html", "guest-frame", frame{Title: "Connect " + page.AppName, Page: page})
}

// invited is the session whose link a path is. Whoever does not know the token is told
// nothing of it.
func (c *Console) invited(ctx context.Context, r *http.Request) (backend.Environment, workflows.ConnectSessionState, error) {
	e, state, err := c.session(ctx, r)
	if err == nil && !state.Admits(hashOf(r.PathValue("token"))) {
		err = unknownLink()
	}
	return e, state, err
}

// used is why a link does no good to a browser that has not used it; nil while it is open.
func used(s workflows.ConnectSessionState) error {
	switch {
	case s.State.Over():
		return connection.Refused(connection.ErrSessionClosed, "this link has been used, or is too old", "ask for a new one if it is still wanted")
	case s.State != workflows.SessionOpen:
		return connection.Refused(connection.ErrLinkInvalid, "this link has been used in another browser", "go on there, or ask for a new one")
	}
	return nil
}

// claimSession uses the link up, for this browser, which has its secret since it looked at
// the link: should the answer be lost, it claims once more, or is led on.
func (c *Console) claimSession(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	if !c.Site.SameOrigin(r) {
		return connection.Refused(connection.ErrNotAllowed, "the request did not come from the page of this link", "open the link and press its button")
	}
	e, state, err := c.invited(ctx, r)
	if err != nil {
		return err
	}
	cl, err := c.recall(r, e, state)
	if connection.TypeOf(err) == connection.ErrLinkInvalid {
		err = used(state)
		if err == nil {
			err = connection.Refused(connection.ErrNotAllowed, "this browser has not kept what it was given with the page of this link", "allow cookies of this site, and open the link again")
		}
	}
	if err != nil {
		return err
	}
	if !state.ClaimedBy(cl.browser()) { // who has it needs no update, of which a run has only so many
		if err := used(state); err != nil {
			return err
		}
		in := workflows.ClaimSession{TokenSHA256: hashOf(r.PathValue("token")), BrowserSHA256: cl.browser()}
		if _, err := e.Client.ClaimConnectSession(ctx, state.Session, in); err != nil {
			return err
		}
	}
	http.Redirect(w, r, GuestPath(e.Name, state.Session), http.StatusSeeOther)
	return nil
}

// guestDesk is where the guest works whose browser has used the link up.
func (c *Console) guestDesk(r *http.Request) (desk, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	e, state, err := c.session(ctx, r)
	if err != nil {
		return desk{}, err
	}
	cl, err := c.recall(r, e, state)
	if err == nil && !state.ClaimedBy(cl.browser()) { // it has looked at the link, and no more
		err = notOpenedHere()
	}
	if err != nil {
		return desk{}, err
	}
	return desk{Environment: e, id: cl.Connection, path: GuestPath(e.Name, state.Session), token: cl.formToken(), may: true,
		guest: &guest{claim: cl, state: state}}, nil
}

// guestForm is a form of a guest, which must come from a page of the same browser.
func (c *Console) guestForm(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request, desk) error) error {
	if r.ParseForm() != nil {
		return tooLarge()
	}
	d, err := c.guestDesk(r)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("form_token")), []byte(d.token)) != 1 {
		return connection.Refused(connection.ErrNotAllowed, "the form did not come from a page of this connect", "open the page again, and send it from there")
	}
	return handle(w, r, d)
}

// returnTo is where a guest is sent in the end; "" when nobody said, or where nobody may
// be sent: a session that was not created by the API may say anything.
func (c *Console) returnTo(s workflows.ConnectSessionState) string {
	if s.ReturnTo == "" {
		return ""
	}
	u, err := web.Returns{Site: c.Site, Origins: c.ReturnTo}.Address(s.ReturnTo)
	if err != nil {
		c.Log.Warn("a connect session leads back to where nobody is sent", zap.String("session", s.Session))
		return ""
	}
	status := "failed"
	switch s.State {
	case workflows.SessionConnected:
		status = "connected"
	case workflows.SessionCancelled:
		status = "cancelled"
	case workflows.SessionFailed, workflows.SessionExpired, workflows.SessionOpen, workflows.SessionClaimed, workflows.SessionConnecting:
	}
	q := u.Query()
	q.Set("connect_session", s.Session)
	q.Set("status", status)
	u.RawQuery = q.Encode()
	return u.String()
}
