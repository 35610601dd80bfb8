package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// CreateAccessTokenSession opens the family at its first token and counts a generation for each.
func (s *storage) CreateAccessTokenSession(ctx context.Context, signature string, request fosite.Requester) error {
	noted := traceOf(ctx)
	family, err := s.state.Family(ctx, request.GetID())
	if errors.Is(err, state.ErrNotFound) {
		family, err = state.Family{
			ID: request.GetID(), Client: request.GetClient().GetID(), User: request.GetSession().GetSubject(),
			GrantType: noted.grantType, Scopes: request.GetGrantedScopes(), CreatedAt: s.clock.Now(),
		}, nil
	}
	if err != nil {
		return err
	}
	family.Generation++
	family.NewestAccess = signature
	if err := s.state.PutFamily(ctx, family); err != nil {
		return err
	}
	noted.family, noted.account, noted.generation = family.ID, family.User, family.Generation
	return s.putToken(ctx, state.Access, fosite.AccessToken, signature, request, family.Generation)
}

// CreateRefreshTokenSession keeps the refresh token of the generation the access token has just opened.
// One that replaces another is known as its successor; one that is answered again stays in its place.
func (s *storage) CreateRefreshTokenSession(ctx context.Context, signature, _ string, request fosite.Requester) error {
	noted := traceOf(ctx)
	if err := s.putToken(ctx, state.Refresh, fosite.RefreshToken, signature, request, noted.generation); err != nil {
		return err
	}
	if noted.presented == "" || noted.presented == signature {
		return nil
	}
	return s.state.Succeed(ctx, noted.presented, signature)
}

func (s *storage) putToken(ctx context.Context, kind state.TokenKind, tokenType fosite.TokenType, signature string, request fosite.Requester, generation uint64) error {
	raw, err := dehydrate(request)
	if err != nil {
		return err
	}
	kept, _ := request.GetSession().(*session) // dehydrate has refused any other
	token := state.Token{Family: request.GetID(), Generation: generation, ExpiresAt: kept.Expires[tokenType], Request: raw}
	if known, err := s.state.Token(ctx, kind, signature); err == nil { // answered again: its relations stay
		token.Predecessor, token.Successors, token.SupersededAt = known.Predecessor, known.Successors, known.SupersededAt
	}
	return s.state.PutToken(ctx, kind, signature, token)
}

// GetAccessTokenSession answers ErrNotFound for a token that was revoked, by itself or with its family.
func (s *storage) GetAccessTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	token, _, err := s.livingToken(ctx, state.Access, signature)
	if err != nil {
		return nil, err
	}
	if !token.RevokedAt.IsZero() {
		traceOf(ctx).detail = detailRevoked
		return nil, fosite.ErrNotFound
	}
	return s.hydrate(ctx, token.Request)
}

// GetRefreshTokenSession answers a used token together with ErrInactiveToken, whereupon the library revokes the
// family, except where the family's rotation mode lets it be used again.
func (s *storage) GetRefreshTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	token, family, err := s.livingToken(ctx, state.Refresh, signature)
	if err != nil {
		return nil, err
	}
	request, err := s.hydrate(ctx, token.Request)
	if err != nil {
		return nil, err
	}
	request.GrantedScope = narrow(request.GrantedScope, family)
	current, noted := s.live.Current().For(family.Settings), traceOf(ctx)
	noted.presented, noted.inForce = signature, &current
	if kept, ok := request.GetSession().(*session); ok {
		kept.inForce = &current
	}
	if noted.newestAccessUntil, err = s.accessUntil(ctx, family.NewestAccess); err != nil {
		return nil, err
	}
	switch {
	case current.Rotation == settings.RotationSuccessor && !token.SupersededAt.IsZero():
	case token.UsedAt.IsZero():
		return request, nil
	case current.Rotation == settings.RotationSuccessor:
		noted.detail = detailPredecessor
		return request, nil
	case s.withinGrace(token, current):
		noted.detail = detailGrace
		return request, nil
	}
	noted.noteReplay(detailReuse)
	return request, fosite.ErrInactiveToken
}

// accessUntil is when an access token ends; zero for one that is not known or has been ended.
func (s *storage) accessUntil(ctx context.Context, signature string) (time.Time, error) {
	token, err := s.state.Token(ctx, state.Access, signature)
	if errors.Is(err, state.ErrNotFound) || !token.RevokedAt.IsZero() {
		return time.Time{}, nil
	}
	return token.ExpiresAt, err
}

func (s *storage) withinGrace(token state.Token, current settings.Settings) bool {
	switch current.Rotation {
	case settings.RotationGrace, settings.RotationGraceSame, settings.RotationGraceOld:
		return s.clock.Now().Before(token.UsedAt.Add(current.Grace.Std()))
	case settings.RotationStrict, settings.RotationSuccessor, settings.RotationUnexpired, settings.RotationNone, settings.RotationOmit:
	}
	return false
}

func (s *storage) livingToken(ctx context.Context, kind state.TokenKind, signature string) (state.Token, state.Family, error) {
	noted := traceOf(ctx)
	token, err := s.state.Token(ctx, kind, signature)
	if err != nil {
		noted.detail = detailUnknown
		return state.Token{}, state.Family{}, asLibraryError(err)
	}
	family, err := s.state.Family(ctx, token.Family)
	if err != nil {
		return state.Token{}, state.Family{}, err
	}
	noted.family, noted.presentedGeneration, noted.account, noted.detail = family.ID, token.Generation, family.User, ""
	if family.Revoked() {
		noted.detail = detailFamilyRevoked
		return state.Token{}, state.Family{}, fosite.ErrNotFound
	}
	return token, family, nil
}

// RotateRefreshToken retires the token just exchanged. Access tokens issued before stay good until they
// expire, as they do with most providers.
func (s *storage) RotateRefreshToken(ctx context.Context, _ string, signature string) error {
	if inForce := traceOf(ctx).inForce; inForce != nil && !inForce.Rotation.Replaces() {
		return nil
	}
	token, err := s.state.Token(ctx, state.Refresh, signature)
	if err != nil {
		return asLibraryError(err)
	}
	if token.UsedAt.IsZero() { // the grace time counts from the first use
		token.UsedAt = s.clock.Now()
	}
	if err := s.state.PutToken(ctx, state.Refresh, signature, token); err != nil {
		return err
	}
	return s.state.Supersede(ctx, token.Predecessor, signature, s.clock.Now())
}

// RevokeRefreshToken ends the whole family, access tokens included (RFC 7009 section 2.1).
func (s *storage) RevokeRefreshToken(ctx context.Context, familyID string) error {
	noted := traceOf(ctx)
	ended, err := s.state.RevokeFamilies(ctx, state.FamilySelector{Family: familyID}, noted.revocation, s.clock.Now())
	if len(ended) > 0 {
		noted.revoked = noted.revocation
	}
	return err
}

// RevokeAccessToken does what RevokeRefreshToken does: a family lives or ends as one.
func (s *storage) RevokeAccessToken(ctx context.Context, familyID string) error {
	return s.RevokeRefreshToken(ctx, familyID)
}

// DeleteRefreshTokenSession keeps the token: the library calls it for a reused one, which must stay known.
func (s *storage) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// DeleteAccessTokenSession forgets one access token.
func (s *storage) DeleteAccessTokenSession(ctx context.Context, signature string) error {
	return s.state.RemoveToken(ctx, state.Access, signature)
}
