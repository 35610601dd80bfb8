package connectors

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"connectedapps/connection"
)

// Obtain gets a token without a person: client credentials (RFC 6749 section
// 4.4), an assertion (RFC 7523 section 2.1) or a grant of the provider's own.
// It may be run again at any time. A refusal is ErrClientMisconfigured where an
// auth config is behind it, and ErrReconnectRequired where it is what a person gave.
func (m *Method) Obtain(ctx context.Context, hc *http.Client, in ObtainInput) (*Grant, error) {
	if m.OAuth == nil {
		return nil, m.noTokenEndpoint()
	}
	request, err := m.grantRequest(in.Client, in.Values, in.Fields)
	if err != nil {
		return nil, err
	}
	request.scopes = in.Scopes
	request.what = spentGrant
	if m.Kind.Machine() && m.NeedsClient() {
		request.what = spentClient
	}
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return nil, err
	}
	grant, err := call.grant(ctx, m.grantType(), m.scopeParameter(in.Scopes))
	if err != nil {
		return nil, err
	}
	if err := m.obtainSets(ctx, hc, request, grant); err != nil {
		return nil, err
	}
	return grant, nil
}

// grantRequest is a request to the token endpoint, as far as it is the same for all grants.
func (m *Method) grantRequest(client Client, values map[string]string, fields map[string]connection.Secret) (tokenRequest, error) {
	client = client.known(values, fields)
	endpoints, err := m.Endpoints(withClientID(values, client))
	if err != nil {
		return tokenRequest{}, err
	}
	return tokenRequest{client: client, values: values, fields: fields, end: m.OAuth.Token,
		url: endpoints.Token, tokenURL: endpoints.Token}, nil
}

// grantType is what the method's first grant is called where no code is redeemed.
func (m *Method) grantType() string {
	switch {
	case m.OAuth.Token.Grant != "":
		return m.OAuth.Token.Grant
	case m.Kind == connection.OAuth2ClientCredentials:
		return "client_credentials"
	case m.Kind == connection.OAuth2JWTBearer || m.OAuth.Token.Assertion != nil:
		return grantJWTBearer
	default:
		return ""
	}
}

// scopeParameter asks for scopes (RFC 6749 section 3.3); nil for none.
func (m *Method) scopeParameter(scopes []string) url.Values {
	if len(scopes) == 0 {
		return nil
	}
	return url.Values{"scope": {strings.Join(scopes, m.OAuth.Scopes.separator())}}
}

func (m *Method) noTokenEndpoint() *connection.Problem {
	return connection.Refused(connection.ErrAuthKindNotOffered, fmt.Sprintf("%s of %s has no token endpoint", m.ID, m.app.Name), "")
}
