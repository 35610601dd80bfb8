package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/state"
)

// AuthKind is the way somebody signed in.
type AuthKind string

// The ways to sign in. AuthNone is a request that did not try.
const (
	AuthNone          AuthKind = "none"
	AuthOAuth         AuthKind = "oauth"
	AuthPersonalToken AuthKind = "personal_token"
	AuthAPIKeyHeader  AuthKind = "api_key_header"
	AuthAPIKeyQuery   AuthKind = "api_key_query"
	AuthHeaders       AuthKind = "headers"
	AuthBasic         AuthKind = "basic"
)

// PersonalTokenPrefix tells a personal token from an OAuth access token, both of which are bearer tokens.
const PersonalTokenPrefix = "pat_"

// presentedCredential is what a request signs in with, not yet checked.
type presentedCredential struct {
	kind   AuthKind
	secret string
}

// credentialOf takes the first that is there: Authorization, X-API-Key, X-Sandbox-Id with X-Sandbox-Secret, ?api_key=.
func credentialOf(r *http.Request) presentedCredential {
	authorization := r.Header.Get("Authorization")
	if user, password, ok := r.BasicAuth(); ok {
		return presentedCredential{AuthBasic, state.PairSecret(user, password)}
	}
	if scheme, token, ok := strings.Cut(authorization, " "); ok && strings.EqualFold(scheme, "Bearer") {
		if strings.HasPrefix(token, PersonalTokenPrefix) {
			return presentedCredential{AuthPersonalToken, token}
		}
		return presentedCredential{AuthOAuth, token}
	}
	if key := r.Header.Get("X-API-Key"); key != "" {
		return presentedCredential{AuthAPIKeyHeader, key}
	}
	if id, secret := r.Header.Get("X-Sandbox-Id"), r.Header.Get("X-Sandbox-Secret"); id != "" || secret != "" {
		return presentedCredential{AuthHeaders, state.PairSecret(id, secret)}
	}
	if key := r.URL.Query().Get("api_key"); key != "" {
		return presentedCredential{AuthAPIKeyQuery, key}
	}
	return presentedCredential{kind: AuthNone}
}

// principal is whoever signed in. Static credentials carry every API scope.
type principal struct {
	account state.Account
	auth    AuthKind
	client  string
	scopes  []string
}

// identify answers errNoCredential or errInvalidToken for those it does not know.
func (s *Server) identify(ctx context.Context, presented presentedCredential) (principal, error) {
	var kind state.CredentialKind
	switch presented.kind {
	case AuthNone:
		return principal{}, errNoCredential
	case AuthOAuth:
		access, err := s.tokens.CheckAccessToken(ctx, presented.secret)
		if err != nil {
			return principal{}, errInvalidToken
		}
		return principal{
			account: state.FindAccount(access.Account), auth: AuthOAuth, client: access.Client, scopes: access.Scopes,
		}, nil
	case AuthPersonalToken:
		kind = state.PersonalToken
	case AuthAPIKeyHeader, AuthAPIKeyQuery:
		kind = state.APIKey
	case AuthHeaders:
		kind = state.HeaderPair
	case AuthBasic:
		kind = state.BasicPassword
	}
	credential, err := s.state.FindCredential(ctx, kind, presented.secret)
	if errors.Is(err, state.ErrNotFound) {
		return principal{}, errInvalidToken
	}
	if err != nil {
		return principal{}, err
	}
	return principal{
		account: state.FindAccount(credential.Account), auth: presented.kind,
		scopes: []string{oauth.ScopeContactsRead, oauth.ScopeContactsWrite},
	}, nil
}
