package connectors

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"connectedapps/connection"
)

// clientAuths are the values of [OAuth.ClientAuth].
var clientAuths = []Text{clientAuthBasic, clientAuthPost, clientAuthNone, clientAuthPrivateKey, clientAuthSecretJWT, clientAuthTLS, clientAuthSecretUser}

// oauth checks an authorization server's endpoints, their parameters and what is read of their answers.
func (r *report) oauth(path []string, m *Method, v vocabulary) {
	o := m.OAuth
	in := func(steps ...string) []string { return below(path, steps...) }
	urls := v.given.with(v.learnt)
	request := v.flow().and("redirect_uri", "scopes", "token_url")
	if o.ClientAssertion != nil {
		request = request.andSecret("assertion")
	}
	r.public(in("issuer"), o.Issuer.variables(), urls)
	if o.Metadata != nil {
		known := urls
		known.plain = slices.DeleteFunc(slices.Clone(urls.plain), func(name string) bool { return slices.Contains(metadataValues, name) })
		r.endpoint(in("metadata", "url"), o.Metadata.URL, known)
		r.public(in("metadata", "issuer"), o.Metadata.Issuer.variables(), known)
	}
	r.clientAuth(path, o, v)
	r.budget(in("budget"), o.Budget)
	if o.Authorize != nil {
		r.endpoint(in("authorize", "url"), o.Authorize.URL, urls)
		shown := urls.and("redirect_uri", "scopes")
		for name, text := range o.Authorize.Params {
			r.public(in("authorize", "params", name), text.variables(), shown)
		}
	}
	if m.Kind == connection.OAuth2Code {
		r.declared(in("authorize", "url"), o, o.Authorize != nil && o.Authorize.URL != "")
	}
	if o.Device != nil {
		r.endpoint(in("device", "url"), o.Device.URL, urls)
		r.texts(in("device", "params"), o.Device.Params, request)
		r.texts(in("device", "headers"), o.Device.Headers, request)
	}
	if m.Kind == connection.OAuth2Device {
		r.declared(in("device", "url"), o, o.Device != nil && o.Device.URL != "")
	}
	r.declared(in("token", "url"), o, o.Token.URL != "")
	r.tokenEnd(in("token"), o, o.Token, urls, request)
	for i, end := range o.Then {
		r.tokenEnd(in("then", strconv.Itoa(i)), o, end, urls, request.with(v.token))
	}
	renewal := request
	if o.Refresh.With == refreshWithAccess {
		renewal = renewal.with(v.token)
	}
	r.tokenEnd(in("refresh"), o, TokenEnd{URL: o.Refresh.URL, Params: o.Refresh.Params, Headers: o.Refresh.Headers}, urls, renewal)
	if o.Revoke != nil {
		r.endpoint(in("revoke", "url"), o.Revoke.URL, urls)
		r.declared(in("revoke", "url"), o, o.Revoke.URL != "")
		r.bounded(path, o, o.Revoke.URL)
		kept := v.lasting().and("token_url").andSecret("client_secret")
		r.texts(in("revoke", "params"), o.Revoke.Params, kept)
		r.texts(in("revoke", "headers"), o.Revoke.Headers, kept)
	}
	r.tokenAnswer(path, o, urls, request)
	for name, value := range o.Callback {
		if _, err := regexp.Compile(value.Pattern); err != nil {
			r.add(in("callback", name, "pattern"), "it is not a regular expression (RE2)")
		}
	}
}

// declared demands an endpoint that no metadata can give.
func (r *report) declared(path []string, o *OAuth, there bool) {
	if !there && o.Metadata == nil {
		r.add(path, "it is missing")
	}
}

// tokenEnd checks one request to a token endpoint.
func (r *report) tokenEnd(path []string, o *OAuth, end TokenEnd, urls, request names) {
	if end.Assertion != nil {
		r.jwt(below(path, "assertion"), end.Assertion, request)
		request = request.andSecret("assertion")
	}
	r.endpoint(below(path, "url"), end.URL, urls)
	r.bounded(path[:len(path)-1], o, end.URL)
	r.texts(below(path, "params"), end.Params, request)
	r.texts(below(path, "headers"), end.Headers, request)
}

// bounded demands a pattern for values of the callback, which anybody may have
// written, where the client secret is sent to a URL made of them.
func (r *report) bounded(path []string, o *OAuth, t Template) {
	open := o.openCallback()
	for _, name := range t.variables() {
		if slices.Contains(open, name) {
			for len(path) > 0 && path[len(path)-1] != "oauth" {
				path = path[:len(path)-1]
			}
			r.add(below(path, "callback", name), "it becomes part of a URL that secrets are sent to, so it needs a pattern")
		}
	}
}

// clientAuth checks how the client proves that it is the client.
func (r *report) clientAuth(path []string, o *OAuth, v vocabulary) {
	request := v.flow().and("scopes", "token_url")
	r.public(below(path, "client_auth"), o.ClientAuth.variables(), v.given)
	if len(o.ClientAuth.variables()) == 0 && !slices.Contains(clientAuths, o.ClientAuth) {
		r.add(below(path, "client_auth"), "it must be one of basic, post, none, private_key_jwt, client_secret_jwt, tls and secret-as-user")
	}
	if o.ClientAssertion != nil {
		r.jwt(below(path, "client_assertion"), o.ClientAssertion, request)
	}
	switch o.ClientAuth {
	case clientAuthPrivateKey:
		declared := o.ClientAssertion != nil && o.ClientAssertion.Key != ""
		if !declared && !slices.Contains(request.all(), "private_key") {
			r.add(below(path, "client_assertion", "key"), "it is missing: private_key_jwt signs with it")
		}
	case clientAuthTLS:
		if o.TLS == nil {
			r.add(below(path, "tls"), "it is missing: the client authenticates with this certificate")
		}
	}
	if o.TLS != nil {
		known := request
		if o.TLS.API {
			known = v.lasting()
		}
		r.usable(below(path, "tls", "certificate"), o.TLS.Certificate.variables(), known)
		r.usable(below(path, "tls", "key"), o.TLS.Key.variables(), known)
	}
}

// jwt checks a token that is to be signed. The key of an assertion may be left
// out where a default exists.
func (r *report) jwt(path []string, j *JWT, known names) {
	r.usable(below(path, "key"), j.Key.variables(), known)
	r.usable(below(path, "key_id"), j.KeyID.variables(), known)
	r.json(below(path, "header"), j.Header, known.all(), known)
	r.json(below(path, "claims"), j.Claims, known.all(), known)
}

// tokenAnswer checks what is read of a token answer.
func (r *report) tokenAnswer(path []string, o *OAuth, urls, request names) {
	if _, ok := o.Answer.Tokens[connection.DefaultToken]; !ok && len(o.Answer.Tokens) > 0 {
		r.add(below(path, "answer", "tokens"), "one of the sets must be named "+connection.DefaultToken)
	}
	for name, set := range o.Answer.Tokens {
		if set.Obtain == nil {
			continue
		}
		at := below(path, "answer", "tokens", name, "obtain")
		if name == connection.DefaultToken {
			r.add(at, fmt.Sprintf("the set %s is what the others are had with", connection.DefaultToken))
		}
		r.endpoint(below(at, "url"), set.Obtain.URL, urls)
		r.bounded(path, o, set.Obtain.URL)
		r.texts(below(at, "params"), set.Obtain.Params, request)
	}
}

// oauth1 checks the endpoints of OAuth 1.0a.
func (r *report) oauth1(path []string, o *OAuth1, v vocabulary) {
	known := v.given.with(v.computed).and("redirect_uri")
	ends := map[string]OAuth1End{"request": o.Request, "authorize": o.Authorize, "token": o.Token}
	for name, end := range ends {
		r.endpoint(below(path, name, "url"), end.URL, v.given)
		if name == "authorize" {
			for parameter, text := range end.Params {
				r.public(below(path, name, "params", parameter), text.variables(), known)
			}
			continue
		}
		r.texts(below(path, name, "params"), end.Params, known)
	}
	r.usable(below(path, "private_key"), o.PrivateKey.variables(), known)
	if o.Signature == "RSA-SHA1" && o.PrivateKey == "" {
		r.add(below(path, "private_key"), "it is missing: RSA-SHA1 signs with it")
	}
}
