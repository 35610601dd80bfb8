package connectors

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// outgoing is a request before the app's own parts and the credential are added.
type outgoing struct {
	method string
	path   string // escaped, beginning with a slash
	query  url.Values
	header http.Header
	body   []byte // nil for none
	// contentType of the body.
	contentType string
}

// sent is a request on its way.
type sent struct {
	*http.Request
	scrub *scrubber
	// left is set once the request may have reached the provider.
	left atomic.Bool
}

// request completes an outgoing request: base URL, the app's headers, and last
// the credential, which nothing can override. The URL is checked once more as a
// whole: it must still be under the base URL.
func (s Session) request(ctx context.Context, out outgoing) (*sent, error) {
	base, err := s.App.baseURL(s.Values)
	if err != nil {
		return nil, err
	}
	target, err := under(base, out.path)
	if err != nil {
		return nil, err
	}
	credential, err := s.inject()
	if err != nil {
		return nil, err
	}
	query := out.query
	if query == nil {
		query = url.Values{}
	}
	maps.Copy(query, credential.query)
	target.RawQuery = query.Encode()
	result := &sent{scrub: newScrubber(credential.secrets...)}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { result.left.Store(true) }}
	ctx = outbound.WithCredentials(httptrace.WithClientTrace(ctx, trace), credential.marked())
	var body *bytes.Reader
	if out.body == nil {
		result.Request, err = http.NewRequestWithContext(ctx, out.method, target.String(), nil)
	} else {
		body = bytes.NewReader(out.body)
		result.Request, err = http.NewRequestWithContext(ctx, out.method, target.String(), body)
	}
	if err != nil {
		return nil, invalidArguments("$", "no request can be made of these arguments")
	}
	if out.body != nil {
		result.Header.Set("Content-Type", out.contentType)
	}
	if err := setHeaders(result.Header, s.App.Headers, s.lookup("")); err != nil {
		return nil, err
	}
	maps.Copy(result.Header, out.header)
	maps.Copy(result.Header, credential.header)
	return result, nil
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

// outgoing builds an action's request from checked arguments.
func (s Session) outgoing(a *Action, arguments map[string]any, in CallInput) (outgoing, error) {
	used := map[string]bool{}
	lookup := argumentLookup(arguments, s.Values, used)
	path, query, err := expandPath(a.Request.Path, arguments, s.Values, used)
	if err != nil {
		return outgoing{}, argumentProblem(err)
	}
	method, _ := a.Request.Method.expand(lookup)
	out := outgoing{method: strings.ToUpper(method), path: path, query: query, header: http.Header{}}
	if err := addQuery(&out, a, arguments, used); err != nil {
		return outgoing{}, err
	}
	cursorBody, err := a.applyCursor(&out, arguments, in.Cursor)
	if err != nil {
		return outgoing{}, err
	}
	for name, text := range a.Request.Query {
		if value, ok := text.expand(lookup); ok {
			out.query.Set(name, value)
		}
	}
	if err := s.addHeaders(&out, a, arguments, used); err != nil {
		return outgoing{}, err
	}
	if a.IdempotencyKey != "" && in.IdempotencyKey != "" {
		if slices.ContainsFunc([]byte(in.IdempotencyKey), isControl) || len(in.IdempotencyKey) > maxIdempotencyKey {
			return outgoing{}, connection.InvalidInput("idempotency_key",
				fmt.Sprintf("it holds a control character or is longer than %d bytes", maxIdempotencyKey), "")
		}
		out.header.Set(a.IdempotencyKey, in.IdempotencyKey)
	}
	if a.Request.Body != nil {
		if err := addBody(&out, a, arguments, used, cursorBody); err != nil {
			return outgoing{}, err
		}
	}
	return out, nil
}

// maxIdempotencyKey is the least that providers in use allow (Stripe: 255 characters).
const maxIdempotencyKey = 255

// argumentLookup finds a text variable among arguments, then values, and notes its use.
func argumentLookup(arguments map[string]any, values map[string]string, used map[string]bool) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if argument, ok := arguments[name]; ok {
			used[name] = true
			text, err := scalarText(argument)
			return text, err == nil && argument != nil
		}
		value := values[name]
		return value, value != ""
	}
}

// argumentProblem makes an InvalidArguments of "name: reason".
func argumentProblem(err error) error {
	name, reason, found := strings.Cut(err.Error(), ": ")
	if !found {
		return invalidArguments("$", err.Error())
	}
	return invalidArguments("$."+name, reason)
}

// addQuery adds the argument that is an object of parameters.
func addQuery(out *outgoing, a *Action, arguments map[string]any, used map[string]bool) error {
	name := a.Request.QueryFrom
	if name == "" {
		return nil
	}
	used[name] = true
	object, _ := arguments[name].(map[string]any)
	for key, value := range object {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, item := range list {
			text, err := scalarText(item)
			if err != nil {
				return invalidArguments("$."+name+"."+key, err.Error())
			}
			out.query.Add(key, text)
		}
	}
	return nil
}

// addHeaders adds declared headers, and the argument that is an object of
// headers: those can neither touch the framing of the request, nor the app's
// own headers, nor anything that carries a credential.
func (s Session) addHeaders(out *outgoing, a *Action, arguments map[string]any, used map[string]bool) error {
	if name := a.Request.HeadersFrom; name != "" {
		used[name] = true
		object, _ := arguments[name].(map[string]any)
		for key, value := range object {
			text, err := scalarText(value)
			switch {
			case err != nil:
				return invalidArguments("$."+name+"."+key, err.Error())
			case !fieldToken.MatchString(key) || framing(key) || credentialHeader(key) || s.App.sets(key):
				return invalidArguments("$."+name, "a header of this name cannot be set here")
			case slices.ContainsFunc([]byte(text), isControl):
				return invalidArguments("$."+name+"."+key, "it may not hold a control character")
			}
			out.header.Set(key, text)
		}
	}
	return setHeaders(out.header, a.Request.Headers, argumentLookup(arguments, s.Values, used))
}

// sets reports whether the app sends a header of this name with every request.
func (a *App) sets(name string) bool {
	for own := range a.Headers {
		if strings.EqualFold(own, name) {
			return true
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
