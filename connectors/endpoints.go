package connectors

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Endpoints are the URLs of an authorization server, with every value filled
// in. They are kept with an attempt, so that what comes back is only ever
// taken to the server the person was sent to (RFC 9700 section 4.4).
type Endpoints struct {
	Authorize string `json:"authorize,omitempty"`
	Token     string `json:"token"`
	Refresh   string `json:"refresh"`
	Revoke    string `json:"revoke,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
}

// Endpoints resolves the URLs for given values: the auth config's, overlaid by
// the connection's. It fails with ErrInvalidInput when a value is missing or
// unfit. Revocation and issuer are left out where they lack a value, as a
// revocation URL that names the client always does here.
func (m *Method) Endpoints(values map[string]string) (Endpoints, error) {
	var out Endpoints
	if m.OAuth == nil {
		return out, nil
	}
	var err error
	if out.Token, err = m.endpoint(m.OAuth.Token.URL, values); err != nil {
		return Endpoints{}, err
	}
	out.Refresh = out.Token
	if m.OAuth.Refresh.URL != "" {
		if out.Refresh, err = m.endpoint(m.OAuth.Refresh.URL, values); err != nil {
			return Endpoints{}, err
		}
	}
	if m.OAuth.Authorize != nil {
		if out.Authorize, err = m.endpoint(m.OAuth.Authorize.URL, values); err != nil {
			return Endpoints{}, err
		}
	}
	if m.OAuth.Revoke != nil && complete(m.OAuth.Revoke.URL, values) {
		if out.Revoke, err = m.endpoint(m.OAuth.Revoke.URL, values); err != nil {
			return Endpoints{}, err
		}
	}
	out.Issuer = m.Issuer(values)
	return out, nil
}

func (m *Method) endpoint(t Template, values map[string]string) (string, error) {
	u, err := expandURL(t, values)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// complete reports whether every variable of a template has a value.
func complete(t Template, values map[string]string) bool {
	return !slices.ContainsFunc(t.variables(), func(name string) bool { return values[name] == "" })
}

// Issuer is what the callback's iss parameter must be (RFC 9207), or "" when
// the provider does not advertise one.
func (m *Method) Issuer(values map[string]string) string {
	if m.OAuth == nil || m.OAuth.Issuer == "" || !complete(m.OAuth.Issuer, values) {
		return ""
	}
	issuer, err := expandURL(m.OAuth.Issuer, values)
	if err != nil {
		return ""
	}
	return issuer.String()
}

// Authorize builds the URL a person is sent to, all but the state, which the
// gateway appends. It fails with ErrInvalidInput, also for a URL that is
// neither https nor on loopback, unless in.AllowHTTP is set.
func (m *Method) Authorize(in AuthorizeInput) (string, error) {
	if m.OAuth == nil || m.OAuth.Authorize == nil {
		return "", connection.Refused(connection.ErrAuthKindNotOffered,
			fmt.Sprintf("%s of %s sends nobody to an authorization page", m.ID, m.app.Name), "")
	}
	end := m.OAuth.Authorize
	u, err := expandURL(end.URL, in.Values)
	if err != nil {
		return "", err
	}
	if u.Scheme != "https" && !in.AllowHTTP && !outbound.Loopback(u.Hostname()) {
		return "", badURL(end.URL, "people are only sent to https")
	}
	if in.Client.ID == "" {
		return "", missingValue("client_id")
	}
	if in.Challenge == "" && !end.PKCEOff {
		return "", missingValue("challenge")
	}
	options := []oauth2.AuthCodeOption{}
	set := func(name, value string) { options = append(options, oauth2.SetAuthURLParam(name, value)) }
	for name, text := range end.Params {
		if value, ok := text.expand(from(in.Values)); ok && value != "" {
			set(name, value)
		}
	}
	if !end.PKCEOff {
		set("code_challenge", in.Challenge)
		set("code_challenge_method", "S256")
	}
	if len(in.Scopes) > 0 {
		set(m.OAuth.Scopes.parameter(), strings.Join(in.Scopes, m.OAuth.Scopes.separator()))
	}
	config := oauth2.Config{ClientID: in.Client.ID, RedirectURL: in.RedirectURI,
		Endpoint: oauth2.Endpoint{AuthURL: u.String()}}
	return config.AuthCodeURL("", options...), nil
}

func (s ScopeRules) parameter() string {
	if s.Parameter == "" {
		return "scope"
	}
	return s.Parameter
}

func (s ScopeRules) separator() string {
	if s.Separator == "" {
		return " "
	}
	return s.Separator
}

// parse reads a list of scopes: a JSON array, or text separated by spaces,
// commas or the declared separator. Nil means the provider did not say, and an
// empty list that there are none.
func (s ScopeRules) parse(found any) []string {
	scopes := []string{}
	switch v := found.(type) {
	case string:
		scopes = append(scopes, strings.FieldsFunc(v, func(r rune) bool {
			return r == ' ' || r == ',' || strings.ContainsRune(s.Separator, r)
		})...)
	case []any:
		for _, item := range v {
			if text, ok := item.(string); ok && text != "" {
				scopes = append(scopes, text)
			}
		}
	default:
		return nil
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
