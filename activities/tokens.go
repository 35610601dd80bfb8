package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// minted turns a provider's answer into a credential whose expiries are in Vault's
// time. previous is the credential it replaces, one without tokens for a first
// grant: what the answer leaves out (a refresh token, scopes) is kept from it. A
// token set that a renewal does not bring has no expiry that anybody could act on.
func minted(grant *connectors.Grant, method *connectors.Method, previous connection.Credential, now time.Time) connection.Credential {
	fresh := connection.Credential{
		Method: method.ID,
		Fields: previous.Fields,
		Values: overlay(previous.Values, grant.Values),
		Tokens: make(map[string]connection.Token, len(grant.Tokens)),
	}
	for name, old := range previous.Tokens {
		old.ExpiresAt = time.Time{}
		fresh.Tokens[name] = old
	}
	takeTokens(&fresh, grant.Tokens, method, previous, now)
	return fresh
}

// gathered adds what a step brought to a credential that is being put together.
func gathered(outcome *connectors.StepOutcome, method *connectors.Method, held connection.Credential, now time.Time) connection.Credential {
	grown := held
	grown.Values = overlay(held.Values, outcome.Values)
	if len(outcome.Tokens) > 0 {
		grown.Tokens = maps.Clone(held.Tokens)
		if grown.Tokens == nil {
			grown.Tokens = map[string]connection.Token{}
		}
		takeTokens(&grown, outcome.Tokens, method, held, now)
	}
	return grown
}

// takeTokens puts token sets into a credential.
func takeTokens(fresh *connection.Credential, answers map[string]connectors.TokenAnswer, method *connectors.Method, previous connection.Credential, now time.Time) {
	renewal := method.Renewal()
	for name, answer := range answers {
		old := previous.Tokens[name]
		token := connection.Token{
			Access: answer.Access, Refresh: answer.Refresh, Type: answer.Type, Scopes: answer.Scopes,
			IssuedAt: now, RefreshExpiresAt: old.RefreshExpiresAt, RefreshIssuedAt: refreshBegan(old),
		}
		if token.Refresh.Empty() {
			token.Refresh = old.Refresh
		}
		if token.Scopes == nil {
			token.Scopes = old.Scopes
		}
		lifetime := answer.Lifetime
		if lifetime <= 0 {
			lifetime = renewal.DefaultLifetime
		}
		token.ExpiresAt = after(now, lifetime)
		if life := max(answer.RefreshLifetime, 0); life > 0 {
			endRefresh(&token, now, life)
		} else if renewal.RefreshLifetime > 0 && token.Refresh.Reveal() != old.Refresh.Reveal() {
			endRefresh(&token, now, renewal.RefreshLifetime) // the same token keeps its end
		}
		fresh.Tokens[name] = token
	}
}

// sameEnd is how far two tellings of one end may be apart: providers name what is left of it.
const sameEnd = time.Minute

// endRefresh sets when a refresh token ends, unless that is the end it has.
func endRefresh(token *connection.Token, now time.Time, life time.Duration) {
	end := now.Add(life)
	if end.Sub(token.RefreshExpiresAt).Abs() > sameEnd {
		token.RefreshExpiresAt, token.RefreshIssuedAt = end, now
	}
}

// refreshBegan is when the life of a token set's refresh token began.
func refreshBegan(token connection.Token) time.Time {
	if token.RefreshIssuedAt.IsZero() {
		return token.IssuedAt
	}
	return token.RefreshIssuedAt
}

func after(now time.Time, life time.Duration) time.Time {
	if life <= 0 {
		return time.Time{}
	}
	return now.Add(life)
}

// fingerprint identifies a secret without revealing it. Twelve hexadecimal digits
// tell one connection's tokens apart and are useless for guessing one.
func fingerprint(s connection.Secret) string {
	if s.Empty() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])[:12]
}
