package access

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

//go:embed pages
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "pages/*.html"))

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
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		g.log.Error("a page could not be built", zap.String("page", name), zap.Error(err))
		http.Error(w, "The page could not be built. An operator finds more in the gateway's log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the browser went away: nobody is left to tell
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
