package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Token is an access token, refresh token, authorization code or PKCE challenge, kept under its signature:
// the half of the token that cannot be presented.
type Token struct {
	Family     string    `json:"family"`
	Generation uint64    `json:"generation"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	// UsedAt is when a refresh token was exchanged or a code redeemed; zero before.
	UsedAt time.Time `json:"used_at,omitzero"`
	// SupersededAt is when one of the refresh tokens that replaced this one was used, or one of the others that
	// replaced the same one as this; zero before.
	SupersededAt time.Time `json:"superseded_at,omitzero"`
	// Predecessor is the refresh token that this one replaced, Successors are those that replaced it. By signature.
	Predecessor string   `json:"predecessor,omitempty"`
	Successors  []string `json:"successors,omitempty"`
	// RevokedAt is when an access token was ended by itself; zero before. Its family may have ended, too.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	// Request is the authorization server's own record of the request the token answers.
	Request json.RawMessage `json:"request"`
}

// TokenKind names one of the four tables of tokens.
type TokenKind struct{ table table[Token] }

const (
	codes         table[Token]  = "codes"
	challenges    table[Token]  = "challenges"
	accessTokens  table[Token]  = "access_tokens"
	refreshTokens table[Token]  = "refresh_tokens"
	sealedPairs   table[[]byte] = "sealed_pairs"
)

// The kinds of tokens.
var (
	Code      = TokenKind{codes}
	Challenge = TokenKind{challenges}
	Access    = TokenKind{accessTokens}
	Refresh   = TokenKind{refreshTokens}
)

// Token finds a token by its signature, or answers ErrNotFound.
func (d *DB) Token(ctx context.Context, kind TokenKind, signature string) (token Token, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		token, err = kind.table.get(tx, signature)
		return err
	})
	return token, err
}

// PutToken stores a token under its signature.
func (d *DB) PutToken(ctx context.Context, kind TokenKind, signature string, token Token) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return kind.table.put(tx, signature, token) })
}

// RemoveToken forgets a token; one that is not there is no error.
func (d *DB) RemoveToken(ctx context.Context, kind TokenKind, signature string) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return kind.table.remove(tx, signature) })
}

// RevokeAccessTokens ends every access token issued so far, of one family or of all where family is "", and answers how many there were.
func (d *DB) RevokeAccessTokens(ctx context.Context, family string, at time.Time) (count int, err error) {
	err = d.update(ctx, func(tx *bolt.Tx) error {
		revoked := map[string]Token{}
		err := accessTokens.each(tx, func(signature string, token Token) error {
			if token.RevokedAt.IsZero() && (family == "" || token.Family == family) {
				token.RevokedAt = at
				revoked[signature] = token
			}
			return nil
		})
		count = len(revoked)
		for signature, token := range revoked {
			err = errors.Join(err, accessTokens.put(tx, signature, token))
		}
		return err
	})
	return count, err
}

// RemoveExpired forgets codes, challenges and access tokens that ended before a moment. Refresh tokens stay:
// a used one must be known for ever, so that its reuse is noticed. IDs of JWTs and tickets of logins go too.
func (d *DB) RemoveExpired(ctx context.Context, before time.Time) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		for _, table := range []table[Token]{codes, challenges, accessTokens} {
			var ended []string
			err := table.each(tx, func(signature string, token Token) error {
				if token.ExpiresAt.Before(before) {
					ended = append(ended, signature)
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, signature := range ended {
				if err := table.remove(tx, signature); err != nil {
					return err
				}
			}
		}
		jwts := removeWhere(tx, usedJWTs, func(until time.Time) bool { return until.Before(before) })
		return errors.Join(jwts, removeWhere(tx, tickets, func(ticket Ticket) bool { return ticket.ExpiresAt.Before(before) }))
	})
}

// SealedPair is the token answer once given to a refresh token, sealed so that only that token opens it.
func (d *DB) SealedPair(ctx context.Context, signature string) (sealed []byte, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		sealed, err = sealedPairs.get(tx, signature)
		return err
	})
	return sealed, err
}

// PutSealedPair keeps an answer under the signature of the refresh token it was given to.
func (d *DB) PutSealedPair(ctx context.Context, signature string, sealed []byte) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return sealedPairs.put(tx, signature, sealed) })
}
