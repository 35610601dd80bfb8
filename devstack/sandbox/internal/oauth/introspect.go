package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/state"
)

// Introspection is an answer of RFC 7662 section 2.2.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	Subject   string `json:"sub,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Issuer    string `json:"iss,omitempty"`
}

// Introspect is POST /oauth/introspect. The caller authenticates as a client, in the header or in the body.
func (s *Server) Introspect(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, fosite.ErrInvalidRequest.WithWrap(err))
		return
	}
	if r.Header.Get("Authorization") == "" { // the library looks in the header only
		r.SetBasicAuth(url.QueryEscape(r.PostForm.Get("client_id")), url.QueryEscape(r.PostForm.Get("client_secret")))
	}
	found, err := s.provider.NewIntrospectionRequest(r.Context(), r, s.lifetimes.newSession(""))
	if err != nil {
		s.provider.WriteIntrospectionError(r.Context(), w, err)
		return
	}
	request := found.GetAccessRequester()
	result := Introspection{
		Active: true, Scope: strings.Join(request.GetGrantedScopes(), " "), ClientID: request.GetClient().GetID(),
		Username: request.GetSession().GetUsername(), Subject: request.GetSession().GetSubject(),
		TokenType: found.GetAccessTokenType(), IssuedAt: request.GetRequestedAt().Unix(), Issuer: s.issuer,
	}
	if kept, ok := request.GetSession().(*session); ok {
		if ends := kept.Expires[found.GetTokenUse()]; !ends.IsZero() {
			result.Expires = ends.Unix()
		}
	}
	writeJSON(w, result)
}

// Access is what a valid access token stands for.
type Access struct {
	Account string
	Client  string
	Scopes  []string
	// Family and Generation are the token's, known of a dead one too; Dead says what it died of: expired, revoked,
	// family_revoked or unknown. "" for a living one.
	Family     string
	Generation uint64
	Dead       string
}

// CheckAccessToken answers what an access token is good for; any error means that it is good for nothing.
// A refresh token is none, though the library would accept it here.
func (s *Server) CheckAccessToken(ctx context.Context, token string) (Access, error) {
	kept, dead := s.lookUp(ctx, token)
	answer := Access{Family: kept.Family, Generation: kept.Generation, Dead: dead}
	use, request, err := s.provider.IntrospectToken(ctx, token, fosite.AccessToken, s.lifetimes.newSession(""))
	if err != nil {
		return answer, err
	}
	if use != fosite.AccessToken {
		return answer, fosite.ErrRequestUnauthorized
	}
	answer.Account, answer.Client = request.GetSession().GetSubject(), request.GetClient().GetID()
	answer.Scopes, answer.Dead = request.GetGrantedScopes(), ""
	return answer, nil
}

// lookUp finds an access token and what, if anything, it died of. That it expired comes first, for its holder knew.
func (s *Server) lookUp(ctx context.Context, token string) (state.Token, string) {
	kept, err := s.state.Token(ctx, state.Access, s.strategy.AccessTokenSignature(ctx, token))
	if err != nil {
		return state.Token{}, detailUnknown
	}
	family, err := s.state.Family(ctx, kept.Family)
	switch {
	case kept.ExpiresAt.Before(s.clock.Now()):
		return kept, detailExpired
	case !kept.RevokedAt.IsZero():
		return kept, detailRevoked
	case err != nil || family.Revoked():
		return kept, detailFamilyRevoked
	}
	return kept, ""
}
