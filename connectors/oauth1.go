package connectors

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectedapps/connection"
)

// OAuth1 describes OAuth 1.0a (RFC 5849). Consumer key and secret are the auth
// config's client ID and client secret.
type OAuth1 struct {
	// Signature is HMAC-SHA1, HMAC-SHA256 or RSA-SHA1. "" is HMAC-SHA1.
	Signature string `yaml:"signature"`
	// Request, Authorize and Token are the three endpoints of section 2.
	Request   OAuth1End `yaml:"request"`
	Authorize OAuth1End `yaml:"authorize"`
	Token     OAuth1End `yaml:"token"`
	// PrivateKey signs with RSA-SHA1. "" is "{private_key}".
	PrivateKey Text `yaml:"private_key"`
	// Realm is a text over values; "" sends none.
	Realm string `yaml:"realm"`
	// Answer says what the token answer tells beside the token.
	Answer OAuth1Answer `yaml:"answer"`
}

// OAuth1End is one endpoint. Its parameters go into the query.
type OAuth1End struct {
	URL    Template        `yaml:"url"`
	Params map[string]Text `yaml:"params"`
}

// OAuth1Answer says what is learnt from the token answer, which is a form.
type OAuth1Answer struct {
	Values   map[string]Path `yaml:"values"`
	Identity *IdentityRules  `yaml:"identity"`
}

// secretToken is the token set that holds the secret of the default one (RFC 5849 section 1.1).
const secretToken = "secret"

// BeginOAuth1 asks for temporary credentials (RFC 5849 section 2.1) and builds
// the URL a person is sent to (section 2.2). A refused consumer is
// ErrClientMisconfigured; trouble on the way ErrProviderUnavailable or ErrRateLimited.
func (m *Method) BeginOAuth1(ctx context.Context, hc *http.Client, in OAuth1BeginInput) (OAuth1Begun, error) {
	end, err := m.oauth1Endpoint(in.Client, in.Values)
	if err != nil {
		return OAuth1Begun{}, err
	}
	got, err := end.ask(ctx, hc, m.OAuth1.Request, map[string]string{"oauth_callback": in.CallbackURL}, true)
	if err != nil {
		return OAuth1Begun{}, err
	}
	begun := OAuth1Begun{Token: tokenText(got.text("oauth_token")), Secret: connection.NewSecret(tokenText(got.text("oauth_token_secret")))}
	switch {
	case begun.Token == "" || begun.Secret.Empty() && !end.rsa():
		return OAuth1Begun{}, authorizationFailed(m.app.Name+" gave no temporary credentials", got.status)
	case got.text("oauth_callback_confirmed") != "true":
		// Without it anybody could have the token sent to an address of theirs (section 2.1).
		return OAuth1Begun{}, authorizationFailed(m.app.Name+" did not confirm the callback, as OAuth 1.0a demands", got.status)
	}
	target, err := end.locate(m.OAuth1.Authorize)
	if err != nil {
		return OAuth1Begun{}, err
	}
	query := target.Query()
	query.Set("oauth_token", begun.Token)
	target.RawQuery = query.Encode()
	begun.URL = target.String()
	return begun, nil
}

// ExchangeOAuth1 trades temporary credentials for token credentials (RFC 5849
// section 2.3): the token set "default" holds the token, the set "secret" its
// secret. Refused ones are ErrAuthorizationFailed, a refused consumer
// ErrClientMisconfigured.
func (m *Method) ExchangeOAuth1(ctx context.Context, hc *http.Client, in OAuth1ExchangeInput) (*Grant, error) {
	end, err := m.oauth1Endpoint(in.Client, in.Values)
	if err != nil {
		return nil, err
	}
	end.token, end.secret = in.Token, in.Secret.Reveal()
	got, err := end.ask(ctx, hc, m.OAuth1.Token, map[string]string{"oauth_verifier": in.Verifier.Reveal()}, false)
	if err != nil {
		return nil, err
	}
	token, secret := tokenText(got.text("oauth_token")), tokenText(got.text("oauth_token_secret"))
	if token == "" || secret == "" && !end.rsa() {
		return nil, authorizationFailed(m.app.Name+" gave no token", got.status)
	}
	grant := &Grant{Tokens: map[string]TokenAnswer{connection.DefaultToken: {Access: connection.NewSecret(token)}}}
	if secret != "" {
		grant.Tokens[secretToken] = TokenAnswer{Access: connection.NewSecret(secret)}
	}
	for name, place := range m.OAuth1.Answer.Values {
		grant.learn(name, got.text(place))
	}
	grant.Identity = m.OAuth1.Answer.Identity.in(got)
	return grant, nil
}

// oauth1End is what the endpoints of a method are asked with.
type oauth1End struct {
	oauth1Key
	method *Method
	values map[string]string
	scrub  []string
}

func (m *Method) oauth1Endpoint(client Client, values map[string]string) (*oauth1End, error) {
	if m.OAuth1 == nil {
		return nil, connection.Refused(connection.ErrAuthKindNotOffered, m.ID+" of "+m.app.Name+" is not OAuth 1.0a", "")
	}
	s := Session{App: m.app, Method: m, Values: values, Client: client}
	key, err := s.oauth1Key()
	if err != nil {
		return nil, err
	}
	return &oauth1End{oauth1Key: key, method: m, values: values, scrub: client.secrets()}, nil
}

// locate resolves an endpoint with its parameters.
func (e *oauth1End) locate(end OAuth1End) (*url.URL, error) {
	target, err := expandURL(end.URL, e.values)
	if err != nil {
		return nil, err
	}
	query := target.Query()
	known := overlaid(map[string]string{"client_id": e.consumer}, from(e.values))
	for name, text := range end.Params {
		if value, ok := text.expand(known); ok && value != "" {
			query.Set(name, value)
		}
	}
	target.RawQuery = query.Encode()
	return target, nil
}

// ask sends one signed request to an endpoint, follows no redirect, and reads the form it answers.
func (e *oauth1End) ask(ctx context.Context, hc *http.Client, end OAuth1End, params map[string]string, beginning bool) (*answer, error) {
	target, err := e.locate(end)
	if err != nil {
		return nil, err
	}
	whom := "the token endpoint of " + e.method.app.Name
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), nil)
	if err != nil {
		return nil, connection.Internal("request to " + whom)
	}
	if err := e.sign(request, nil, params, time.Now()); err != nil {
		return nil, clientMisconfigured("the request to "+whom+" cannot be signed", 0)
	}
	client := &http.Client{Transport: transportOf(hc), Timeout: hc.Timeout, CheckRedirect: stay}
	response, err := client.Do(request)
	if err != nil {
		return nil, networkProblem(whom, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer+1))
	switch {
	case err != nil:
		return nil, networkProblem(whom, err)
	case len(raw) > maxTokenAnswer:
		return nil, networkProblem(whom, errTokenAnswerTooLarge)
	}
	got := &answer{status: response.StatusCode, header: response.Header, raw: raw, body: readOAuth1(raw)}
	got.scrub = newScrubber(append(e.scrub, e.token, e.secret, params["oauth_verifier"])...)
	if got.status/100 == 2 && got.text("oauth_token") != "" {
		return got, nil
	}
	return nil, e.refusal(got, beginning)
}

// readOAuth1 reads a form, the first value of each name; empty for what is none.
func readOAuth1(raw []byte) map[string]any {
	form, err := url.ParseQuery(strings.TrimSpace(string(raw)))
	if err != nil {
		return map[string]any{}
	}
	object := make(map[string]any, len(form))
	for name, values := range form {
		object[name] = values[0]
	}
	return object
}
