package connectors

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
)

// maxLearnt bounds a value learnt from a callback or an answer, in bytes.
const maxLearnt = 2000

// salvagedLifetime is what a token set without a usable access token gets: it
// is due for renewal at once.
const salvagedLifetime = time.Second

// readGrant makes a token answer standard. It answers nil when the answer holds
// no token set that is complete, or at least a refresh token other than the
// one presented.
func (o *OAuth) readGrant(a *answer, presented string) *Grant {
	rules := o.Answer.Tokens
	if len(rules) == 0 {
		rules = map[string]TokenRules{connection.DefaultToken: {}}
	}
	grant := &Grant{Tokens: map[string]TokenAnswer{}}
	for name, rule := range rules {
		token, ok := o.readToken(rule, a, presented)
		if !ok {
			if rule.Optional {
				continue
			}
			return nil
		}
		grant.Tokens[name] = token
	}
	if len(grant.Tokens) == 0 {
		return nil
	}
	for name, path := range o.Answer.Values {
		grant.learn(name, path.text(a.body))
	}
	grant.Identity = o.Answer.Identity.read(a.body)
	return grant
}

// readToken reads one token set. It reports false when there is nothing to keep.
func (o *OAuth) readToken(rule TokenRules, a *answer, presented string) (TokenAnswer, bool) {
	access := tokenText(rule.Access.or("access_token").text(a.body))
	refresh := tokenText(rule.Refresh.or("refresh_token").text(a.body))
	rotated := refresh != "" && refresh != presented
	if access == "" && !rotated {
		return TokenAnswer{}, false
	}
	token := TokenAnswer{
		Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh),
		Type:   rule.Type.or("token_type").text(a.body),
		Scopes: o.Scopes.parse(rule.Scope.or("scope").find(a.body)),
	}
	if lifetime, ok := rule.ExpiresForm.length(rule.Expires.or("expires_in").text(a.body), a.date(), maxLifetime); ok {
		token.Lifetime = lifetime
	} else {
		token.Lifetime = o.Refresh.DefaultLifetime
	}
	if lifetime, ok := rule.RefreshExpiresForm.length(rule.RefreshExpires.text(a.body), a.date(), maxLifetime); ok {
		token.RefreshLifetime = lifetime
	}
	if access == "" {
		token.Lifetime = salvagedLifetime
	}
	return token, true
}

// or is the path, or a name where there is none.
func (p Path) or(name Path) Path {
	if p == "" {
		return name
	}
	return p
}

// tokenText refuses what cannot be sent in a header.
func tokenText(text string) string {
	text = strings.TrimSpace(text)
	if slices.ContainsFunc([]byte(text), isControl) {
		return ""
	}
	return text
}

// learn notes a value, unless it is empty or unfit.
func (g *Grant) learn(name, value string) {
	if value == "" || len(value) > maxLearnt || slices.ContainsFunc([]byte(value), isControl) {
		return
	}
	if g.Values == nil {
		g.Values = map[string]string{}
	}
	g.Values[name] = value
}

// read finds whose account it is; nil rules know nobody.
func (r *IdentityRules) read(body any) connection.Identity {
	if r == nil {
		return connection.Identity{}
	}
	return connection.Identity{
		Account: connection.Bound(r.Account.text(body), maxProviderText),
		Label:   connection.Bound(r.Label.text(body), maxProviderText),
	}
}

// spent is what was handed to the token endpoint, for wording a refusal.
type spent string

const (
	spentCode    spent = "authorization code"
	spentRefresh spent = "refresh token"
	spentClient  spent = "client registration"
)

// refusal is what a token answer without a grant means.
func (m *Method) refusal(a *answer, what spent) *connection.Problem {
	o := m.OAuth
	code := o.Answer.Error.or("error").text(a.body)
	said := code
	if description := o.Answer.ErrorDescription.or("error_description").text(a.body); description != "" {
		said = strings.TrimPrefix(said+": "+description, ": ")
	}
	message := fmt.Sprintf("%s refused the %s", m.app.Name, what)
	if said = a.scrub.text(said); said != "" {
		message += ": " + said
	} else {
		message += fmt.Sprintf(" with status %d", a.status)
	}
	is := func(declared []string, standard ...string) bool {
		return code != "" && (slices.Contains(standard, code) || slices.Contains(declared, code))
	}
	switch {
	case a.status == http.StatusTooManyRequests || is(o.Errors.RateLimited, "slow_down"):
		return rateLimited(m.app.Name+" asks to wait before the next token request", a.status, a.wait(nil))
	case a.status >= 500 || a.status == http.StatusRequestTimeout || is(o.Errors.Transient, "temporarily_unavailable", "server_error"):
		p := connection.ProviderUnavailable(fmt.Sprintf("the token endpoint of %s answered %d", m.app.Name, a.status), a.status)
		p.RetryAfter = a.wait(nil)
		return p
	case is(o.Errors.ClientMisconfigured, "invalid_client", "unauthorized_client"):
		return clientMisconfigured(message, a.status)
	case is(o.Errors.Revoked, "invalid_grant"):
		switch what {
		case spentCode:
			return authorizationFailed(message, a.status)
		case spentRefresh:
			return grantRevoked(message, a.status)
		case spentClient:
			return clientMisconfigured(message, a.status)
		}
		return grantRevoked(message, a.status)
	case is(nil, "invalid_scope"):
		return scopeMissing(message, a.status)
	case a.status == http.StatusUnauthorized:
		// RFC 6749 section 5.2 has 401 for a client that failed to authenticate.
		return clientMisconfigured(message, a.status)
	case a.status < 300 && code == "":
		// A maintenance or login page: not the authorization server's own voice.
		return connection.ProviderUnavailable("the token endpoint of "+m.app.Name+" did not answer with a token", a.status)
	default:
		return rejectedInput(message, a.status)
	}
}
