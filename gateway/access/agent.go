package access

import (
	"encoding/json"
	"slices"
	"strings"

	"connectedapps/connection"

	"github.com/coreos/go-oidc/v3/oidc"
)

// ScopeToolkit begins a scope of a JWT that narrows it to a toolkit:
// toolkit:production/github/acme-bot/read-only.
const ScopeToolkit = "toolkit:"

// Agent reports whether this is an agent, which may use its toolkits and nothing else.
func (p Person) Agent() bool { return p.Toolkits != nil }

// CheckToolkit reports as ErrNotAllowed whether the person may not use a toolkit: an
// agent may use its own, everybody else those of the environments where they are operator.
func (p Person) CheckToolkit(ref connection.ToolkitRef) error {
	if !p.Agent() {
		return p.Check(ref.Connection.Environment(), Operator)
	}
	if slices.Contains(p.Toolkits, ref) {
		return nil
	}
	return connection.Refused(connection.ErrNotAllowed, "this agent may not use the toolkit "+ref.String(),
		"use those it was made for; an administrator makes a token for others with: connected-apps access create --agent")
}

// CheckBeyondTools reports as ErrNotAllowed that a token is for MCP tools alone.
func (p Person) CheckBeyondTools() error {
	if !p.Agent() && !p.ToolsOnly {
		return nil
	}
	return connection.Refused(connection.ErrNotAllowed, "this token is for MCP tools alone", "send it to /mcp")
}

// narrowed makes an agent of whoever brings a token with scopes for toolkits: those of
// them that the person's roles allow, and nothing else. A token without such scopes
// stays as it is; one whose scopes cannot be read is no good, as it may have been meant
// to be narrow.
func (p Person) narrowed(token *oidc.IDToken) (Person, error) {
	var claims map[string]json.RawMessage
	if token.Claims(&claims) != nil {
		return Person{}, badToken()
	}
	scopes, ok := scopesOf(claims["scope"])
	more, fine := scopesOf(claims["scp"])
	if !ok || !fine {
		return Person{}, badToken()
	}
	scopes = append(scopes, more...)
	refs := []connection.ToolkitRef{}
	asked := false
	for _, scope := range scopes {
		text, ok := strings.CutPrefix(scope, ScopeToolkit)
		if !ok {
			continue
		}
		asked = true
		if ref, err := connection.ParseToolkitRef("scope", text); err == nil && p.CheckToolkit(ref) == nil {
			refs = append(refs, ref)
		}
	}
	if asked {
		p.Toolkits, p.Roles = connection.SortToolkits(refs), nil
	}
	return p, nil
}

// scopesOf reads a claim that is a string, split by spaces, or a list of such strings;
// false for anything else. A claim that is missing or null has none.
func scopesOf(claim json.RawMessage) (scopes []string, ok bool) {
	if len(claim) == 0 || string(claim) == "null" {
		return nil, true
	}
	var one string
	if json.Unmarshal(claim, &one) == nil {
		return strings.Fields(one), true
	}
	var many []*string // a null among them is no string
	if json.Unmarshal(claim, &many) != nil {
		return nil, false
	}
	for _, text := range many {
		if text == nil {
			return nil, false
		}
		scopes = append(scopes, strings.Fields(*text)...)
	}
	return scopes, true
}

// within leaves an environment's token no toolkits of another.
func within(environment string, refs []connection.ToolkitRef) []connection.ToolkitRef {
	own := []connection.ToolkitRef{}
	for _, ref := range refs {
		if ref.Connection.Environment() == environment {
			own = append(own, ref)
		}
	}
	return own
}
