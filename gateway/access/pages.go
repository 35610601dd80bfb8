package access

import (
	"embed"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

//go:embed pages
var pages embed.FS

var templates = web.Pages(pages, "pages")

// signInPage is what the page of sign-in shows.
type signInPage struct {
	// Provider is the path that begins at the provider; "" where there is none.
	Provider string
	// Link is the path of a one-time link that waits for its button; "" for none.
	Link, ReturnTo string
}

// noticePage says one thing.
type noticePage struct {
	Title, Message, Next string
	Link, LinkText       string
	Bad                  bool
}

func (g *Guard) render(w http.ResponseWriter, status int, name string, data any) {
	web.Render(w, g.log, templates, status, name, data)
}

// fail answers with the page of a problem, and a way to sign in where that helps.
func (g *Guard) fail(w http.ResponseWriter, r *http.Request, err error) {
	problem := web.ProblemOf(r, g.log, err)
	status := web.StatusOf(problem.Type)
	page := noticePage{Title: web.TitleOf(problem.Type), Message: web.Sentence(problem.Message), Next: web.Sentence(problem.Remedy), Bad: true}
	g.log.Info("a sign-in or a visitor was refused", zap.String("route", r.Pattern), zap.Int("status", status), zap.String("type", problem.Type))
	switch problem.Type {
	case connection.ErrVaultUnavailable, connection.ErrProviderUnavailable:
		w.Header().Set("Retry-After", "5")
	case connection.ErrNotSignedIn:
		w.Header().Set("WWW-Authenticate", "Bearer")
		page.Link, page.LinkText = SignInPath, "Sign in"
	case connection.ErrLinkInvalid, connection.ErrAuthorizationFailed, connection.ErrNotAllowed:
		page.Link, page.LinkText = SignInPath, "Sign in"
	}
	g.render(w, status, "notice.html", page)
}
