package connectors

import (
	"net/http"
	"time"
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

// date is the provider's clock when it answered, the zero time when it does not tell.
func (a *answer) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
