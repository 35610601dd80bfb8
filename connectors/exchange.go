package connectors

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"connectedapps/connection"
)

// ExchangeCode redeems an authorization code (RFC 6749 section 4.1.3), once:
// nothing below repeats the request. A refused code is ErrAuthorizationFailed,
// as is a callback that is not what the definition says; a refused client is
// ErrClientMisconfigured, and trouble on the way ErrProviderUnavailable, after
// which the code may be presented once more. Further requests that the
// definition declares follow; the grant is theirs, and there is none when one fails.
func (m *Method) ExchangeCode(ctx context.Context, hc *http.Client, in ExchangeInput) (*Grant, error) {
	if m.OAuth == nil {
		return nil, m.noTokenEndpoint()
	}
	bound, learnt, err := m.checkCallback(&in)
	if err != nil {
		return nil, err
	}
	values := maps.Clone(in.Values)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, bound)
	request, err := m.grantRequest(in.Client, values, in.Fields)
	if err != nil {
		return nil, err
	}
	request.loose = learnt
	request.redirectURI, request.what, request.scopes = in.RedirectURI, spentCode, in.Scopes
	request.secrets = []string{in.Code.Reveal(), in.Verifier.Reveal()}
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return nil, err
	}
	var grant *Grant
	if m.OAuth.CodeParameter == noParameter {
		grant, err = call.grant(ctx, m.grantType(), nil)
	} else {
		grant, err = call.code(ctx, in.Code, in.Verifier, m.OAuth.Authorize == nil || !m.OAuth.Authorize.PKCEOff)
	}
	if err != nil {
		return nil, err
	}
	if grant, err = m.goOn(ctx, hc, request, grant); err != nil {
		return nil, err
	}
	if err := m.obtainSets(ctx, hc, request, grant); err != nil {
		return nil, err
	}
	for name, value := range learnt {
		grant.learn(name, value)
	}
	return grant, nil
}

// goOn makes the further requests of an exchange, each with the token of the one before.
func (m *Method) goOn(ctx context.Context, hc *http.Client, first tokenRequest, grant *Grant) (*Grant, error) {
	for _, end := range m.OAuth.Then {
		request := first
		request.end, request.url = end, first.tokenURL
		if end.URL != "" {
			u, err := expandURL(end.URL, withClientID(grant.over(first.values), first.client))
			if err != nil {
				return nil, err
			}
			request.url = u.String()
		}
		held := grant.Tokens[connection.DefaultToken]
		request.values = grant.over(first.values)
		request.token = held.Access
		request.secrets = append(slices.Clone(first.secrets), held.Access.Reveal(), held.Refresh.Reveal())
		call, err := m.tokenCall(hc, request)
		if err != nil {
			return nil, err
		}
		next, err := call.grant(ctx, end.Grant, nil)
		if err != nil {
			return nil, err
		}
		next.inherit(grant)
		grant = next
	}
	return grant, nil
}

// inherit keeps what an earlier answer told and a later one does not.
func (g *Grant) inherit(earlier *Grant) {
	for name, value := range earlier.Values {
		if g.Values[name] == "" {
			g.learn(name, value)
		}
	}
	later := g.Identity
	g.Identity = earlier.Identity
	g.identify(later)
}

// over are values with those that the grant brought on top.
func (g *Grant) over(values map[string]string) map[string]string {
	return overlayValues(values, g.Values)
}

// overlayValues is base with what is on top of it; neither is changed.
func overlayValues(base, top map[string]string) map[string]string {
	out := make(map[string]string, len(base)+len(top))
	maps.Copy(out, base)
	maps.Copy(out, top)
	return out
}

// checkCallback checks what came back with the browser, before anything is
// sent: the signature, that there is a code, and every declared value. bound
// are the values that match a pattern; learnt are all of them.
func (m *Method) checkCallback(in *ExchangeInput) (bound, learnt map[string]string, err error) {
	parameter := m.OAuth.codeParameter()
	if in.Code.Empty() && parameter != noParameter {
		in.Code = connection.NewSecret(in.Callback[parameter])
	}
	if in.Code.Empty() && parameter != noParameter {
		return nil, nil, authorizationFailed(m.app.Name+" sent the browser back without a code", 0)
	}
	if err := m.checkSignature(*in, parameter); err != nil {
		return nil, nil, err
	}
	bound, learnt = map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.OAuth.Callback)) {
		declared := m.OAuth.Callback[name]
		value := in.Callback[declared.Parameter]
		if value == "" {
			continue
		}
		if declared.Pattern != "" {
			whole, err := regexp.Compile("^(?:" + declared.Pattern + ")$")
			if err != nil || !whole.MatchString(value) {
				return nil, nil, authorizationFailed("the callback's "+connection.Bound(declared.Parameter, maxEcho)+" is not what it may be", 0)
			}
			bound[name] = value
		}
		learnt[name] = value
	}
	return bound, learnt, nil
}

// codeParameter is what the callback calls the code; [noParameter] when it brings none.
func (o *OAuth) codeParameter() string {
	if o.CodeParameter == "" {
		return "code"
	}
	return o.CodeParameter
}

// checkSignature checks a callback that is signed with the client secret.
func (m *Method) checkSignature(in ExchangeInput, codeParameter string) error {
	rule := m.OAuth.CallbackHMAC
	if rule == nil {
		return nil
	}
	query := maps.Clone(in.Callback)
	if query[codeParameter] == "" && !in.Code.Empty() {
		query = overlayValues(query, map[string]string{codeParameter: in.Code.Reveal()})
	}
	given, err := hex.DecodeString(query[rule.Parameter])
	delete(query, rule.Parameter)
	secret := in.Client.known(in.Values, in.Fields).Secret.Reveal()
	// Without a secret anybody could sign.
	if err != nil || secret == "" || !hmac.Equal(given, signed(query, rule.Algorithm, secret)) {
		return authorizationFailed("the callback is not signed by "+m.app.Name, 0)
	}
	return nil
}

// Escapes that keep a signed query unambiguous, as Shopify documents them.
var (
	signedName  = strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D")
	signedValue = strings.NewReplacer("%", "%25", "&", "%26")
)

// signed is the signature of a query: its parameters sorted by name, as name=value joined by &.
func signed(query map[string]string, algorithm, secret string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	if algorithm == "sha512" {
		h = hmac.New(sha512.New, []byte(secret))
	}
	for i, name := range slices.Sorted(maps.Keys(query)) {
		if i > 0 {
			h.Write([]byte("&"))
		}
		h.Write([]byte(signedName.Replace(name) + "=" + signedValue.Replace(query[name])))
	}
	return h.Sum(nil)
}
