package connectors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"connectedapps/connection"
)

// Grant types that have no constant in golang.org/x/oauth2.
const (
	grantJWTBearer  = "urn:ietf:params:oauth:grant-type:jwt-bearer"  // RFC 7523 section 2.1
	grantDeviceCode = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 section 3.4
	grantRefresh    = "refresh_token"                                // RFC 6749 section 6
)

// tokenRequest is what one request to a token endpoint is made of.
type tokenRequest struct {
	client Client
	values map[string]string
	// loose are values that anybody may have written: for parameters, never for URLs.
	loose  map[string]string
	fields map[string]connection.Secret
	// end says how the request is written, and url where it goes.
	end TokenEnd
	url string
	// tokenURL is the token endpoint itself, which assertions are meant for.
	tokenURL    string
	redirectURI string
	scopes      []string
	// token is the present access token, for definitions that send it.
	token connection.Secret
	// previous is the credential being renewed.
	previous connection.Credential
	what     spent
	// secrets are further texts that must not come back in an error.
	secrets []string
	// presented is the refresh token being spent, "" for other grants.
	presented string
	// renewing is set for a renewal of the default set; readAs names the one set
	// that is asked for, "" for all.
	renewing bool
	readAs   string
	// asked is the parameter scope, "" for none.
	asked string
}

// read makes the answer a grant, nil when it holds none.
func (in tokenRequest) read(o *OAuth, a *answer) *Grant {
	switch {
	case in.readAs != "":
		return o.readSet(in.readAs, a, in.presented)
	case in.renewing:
		return o.readRenewed(a, in.presented)
	default:
		return o.readGrant(a, in.presented)
	}
}

// tokenCall is one request to a token endpoint, made ready.
type tokenCall struct {
	config    oauth2.Config
	transport *tokenTransport
	client    *http.Client
}

// tokenCall makes a request ready: everything that can be wrong with what it is
// made of is found here, before anything is sent.
func (m *Method) tokenCall(hc *http.Client, in tokenRequest) (*tokenCall, error) {
	if m.OAuth == nil {
		return nil, connection.Refused(connection.ErrAuthKindNotOffered,
			fmt.Sprintf("%s of %s has no token endpoint", m.ID, m.app.Name), "")
	}
	in.client = in.client.known(in.values, in.fields)
	v := m.variables(in.client, overlayValues(in.loose, in.values), in.fields)
	for name, token := range in.previous.Tokens {
		if _, known := v.lookup(name); !known {
			v.hide(name, token.Access.Reveal())
		}
	}
	v.set("token_url", in.tokenURL)
	v.set("redirect_uri", in.redirectURI)
	v.set("scopes", strings.Join(in.scopes, m.OAuth.Scopes.separator()))
	v.hide("token", in.token.Reveal())
	auth, err := m.authentication(m.OAuth.ClientAuth, in.client, v)
	if err != nil {
		return nil, firstError(v.failed, err)
	}
	assertion := ""
	if in.end.Assertion != nil {
		if assertion, err = in.end.Assertion.sign(v.lookup, nil); err != nil {
			return nil, firstError(v.failed, err)
		}
		v.hide("assertion", assertion)
	}
	headers, err := v.headers(in.end.Headers)
	if err != nil {
		return nil, err
	}
	params := v.expand(in.end.Params)
	if in.asked != "" {
		params["scope"] = in.asked
	}
	certified, err := m.withCertificate(hc, v.lookup)
	if err := firstError(v.failed, err); err != nil {
		return nil, err
	}
	secrets := slices.Concat(in.secrets, v.secrets(), auth.secrets(), in.previous.Secrets())
	transport := &tokenTransport{
		next: transportOf(certified), method: m, auth: auth, assertion: assertion,
		params: params, headers: headers, request: in, scrub: newScrubber(secrets...),
	}
	id, secret, style := auth.library()
	return &tokenCall{
		transport: transport,
		config: oauth2.Config{ClientID: id, ClientSecret: secret, RedirectURL: in.redirectURI,
			Endpoint: oauth2.Endpoint{TokenURL: in.url, AuthStyle: style}},
		client: &http.Client{Transport: transport, Timeout: hc.Timeout, CheckRedirect: stay},
	}, nil
}

// code redeems an authorization code.
func (c *tokenCall) code(ctx context.Context, code, verifier connection.Secret, pkce bool) (*Grant, error) {
	var options []oauth2.AuthCodeOption
	if pkce {
		options = append(options, oauth2.VerifierOption(verifier.Reveal()))
	}
	_, err := c.config.Exchange(c.context(ctx), code.Reveal(), options...)
	return c.outcome(err)
}

// refresh presents a refresh token.
func (c *tokenCall) refresh(ctx context.Context) (*Grant, error) {
	_, err := c.config.TokenSource(c.context(ctx), &oauth2.Token{RefreshToken: c.transport.request.presented}).Token()
	return c.outcome(err)
}

// grant runs any other grant, with the parameters that belong to it. Without a
// grant type, none is sent.
func (c *tokenCall) grant(ctx context.Context, grantType string, params url.Values) (*Grant, error) {
	if grantType == "" {
		c.transport.noGrantType = true
	} else {
		params = maps.Clone(params)
		if params == nil {
			params = url.Values{}
		}
		params.Set("grant_type", grantType)
	}
	config := clientcredentials.Config{ClientID: c.config.ClientID, ClientSecret: c.config.ClientSecret,
		TokenURL: c.config.Endpoint.TokenURL, AuthStyle: c.config.Endpoint.AuthStyle, EndpointParams: params}
	_, err := config.Token(c.context(ctx))
	return c.outcome(err)
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
		return nil, t.method.refusal(t.answer, t.request.what)
	}
}

// stay follows no redirect: a token request goes where it was meant to, or nowhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func transportOf(hc *http.Client) http.RoundTripper {
	if hc.Transport == nil {
		return http.DefaultTransport
	}
	return hc.Transport
}

// firstError is the cause where there is one: what could not be worked out is
// why something else is missing.
func firstError(cause, err error) error {
	if cause != nil {
		return cause
	}
	return err
}

// sayingNothing turns a failure on the way into one that says nothing about the
// grant: an address that policy refuses, or an answer too large to be one.
func sayingNothing(err error) error {
	var problem *connection.Problem
	if errors.As(err, &problem) && problem.Status == 0 && problem.Type == connection.ErrRejectedInput {
		return connection.ProviderUnavailable(problem.Message, 0)
	}
	return err
}
