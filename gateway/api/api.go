package api

import (
	"net/http"
	"time"

	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"
)

// Prefix is where the API lives on the site.
const Prefix = "/api/v1"

// Options say what the API serves. All but ReturnTo, AllowHTTP and Log are required.
type Options struct {
	Site         web.Site
	Environments backend.Set
	Catalogue    *connectors.Catalogue
	// Authenticator says who asks.
	Authenticator access.Authenticator
	// Lists is told of every change, so that the console shows it at once.
	Lists *backend.Lists
	// ReturnTo are the origins that a connect session may send a person back to, such
	// as https://platform.example. Origins on loopback need no entry where the site is
	// on loopback itself. Empty allows no others.
	ReturnTo []string
	// AllowHTTP permits alert sinks whose URL is neither https nor on loopback.
	AllowHTTP bool
	// Log is silent when nil.
	Log *zap.Logger
}

// api is the handler's parts. It keeps nothing between requests but the number of open event streams.
type api struct {
	site          web.Site
	environments  backend.Set
	catalogue     *connectors.Catalogue
	authenticator access.Authenticator
	lists         *backend.Lists
	returns       web.Returns
	allowHTTP     bool
	log           *zap.Logger
	now           func() time.Time
	streams       streams
	pace          pace

	huma huma.API
	mux  *http.ServeMux
}

// New builds the handler, which serves everything below [Prefix]. It is safe for
// concurrent use. A mistake in an operation's definition panics here, at the start.
func New(options Options) http.Handler {
	a := newAPI(options, defaultPace)
	return a.handler()
}

func newAPI(options Options, speed pace) *api {
	a := &api{site: options.Site, environments: options.Environments, catalogue: options.Catalogue,
		authenticator: options.Authenticator, lists: options.Lists, returns: web.Returns{Site: options.Site, Origins: options.ReturnTo}, allowHTTP: options.AllowHTTP,
		log: options.Log, now: time.Now, pace: speed, mux: http.NewServeMux()}
	if a.log == nil {
		a.log = zap.NewNop()
	}
	if a.lists == nil {
		a.lists = new(backend.Lists)
	}
	a.huma = humago.NewWithPrefix(a.mux, Prefix, config(options.Site))
	a.registerPeople()
	a.registerApps()
	a.registerConnections()
	a.registerCare()
	a.registerConnects()
	a.registerConnectSteps()
	a.registerEvents()
	a.registerToolkits()
	a.registerActions()
	a.registerAuthConfigs()
	a.registerAuthConfigLife()
	a.registerAlerts()
	a.registerSinks()
	a.registerSessions()
	openAnswers(a.huma.OpenAPI())
	return a
}
