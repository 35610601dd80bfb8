package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"
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
}

// CheckAccessToken answers what an access token is good for; any error means that it is good for nothing.
// A refresh token is none, though the library would accept it here.
func (s *Server) CheckAccessToken(ctx context.Context, token string) (Access, error) {
	use, request, err := s.provider.IntrospectToken(ctx, token, fosite.AccessToken, s.lifetimes.newSession(""))
	if err != nil {
		return Access{}, err
	}
	if use != fosite.AccessToken {
		return Access{}, fosite.ErrRequestUnauthorized
	}
	return Access{
		Account: request.GetSession().GetSubject(), Client: request.GetClient().GetID(), Scopes: request.GetGrantedScopes(),
	}, nil
}
