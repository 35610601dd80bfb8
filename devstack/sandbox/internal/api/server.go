// Package api is the product itself: an address book behind /api/v1, to which one signs in with an OAuth access
// token or with one of four kinds of static credential.
package api

import (
	"net/http"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// Server is the API.
type Server struct {
	state  *state.DB
	ledger *ledger.Ledger
	live   *settings.Live
	clock  clock.Clock
	tokens *oauth.Server
	budget *budget
}

// NewServer makes an API that asks tokens what an access token is good for.
func NewServer(db *state.DB, book *ledger.Ledger, live *settings.Live, now clock.Clock, tokens *oauth.Server) *Server {
	return &Server{state: db, ledger: book, live: live, clock: now, tokens: tokens, budget: newBudget(now)}
}

// Register adds the endpoints to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	handle := func(pattern, scope string, handler handlerFunc) {
		mux.Handle(pattern, s.endpoint(scope, handler))
	}
	handle("GET /api/v1/me", "", s.me)
	handle("GET /api/v1/contacts", oauth.ScopeContactsRead, s.listContacts)
	handle("POST /api/v1/contacts", oauth.ScopeContactsWrite, s.createContact)
	handle("GET /api/v1/contacts/{id}", oauth.ScopeContactsRead, s.readContact)
	handle("PATCH /api/v1/contacts/{id}", oauth.ScopeContactsWrite, s.updateContact)
	handle("DELETE /api/v1/contacts/{id}", oauth.ScopeContactsWrite, s.deleteContact)
	handle("POST /api/v1/keys", oauth.ScopeContactsWrite, s.createKey)
	handle("GET /api/v1/slow", "", s.slow)
	handle("GET /api/v1/limited", "", s.limited)
	handle("POST /api/v1/echo", "", s.echo)
	handle("/api/v1/", "", func(http.ResponseWriter, *http.Request, principal) error { return errNoSuchResource })
}
