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

// told adds what an answer tells beside the tokens; nil for a grant without any.
func (o *OAuth) told(grant *Grant, a *answer) *Grant {
	if len(grant.Tokens) == 0 {
		return nil
	}
	if claims := o.Answer.Claims; claims != nil {
		// The token came straight from the provider over TLS.
		body := any(jwtClaims(a.text(claims.Of.or("id_token"))))
		for name, path := range claims.Values {
			grant.learn(name, path.text(body))
		}
		grant.Identity = claims.Identity.read(body)
	}
	for name, path := range o.Answer.Values {
		grant.learn(name, a.text(path))
	}
	grant.identify(o.Answer.Identity.in(a))
	return grant
}

// identify takes over what is told of whose grant it is; what is not told stays.
func (g *Grant) identify(told connection.Identity) {
	if told.Known() {
		g.Identity.Account, g.Identity.Label = told.Account, told.Label
	}
	if told.Tenant != "" {
		g.Identity.Tenant = told.Tenant
	}
}

// readToken reads one token set. It reports false when there is nothing to keep.
func (o *OAuth) readToken(rule TokenRules, a *answer, presented string) (TokenAnswer, bool) {
	access := tokenText(a.text(rule.Access.or("access_token")))
	refresh := tokenText(a.text(rule.Refresh.or("refresh_token")))
	rotated := refresh != "" && refresh != presented
	if access == "" && !rotated {
		return TokenAnswer{}, false
	}
	token := TokenAnswer{
		Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh),
		Type:   a.text(rule.Type.or("token_type")),
		Scopes: o.Scopes.parse(a.find(rule.Scope.or("scope"))),
	}
	expires := a.text(rule.Expires.or("expires_in"))
	if rule.ExpiresForm == FormJWT && rule.Expires == "" {
		expires = access
	}
	if lifetime, ok := rule.ExpiresForm.length(expires, a.date(), maxLifetime); ok {
		token.Lifetime = lifetime
	} else {
		token.Lifetime = o.Refresh.DefaultLifetime
	}
	if lifetime, ok := rule.RefreshExpiresForm.length(a.text(rule.RefreshExpires), a.date(), maxLifetime); ok {
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
func (r *IdentityRules) read(body any) connection.Identity { return r.in(&answer{body: body}) }

// in is read for places that may be beside the body too.
func (r *IdentityRules) in(a *answer) connection.Identity {
	if r == nil {
		return connection.Identity{}
	}
	return connection.Identity{
		Account: connection.Bound(a.text(r.Account), maxProviderText),
		Label:   connection.Bound(a.text(r.Label), maxProviderText),
		Tenant:  connection.Bound(a.text(r.Tenant), maxProviderText),
	}
}

// spent is what was handed to the token endpoint, for wording a refusal.
type spent string

const (
	spentCode    spent = "authorization code"
	spentRefresh spent = "refresh token"
	spentClient  spent = "client registration"
	spentGrant   spent = "credential"
	spentAccess  spent = "access token"
	spentDevice  spent = "device code"
	spentSet     spent = "request for a further token"
)

// refusal is what a token answer without a grant means.
func (m *Method) refusal(a *answer, what spent) *connection.Problem {
	o := m.OAuth
	code := a.text(o.Answer.Error.or("error"))
	said := code
	if description := a.text(o.Answer.ErrorDescription.or("error_description")); description != "" {
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
	case !slices.Contains(o.Errors.Revoked, code) && is(o.Errors.ClientMisconfigured, "invalid_client", "unauthorized_client"):
		return m.clientRefused(message, a.status)
	case is(o.Errors.Revoked, "invalid_grant"):
		switch what {
		case spentCode, spentDevice, spentSet:
			return authorizationFailed(message, a.status)
		case spentRefresh, spentAccess, spentGrant:
			return grantRevoked(message, a.status)
		case spentClient:
			return m.clientRefused(message, a.status)
		default:
			return grantRevoked(message, a.status)
		}
	case is(nil, "invalid_scope"):
		return scopeMissing(message, a.status)
	case a.status == http.StatusUnauthorized && what == spentAccess:
		// The token authenticates itself.
		return grantRevoked(message, a.status)
	case a.status == http.StatusUnauthorized:
		// RFC 6749 section 5.2 has 401 for a client that failed to authenticate.
		return m.clientRefused(message, a.status)
	case a.status < 300 && code == "":
		// A maintenance or login page: not the authorization server's own voice.
		return connection.ProviderUnavailable("the token endpoint of "+m.app.Name+" did not answer with a token", a.status)
	default:
		return rejectedInput(message, a.status)
	}
}

// clientRefused reports a refused client. Where there is no auth config, the
// client is part of what a person gave.
func (m *Method) clientRefused(message string, status int) *connection.Problem {
	if !m.NeedsClient() {
		return grantRevoked(message, status)
	}
	return clientMisconfigured(message, status)
}
