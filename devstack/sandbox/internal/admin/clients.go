package admin

import (
	"context"
	"encoding/json"
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
	// JWKS are the public keys of private_key_jwt, which takes the place of a secret (RFC 7523 section 2.2).
	JWKS json.RawMessage `json:"jwks,omitempty"`
}

var (
	errNoClientID       = errors.New("a client needs an id")
	errPublicWithSecret = errors.New("a public client has no secret")
	errUnknownScope     = errors.New("scopes are contacts.read, contacts.write, offline_access")
	errUnknownMethod    = errors.New("token_endpoint_auth_method is client_secret_basic, client_secret_post or private_key_jwt, or absent for the first two")
)

// RegisterClient stores a client, replacing the one of the same ID, and answers it with its secret filled in.
func RegisterClient(ctx context.Context, db *state.DB, registration ClientRegistration) (ClientRegistration, error) {
	if err := registration.complete(); err != nil {
		return registration, badRequest{err}
	}
	client := state.Client{
		ID: registration.ID, RedirectURIs: registration.RedirectURIs, Scopes: registration.Scopes,
		GrantTypes: registration.GrantTypes, Public: registration.Public, AuthMethod: registration.AuthMethod,
		JWKS: registration.JWKS,
	}
	if registration.Secret != "" {
		sealed, err := db.Seal(ctx, registration.Secret)
		if err != nil {
			return registration, err
		}
		client.SecretHash, client.SealedSecret = state.HashSecret(registration.Secret), sealed
	}
	return registration, db.PutClient(ctx, client)
}

// privateKeyJWT is the authentication of a client by a signed assertion.
const privateKeyJWT = "private_key_jwt"

// publicKeys reports whether a JWK set holds public keys and nothing else.
func publicKeys(set json.RawMessage) bool {
	var keys struct {
		Keys []json.RawMessage `json:"keys"`
	}
	return json.Unmarshal(set, &keys) == nil && len(keys.Keys) > 0 &&
		!slices.ContainsFunc(keys.Keys, func(key json.RawMessage) bool { return !publicKey(key) })
}

func (c *ClientRegistration) complete() error {
	switch {
	case c.ID == "":
		return errNoClientID
	case c.Public && c.Secret != "":
		return errPublicWithSecret
	}
	switch c.AuthMethod {
	case "", "client_secret_basic", "client_secret_post", privateKeyJWT:
	default:
		return errUnknownMethod
	}
	if (c.AuthMethod == privateKeyJWT) != publicKeys(c.JWKS) || c.AuthMethod != privateKeyJWT && len(c.JWKS) > 0 {
		return errNoJWKS
	}
	for _, scope := range c.Scopes {
		if !slices.Contains(oauth.AllScopes, scope) {
			return errUnknownScope
		}
	}
	if !c.Public && c.Secret == "" && c.AuthMethod != privateKeyJWT {
		c.Secret = state.NewSecret("cs_")
	}
	if len(c.Scopes) == 0 {
		c.Scopes = oauth.AllScopes
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = oauth.AllGrantTypes
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
			JWKS: client.JWKS,
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
