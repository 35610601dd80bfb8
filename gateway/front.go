package gateway

import (
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/api"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/codec"
	"connectedapps/gateway/console"
	"connectedapps/gateway/mcp"
)

// listsAhead is how long the lists are kept fresh after somebody has looked: as long as
// a person who works with the pages may look elsewhere.
const listsAhead = 10 * time.Minute

// front mounts what only those may use whom the guard knows: the console's pages and the
// API, which share the lists of connections, the payload codec, and the tools of agents.
func (g *Gateway) front(site *http.ServeMux, options Options) {
	lists := &backend.Lists{Ahead: listsAhead}
	pages := console.New(console.Options{Site: g.site, Environments: g.environments, Catalogue: g.catalogue, Lists: lists,
		CheckForm: g.guard.CheckForm, Authorize: g.authorize, TemporalUI: options.TemporalUI, ReturnTo: options.ReturnTo, Log: g.log})
	site.Handle(console.SessionPaths, pages.Sessions())
	known := g.guard.Pages(pages)
	for _, path := range console.Paths() {
		site.Handle(path, known)
	}
	site.HandleFunc("GET /assets/", console.Assets)
	site.HandleFunc("GET /assets/page.css", g.stylesheet)
	site.Handle(api.Prefix+"/", api.New(api.Options{Site: g.site, Environments: g.environments, Catalogue: g.catalogue,
		Authenticator: g.guard, Lists: lists, ReturnTo: options.ReturnTo, AllowHTTP: g.allowHTTP, Log: g.log}))
	site.Handle(codec.Prefix, codec.New(codec.Options{Site: g.site, Environments: g.environments, Authenticator: g.guard,
		TemporalUI: options.TemporalUI, Log: g.log}))
	g.agents = mcp.New(mcp.Options{Site: g.site, Environments: g.environments, Catalogue: g.catalogue, Guard: g.guard,
		Issuer: g.guard.Issuer(), Version: options.Version, Log: g.log})
	g.agents.Mount(site)
}

// authorize leads a person to the app whose form of the console, which was checked, asks for it.
func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request, attempt console.Attempt) {
	environment, err := g.environments.Of(attempt.Connection)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	g.lead(w, r, link{environment: environment, id: attempt.Connection, attempt: attempt.ID, guest: attempt.Session})
}

// ownPage is the page of a connect for whoever works in the console. It is "" for those
// who came by a connect link, and are shown its result.
func (g *Gateway) ownPage(r *http.Request, id connection.ID) string {
	if g.guard == nil {
		return ""
	}
	person, err := g.guard.Identify(r)
	if err != nil || !person.May(id.Environment(), access.Viewer) {
		return ""
	}
	return console.ConnectPath(id)
}
