package gateway

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	"connectedapps/connection"
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
// (RFC 6749 section 4.1.2): exactly one of Code and Error, each parameter once.
type answer struct {
	State  string
	Code   connection.Secret
	Error  string
	Issuer string
	// Others are the further parameters, of which a connector may declare some.
	Others map[string]string
}

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
	switch {
	case !couldBeState(a.State):
		return answer{}, badCallback("it names no authorization that was begun here")
	case !a.Code.Empty() && query.Has("error"):
		return answer{}, badCallback("it says yes and no at once")
	case a.Code.Empty() && a.Error == "":
		return answer{}, badCallback("it holds neither a code nor an error")
	}
	return a, nil
}

// couldBeState reports whether the text has the form of what newState mints.
func couldBeState(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == stateBytes
}

// plain reports whether text is valid UTF-8 without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func badCallback(message string) *connection.Problem {
	return connection.InvalidInput("", "the app's answer cannot be used: "+message, "open the connect link again, or ask for a new one")
}

// secrets are what goes to the inbox: the code or the error, and the parameters that the connector declares.
func (a answer) secrets(declared map[string]string) map[string]connection.Secret {
	fields := map[string]connection.Secret{}
	if a.Error != "" {
		fields["error"] = connection.NewSecret(a.Error)
		return fields
	}
	for _, parameter := range declared {
		if value, ok := a.Others[parameter]; ok {
			fields[parameter] = connection.NewSecret(value)
		}
	}
	fields["code"] = a.Code
	return fields
}
