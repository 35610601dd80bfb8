// Package api is the product itself: an address book behind /api/v1, to which one signs in with an OAuth access
// token, with a signature, with the session of a login, or with one of the kinds of static credential.
package api

import (
	"context"
	"net/http"
	"time"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/oauth1"
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
	signed *oauth1.Server
	budget *budget

	keys    SharedKeys
	digests *digests
}

// SharedKeys are the secrets that are never sent, so that the API must know them to check what was made with them.
type SharedKeys struct {
	// Username and Password are those of HTTP Digest, AccessKeyID and SecretAccessKey those of AWS Signature Version 4.
	Username, Password           string
	AccessKeyID, SecretAccessKey string
}

// NewServer makes an API that asks tokens and signed what their tokens are good for.
func NewServer(ctx context.Context, db *state.DB, book *ledger.Ledger, live *settings.Live, now clock.Clock,
	tokens *oauth.Server, signed *oauth1.Server, keys SharedKeys) (*Server, error) {
	nonceKey, err := db.SigningKey(ctx, "digest-nonces")
	if err != nil {
		return nil, err
	}
	nonceTTL := func() time.Duration { return live.Current().NonceTTL.Std() }
	return &Server{state: db, ledger: book, live: live, clock: now, tokens: tokens, signed: signed, budget: newBudget(now),
		keys: keys, digests: newDigests(now, nonceTTL, nonceKey)}, nil
}

// Register adds the endpoints to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	handle := func(pattern, scope string, handler handlerFunc) {
		mux.Handle(pattern, s.endpoint(scope, handler))
	}
	handle("GET /api/v1/me", "", s.me)
	handle("POST /api/v1/me", "", s.me) // for those whose key stands in the body
	handle("GET "+accountsPath, "", s.listAccounts)
	handle("GET /api/v1/contacts", oauth.ScopeContactsRead, s.listContacts)
	handle("POST /api/v1/contacts", oauth.ScopeContactsWrite, s.createContact)
	handle("GET /api/v1/contacts/{id}", oauth.ScopeContactsRead, s.readContact)
	handle("PATCH /api/v1/contacts/{id}", oauth.ScopeContactsWrite, s.updateContact)
	handle("DELETE /api/v1/contacts/{id}", oauth.ScopeContactsWrite, s.deleteContact)
	handle("POST /api/v1/keys", oauth.ScopeContactsWrite, s.createKey)
	handle("GET /api/v1/slow", "", s.slow)
	handle("GET /api/v1/limited", "", s.limited)
	handle("POST /api/v1/echo", "", s.echo)
	s.registerLogin(mux)
	handle("/api/v1/", "", func(http.ResponseWriter, *http.Request, principal) error { return errNoSuchResource })
}
