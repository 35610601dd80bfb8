package connection

import (
	"slices"
	"time"
)

// AccessToken is what Vault knows of a token by which a program uses the gateway in
// one environment. The token itself is nowhere: entries lie under its SHA-256.
type AccessToken struct {
	// Name tells tokens of one environment apart; a slug.
	Name string `json:"name"`
	// Role is what the token may do: viewer, operator or admin; or agent, which may use
	// Toolkits and nothing else.
	Role string `json:"role"`
	// Toolkits are what an agent may use, of the environment whose Vault keeps the token.
	Toolkits []ToolkitRef `json:"toolkits,omitempty"`
	// Created and Expires are in Vault's time; zero Expires means that it stays until it is revoked.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	// CreatedBy says in free text who made it.
	CreatedBy string `json:"created_by,omitempty"`
}

// Live reports whether the token may be used at that moment of Vault's time.
func (t AccessToken) Live(now time.Time) bool { return t.Expires.IsZero() || now.Before(t.Expires) }

// SignInLink is what Vault knows of a one-time link by which a person signs in to
// one environment. Entries lie under the SHA-256 of the link's text.
type SignInLink struct {
	// Role is what the session will be allowed: viewer, operator or admin.
	Role string `json:"role"`
	// Expires is in Vault's time.
	Expires time.Time `json:"expires"`
}

// SortTokens puts tokens in the order of their names.
func SortTokens(tokens []AccessToken) {
	slices.SortFunc(tokens, func(a, b AccessToken) int {
		if a.Name == b.Name {
			return a.Created.Compare(b.Created)
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}
