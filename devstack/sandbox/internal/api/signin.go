package api

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/oauth1"
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
	AuthAPIKeyCookie  AuthKind = "api_key_cookie"
	AuthAPIKeyBody    AuthKind = "api_key_body"
	AuthHeaders       AuthKind = "headers"
	AuthBasic         AuthKind = "basic"
	AuthDigest        AuthKind = "digest"
	AuthSigV4         AuthKind = "aws_sigv4"
	AuthOAuth1        AuthKind = "oauth1"
	AuthSession       AuthKind = "session"
)

// Names of what a request may sign in with.
const (
	// PersonalTokenPrefix tells a personal token from an OAuth access token, both of which are bearer tokens.
	PersonalTokenPrefix = "pat_"
	// KeyCookie is the cookie, and keyField the field of the query or of the body, that an API key may stand in.
	KeyCookie = "sandbox_key"
	keyField  = "api_key"
	// SessionHeader carries the session of a login, AccountHeader names one of several organisations.
	SessionHeader = "X-Session"
	AccountHeader = "X-Account"
)

// presentedCredential is what a request signs in with, not yet checked. Of a signature the secret is what names the
// key, so that the ledger can tell keys apart.
type presentedCredential struct {
	kind   AuthKind
	secret string
}

// credentialOf takes the first that is there: Authorization, X-API-Key, X-Sandbox-Id with X-Sandbox-Secret, X-Session,
// the cookie, ?api_key=, and the body's api_key.
func credentialOf(r *http.Request, body []byte) presentedCredential {
	if presented := authorizationOf(r); presented.kind != AuthNone {
		return presented
	}
	if key := r.Header.Get("X-API-Key"); key != "" {
		return presentedCredential{AuthAPIKeyHeader, key}
	}
	if id, secret := r.Header.Get("X-Sandbox-Id"), r.Header.Get("X-Sandbox-Secret"); id != "" || secret != "" {
		return presentedCredential{AuthHeaders, state.PairSecret(id, secret)}
	}
	if session := r.Header.Get(SessionHeader); session != "" {
		return presentedCredential{AuthSession, session}
	}
	if cookie, err := r.Cookie(KeyCookie); err == nil && cookie.Value != "" {
		return presentedCredential{AuthAPIKeyCookie, cookie.Value}
	}
	if key := r.URL.Query().Get(keyField); key != "" {
		return presentedCredential{AuthAPIKeyQuery, key}
	}
	if key := keyInBody(r, body); key != "" {
		return presentedCredential{AuthAPIKeyBody, key}
	}
	return presentedCredential{kind: AuthNone}
}

// authorizationOf reads the Authorization header.
func authorizationOf(r *http.Request) presentedCredential {
	if user, password, ok := r.BasicAuth(); ok {
		return presentedCredential{AuthBasic, state.PairSecret(user, password)}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(token, PersonalTokenPrefix):
		return presentedCredential{AuthPersonalToken, token}
	case strings.EqualFold(scheme, "Bearer"):
		return presentedCredential{AuthOAuth, token}
	case strings.EqualFold(scheme, "Digest"):
		return presentedCredential{AuthDigest, digestFields(r)["username"]}
	case strings.EqualFold(scheme, "OAuth"):
		return presentedCredential{AuthOAuth1, oauth1.Presented(r)}
	case scheme == sigV4Algorithm:
		signature, _ := sigV4Of(r)
		return presentedCredential{AuthSigV4, signature.accessKey}
	default:
		return presentedCredential{kind: AuthNone}
	}
}

// keyInBody is the field api_key of a JSON object or a form; "" for none.
func keyInBody(r *http.Request, body []byte) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		form, _ := url.ParseQuery(string(body))
		return form.Get(keyField)
	}
	var object map[string]json.RawMessage
	var key string
	if json.Unmarshal(body, &object) != nil || json.Unmarshal(object[keyField], &key) != nil {
		return ""
	}
	return key
}

// withoutKey is a JSON body without the key that it signed in with: what handles it must not see it.
func withoutKey(body []byte) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return body
	}
	delete(object, keyField)
	rest, err := json.Marshal(object)
	if err != nil {
		return body
	}
	return rest
}

// principal is whoever signed in. Static credentials carry every API scope.
type principal struct {
	account state.Account
	auth    AuthKind
	client  string
	scopes  []string
	// family and generation are those of an OAuth access token, dead says what it died of; see oauth.Access.
	family     string
	generation uint64
	dead       string
	// organisation is the one that the request names; "" for none.
	organisation string
}

// identify answers errNoCredential, errInvalidToken or errStaleNonce for those it does not know.
func (s *Server) identify(r *http.Request, body []byte, presented presentedCredential) (principal, error) {
	ctx := r.Context()
	switch presented.kind {
	case AuthNone:
		return principal{}, errNoCredential
	case AuthOAuth:
		access, err := s.tokens.CheckAccessToken(ctx, presented.secret)
		caller := principal{family: access.Family, generation: access.Generation, dead: access.Dead}
		if err != nil {
			return caller, errInvalidToken
		}
		caller.account, caller.auth = state.FindAccount(access.Account), AuthOAuth
		caller.client, caller.scopes = access.Client, access.Scopes
		return caller, nil
	case AuthOAuth1:
		access, err := s.signed.Check(ctx, r, body)
		var refusal oauth1.Refusal
		if errors.As(err, &refusal) {
			return principal{}, notSigned(refusal)
		}
		caller := s.everything(access.Account, AuthOAuth1)
		caller.client = access.Client
		return caller, err
	case AuthSession:
		session, err := s.state.LoginSession(ctx, presented.secret)
		if errors.Is(err, state.ErrNotFound) || err == nil && !s.clock.Now().Before(session.ExpiresAt) {
			return principal{}, errInvalidToken
		}
		return s.everything(session.Account, AuthSession), err
	case AuthDigest:
		fields := digestFields(r)
		ok, stale := s.digests.check(r, fields, s.keys.Username, s.keys.Password)
		if stale {
			return principal{}, errStaleNonce
		}
		if !ok {
			return principal{}, errInvalidToken
		}
		return s.holder(ctx, presented.kind, state.BasicPassword, state.PairSecret(s.keys.Username, s.keys.Password))
	case AuthSigV4:
		signature, ok := sigV4Of(r)
		if !ok || signature.accessKey != s.keys.AccessKeyID || !signature.matches(r, body, s.keys.SecretAccessKey, s.clock.Now()) {
			return principal{}, errInvalidToken
		}
		return s.holder(ctx, presented.kind, state.AccessKeyPair, state.PairSecret(s.keys.AccessKeyID, s.keys.SecretAccessKey))
	case AuthPersonalToken:
		return s.holder(ctx, presented.kind, state.PersonalToken, presented.secret)
	case AuthAPIKeyHeader, AuthAPIKeyQuery, AuthAPIKeyCookie, AuthAPIKeyBody:
		return s.holder(ctx, presented.kind, state.APIKey, presented.secret)
	case AuthHeaders:
		return s.holder(ctx, presented.kind, state.HeaderPair, presented.secret)
	case AuthBasic:
		return s.holder(ctx, presented.kind, state.BasicPassword, presented.secret)
	}
	return principal{}, errNoCredential
}

// holder is the account of a living static credential.
func (s *Server) holder(ctx context.Context, auth AuthKind, kind state.CredentialKind, secret string) (principal, error) {
	credential, err := s.state.FindCredential(ctx, kind, secret)
	if errors.Is(err, state.ErrNotFound) {
		return principal{}, errInvalidToken
	}
	return s.everything(credential.Account, auth), err
}

// everything is an account with every API scope.
func (s *Server) everything(account string, auth AuthKind) principal {
	return principal{account: state.FindAccount(account), auth: auth,
		scopes: []string{oauth.ScopeContactsRead, oauth.ScopeContactsWrite}}
}
