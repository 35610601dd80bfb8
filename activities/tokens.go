package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// minted turns a provider's answer into a credential whose expiries are in Vault's
// time. previous is the credential it replaces, the zero one for a first grant:
// what the answer leaves out (a refresh token, scopes) is kept from it.
func minted(grant *connectors.Grant, method *connectors.Method, previous connection.Credential, now time.Time) connection.Credential {
	fresh := connection.Credential{
		Method: method.ID,
		Fields: previous.Fields,
		Values: overlay(previous.Values, grant.Values),
		Tokens: make(map[string]connection.Token, len(grant.Tokens)),
	}
	renewal := method.Renewal()
	for name, old := range previous.Tokens {
		fresh.Tokens[name] = old
	}
	for name, answer := range grant.Tokens {
		old := previous.Tokens[name]
		token := connection.Token{
			Access: answer.Access, Refresh: answer.Refresh, Type: answer.Type, Scopes: answer.Scopes,
			IssuedAt: now, RefreshExpiresAt: old.RefreshExpiresAt,
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
			token.RefreshExpiresAt = now.Add(life)
		} else if renewal.RefreshLifetime > 0 && !answer.Refresh.Empty() {
			token.RefreshExpiresAt = now.Add(renewal.RefreshLifetime)
		}
		fresh.Tokens[name] = token
	}
	return fresh
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
