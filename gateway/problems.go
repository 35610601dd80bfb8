package gateway

import (
	"net/http"

	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

// fail answers with the page of a problem. A status of 0 takes the type's own.
// What is no problem of ours is logged and shown as internal, without its text.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error, status int) {
	g.failWith(w, r, err, status, notice{})
}

// failToward is fail for a person whose connect is known: the page leads to its result.
func (g *Gateway) failToward(w http.ResponseWriter, r *http.Request, err error, result string) {
	g.failWith(w, r, err, 0, notice{Link: result, LinkText: "See how far it has come"})
}

// failWith puts the problem into words on a page that has its links already.
func (g *Gateway) failWith(w http.ResponseWriter, r *http.Request, err error, status int, page notice) {
	problem := web.ProblemOf(r, g.log, err)
	if status == 0 {
		status = web.StatusOf(problem.Type)
	}
	g.log.Info("a request was refused", zap.String("route", r.Pattern), zap.Int("status", status), zap.String("type", problem.Type))
	page.Title, page.Message, page.Next, page.Bad = web.TitleOf(problem.Type), web.Sentence(problem.Message), web.Sentence(problem.Remedy), true
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
		if page.Next == "" {
			page.Next = "Reload this page in a moment."
		}
	}
	g.render(w, status, "notice.html", page)
}

func (g *Gateway) unknownPage(w http.ResponseWriter, r *http.Request) {
	g.render(w, http.StatusNotFound, "notice.html", notice{Title: "There is no such page", Bad: true,
		Message: "The address may have been cut or mistyped.", Next: "Open the whole link that you were given, or ask for a new one."})
}
