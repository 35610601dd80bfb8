package connectors

import (
	"slices"
	"strings"

	"connectedapps/connection"
)

// Endpoints are the URLs of an authorization server, with every value filled
// in. They are kept with an attempt, so that what comes back is only ever
// taken to the server the person was sent to (RFC 9700 section 4.4).
type Endpoints struct {
	Authorize string `json:"authorize,omitempty"`
	Token     string `json:"token"`
	Refresh   string `json:"refresh"`
	Revoke    string `json:"revoke,omitempty"`
	Device    string `json:"device,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
}

// Values that a server's own description gives ([Method.Discover]).
const (
	valueAuthorize = "authorization_endpoint"
	valueToken     = "token_endpoint"
	valueRevoke    = "revocation_endpoint"
	valueDevice    = "device_authorization_endpoint"
	valueIssuer    = "issuer"
	// valueIssRequired is "true" where the server promises its name in the callback (RFC 9207 section 3).
	valueIssRequired = "iss_required"
)

// Endpoints resolves the URLs for given values: the connection's, overlaid by
// the auth config's, and client_id where a URL has it. Those that the definition
// leaves out are the ones that [Method.Discover] learnt. It sends nothing, and
// fails with ErrInvalidInput when a value is missing or unfit. Revocation and
// issuer are left out where they lack a value, as a revocation URL that names
// the client does where client_id is not among the values.
func (m *Method) Endpoints(values map[string]string) (Endpoints, error) {
	var out Endpoints
	if m.OAuth == nil {
		return out, nil
	}
	var err error
	if out.Token, err = m.endpoint(m.OAuth.Token.URL, valueToken, values); err != nil {
		return Endpoints{}, err
	}
	out.Refresh = out.Token
	if m.OAuth.Refresh.URL != "" {
		if out.Refresh, err = m.endpoint(m.OAuth.Refresh.URL, "", values); err != nil {
			return Endpoints{}, err
		}
	}
	if end := m.authorizeEnd(); end != nil {
		if out.Authorize, err = m.endpoint(end.URL, valueAuthorize, values); err != nil {
			return Endpoints{}, err
		}
	}
	if end := m.deviceEnd(); end != nil {
		if out.Device, err = m.endpoint(end.URL, valueDevice, values); err != nil {
			return Endpoints{}, err
		}
	}
	if end := m.revokeEnd(values); end != nil {
		if out.Revoke, err = m.endpoint(end.URL, valueRevoke, values); err != nil {
			return Endpoints{}, err
		}
	}
	out.Issuer = m.Issuer(values)
	return out, nil
}

// endpoint is a declared URL, or the one learnt from the server's description.
func (m *Method) endpoint(t Template, learnt string, values map[string]string) (string, error) {
	if t == "" && m.OAuth.Metadata == nil {
		return "", connection.InvalidInput("", "the definition of "+m.app.Name+" declares no "+learnt, "")
	}
	if t == "" {
		t = Template("{+" + learnt + "}")
	}
	u, err := expandURL(t, values)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// authorizeEnd is where people are sent, nil when the method sends nobody anywhere.
func (m *Method) authorizeEnd() *AuthorizeEnd {
	if m.OAuth.Authorize == nil && m.OAuth.Metadata != nil && m.Kind == connection.OAuth2Code {
		return &AuthorizeEnd{}
	}
	return m.OAuth.Authorize
}

// deviceEnd is the device authorization endpoint, nil for the other kinds.
func (m *Method) deviceEnd() *DeviceEnd {
	if m.OAuth.Device == nil && m.OAuth.Metadata != nil && m.Kind == connection.OAuth2Device {
		return &DeviceEnd{}
	}
	return m.OAuth.Device
}

// revokeEnd is the revocation endpoint, nil when there is none or when a value
// for its URL is missing.
func (m *Method) revokeEnd(values map[string]string) *RevokeEnd {
	end := m.OAuth.Revoke
	if end == nil && m.OAuth.Metadata != nil {
		end = &RevokeEnd{}
	}
	if end == nil || !complete(end.URL, values) || end.URL == "" && values[valueRevoke] == "" {
		return nil
	}
	return end
}

// complete reports whether every variable of a template has a value.
func complete(t Template, values map[string]string) bool {
	return !slices.ContainsFunc(t.variables(), func(name string) bool { return values[name] == "" })
}

// Issuer is what the callback's iss parameter must be (RFC 9207), or "" when
// the provider does not advertise one.
func (m *Method) Issuer(values map[string]string) string {
	switch {
	case m.OAuth == nil:
		return ""
	case m.OAuth.Issuer == "" && m.OAuth.Metadata != nil && values[valueIssRequired] == "true":
		return values[valueIssuer]
	case m.OAuth.Issuer == "" || !complete(m.OAuth.Issuer, values):
		return ""
	}
	issuer, err := expandURL(m.OAuth.Issuer, values)
	if err != nil {
		return ""
	}
	return issuer.String()
}

// IssuerAgrees reports whether an answer that names an issuer ("" for none) may
// come from the server that was asked. One that is advertised ([Method.Issuer])
// must be named; one that is only known, from the server's description
// (learnt by [Method.Discover]), must not be contradicted (RFC 9207 section 2.4).
func IssuerAgrees(named, advertised string, learnt map[string]string) bool {
	if advertised != "" {
		return named == advertised
	}
	return named == "" || learnt[valueIssuer] == "" || named == learnt[valueIssuer]
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
