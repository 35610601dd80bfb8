package connectors

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
)

// Refresh renews the tokens (RFC 6749 section 6), presenting each refresh token
// exactly once. ErrReconnectRequired with verdict revoked means that the grant
// is over; ErrProviderUnavailable and ErrRateLimited say nothing about it.
//
// The grant's default set has a refresh token wherever one was presented: the
// new one, or that one. Once a token was rotated there is a grant and no error:
// a set that could not be renewed keeps what it had, and is due again at once.
func (m *Method) Refresh(ctx context.Context, hc *http.Client, in RefreshInput) (*Grant, error) {
	if m.OAuth == nil {
		return nil, m.noTokenEndpoint()
	}
	presented := in.Refresh.Reveal()
	switch {
	case m.OAuth.Refresh.With == refreshWithAccess:
		return m.renewByAccess(ctx, hc, in)
	case m.OAuth.Refresh.With == refreshWithGrant,
		m.Kind.Machine() && (m.OAuth.Refresh.With != refreshWithRefresh || presented == ""):
		return m.grantAgain(ctx, hc, in)
	case presented == "":
		return nil, grantRevoked(m.app.Name+" gave no refresh token for this grant", 0)
	}
	grant, err := m.refreshSets(ctx, hc, in)
	if problem, ok := connection.AsProblem(err); ok && m.Kind.Machine() && problem.Verdict == connection.Revoked {
		// What the first token was had with is still there.
		return m.grantAgain(ctx, hc, in)
	}
	return grant, err
}

// grantAgain runs the first grant once more, where nobody is needed for it.
func (m *Method) grantAgain(ctx context.Context, hc *http.Client, in RefreshInput) (*Grant, error) {
	grant, err := m.Obtain(ctx, hc, ObtainInput{Client: in.Client, Scopes: in.Scopes, Values: in.Values, Fields: in.Previous.Fields})
	return grant, sayingNothing(err)
}

// renewByAccess has the access token renew itself.
func (m *Method) renewByAccess(ctx context.Context, hc *http.Client, in RefreshInput) (*Grant, error) {
	if in.Previous.Default().Access.Empty() {
		return nil, grantRevoked("there is no access token left that "+m.app.Name+" could renew", 0)
	}
	request, err := m.refreshRequest(in)
	if err != nil {
		return nil, err
	}
	request.token, request.what = in.Previous.Default().Access, spentAccess
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return nil, err
	}
	grant, err := call.grant(ctx, m.OAuth.Refresh.Grant, m.repeatedScopes(in.Scopes))
	return grant, sayingNothing(err)
}

// refreshRequest is a renewal as the definition has it.
func (m *Method) refreshRequest(in RefreshInput) (tokenRequest, error) {
	client := in.Client.known(in.Values, in.Previous.Fields)
	endpoints, err := m.Endpoints(withClientID(in.Values, client))
	if err != nil {
		return tokenRequest{}, err
	}
	return tokenRequest{client: client, values: in.Values, fields: in.Previous.Fields, end: m.OAuth.refreshEnd(),
		url: endpoints.Refresh, tokenURL: endpoints.Token, redirectURI: in.RedirectURI, scopes: in.Scopes,
		previous: in.Previous, what: spentRefresh}, nil
}

// refreshEnd is how a renewal is written: like a token request, as far as
// nothing else is declared.
func (o *OAuth) refreshEnd() TokenEnd {
	end := TokenEnd{Params: o.Refresh.Params, Headers: o.Refresh.Headers, Method: o.Refresh.Method, Body: o.Refresh.Body,
		Grant: o.Refresh.Grant, Rename: o.Refresh.Rename, Remove: o.Refresh.Remove}
	if len(end.Headers) == 0 {
		end.Headers = o.Token.Headers
	}
	if end.Method == "" {
		end.Method = o.Token.Method
	}
	if end.Body == "" {
		end.Body = o.Token.Body
	}
	return end
}

// repeatedScopes asks for the scopes once more where the definition wants that.
func (m *Method) repeatedScopes(scopes []string) url.Values {
	if !m.OAuth.Refresh.SendScopes {
		return nil
	}
	return m.scopeParameter(scopes)
}

// present presents one refresh token.
func (m *Method) present(ctx context.Context, hc *http.Client, request tokenRequest, token connection.Secret) (*Grant, error) {
	request.presented = token.Reveal()
	request.secrets = append(slices.Clone(request.secrets), request.presented)
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return nil, err
	}
	if asked := m.repeatedScopes(request.scopes).Get("scope"); asked != "" && call.transport.params["scope"] == "" {
		call.transport.params["scope"] = asked
	}
	grant, err := call.refresh(ctx)
	return grant, sayingNothing(err)
}
