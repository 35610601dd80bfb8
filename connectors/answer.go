package connectors

import (
	"net/http"
	"strings"
	"time"
)

// Places of an answer beside its body, as a [Path] names them.
const (
	placeHeader = "header:"
	placeCookie = "cookie:"
)

// answer is one HTTP answer of a provider, read and decoded.
type answer struct {
	status int
	header http.Header
	raw    []byte
	// body is the decoded JSON, a string for other text, nil for nothing.
	body   any
	isJSON bool
	// secrets of the request, to be kept out of every error text.
	scrub *scrubber
}

// find is what stands at a place: a JMESPath into the body, "header:NAME", or
// "cookie:NAME" for a cookie that the answer sets. Nil for nothing.
func (a *answer) find(p Path) any {
	if text, elsewhere := a.besideBody(p); elsewhere {
		if text == "" {
			return nil
		}
		return text
	}
	return p.find(a.body)
}

// text is what stands at a place as text, "" for nothing and for what is no scalar.
func (a *answer) text(p Path) string {
	if text, elsewhere := a.besideBody(p); elsewhere {
		return text
	}
	return p.text(a.body)
}

// besideBody reads a header or a cookie; elsewhere is false for places in the body.
func (a *answer) besideBody(p Path) (text string, elsewhere bool) {
	if name, ok := strings.CutPrefix(string(p), placeHeader); ok {
		return a.header.Get(name), true
	}
	name, ok := strings.CutPrefix(string(p), placeCookie)
	if !ok {
		return "", false
	}
	for _, line := range a.header.Values("Set-Cookie") {
		// The last one wins, as in a browser (RFC 6265 section 5.3).
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == name {
			text = cookie.Value
		}
	}
	return text, true
}

// date is the provider's clock when it answered, the zero time when it does not tell.
func (a *answer) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
