package gateway

import (
	"context"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"

	"go.uber.org/zap"
)

const (
	// lookTime bounds questions that a page waits for.
	lookTime = 10 * time.Second
	// beginTime bounds the preparation of an authorization, which writes to Vault.
	beginTime = 15 * time.Second
)

// link is a connect link as it stands in the path.
type link struct {
	environment backend.Environment
	id          connection.ID
	attempt     string
	// guest is the connect session whose guest uses the link; "" for others.
	guest string
}

// path is the link's own, with what follows.
func linkPath(id connection.ID, attempt, rest string) string {
	return "/connect/" + id.String() + "/" + attempt + rest
}

// parseLink checks the path before anybody is asked. A link that cannot be one of
// ours is an ErrLinkInvalid, whatever is wrong with it.
func (g *Gateway) parseLink(r *http.Request) (link, error) {
	l := link{attempt: r.PathValue("attempt")}
	unknown := connection.Refused(connection.ErrLinkInvalid, "this link is not known here", "open the whole link that you were given, or ask for a new one")
	environment, err := g.environments.Named(r.PathValue("environment"))
	if err != nil || connection.CheckSlug("attempt", l.attempt) != nil {
		return l, unknown
	}
	id, err := connection.NewID(environment.Name, r.PathValue("app"), r.PathValue("name"))
	if err != nil {
		return l, unknown
	}
	l.environment, l.id = environment, id
	return l, nil
}

// asked is the link that a request is for, with how far its connect has come and its attempt.
func (g *Gateway) asked(ctx context.Context, r *http.Request) (link, workflows.Progress, workflows.AttemptState, error) {
	l, err := g.parseLink(r)
	if err != nil {
		return l, workflows.Progress{}, workflows.AttemptState{}, err
	}
	progress, attempt, err := g.look(ctx, l)
	return l, progress, attempt, err
}

// look asks the connect how far it has come, and finds the link's attempt.
func (g *Gateway) look(ctx context.Context, l link) (workflows.Progress, workflows.AttemptState, error) {
	progress, err := l.environment.Client.Progress(ctx, l.id)
	if err != nil {
		return progress, workflows.AttemptState{}, err
	}
	for _, attempt := range progress.Attempts {
		if attempt.ID == l.attempt {
			return progress, attempt, nil
		}
	}
	return progress, workflows.AttemptState{}, connection.Refused(connection.ErrLinkInvalid,
		"this link belongs to an earlier connect, or was never given out", "ask for a new link")
}

// beginnable reports, as an error, why a person can no longer begin with this
// link. The workflow has the last word; this is so that a person reads it before pressing.
func (g *Gateway) beginnable(progress workflows.Progress, attempt workflows.AttemptState) error {
	switch {
	case progress.Phase == workflows.PhaseActive:
		return connection.Refused(connection.ErrSessionClosed, "the account is "+connected(progress)+" already", "you can close this page")
	case progress.Phase.Over():
		return connection.Refused(connection.ErrSessionClosed, "the connect that this link belongs to has ended", "ask for a new link if it is still wanted")
	case attempt.State == workflows.AttemptExpired:
		return connection.Refused(connection.ErrLinkInvalid, "this link is too old, or was replaced by another authorization that succeeded", "ask for a new link")
	case attempt.State != workflows.AttemptOpen:
		return connection.Refused(connection.ErrLinkInvalid, "this link has been used", "ask for a new link; each works once")
	case !g.now().Before(attempt.Expires):
		return connection.Refused(connection.ErrLinkInvalid, "this link is too old: each works for ten minutes", "ask for a new link")
	case progress.Plan == nil:
		return connection.TemporalUnavailable("the connect is still being prepared")
	}
	return nil
}

// showConnect is the page that shows who asks for what. It uses nothing up, so
// that programs which preview links do no harm.
func (g *Gateway) showConnect(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	l, progress, attempt, err := g.asked(ctx, r)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	if err := g.beginnable(progress, attempt); err != nil {
		g.fail(w, r, err, 0)
		return
	}
	if g.site.PlainRemote() {
		w.Header().Set("Referrer-Policy", "same-origin")
	}
	g.render(w, http.StatusOK, "connect.html", g.describe(l, progress, attempt))
}

// describe puts what is asked for into words, as far as the definitions have them.
func (g *Gateway) describe(l link, progress workflows.Progress, attempt workflows.AttemptState) request {
	plan := progress.Plan
	page := request{AppName: plan.AppName, DisplayName: progress.DisplayName, Environment: l.environment.Name,
		RequestedBy: progress.RequestedBy, Connection: l.id.String(), Toolkit: plan.Toolkit, Expires: clockText(attempt.Expires)}
	if again(progress) {
		page.Again, page.Toolkit = true, ""
	}
	if page.DisplayName == "" {
		page.DisplayName = l.id.Slug()
	}
	purposes := map[string]string{}
	app, err := g.catalogue.App(l.id.App())
	if err == nil && app.Digest != plan.Digest || err != nil {
		g.log.Warn("worker and gateway hold different definitions", zap.String("app", l.id.App()), zap.String("worker", plan.Digest))
	}
	for _, id := range plan.Actions {
		shown := ask{Title: id}
		if err == nil {
			if action, err := app.Action(id); err == nil {
				shown = ask{Title: action.Title, Description: action.Description, Changes: !action.ReadOnly && !action.Destructive, Destroys: action.Destructive}
				if shown.Title == "" {
					shown.Title = id
				}
				for _, scope := range action.Scopes {
					purposes[scope] += separator(purposes[scope], "for: ") + shown.Title
				}
			}
		}
		page.Actions = append(page.Actions, shown)
	}
	for _, name := range plan.Scopes {
		purpose := purposes[name]
		if purpose == "" {
			purpose = standardScopes[name]
		}
		page.Scopes = append(page.Scopes, scope{Name: name, For: purpose})
	}
	return page
}

// standardScopes say in words what those of OpenID Connect Core 1.0 mean (sections 3.1.2.1, 5.4 and 11).
var standardScopes = map[string]string{
	"openid":         "to tell whose account it is",
	"profile":        "to read your name",
	"email":          "to read your email address",
	"offline_access": "to stay connected without asking you again",
}

func separator(before, first string) string {
	if before == "" {
		return first
	}
	return ", "
}
