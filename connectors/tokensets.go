package connectors

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"connectedapps/connection"
)

// tokenRules are the declared token sets; one, in its standard places, where none are.
func (o *OAuth) tokenRules() map[string]TokenRules {
	if len(o.Answer.Tokens) == 0 {
		return map[string]TokenRules{connection.DefaultToken: {}}
	}
	return o.Answer.Tokens
}

// readGrant makes the answer to a first grant standard. It answers nil when the
// answer lacks a required token set; a set counts when it is complete, or has
// at least a refresh token other than the one presented.
func (o *OAuth) readGrant(a *answer, presented string) *Grant {
	grant := &Grant{Tokens: map[string]TokenAnswer{}}
	for name, rule := range o.tokenRules() {
		if rule.Obtain != nil {
			continue
		}
		token, ok := o.readToken(rule, a, presented)
		if ok {
			grant.Tokens[name] = token
		} else if !rule.Optional {
			return nil
		}
	}
	return o.told(grant, a)
}

// readRenewed makes the answer to a renewal of the default set standard: of
// the other sets it takes what came along.
func (o *OAuth) readRenewed(a *answer, presented string) *Grant {
	grant := &Grant{Tokens: map[string]TokenAnswer{}}
	for name, rule := range o.tokenRules() {
		if rule.Obtain != nil {
			continue
		}
		token, ok := o.readToken(rule, a, presented)
		if ok {
			grant.Tokens[name] = token
		} else if name == connection.DefaultToken {
			return nil
		}
	}
	return o.told(grant, a)
}

// readSet reads the answer to a request for one set alone. It stands where the
// set does in a first answer, or where the default set does.
func (o *OAuth) readSet(name string, a *answer, presented string) *Grant {
	rules := o.tokenRules()
	own, ownFound := o.readToken(rules[name], a, presented)
	usual, usualFound := o.readToken(rules[connection.DefaultToken], a, presented)
	token := own
	if !ownFound || own.Access.Empty() && usualFound {
		token = usual
	}
	if !ownFound && !usualFound {
		return nil
	}
	return &Grant{Tokens: map[string]TokenAnswer{name: token}}
}

// obtainSets gets the sets that are had by further requests, after a first
// grant. A required one that cannot be had fails the grant.
func (m *Method) obtainSets(ctx context.Context, hc *http.Client, of tokenRequest, grant *Grant) error {
	for _, name := range m.OAuth.obtained() {
		rule := m.OAuth.Answer.Tokens[name]
		token, newest, err := m.obtainSet(ctx, hc, of, name, grant)
		if err != nil {
			if rule.Optional {
				continue
			}
			return err
		}
		grant.Tokens[name] = token
		grant.renewable(newest)
	}
	return nil
}

// obtainSet gets one such set and answers the newest refresh token of the default one.
func (m *Method) obtainSet(ctx context.Context, hc *http.Client, of tokenRequest, name string, grant *Grant) (TokenAnswer, connection.Secret, error) {
	held := grant.Tokens[connection.DefaultToken]
	request := of
	request.values, request.what = grant.over(of.values), spentSet
	request.secrets = append(slices.Clone(of.secrets), held.Access.Reveal(), held.Refresh.Reveal())
	if held.Refresh.Empty() && !m.Kind.Machine() {
		return TokenAnswer{}, held.Refresh, rejectedInput(m.app.Name+" gave no refresh token, with which the token "+name+" would be had", 0)
	}
	endpoints, err := m.Endpoints(withClientID(request.values, request.client))
	if err != nil {
		return TokenAnswer{}, held.Refresh, err
	}
	if !held.Refresh.Empty() {
		request.end, request.url = m.OAuth.refreshEnd(), endpoints.Refresh
	}
	if request, err = m.forSet(request, name); err != nil {
		return TokenAnswer{}, held.Refresh, err
	}
	var answered *Grant
	if held.Refresh.Empty() {
		var call *tokenCall
		if call, err = m.tokenCall(hc, request); err == nil {
			answered, err = call.grant(ctx, m.grantType(), nil)
		}
	} else {
		answered, err = m.present(ctx, hc, request, held.Refresh)
	}
	if err != nil {
		return TokenAnswer{}, held.Refresh, err
	}
	token, newest := ofDefault(answered.Tokens[name], held.Refresh)
	return token, newest, nil
}

// forSet changes a request to one for a set that is had by a further request.
func (m *Method) forSet(request tokenRequest, name string) (tokenRequest, error) {
	obtain := m.OAuth.Answer.Tokens[name].Obtain
	if obtain.URL != "" {
		u, err := expandURL(obtain.URL, withClientID(request.values, request.client))
		if err != nil {
			return request, err
		}
		request.url = u.String()
	}
	params := map[string]Text{}
	maps.Copy(params, request.end.Params)
	maps.Copy(params, obtain.Params)
	request.end.Params = params
	request.asked = m.scopeParameter(obtain.Scopes).Get("scope")
	request.readAs = name
	return request, nil
}

// ofDefault parts what a set that lives on the default set's refresh token was
// answered with: the refresh token in it is the default set's from now on.
func ofDefault(token TokenAnswer, presented connection.Secret) (TokenAnswer, connection.Secret) {
	newest := presented
	if !token.Refresh.Empty() {
		newest = token.Refresh
	}
	token.Refresh, token.RefreshLifetime = connection.Secret{}, 0
	return token, newest
}

// renewable notes the newest refresh token of the default set.
func (g *Grant) renewable(newest connection.Secret) {
	if token, ok := g.Tokens[connection.DefaultToken]; ok && !newest.Empty() {
		token.Refresh = newest
		g.Tokens[connection.DefaultToken] = token
	}
}

// obtained are the names of the sets that are had by further requests, sorted.
func (o *OAuth) obtained() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(o.Answer.Tokens)) {
		if o.Answer.Tokens[name].Obtain != nil {
			out = append(out, name)
		}
	}
	return out
}
