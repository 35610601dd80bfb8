package connectors

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Discover reads the server's own description (RFC 8414, OpenID Connect
// Discovery 1.0) and answers its endpoints as values: authorization_endpoint,
// token_endpoint, revocation_endpoint, device_authorization_endpoint, issuer,
// and iss_required where it promises its name in the callback (RFC 9207). They
// are kept with the credential. Nil where the definition names no metadata.
//
// A description that is not the issuer's own, or names an endpoint that is
// neither https nor on loopback, is ErrRejectedInput. No redirect is followed.
func (m *Method) Discover(ctx context.Context, hc *http.Client, values map[string]string) (map[string]string, error) {
	if m.OAuth == nil || m.OAuth.Metadata == nil {
		return nil, nil
	}
	end := m.OAuth.Metadata
	at, err := expandURL(end.URL, values)
	if err != nil {
		return nil, err
	}
	expected := impliedIssuer(at)
	if end.Issuer != "" {
		u, err := expandURL(end.Issuer, values)
		if err != nil {
			return nil, err
		}
		expected = u.String()
	}
	described, err := m.describe(ctx, hc, at.String())
	if err != nil {
		return nil, err
	}
	// RFC 8414 section 3.3: identical, or none of it may be used.
	if Path(valueIssuer).text(described) != expected {
		p := rejectedInput("the description of "+m.app.Name+"'s authorization server is not its own: it names another issuer", 0)
		p.Remedy = "check the address"
		return nil, p
	}
	return m.learntEndpoints(described, expected)
}

// impliedIssuer undoes RFC 8414 section 3.1 and OpenID Connect Discovery 1.0 section 4.1.
func impliedIssuer(at *url.URL) string {
	out := at.String()
	for _, known := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		out = strings.Replace(out, known, "", 1)
	}
	return out
}

// describe gets the description.
func (m *Method) describe(ctx context.Context, hc *http.Client, at string) (map[string]any, error) {
	whom := "the description of " + m.app.Name + "'s authorization server"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, badURL(m.OAuth.Metadata.URL, "no request can be made of it")
	}
	request.Header.Set("Accept", "application/json")
	client := &http.Client{Transport: transportOf(hc), Timeout: hc.Timeout, CheckRedirect: stay}
	response, err := client.Do(request)
	if err != nil {
		return nil, networkProblem(whom, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer)) // what is cut is no JSON
	if err != nil {
		return nil, networkProblem(whom, err)
	}
	a := &answer{status: response.StatusCode, header: response.Header}
	described, ok := decodeJSONObject(raw)
	switch {
	case a.status == http.StatusTooManyRequests:
		return nil, rateLimited(whom+" asks to wait", a.status, a.wait(nil))
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		p := connection.ProviderUnavailable(fmt.Sprintf("%s: the server answered %d", whom, a.status), a.status)
		p.RetryAfter = a.wait(nil)
		return nil, p
	case a.status != http.StatusOK || !ok:
		p := rejectedInput(fmt.Sprintf("there is no such thing as %s: the server answered %d", whom, a.status), a.status)
		p.Remedy = "check the address"
		return nil, p
	}
	return described, nil
}

// learntEndpoints picks what is used of a description.
func (m *Method) learntEndpoints(described map[string]any, issuer string) (map[string]string, error) {
	learnt := map[string]string{valueIssuer: issuer}
	for _, name := range []string{valueAuthorize, valueToken, valueRevoke, valueDevice} {
		text := Path(name).text(described)
		if text == "" {
			continue
		}
		u, err := expandURL("{+url}", map[string]string{"url": text})
		if err != nil || len(text) > maxLearnt || u.Scheme != "https" && !outbound.Loopback(u.Hostname()) {
			return nil, rejectedInput("the authorization server of "+m.app.Name+" names a "+name+" that is no https address", 0)
		}
		learnt[name] = u.String()
	}
	if supported, _ := described["authorization_response_iss_parameter_supported"].(bool); supported {
		learnt[valueIssRequired] = "true"
	}
	if m.OAuth.Token.URL == "" && learnt[valueToken] == "" {
		return nil, rejectedInput("the authorization server of "+m.app.Name+" names no "+valueToken, 0)
	}
	return learnt, nil
}
