package api

import (
	"net/http"
	"runtime/debug"

	"connectedapps/connection"
	"connectedapps/gateway/access"

	"go.uber.org/zap"
)

// handler is the API with everything that a request passes before an operation.
func (a *api) handler() http.Handler {
	outer := http.NewServeMux()
	a.serveDocument(outer)
	outer.Handle("/", a.signedIn(http.HandlerFunc(a.route)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.survive(w, r)
		w.Header().Set("Cache-Control", "no-store")
		if !a.site.Serves(r) {
			a.write(w, r, withStatus(connection.InvalidInput("Host", "this gateway does not serve that host",
				"ask it at "+a.site.String()), http.StatusMisdirectedRequest))
			return
		}
		outer.ServeHTTP(w, r)
	})
}

// survive answers a defect that panicked. Its text stays here: it may quote what came in.
func (a *api) survive(w http.ResponseWriter, r *http.Request) {
	switch what := recover(); what {
	case nil:
	case http.ErrAbortHandler:
		panic(what)
	default:
		a.log.Error("a request panicked", zap.String("route", r.Pattern), zap.ByteString("stack", debug.Stack()))
		a.write(w, r, connection.Internal("the gateway"))
	}
}

// signedIn lets through whoever the authenticator knows.
func (a *api) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person, err := a.authenticator.Identify(r)
		if err == nil {
			err = a.fromOurPages(r, person)
		}
		if err == nil {
			err = person.CheckBeyondTools()
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), person)))
	})
}

// fromOurPages keeps other sites from using a browser's session, which the browser
// sends along by itself. A program's token is sent by nobody but the program.
func (a *api) fromOurPages(r *http.Request, person access.Person) error {
	if person.FormToken == "" {
		return nil
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin": // an old browser keeps the answer from other sites by itself
			return nil
		}
	} else if a.site.SameOrigin(r) {
		return nil
	}
	return connection.Refused(connection.ErrNotAllowed, "a session in a browser is for the pages of this site",
		"use an access token: connected-apps access create")
}

// route serves an operation, or says that there is none.
func (a *api) route(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	if pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	found := &statusOnly{header: http.Header{}}
	handler.ServeHTTP(found, r)
	if found.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", found.header.Get("Allow"))
		a.write(w, r, withStatus(connection.InvalidInput("", "this address does not take "+connection.Bound(r.Method, 20),
			"it takes: "+found.header.Get("Allow")), found.status))
		return
	}
	a.write(w, r, withStatus(connection.InvalidInput("", "there is nothing at this address",
		"see "+a.site.Link(Prefix+"/openapi.json")), http.StatusNotFound))
}

// statusOnly hears what a handler would have answered.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header            { return s.header }
func (s *statusOnly) Write(text []byte) (int, error) { return len(text), nil }
func (s *statusOnly) WriteHeader(status int)         { s.status = status }
