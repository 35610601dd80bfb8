package connectors

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Places of a credential in a request.
const (
	inHeader = "header"
	inQuery  = "query"
)

// placements are the method's own, or the kind's.
func (m *Method) placements() []Placement {
	if len(m.Place) > 0 {
		return m.Place
	}
	switch m.Kind {
	case connection.OAuth2Code, connection.OAuth2ClientCredentials, connection.Bearer:
		return []Placement{{In: inHeader, Name: "Authorization", Value: "Bearer {token}"}}
	case connection.APIKey, connection.Headers, connection.Basic, connection.None:
		return nil
	default:
		return nil
	}
}

// lookup finds a variable of a placement: the access token of a set, a secret
// input, then what is not secret.
func (s Session) lookup(set string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "token" && s.Method.OAuth != nil {
			if set == "" {
				set = connection.DefaultToken
			}
			text := s.Credential.Tokens[set].Access.Reveal()
			return text, text != ""
		}
		if field, ok := s.Credential.Fields[name]; ok && !field.Empty() {
			return field.Reveal(), true
		}
		value := s.Values[name]
		return value, value != ""
	}
}

// injected is a credential made ready for one request.
type injected struct {
	header http.Header
	query  url.Values
	// secrets are the texts that were injected, for scrubbing.
	secrets []string
}

// inject builds what the credential adds to a request. It fails with
// ErrReconnectRequired when a part that the method needs is not there: asking
// the provider would only be refused.
func (s Session) inject() (*injected, error) {
	out := &injected{header: http.Header{}, query: url.Values{}, secrets: s.Credential.Secrets()}
	if s.Method.Kind == connection.Basic {
		if err := s.injectBasic(out); err != nil {
			return nil, err
		}
	}
	placed := 0
	for _, place := range s.Method.placements() {
		name, named := place.Name.expand(s.lookup(place.Token))
		value, valued := place.Value.expand(s.lookup(place.Token))
		if !named || !valued {
			if s.optional(place) {
				continue
			}
			return nil, unauthorized("the credential stored for " + s.App.Name + " is not complete")
		}
		if slices.ContainsFunc([]byte(value), isControl) {
			return nil, unauthorized("the credential stored for " + s.App.Name + " holds a control character")
		}
		placed++
		out.secrets = append(out.secrets, value)
		switch place.In {
		case inQuery:
			out.query.Set(name, value)
		case inHeader:
			if !fieldToken.MatchString(name) || framing(name) {
				return nil, connection.InvalidInput("", "the credential goes into a header that cannot be set", "")
			}
			out.header.Set(name, value)
		}
	}
	if placed == 0 && len(s.Method.placements()) > 0 {
		return nil, unauthorized("the credential stored for " + s.App.Name + " is empty")
	}
	return out, nil
}

// optional reports whether a placement may be left out: when every input it is
// made of that has no value is optional.
func (s Session) optional(place Placement) bool {
	lookup := s.lookup(place.Token)
	for _, name := range slices.Concat(place.Name.variables(), place.Value.variables()) {
		if _, ok := lookup(name); ok {
			continue
		}
		if !slices.ContainsFunc(s.Method.Inputs, func(in Input) bool { return in.Name == name && in.Optional }) {
			return false
		}
	}
	return true
}

// injectBasic adds HTTP Basic (RFC 7617). An empty password is allowed: some
// providers take a key as the user name.
func (s Session) injectBasic(out *injected) error {
	basic := BasicAuth{Username: "{username}", Password: "{password}"}
	if s.Method.Basic != nil {
		basic = *s.Method.Basic
	}
	user, _ := basic.Username.expand(s.lookup(""))
	password, _ := basic.Password.expand(s.lookup(""))
	if user == "" && password == "" {
		return unauthorized("the credential stored for " + s.App.Name + " is empty")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	out.header.Set("Authorization", "Basic "+pair)
	out.secrets = append(out.secrets, pair)
	return nil
}

// marked names what was injected, for the redirect rule.
func (i *injected) marked() outbound.Credentials {
	var carried outbound.Credentials
	for name := range i.header {
		carried.Headers = append(carried.Headers, name)
	}
	for name := range i.query {
		carried.Query = append(carried.Query, name)
	}
	return carried
}
