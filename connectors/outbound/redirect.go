package outbound

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is enough for any API in use and stops loops early.
const maxRedirects = 5

var (
	// ErrRedirects is the refusal of a chain of redirects that does not end.
	ErrRedirects = errors.New("too many redirects")
	// ErrRedirectBody is the refusal to send a request's body to another origin.
	ErrRedirectBody = errors.New("a redirect would send the request's body to another origin")
)

// Credentials name what was injected into a request: never the values.
type Credentials struct {
	Headers []string
	Query   []string
}

type credentialsKey struct{}

// WithCredentials marks what a request with this context carries, so that it
// does not follow a redirect to another origin. Authorization and Cookie are
// always marked.
func WithCredentials(ctx context.Context, carried Credentials) context.Context {
	return context.WithValue(ctx, credentialsKey{}, carried)
}

// checkRedirect is http.Client's hook; it may change the next request. Only
// GET and HEAD follow redirects that change the method: a POST that silently
// became a GET would look like a success.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > maxRedirects {
		return ErrRedirects
	}
	if next.Method != first.Method {
		return http.ErrUseLastResponse
	}
	// The Referer holds the previous URL, and with it keys of the query.
	next.Header.Del("Referer")
	if !left(next, via) {
		return nil
	}
	if next.Body != nil && next.Body != http.NoBody {
		return ErrRedirectBody
	}
	strip(next)
	return nil
}

// left reports whether the chain has been at another origin than it began at.
func left(next *http.Request, via []*http.Request) bool {
	home := via[0].URL
	for _, hop := range via[1:] {
		if !SameOrigin(home, hop.URL) {
			return true
		}
	}
	return !SameOrigin(home, next.URL)
}

// AtHome reports whether a request, which may be a hop of a chain of redirects,
// is at the origin that the chain began at, and never was elsewhere in between.
// Whatever signs a request, or answers a challenge to it, does so at home only.
func AtHome(r *http.Request) bool {
	for hop := r; hop.Response != nil; {
		previous := hop.Response.Request
		if previous == nil || !SameOrigin(r.URL, previous.URL) {
			return false
		}
		hop = previous
	}
	return true
}

// strip takes every credential off a request.
func strip(r *http.Request) {
	carried, _ := r.Context().Value(credentialsKey{}).(Credentials)
	for _, name := range append([]string{"Authorization", "Cookie", "Proxy-Authorization"}, carried.Headers...) {
		r.Header.Del(name)
	}
	if len(carried.Query) == 0 {
		return
	}
	query := r.URL.Query()
	for _, name := range carried.Query {
		query.Del(name)
	}
	r.URL.RawQuery = query.Encode()
}

// SameOrigin compares scheme, host and port (RFC 6454 section 5).
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
