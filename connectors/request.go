package connectors

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"connectedapps/connectors/outbound"
)

// outgoing is a request before the app's own parts and the credential are added.
type outgoing struct {
	method string
	// base replaces the method's base URL; "" keeps it.
	base   Template
	path   string // escaped, beginning with a slash
	query  url.Values
	header http.Header
	body   *payload // nil for none
	// paged is the cursor by its name, where a text of the query has a place for it.
	paged map[string]string
}

// sent is a request on its way.
type sent struct {
	*http.Request
	scrub *scrubber
	// left is set once the request may have reached the provider.
	left atomic.Bool
	// carry wraps the transport; nil leaves it as it is.
	carry func(request *sent, next http.RoundTripper) http.RoundTripper
}

// request completes an outgoing request to the app's own API. The URL is checked
// once more as a whole: it must still be under the base URL.
func (s Session) request(ctx context.Context, out outgoing) (*sent, error) {
	base, err := s.base(out.base)
	if err != nil {
		return nil, err
	}
	target, err := under(base, out.path)
	if err != nil {
		return nil, err
	}
	return s.complete(ctx, target, out)
}

// complete makes the request to a URL: the app's headers, the method's, the
// request's own, and last the credential, which nothing can override.
func (s Session) complete(ctx context.Context, target *url.URL, out outgoing) (*sent, error) {
	s, err := s.computing()
	if err != nil {
		return nil, err
	}
	credential, err := s.inject()
	if err != nil {
		return nil, err
	}
	query := target.Query()
	maps.Copy(query, out.query)
	maps.Copy(query, credential.query)
	located := *target
	located.RawQuery = query.Encode()
	body, contentType, err := out.encode(credential.body)
	if err != nil {
		return nil, err
	}
	result := &sent{scrub: s.scrubber(credential.secrets...), carry: credential.carry}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { result.left.Store(true) }}
	ctx = outbound.WithCredentials(httptrace.WithClientTrace(ctx, trace), s.marked(credential))
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	result.Request, err = http.NewRequestWithContext(ctx, out.method, located.String(), reader)
	if err != nil {
		return nil, invalidArguments("$", "no request can be made of these arguments")
	}
	if body != nil {
		result.Header.Set("Content-Type", contentType)
	}
	for _, declared := range []map[string]Text{s.App.Headers, s.Method.Headers} {
		if err := setHeaders(result.Header, declared, s.lookup("")); err != nil {
			return nil, err
		}
	}
	maps.Copy(result.Header, out.header)
	if own := result.Header.Get("Cookie"); own != "" && len(credential.cookies) > 0 {
		credential.header.Set("Cookie", own+"; "+credential.header.Get("Cookie"))
	}
	maps.Copy(result.Header, credential.header)
	return result, nil
}

// marked names everything in a request that may hold a secret, for the redirect
// rule: what the credential added, and declared headers that are filled in.
func (s Session) marked(credential *injected) outbound.Credentials {
	carried := credential.marked()
	for _, declared := range []map[string]Text{s.App.Headers, s.Method.Headers} {
		for name, text := range declared {
			if len(text.variables()) > 0 {
				carried.Headers = append(carried.Headers, name)
			}
		}
	}
	return carried
}

// under appends a path to the base URL and refuses what would lead out of it.
func under(base *url.URL, path string) (*url.URL, error) {
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	target, err := url.Parse(base.Scheme + "://" + base.Host + base.EscapedPath() + path)
	if err != nil || target.Host != base.Host || target.User != nil || target.Fragment != "" || target.RawQuery != "" ||
		hasDotSegment(target) || !strings.HasPrefix(target.EscapedPath(), base.EscapedPath()) {
		return nil, invalidArguments("$", "these arguments would lead outside of the API")
	}
	return target, nil
}

// setHeaders fills in declared headers; one whose variables have no value is left out.
func setHeaders(header http.Header, declared map[string]Text, lookup func(string) (string, bool)) error {
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		value, ok := declared[name].expand(lookup)
		if !ok {
			continue
		}
		if slices.ContainsFunc([]byte(value), isControl) {
			return invalidArguments("$", fmt.Sprintf("the header %s would hold a control character", name))
		}
		header.Set(name, value)
	}
	return nil
}

// sets reports whether a header of this name goes with every request anyway.
func (s Session) sets(name string) bool {
	for _, declared := range []map[string]Text{s.App.Headers, s.Method.Headers} {
		for own := range declared {
			if strings.EqualFold(own, name) {
				return true
			}
		}
	}
	return false
}

// credentialHeader reports whether a header of this name usually carries a credential.
func credentialHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "cookie", "x-api-key", "api-key":
		return true
	}
	return false
}
