package connectors

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Authorize builds the URL a person is sent to, all but the state, which the
// gateway appends. It holds no secret. It fails with ErrInvalidInput, also for
// a URL that is neither https nor on loopback, unless in.AllowHTTP is set.
func (m *Method) Authorize(in AuthorizeInput) (string, error) {
	if m.OAuth == nil || m.authorizeEnd() == nil {
		return "", connection.Refused(connection.ErrAuthKindNotOffered,
			fmt.Sprintf("%s of %s sends nobody to an authorization page", m.ID, m.app.Name), "")
	}
	end := m.authorizeEnd()
	client := in.Client.known(in.Values, nil)
	text, err := m.endpoint(end.URL, valueAuthorize, withClientID(in.Values, client))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && !in.AllowHTTP && !outbound.Loopback(u.Hostname()) {
		return "", badURL(end.URL, "people are only sent to https")
	}
	if client.ID == "" {
		return "", missingValue("client_id")
	}
	if in.Challenge == "" && !end.PKCEOff {
		return "", missingValue("challenge")
	}
	query := renamed(m.standardQuery(in, client), end.Rename, end.Remove)
	params, err := m.shownParams(in, client, end)
	if err != nil {
		return "", err
	}
	for name, value := range params {
		query.Set(name, value)
	}
	separator := "?"
	switch {
	case end.Fragment:
		separator = "#"
	case strings.Contains(text, "?"):
		separator = "&"
	}
	return text + separator + query.Encode(), nil
}

// standardQuery is the authorization request of RFC 6749 section 4.1.1 with PKCE.
func (m *Method) standardQuery(in AuthorizeInput, client Client) url.Values {
	var options []oauth2.AuthCodeOption
	set := func(name, value string) { options = append(options, oauth2.SetAuthURLParam(name, value)) }
	if !m.authorizeEnd().PKCEOff {
		set("code_challenge", in.Challenge)
		set("code_challenge_method", "S256")
	}
	for parameter, scopes := range m.OAuth.Scopes.split(in.Scopes) {
		set(parameter, strings.Join(scopes, m.OAuth.Scopes.separator()))
	}
	config := oauth2.Config{ClientID: client.ID, RedirectURL: in.RedirectURI}
	query, _ := url.ParseQuery(strings.TrimPrefix(config.AuthCodeURL("", options...), "?")) // the library wrote it
	return query
}

// shownParams are the definition's own parameters. Browsers keep URLs, so that
// they are made of plain values only.
func (m *Method) shownParams(in AuthorizeInput, client Client, end *AuthorizeEnd) (map[string]string, error) {
	v := m.variables(Client{ID: client.ID}, in.Values, nil)
	v.set("redirect_uri", in.RedirectURI)
	v.set("scopes", strings.Join(in.Scopes, m.OAuth.Scopes.separator()))
	// In one order, so that a URL built anew for the same attempt is the same.
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(end.Params)) {
		if value, ok := end.Params[name].expand(v.lookup); ok && value != "" {
			out[name] = value
		}
	}
	return out, v.failed
}

// split sorts scopes by the parameter they are asked for in.
func (s ScopeRules) split(scopes []string) map[string][]string {
	of := map[string]string{}
	for parameter, listed := range s.Parameters {
		for _, scope := range listed {
			of[scope] = parameter
		}
	}
	out := map[string][]string{}
	for _, scope := range scopes {
		parameter := of[scope]
		if parameter == "" {
			parameter = s.parameter()
		}
		out[parameter] = append(out[parameter], scope)
	}
	return out
}
