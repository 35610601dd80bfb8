package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v3"

	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/state"
)

var (
	errNoServiceKey = errors.New("a service key needs issuer, subject, key_id and jwk: a public key (RFC 7517)")
	errNoJWKS       = errors.New("private_key_jwt needs jwks with at least one public key, and only it has one")
)

// publicKey reports whether a JWK is one, and of a pair: whoever hands over a private key has made a mistake.
func publicKey(raw json.RawMessage) bool {
	var key jose.JSONWebKey
	return json.Unmarshal(raw, &key) == nil && key.Valid() && key.IsPublic()
}

// registerServiceKey lets somebody sign assertions as an issuer about a subject, who is the account they act for.
func (s *Server) registerServiceKey(r *http.Request) (any, error) {
	var key state.ServiceKey
	if err := decode(r, &key); err != nil {
		return nil, err
	}
	if key.Issuer == "" || key.Subject == "" || key.KeyID == "" || !publicKey(key.JWK) {
		return nil, badRequest{errNoServiceKey}
	}
	for _, scope := range key.Scopes {
		if !slices.Contains(oauth.AllScopes, scope) {
			return nil, badRequest{errUnknownScope}
		}
	}
	if len(key.Scopes) == 0 {
		key.Scopes = []string{oauth.ScopeContactsRead, oauth.ScopeContactsWrite}
	}
	return key, s.state.PutServiceKey(r.Context(), key)
}

func (s *Server) listServiceKeys(r *http.Request) (any, error) {
	return s.state.ServiceKeys(r.Context(), "", "")
}

// removeServiceKey takes a key away: ?issuer=&subject=&key_id=.
func (s *Server) removeServiceKey(r *http.Request) (any, error) {
	query := r.URL.Query()
	return map[string]bool{"removed": true}, s.state.RemoveServiceKey(r.Context(), query.Get("issuer"), query.Get("subject"), query.Get("key_id"))
}

// oneTimeCode is the code that a person's phone shows: of the login of ?user= that was begun last and is open.
func (s *Server) oneTimeCode(r *http.Request) (any, error) {
	ticket, err := s.state.NewestTicket(r.Context(), r.URL.Query().Get("user"), s.clock.Now())
	if err != nil {
		return nil, err
	}
	code, err := s.state.Unseal(r.Context(), ticket.Code)
	return map[string]string{"code": code}, err
}
