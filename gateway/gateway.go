package gateway

import (
	"fmt"
	"net/http"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/mcp"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

// Options say what a gateway serves. URL, Environments and Catalogue are required.
type Options struct {
	// URL is where people's browsers reach this gateway, such as https://connect.example.
	// It has no path. Requests for another host are refused.
	URL          string
	Environments []backend.Environment
	// Catalogue puts actions into words and knows which callback parameters an app declares.
	Catalogue *connectors.Catalogue
	// AllowHTTP permits authorization pages that are neither https nor on loopback.
	AllowHTTP bool
	// Guard knows who people and programs are. Nil leaves out what only they may use: the
	// console, the API, the tools of agents, and sign-in.
	Guard *access.Guard
	// TemporalUI is the origin of Temporal's Web UI, for links of the console to runs; "" shows none.
	TemporalUI string
	// ReturnTo are the origins that connect sessions may send people back to.
	ReturnTo []string
	// Version of this program, as agents are told it; "" tells none.
	Version string
	// Log is silent when nil.
	Log *zap.Logger
}

// Gateway is the HTTP handler. It is safe for concurrent use and keeps no state.
type Gateway struct {
	site         web.Site
	environments backend.Set
	catalogue    *connectors.Catalogue
	allowHTTP    bool
	guard        *access.Guard
	agents       *mcp.Handler // nil without a guard
	log          *zap.Logger
	now          func() time.Time
	handler      http.Handler
}

// New checks the options, as ErrInvalidInput, and builds the handler.
func New(options Options) (*Gateway, error) {
	site, err := web.ParseSite(options.URL)
	if err != nil {
		return nil, err
	}
	g := &Gateway{site: site, environments: backend.NewSet(options.Environments...), catalogue: options.Catalogue,
		allowHTTP: options.AllowHTTP, guard: options.Guard, log: options.Log, now: time.Now}
	if g.log == nil {
		g.log = zap.NewNop()
	}
	if len(options.Environments) == 0 || g.catalogue == nil {
		return nil, connection.InvalidInput("CONNECTED_APPS_ENVIRONMENTS", "a gateway needs at least one environment and a catalogue", "name one")
	}
	g.handler = g.routes(options)
	return g, nil
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

func (g *Gateway) routes(options Options) http.Handler {
	const link = "/connect/{environment}/{app}/{name}/{attempt}"
	people := http.NewServeMux()
	people.HandleFunc("GET "+link, g.showConnect)
	people.HandleFunc("POST "+link, g.beginConnect)
	people.HandleFunc("GET "+link+"/result", g.showResult)
	people.HandleFunc("POST "+link+"/choose", g.chooseAccount)
	people.HandleFunc(activities.CallbackPath, g.callback) // refuses other methods itself: HEAD would come with GET
	people.HandleFunc("GET /assets/page.css", g.stylesheet)
	people.HandleFunc("/", g.unknownPage)
	site := http.NewServeMux()
	if g.guard != nil {
		g.guard.Mount(people)
		g.front(site, options)
	}
	site.Handle("/", bounded(people))

	all := http.NewServeMux()
	// Health checks come by address, so the Host check is not for them; they tell nothing of anybody.
	all.HandleFunc("GET /healthz", g.healthy)
	all.HandleFunc("GET /readyz", g.ready)
	all.Handle("/", g.onlyOurHost(site))
	return g.protect(all)
}

// maxForm bounds what the forms of links and of sign-in send: a few short fields.
const maxForm = 4 << 10

func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// contentPolicy allows our own stylesheet and our own forms and nothing else. A
// form's target is this gateway: what leads to the provider is a link on the page
// that answers it, since browsers apply form-action to redirects as well and the
// provider may redirect further to origins that nobody can list.
const contentPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// protect puts the headers on every answer. What is served bounds its own bodies.
func (g *Gateway) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if g.site.Secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// onlyOurHost refuses requests for another host: a name that was rebound to this
// address must not be served, nor a link be built for it.
func (g *Gateway) onlyOurHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.site.Serves(r) {
			g.fail(w, r, connection.InvalidInput("Host", "this gateway does not serve that host",
				fmt.Sprintf("open it at %s", g.site)), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
