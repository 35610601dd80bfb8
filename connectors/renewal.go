package connectors

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"connectedapps/connection"
)

// renewal is one renewal of all token sets of a grant, request by request. Once
// a token was rotated it must end in a grant: what the provider has replaced is
// only here.
type renewal struct {
	method   *Method
	hc       *http.Client
	request  tokenRequest
	previous connection.Credential
	grant    *Grant
	// newest is the refresh token of the default set as it is by now.
	newest  connection.Secret
	rotated bool
}

// refreshSets renews the default set, then every set with a refresh token of
// its own, and every set that is had with the default one's.
//
// A set that was refused for good in an earlier renewal, and has no access
// token since, is tried before anything is rotated: a second refusal ends the
// grant while nothing can be lost by that.
func (m *Method) refreshSets(ctx context.Context, hc *http.Client, in RefreshInput) (*Grant, error) {
	request, err := m.refreshRequest(in)
	if err != nil {
		return nil, err
	}
	r := &renewal{method: m, hc: hc, request: request, previous: in.Previous, newest: in.Refresh,
		grant: &Grant{Tokens: map[string]TokenAnswer{}}}
	doubtful, others := r.names()
	for _, name := range doubtful {
		err := r.renew(ctx, name)
		if err != nil && !r.rotated && ended(err) && !r.optional(name) {
			return nil, err
		}
		if err != nil {
			r.keep(name, err)
		}
	}
	for _, name := range append([]string{connection.DefaultToken}, others...) {
		err := r.renew(ctx, name)
		if err != nil && !r.rotated && !r.optional(name) {
			return nil, err
		}
		if err != nil {
			r.keep(name, err)
		}
	}
	r.grant.renewable(r.newest)
	return r.grant, nil
}

// names are the sets beside the default one, each sorted: those without an
// access token, and the others.
func (r *renewal) names() (doubtful, others []string) {
	rules := r.method.OAuth.tokenRules()
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		held, there := r.previous.Tokens[name]
		switch {
		case name == connection.DefaultToken:
		case there && held.Access.Empty():
			doubtful = append(doubtful, name)
		default:
			others = append(others, name)
		}
	}
	return doubtful, others
}

// renew renews one set, unless there is nothing to do.
func (r *renewal) renew(ctx context.Context, name string) error {
	if _, done := r.grant.Tokens[name]; done {
		return nil
	}
	request, presented, err := r.request, r.newest, error(nil)
	switch {
	case name == connection.DefaultToken:
		request.renewing = true
	case r.method.OAuth.tokenRules()[name].Obtain != nil:
		request, err = r.method.forSet(request, name)
	default:
		presented = r.previous.Tokens[name].Refresh
		// One that shares the default set's token comes with its answer or not at all.
		if presented.Empty() || presented.Reveal() == r.previous.Default().Refresh.Reveal() {
			return nil
		}
		request.readAs = name
	}
	if err != nil {
		return err
	}
	answered, err := r.method.present(ctx, r.hc, request, presented)
	if err != nil {
		return err
	}
	r.take(name, answered, presented)
	return nil
}

// take notes what a request was answered with.
func (r *renewal) take(name string, answered *Grant, presented connection.Secret) {
	obtained := r.method.OAuth.tokenRules()[name].Obtain != nil
	for set, token := range answered.Tokens {
		r.rotated = r.rotated || !token.Refresh.Empty() && token.Refresh.Reveal() != presented.Reveal()
		switch {
		case obtained:
			token, r.newest = ofDefault(token, presented)
		case set == connection.DefaultToken && !token.Refresh.Empty():
			r.newest = token.Refresh
		case set == name && token.Refresh.Empty():
			token.Refresh = presented
		}
		r.grant.Tokens[set] = token
	}
	if name == connection.DefaultToken {
		r.grant.Values, r.grant.Identity = answered.Values, answered.Identity
	}
}

// keep is what becomes of a set that could not be renewed: it keeps what it had
// and is due at once. One that was refused for good loses its access token,
// which marks it; where it is optional, it waits for the next renewal.
func (r *renewal) keep(name string, err error) {
	held, there := r.previous.Tokens[name]
	if !there && r.optional(name) {
		return
	}
	token := TokenAnswer{Access: held.Access, Refresh: held.Refresh, Type: held.Type, Scopes: held.Scopes, Lifetime: salvagedLifetime}
	if ended(err) {
		token.Access = connection.Secret{}
		if r.optional(name) {
			token.Lifetime = 0
		}
	}
	r.grant.Tokens[name] = token
}

func (r *renewal) optional(name string) bool { return r.method.OAuth.tokenRules()[name].Optional }

// ended reports whether a refusal is for good.
func ended(err error) bool {
	problem, ok := connection.AsProblem(err)
	return ok && (problem.Verdict == connection.Revoked || problem.Verdict == connection.ScopeLost)
}
