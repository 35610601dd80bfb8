package connectors

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Places of a credential in a request.
const (
	inHeader = "header"
	inQuery  = "query"
	inCookie = "cookie"
	inBody   = "body" // a field of a JSON object or of a form
)

// placements are the method's own, or the kind's.
func (m *Method) placements() []Placement {
	if len(m.Place) > 0 {
		return m.Place
	}
	switch m.Kind {
	case connection.OAuth2Code, connection.OAuth2ClientCredentials, connection.OAuth2Device, connection.OAuth2JWTBearer,
		connection.OAuth2Grant, connection.Bearer:
		return []Placement{{In: inHeader, Name: "Authorization", Value: "Bearer {token}"}}
	case connection.APIKey, connection.Headers, connection.Basic, connection.Digest, connection.SigV4, connection.OAuth1,
		connection.MultiStep, connection.None:
		return nil
	default:
		return nil
	}
}

// injected is a credential made ready for one request.
type injected struct {
	header http.Header
	query  url.Values
	// cookies are name=value, in the order they were placed.
	cookies []string
	// body are fields of the body.
	body map[string]string
	// carry wraps the transport where the credential is worked out for each
	// request as it leaves, such as a signature; nil for none.
	carry func(request *sent, next http.RoundTripper) http.RoundTripper
	// secrets are the texts that were injected, for scrubbing.
	secrets []string
}

// inject builds what the credential adds to a request. It fails with
// ErrReconnectRequired when a part that the method needs is not there: asking
// the provider would only be refused.
func (s Session) inject() (*injected, error) {
	out := &injected{header: http.Header{}, query: url.Values{}, body: map[string]string{}}
	if err := s.injectKind(out); err != nil {
		return nil, err
	}
	placed := 0
	for _, place := range s.Method.placements() {
		name, named := place.Name.expand(s.lookup(place.Token))
		value, valued := place.Value.expand(s.lookup(place.Token))
		if !named || !valued {
			if s.optional(place) {
				continue
			}
			return nil, s.incomplete()
		}
		placed++
		out.secrets = append(out.secrets, value)
		if err := s.put(out, place.In, name, value); err != nil {
			return nil, err
		}
	}
	if placed == 0 && len(s.Method.placements()) > 0 {
		return nil, unauthorized("the credential stored for " + s.App.Name + " is empty")
	}
	if len(out.cookies) > 0 {
		out.header.Set("Cookie", strings.Join(out.cookies, "; "))
	}
	return out, nil
}

// injectKind adds what belongs to the kind and stands in no placement.
func (s Session) injectKind(out *injected) error {
	switch s.Method.Kind {
	case connection.Basic:
		return s.injectBasic(out)
	case connection.Digest:
		return s.injectDigest(out)
	case connection.SigV4:
		return s.injectSigV4(out)
	case connection.OAuth1:
		return s.injectOAuth1(out)
	case connection.OAuth2Code, connection.OAuth2ClientCredentials, connection.OAuth2Device, connection.OAuth2JWTBearer,
		connection.OAuth2Grant, connection.Bearer, connection.APIKey, connection.Headers, connection.MultiStep, connection.None:
		return nil
	default:
		return nil
	}
}

// put adds one part of a credential where it belongs, and refuses what cannot be
// said there: left as it is, it would become another header or another cookie.
func (s Session) put(out *injected, in, name, value string) error {
	if in != inBody && slices.ContainsFunc([]byte(value), isControl) {
		return unauthorized("the credential stored for " + s.App.Name + " holds a control character")
	}
	switch in {
	case inQuery:
		out.query.Set(name, value)
	case inBody:
		out.body[name] = value
	case inCookie:
		if !fieldToken.MatchString(name) || strings.Contains(value, ";") {
			return connection.InvalidInput("", "the credential goes into a cookie that cannot be set", "")
		}
		out.cookies = append(out.cookies, name+"="+value)
	case inHeader:
		if !fieldToken.MatchString(name) || framing(name) {
			return connection.InvalidInput("", "the credential goes into a header that cannot be set", "")
		}
		out.header.Set(name, value)
	default:
		return connection.Internal("a credential is to be placed in " + in)
	}
	return nil
}

// incomplete reports that a part of the credential is not there.
func (s Session) incomplete() error {
	return unauthorized("the credential stored for " + s.App.Name + " is not complete")
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
	user, password, err := s.pair(s.Method.Basic)
	if err != nil {
		return err
	}
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	out.header.Set("Authorization", "Basic "+pair)
	out.secrets = append(out.secrets, pair)
	return nil
}

// pair is a user name and a password; nil is the inputs of these names.
func (s Session) pair(declared *BasicAuth) (user, password string, err error) {
	if declared == nil {
		declared = &BasicAuth{Username: "{username}", Password: "{password}"}
	}
	user, _ = declared.Username.expand(s.lookup(""))
	password, _ = declared.Password.expand(s.lookup(""))
	if user == "" && password == "" {
		return "", "", unauthorized("the credential stored for " + s.App.Name + " is empty")
	}
	return user, password, nil
}

// marked names what was injected, for the redirect rule. The body needs no
// mark: none is ever sent to another origin.
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
