package connectors

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"connectedapps/connection"
)

// How a client authenticates at the token endpoint.
const (
	clientAuthBasic = "basic" // RFC 6749 section 2.3.1, the header
	clientAuthPost  = "post"  // the same section, in the body
	clientAuthNone  = "none"  // a public client: only its ID, in the body
)

// ExchangeCode redeems an authorization code (RFC 6749 section 4.1.3), once:
// nothing below repeats the request. A refused code is ErrAuthorizationFailed,
// a refused client ErrClientMisconfigured, trouble on the way
// ErrProviderUnavailable, after which the code may be presented once more.
func (m *Method) ExchangeCode(ctx context.Context, hc *http.Client, in ExchangeInput) (*Grant, error) {
	call, err := m.tokenCall(hc, in.Client, in.Values, spentCode, in.Code.Reveal(), in.Verifier.Reveal())
	if err != nil {
		return nil, err
	}
	call.config.RedirectURL = in.RedirectURI
	var options []oauth2.AuthCodeOption
	if m.OAuth.Authorize == nil || !m.OAuth.Authorize.PKCEOff {
		options = append(options, oauth2.VerifierOption(in.Verifier.Reveal()))
	}
	_, err = call.config.Exchange(call.context(ctx), in.Code.Reveal(), options...)
	grant, err := call.outcome(err)
	if err != nil {
		return nil, err
	}
	for name, parameter := range m.OAuth.Callback {
		grant.learn(name, in.Callback[parameter])
	}
	return grant, nil
}

// Refresh renews the tokens (RFC 6749 section 6), presenting the refresh token
// exactly once. ErrReconnectRequired with verdict revoked means that the grant
// is over; ErrProviderUnavailable and ErrRateLimited say nothing about it. The
// grant's default set always has a refresh token: the new one, or the one presented.
func (m *Method) Refresh(ctx context.Context, hc *http.Client, in RefreshInput) (*Grant, error) {
	presented := in.Refresh.Reveal()
	if presented == "" {
		return nil, grantRevoked(m.app.Name+" gave no refresh token for this grant", 0)
	}
	call, err := m.tokenCall(hc, in.Client, in.Values, spentRefresh, append(in.Previous.Secrets(), presented)...)
	if err != nil {
		return nil, err
	}
	call.transport.presented = presented
	if err := call.forRefresh(in); err != nil {
		return nil, err
	}
	_, err = call.config.TokenSource(call.context(ctx), &oauth2.Token{RefreshToken: presented}).Token()
	grant, err := call.outcome(err)
	if err != nil {
		// An address that policy refuses, or an answer too large to be one, says
		// nothing about the grant.
		var problem *connection.Problem
		if errors.As(err, &problem) && problem.Status == 0 && problem.Type == connection.ErrRejectedInput {
			return nil, connection.ProviderUnavailable(problem.Message, 0)
		}
		return nil, err
	}
	if token, ok := grant.Tokens[connection.DefaultToken]; ok && token.Refresh.Empty() {
		token.Refresh = in.Refresh
		grant.Tokens[connection.DefaultToken] = token
	}
	return grant, nil
}

// ClientCredentials gets a token without a person (RFC 6749 section 4.4).
func (m *Method) ClientCredentials(ctx context.Context, hc *http.Client, in ClientCredentialsInput) (*Grant, error) {
	call, err := m.tokenCall(hc, in.Client, in.Values, spentClient)
	if err != nil {
		return nil, err
	}
	if len(in.Scopes) > 0 {
		call.transport.extra.Set("scope", strings.Join(in.Scopes, m.OAuth.Scopes.separator()))
	}
	config := clientcredentials.Config{ClientID: call.config.ClientID, ClientSecret: call.config.ClientSecret,
		TokenURL: call.config.Endpoint.TokenURL, AuthStyle: call.config.Endpoint.AuthStyle}
	_, err = config.Token(call.context(ctx))
	return call.outcome(err)
}

// tokenCall is one request to a token endpoint.
type tokenCall struct {
	config    oauth2.Config
	transport *tokenTransport
	client    *http.Client
}

// tokenCall prepares a request; secrets are those it carries beside the client's own.
func (m *Method) tokenCall(hc *http.Client, client Client, values map[string]string, what spent, secrets ...string) (*tokenCall, error) {
	if m.OAuth == nil {
		return nil, connection.Refused(connection.ErrAuthKindNotOffered,
			fmt.Sprintf("%s of %s has no token endpoint", m.ID, m.app.Name), "")
	}
	endpoints, err := m.Endpoints(values)
	if err != nil {
		return nil, err
	}
	auth, err := m.clientAuth(m.OAuth.ClientAuth, values)
	if err != nil {
		return nil, err
	}
	if auth == clientAuthNone {
		client.Secret = connection.Secret{}
	}
	transport := &tokenTransport{
		next: transportOf(hc), method: m, what: what, asJSON: m.OAuth.Token.Body == "json",
		extra: expandAll(m.OAuth.Token.Params, values), headers: map[string]string{},
		scrub: newScrubber(append(secrets, client.secrets()...)...),
	}
	for name, text := range m.OAuth.Token.Headers {
		if value, ok := text.expand(from(values)); ok {
			transport.headers[name] = value
		}
	}
	style := oauth2.AuthStyleInParams
	if auth == clientAuthBasic {
		style = oauth2.AuthStyleInHeader
	}
	call := &tokenCall{transport: transport, config: oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret.Reveal(),
		Endpoint: oauth2.Endpoint{TokenURL: endpoints.Token, AuthStyle: style},
	}}
	call.client = &http.Client{Transport: transport, Timeout: hc.Timeout, CheckRedirect: stay}
	return call, nil
}

// forRefresh changes the call to what the definition says of refreshing.
func (c *tokenCall) forRefresh(in RefreshInput) error {
	m := c.transport.method
	endpoints, err := m.Endpoints(in.Values)
	if err != nil {
		return err
	}
	c.config.Endpoint.TokenURL = endpoints.Refresh
	c.transport.extra = expandAll(m.OAuth.Refresh.Params, in.Values)
	if m.OAuth.Refresh.SendScopes && len(in.Scopes) > 0 {
		c.transport.extra.Set("scope", strings.Join(in.Scopes, m.OAuth.Scopes.separator()))
	}
	return nil
}

// context hands the client to the library.
func (c *tokenCall) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.client)
}

// outcome is what the transport saw. The library's own error is only asked
// whether there was one: its text may hold the provider's.
func (c *tokenCall) outcome(err error) (*Grant, error) {
	t := c.transport
	switch {
	case t.grant != nil:
		return t.grant, nil
	case t.failed != nil || t.answer == nil:
		if t.failed == nil {
			t.failed = err
		}
		return nil, networkProblem("the token endpoint of "+t.method.app.Name, t.failed)
	default:
		return nil, t.method.refusal(t.answer, t.what)
	}
}

// clientAuth resolves a declared client authentication, which may be a template
// over the auth config's values.
func (m *Method) clientAuth(declared Text, values map[string]string) (string, error) {
	auth, ok := declared.expand(from(values))
	if !ok || auth != clientAuthBasic && auth != clientAuthPost && auth != clientAuthNone {
		return "", connection.InvalidInput("client_auth", "it is not basic, post or none", "")
	}
	return auth, nil
}

// secrets are the client's texts that must not come back in an error, among
// them its Basic credentials as one (RFC 7617 section 2).
func (c Client) secrets() []string {
	secret := c.Secret.Reveal()
	if secret == "" {
		return nil
	}
	pair := url.QueryEscape(c.ID) + ":" + url.QueryEscape(secret)
	return []string{secret, base64.StdEncoding.EncodeToString([]byte(pair))}
}

// stay follows no redirect: a token request goes where it was meant to, or nowhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func transportOf(hc *http.Client) http.RoundTripper {
	if hc.Transport == nil {
		return http.DefaultTransport
	}
	return hc.Transport
}

// expandAll fills in a set of parameters; those without a value are left out.
func expandAll(params map[string]Text, values map[string]string) url.Values {
	out := url.Values{}
	for name, text := range params {
		if value, ok := text.expand(from(values)); ok && value != "" {
			out.Set(name, value)
		}
	}
	return out
}
