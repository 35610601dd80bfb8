package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"
	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/state"
)

// assertionAlgorithm is what clients sign their assertions with: the library's default (OpenID Connect Core 1.0
// section 9 lets a server choose).
const assertionAlgorithm = "RS256"

// subjectOf is whom an assertion says it is about, proven or not; "" for what is no JWT.
func subjectOf(assertion string) string {
	token, err := jwt.ParseSigned(assertion)
	if err != nil {
		return ""
	}
	var claims jwt.Claims
	if token.UnsafeClaimsWithoutVerification(&claims) != nil {
		return ""
	}
	return claims.Subject
}

// serviceClient stands for a service that signs assertions without being a client. Without a secret and with no
// other grant it can do nothing but ask for tokens with an assertion.
func serviceClient(id string) fosite.Client {
	return &fosite.DefaultClient{ID: id, Public: true, GrantTypes: []string{grantJWTBearer}, Scopes: AllScopes}
}

// actAsService makes the issuer of an assertion the client of its tokens, where no other client authenticated.
func actAsService(ctx context.Context, request fosite.AccessRequester) {
	if asked, ok := request.(*fosite.AccessRequest); ok && request.GetClient().GetID() == "" {
		asked.Client = serviceClient(state.ServiceClientPrefix + traceOf(ctx).issuer)
	}
}

// GetPublicKey implements fosite's rfc7523.RFC7523KeyStorage.
func (s *storage) GetPublicKey(ctx context.Context, issuer, subject, keyID string) (*jose.JSONWebKey, error) {
	keys, err := s.GetPublicKeys(ctx, issuer, subject)
	if err != nil {
		return nil, err
	}
	for _, key := range keys.Key(keyID) {
		return &key, nil
	}
	return nil, fosite.ErrNotFound
}

// GetPublicKeys lists the keys registered for an issuer and subject.
func (s *storage) GetPublicKeys(ctx context.Context, issuer, subject string) (*jose.JSONWebKeySet, error) {
	kept, err := s.state.ServiceKeys(ctx, issuer, subject)
	if err != nil {
		return nil, err
	}
	traceOf(ctx).issuer = issuer
	set := &jose.JSONWebKeySet{}
	for _, registered := range kept {
		var key jose.JSONWebKey
		if err := json.Unmarshal(registered.JWK, &key); err != nil {
			return nil, err
		}
		key.KeyID = registered.KeyID
		set.Keys = append(set.Keys, key)
	}
	return set, nil
}

// GetPublicKeyScopes is what an assertion signed with the key may ask for.
func (s *storage) GetPublicKeyScopes(ctx context.Context, issuer, subject, keyID string) ([]string, error) {
	kept, err := s.state.ServiceKeys(ctx, issuer, subject)
	for _, registered := range kept {
		if registered.KeyID == keyID {
			return registered.Scopes, nil
		}
	}
	return nil, errors.Join(err, fosite.ErrNotFound)
}

// IsJWTUsed reports whether an assertion of that ID was taken before (RFC 7523 section 3).
func (s *storage) IsJWTUsed(ctx context.Context, id string) (bool, error) {
	return s.state.JWTUsed(ctx, id)
}

// MarkJWTUsedForTime remembers the ID of an assertion.
func (s *storage) MarkJWTUsedForTime(ctx context.Context, id string, until time.Time) error {
	return s.state.MarkJWTUsed(ctx, id, until)
}

// ClientAssertionJWTValid answers ErrJTIKnown for a client assertion that was taken before.
func (s *storage) ClientAssertionJWTValid(ctx context.Context, id string) error {
	used, err := s.state.JWTUsed(ctx, id)
	if err == nil && used {
		return fosite.ErrJTIKnown
	}
	return err
}

// SetClientAssertionJWT remembers the ID of a client assertion.
func (s *storage) SetClientAssertionJWT(ctx context.Context, id string, until time.Time) error {
	return s.state.MarkJWTUsed(ctx, id, until)
}

// Authenticate implements fosite's ResourceOwnerPasswordCredentialsGrantStorage: the password is the one of HTTP Basic.
func (s *storage) Authenticate(ctx context.Context, name, password string) (subject string, err error) {
	found, err := s.state.FindCredential(ctx, state.BasicPassword, state.PairSecret(name, password))
	return found.Account, asLibraryError(err)
}
