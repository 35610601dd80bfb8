package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// storage is what the library asks for clients, codes and challenges; storage_tokens.go has the tokens.
type storage struct {
	state     *state.DB
	live      *settings.Live
	clock     clock.Clock
	lifetimes *lifetimes
}

// storedRequest is the library's request in a form that can be kept.
type storedRequest struct {
	ID             string     `json:"id"`
	RequestedAt    time.Time  `json:"requested_at"`
	Client         string     `json:"client"`
	RequestedScope []string   `json:"requested_scope"`
	GrantedScope   []string   `json:"granted_scope"`
	Form           url.Values `json:"form"`
	Session        *session   `json:"session"`
}

func dehydrate(request fosite.Requester) (json.RawMessage, error) {
	kept, ok := request.GetSession().(*session)
	if !ok {
		return nil, fmt.Errorf("foreign session %T", request.GetSession())
	}
	return json.Marshal(storedRequest{
		ID: request.GetID(), RequestedAt: request.GetRequestedAt(), Client: request.GetClient().GetID(),
		RequestedScope: request.GetRequestedScopes(), GrantedScope: request.GetGrantedScopes(),
		Form: request.GetRequestForm(), Session: kept,
	})
}

func (s *storage) hydrate(ctx context.Context, raw json.RawMessage) (*fosite.Request, error) {
	var kept storedRequest
	if err := json.Unmarshal(raw, &kept); err != nil {
		return nil, err
	}
	client, err := s.GetClient(ctx, kept.Client)
	if err != nil {
		return nil, err
	}
	kept.Session.lifetimes = s.lifetimes
	return &fosite.Request{
		ID: kept.ID, RequestedAt: kept.RequestedAt, Client: client,
		RequestedScope: kept.RequestedScope, GrantedScope: kept.GrantedScope,
		Form: kept.Form, Session: kept.Session,
	}, nil
}

// asLibraryError turns the state's "not found" into the library's.
func asLibraryError(err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return fosite.ErrNotFound
	}
	return err
}

// GetClient implements fosite.ClientManager.
func (s *storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	if strings.HasPrefix(id, state.ServiceClientPrefix) {
		return serviceClient(id), nil
	}
	client, err := s.state.Client(ctx, id)
	if err != nil {
		return nil, asLibraryError(err)
	}
	plain := &fosite.DefaultClient{
		ID: client.ID, Secret: client.SecretHash, RotatedSecrets: client.OldHashes,
		RedirectURIs: client.RedirectURIs, Scopes: client.Scopes, GrantTypes: client.GrantTypes,
		ResponseTypes: []string{"code"}, Public: client.Public,
	}
	if client.AuthMethod == "" {
		return plain, nil // the library then takes the secret from the header or the body
	}
	known := &fosite.DefaultOpenIDConnectClient{DefaultClient: plain, TokenEndpointAuthMethod: client.AuthMethod}
	if len(client.JWKS) > 0 {
		known.JSONWebKeys = &jose.JSONWebKeySet{}
		if err := json.Unmarshal(client.JWKS, known.JSONWebKeys); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (s *storage) putRequest(ctx context.Context, kind state.TokenKind, signature string, request fosite.Requester) error {
	raw, err := dehydrate(request)
	if err != nil {
		return err
	}
	return s.state.PutToken(ctx, kind, signature, state.Token{
		Family: request.GetID(), ExpiresAt: s.lifetimes.expiry(fosite.AuthorizeCode, time.Time{}, s.live.Current()), Request: raw,
	})
}

// CreateAuthorizeCodeSession implements fosite's oauth2.AuthorizeCodeStorage.
func (s *storage) CreateAuthorizeCodeSession(ctx context.Context, signature string, request fosite.Requester) error {
	return s.putRequest(ctx, state.Code, signature, request)
}

// GetAuthorizeCodeSession answers a redeemed code together with ErrInvalidatedAuthorizeCode, whereupon the
// library revokes what it was redeemed for (RFC 6749 section 4.1.2). An expired code is not found: left to
// itself the library answers invalid_request where section 5.2 has invalid_grant.
func (s *storage) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	code, err := s.state.Token(ctx, state.Code, signature)
	if err != nil {
		traceOf(ctx).detail = detailUnknown
		return nil, asLibraryError(err)
	}
	traceOf(ctx).family = code.Family
	request, err := s.hydrate(ctx, code.Request)
	if err != nil {
		return nil, err
	}
	if !code.UsedAt.IsZero() {
		traceOf(ctx).noteReplay(detailCodeReplay)
		return request, fosite.ErrInvalidatedAuthorizeCode
	}
	if code.ExpiresAt.Before(s.clock.Now()) {
		traceOf(ctx).detail = detailExpired
		return nil, fosite.ErrNotFound
	}
	return request, nil
}

// InvalidateAuthorizeCodeSession marks the code as redeemed.
func (s *storage) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	code, err := s.state.Token(ctx, state.Code, signature)
	if err != nil {
		return asLibraryError(err)
	}
	code.UsedAt = s.clock.Now()
	return s.state.PutToken(ctx, state.Code, signature, code)
}

// CreatePKCERequestSession implements fosite's pkce.PKCERequestStorage.
func (s *storage) CreatePKCERequestSession(ctx context.Context, signature string, request fosite.Requester) error {
	return s.putRequest(ctx, state.Challenge, signature, request)
}

// GetPKCERequestSession finds the challenge a code was bound to.
func (s *storage) GetPKCERequestSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	challenge, err := s.state.Token(ctx, state.Challenge, signature)
	if err != nil {
		return nil, asLibraryError(err)
	}
	return s.hydrate(ctx, challenge.Request)
}

// DeletePKCERequestSession forgets a challenge once it has been tried, right or wrong.
func (s *storage) DeletePKCERequestSession(ctx context.Context, signature string) error {
	return s.state.RemoveToken(ctx, state.Challenge, signature)
}

// narrow keeps those of the scopes that the family still has.
func narrow(scopes fosite.Arguments, family state.Family) fosite.Arguments {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool {
		return !slices.Contains(family.Scopes, scope)
	})
}
