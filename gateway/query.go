package gateway

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"connectedapps/connection"
	"connectedapps/connectors"
)

const (
	// maxQuery bounds a callback's whole query. The longest codes known are about 2 kB.
	maxQuery = 16 << 10
	// maxCode bounds the code, and maxParameter any other value that is kept.
	maxCode, maxParameter = 8 << 10, 2 << 10
	// maxParameters bounds how many there are; real callbacks have fewer than ten.
	maxParameters = 40
)

// answer is a callback that could be an answer to an authorization request
// (RFC 6749 section 4.1.2): not both of Code and Error, each parameter once.
type answer struct {
	// State is what binds the answer to a browser: state, or the temporary token
	// of OAuth 1.0a (RFC 5849 section 2.2).
	State  string
	Code   connection.Secret
	Error  string
	Issuer string
	// Others are the further parameters, of which a connector may declare some.
	Others map[string]string
}

// Parameters of a callback of OAuth 1.0a. denied is what Twitter's and Trello's
// dialect of it says instead of an error.
const (
	oauth1Token    = "oauth_token"
	oauth1Verifier = "oauth_verifier"
	oauth1Denied   = "denied"
)

// parseCallback reads a callback's raw query. What is not exactly one answer is
// an ErrInvalidInput, whose text repeats nothing of the query.
func parseCallback(raw string) (answer, error) {
	if len(raw) > maxQuery {
		return answer{}, badCallback("it is larger than any app's answer")
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return answer{}, badCallback("it is not well formed")
	}
	if len(query) > maxParameters {
		return answer{}, badCallback("it has too many parameters")
	}
	a := answer{Others: map[string]string{}}
	for name, values := range query {
		if len(values) != 1 {
			return answer{}, badCallback("a parameter is there twice")
		}
		value := values[0]
		limit := maxParameter
		if name == "code" {
			limit = maxCode
		}
		if len(value) > limit || !plain(value) || !plain(name) {
			return answer{}, badCallback("a parameter is too long or holds characters that no answer has")
		}
		switch name {
		case "state":
			a.State = value
		case "code":
			a.Code = connection.NewSecret(value)
		case "error":
			a.Error = value
		case "iss":
			a.Issuer = value
		case "error_description", "error_uri": // the provider's own words: not shown, so not kept
		default:
			a.Others[name] = value
		}
	}
	if !query.Has("state") {
		a.bindByToken()
	}
	switch {
	case !couldBeState(a.State):
		return answer{}, badCallback("it names no authorization that was begun here")
	case !a.Code.Empty() && query.Has("error"):
		return answer{}, badCallback("it says yes and no at once")
	}
	return a, nil
}

// bindByToken reads an answer of OAuth 1.0a.
func (a *answer) bindByToken() {
	if a.Others[oauth1Denied] != "" {
		a.State, a.Error = a.Others[oauth1Denied], "access_denied"
		return
	}
	a.State = a.Others[oauth1Token]
}

// complete refuses an answer that lacks what it must bring by its method's definition: the parameter
// that carries the code, "" for none.
func (a answer) complete(expected string) error {
	if a.Error != "" || expected == "" || expected == "code" && !a.Code.Empty() || a.Others[expected] != "" {
		return nil
	}
	return badCallback("it holds neither a code nor an error")
}

// maxState bounds a temporary token that stands in for a state.
const maxState = 512

// couldBeState refuses what cannot be a state or a temporary token. Which one it
// is, the sealed cookie knows.
func couldBeState(text string) bool { return len(text) >= 8 && len(text) <= maxState }

// plain reports whether text is valid UTF-8 without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func badCallback(message string) *connection.Problem {
	return connection.InvalidInput("", "the app's answer cannot be used: "+message, "open the connect link again, or ask for a new one")
}

// secrets are what goes to the inbox: the error, or the code under its standard
// name and the parameters that the connector wants.
func (a answer) secrets(want wanted) map[string]connection.Secret {
	fields := map[string]connection.Secret{}
	if a.Error != "" {
		fields["error"] = connection.NewSecret(a.Error)
		return fields
	}
	keep := func(name, value string) {
		if value != "" {
			fields[name] = connection.NewSecret(value)
		}
	}
	for name, value := range a.Others {
		if want.all || slices.Contains(want.parameters, name) {
			keep(name, value)
		}
	}
	if want.all { // a signature covers these too
		keep("state", a.State)
		keep("iss", a.Issuer)
	}
	keep("code", a.Code.Reveal())
	if want.code != "code" && want.code != oauth1Verifier {
		keep("code", a.Others[want.code])
	}
	return fields
}

// wanted is what a method's definition wants of a callback.
type wanted struct {
	code       string // the parameter that carries the code, "" for none
	parameters []string
	all        bool // the whole answer is signed
}

func wantedOf(m *connectors.Method) wanted {
	if m.Kind == connection.OAuth1 {
		return wanted{code: oauth1Verifier, parameters: []string{oauth1Token, oauth1Verifier}}
	}
	want := wanted{code: "code"}
	if m.OAuth == nil {
		return want
	}
	switch m.OAuth.CodeParameter {
	case "":
	case "-":
		want.code = ""
	default:
		want.code = m.OAuth.CodeParameter
	}
	for _, value := range m.OAuth.Callback {
		want.parameters = append(want.parameters, value.Parameter)
	}
	want.all = m.OAuth.CallbackHMAC != nil
	return want
}
