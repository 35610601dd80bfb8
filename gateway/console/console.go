package console

import (
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

// Options say what a console shows. All but ReturnTo, TemporalUI and Log are required.
type Options struct {
	Site         web.Site
	Environments backend.Set
	Catalogue    *connectors.Catalogue
	// Lists is shared with whoever else changes connections.
	Lists *backend.Lists
	// CheckForm reports, as an error, a form that none of this person's pages sent.
	CheckForm func(*http.Request) error
	// Authorize uses an attempt of a connect up and leads the browser to the app.
	Authorize func(w http.ResponseWriter, r *http.Request, id Attempt)
	// ReturnTo are the origins that guests of connect sessions may be sent back to, whatever
	// a session says; see [web.Returns]. Empty allows none but loopback from loopback.
	ReturnTo []string
	// TemporalUI is the origin of Temporal's Web UI, for links to runs; "" shows none.
	TemporalUI string
	// Log is silent when nil.
	Log *zap.Logger
}

// Console is the HTTP handler of the pages. Requests come with their person in the
// context, see [access.Of]. It is safe for concurrent use.
type Console struct {
	Options
	mux *http.ServeMux
	now func() time.Time
	// alerts are counted for the navigation.
	alerts backend.AlertCounts
}

// New builds the handler.
func New(options Options) *Console {
	c := &Console{Options: options, mux: http.NewServeMux(), now: time.Now}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	c.mux.HandleFunc("GET /{$}", c.home)
	c.galleryRoutes()
	c.estateRoutes()
	c.appRoutes()
	c.connectRoutes()
	c.mux.HandleFunc("/", c.unknownPage)
	return c
}

// Paths are what a console answers, as patterns of a mux: whoever mounts it lets only
// people through who have signed in.
func Paths() []string {
	return []string{"/{$}", "/apps", "/apps/", "/connections", "/connections/", "/auth-configs", "/auth-configs/", "/alerts", "/alerts/"}
}

// ConnectPath is the page of a connect that is under way, or of the last one there was.
func ConnectPath(id connection.ID) string { return pageOf(id) + "/connect" }

// contentPolicy allows our own stylesheets, scripts and forms and nothing else.
// Drawings are part of the page, and need no permission.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// maxForm bounds what a form may send: a key file, and room for the rest.
const maxForm = 256 << 10

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("Referrer-Policy", "same-origin")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c.mux.ServeHTTP(w, r)
}

// home is where people begin: with what they have.
func (c *Console) home(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/connections", http.StatusSeeOther)
}

func (c *Console) unknownPage(w http.ResponseWriter, r *http.Request) {
	c.fail(w, r, noSuchPage(), http.StatusNotFound)
}

// read is a page that whoever has a role somewhere may see.
func (c *Console) read(pattern string, handle func(http.ResponseWriter, *http.Request) error) {
	c.mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			c.fail(w, r, err, 0)
		}
	})
}

// write is a form, which must come from a page of the same person. Which role it
// needs, and where, its handler checks with [Console.environment].
func (c *Console) write(pattern string, handle func(http.ResponseWriter, *http.Request) error) {
	c.mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		if err != nil {
			err = tooLarge()
		}
		if err == nil {
			err = c.CheckForm(r)
		}
		if err == nil {
			err = handle(w, r)
		}
		if err != nil {
			c.fail(w, r, err, 0)
		}
	})
}

// environment is one that the person has a role in; ErrUnknownEnvironment and ErrNotAllowed otherwise.
func (c *Console) environment(r *http.Request, name string, role access.Role) (backend.Environment, error) {
	e, err := c.Environments.Named(name)
	if err != nil {
		return e, err
	}
	return e, access.Of(r.Context()).Check(name, role)
}

// seen are the environments that the person may see, in order.
func (c *Console) seen(r *http.Request) []backend.Environment {
	var seen []backend.Environment
	for _, e := range c.Environments.All() {
		if access.Of(r.Context()).May(e.Name, access.Viewer) {
			seen = append(seen, e)
		}
	}
	return seen
}
