package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/state"
)

// ClientRegistration is how a client is registered, over HTTP and in the --clients file. Empty lists mean all
// scopes and all grant types. An absent secret is made up and answered, once.
type ClientRegistration struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret,omitempty"`
	RedirectURIs []string `json:"redirect_uris"`
	Scopes       []string `json:"scopes,omitempty"`
	GrantTypes   []string `json:"grant_types,omitempty"`
	// Public clients have no secret (RFC 6749 section 2.1).
	Public     bool   `json:"public,omitempty"`
	AuthMethod string `json:"token_endpoint_auth_method,omitempty"`
}

var (
	errNoClientID       = errors.New("a client needs an id")
	errPublicWithSecret = errors.New("a public client has no secret")
	errUnknownScope     = errors.New("scopes are contacts.read, contacts.write, offline_access")
	errUnknownMethod    = errors.New("token_endpoint_auth_method is client_secret_basic or client_secret_post, or absent for either")
)

// RegisterClient stores a client, replacing the one of the same ID, and answers it with its secret filled in.
func RegisterClient(ctx context.Context, db *state.DB, registration ClientRegistration) (ClientRegistration, error) {
	if err := registration.complete(); err != nil {
		return registration, badRequest{err}
	}
	client := state.Client{
		ID: registration.ID, RedirectURIs: registration.RedirectURIs, Scopes: registration.Scopes,
		GrantTypes: registration.GrantTypes, Public: registration.Public, AuthMethod: registration.AuthMethod,
	}
	if !registration.Public {
		client.SecretHash = state.HashSecret(registration.Secret)
	}
	return registration, db.PutClient(ctx, client)
}

func (c *ClientRegistration) complete() error {
	switch {
	case c.ID == "":
		return errNoClientID
	case c.Public && c.Secret != "":
		return errPublicWithSecret
	}
	switch c.AuthMethod {
	case "", "client_secret_basic", "client_secret_post":
	default:
		return errUnknownMethod
	}
	for _, scope := range c.Scopes {
		if !slices.Contains(oauth.AllScopes, scope) {
			return errUnknownScope
		}
	}
	if !c.Public && c.Secret == "" {
		c.Secret = state.NewSecret("cs_")
	}
	if len(c.Scopes) == 0 {
		c.Scopes = oauth.AllScopes
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{"authorization_code", "refresh_token", "client_credentials"}
	}
	return nil
}

func (s *Server) registerClient(r *http.Request) (any, error) {
	var wanted ClientRegistration
	if err := decode(r, &wanted); err != nil {
		return nil, err
	}
	registered, err := RegisterClient(r.Context(), s.state, wanted)
	if err != nil {
		return nil, err
	}
	return registered, s.secretChanged(registered.ID, registered.Secret)
}

func (s *Server) listClients(r *http.Request) (any, error) {
	all, err := s.state.Clients(r.Context())
	if err != nil {
		return nil, err
	}
	listed := []ClientRegistration{}
	for _, client := range all {
		listed = append(listed, ClientRegistration{
			ID: client.ID, RedirectURIs: client.RedirectURIs, Scopes: client.Scopes,
			GrantTypes: client.GrantTypes, Public: client.Public, AuthMethod: client.AuthMethod,
		})
	}
	return listed, nil
}

// rotateClientSecret gives a client a new secret, made up if none is named. With keep_old the old ones stay good.
func (s *Server) rotateClientSecret(r *http.Request) (any, error) {
	var wanted struct {
		Secret  string `json:"secret"`
		KeepOld bool   `json:"keep_old"`
	}
	if err := decode(r, &wanted); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if wanted.Secret == "" {
		wanted.Secret = state.NewSecret("cs_")
	}
	if err := s.state.RotateClientSecret(r.Context(), id, wanted.Secret, wanted.KeepOld); err != nil {
		return nil, err
	}
	return map[string]string{"id": id, "secret": wanted.Secret}, s.secretChanged(id, wanted.Secret)
}
