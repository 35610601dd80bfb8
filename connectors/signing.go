package connectors

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"connectedapps/connectors/outbound"
)

// errSigning is the failure of a signature or of an answer to a challenge; it says nothing of the key.
var errSigning = errors.New("the request cannot be signed")

// signing signs each hop as it leaves, after everything else is set: a signature
// covers the hop's own URL. A hop elsewhere than where the chain began gets none.
type signing struct {
	next http.RoundTripper
	sign func(r *http.Request, body []byte) error
}

// RoundTrip is http.RoundTripper's.
func (t *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !outbound.AtHome(r) {
		return t.next.RoundTrip(r)
	}
	body, err := takeBody(r)
	if err != nil {
		return nil, err
	}
	signed := withBody(r, body)
	if err := t.sign(signed, body); err != nil {
		return nil, errSigning
	}
	response, err := t.next.RoundTrip(signed)
	if response != nil {
		response.Request = r // as the client knows it: without the signature
	}
	return response, err
}

// client is the given one with what the method adds to each hop: the client's
// certificate where the API wants it (RFC 8705 section 3), and a signature.
func (s Session) client(hc *http.Client, request *sent) (*http.Client, error) {
	certified, err := s.Method.clientFor(hc, s.lookup(""))
	if err != nil {
		return nil, err
	}
	out := *hc
	if certified != hc {
		out.Transport = &atHome{home: certified.Transport, elsewhere: transportOf(hc)}
	}
	if request.carry != nil {
		out.Transport = request.carry(request, transportOf(&out))
	}
	return &out, nil
}

// atHome takes another way for hops that are elsewhere than where the chain began.
type atHome struct{ home, elsewhere http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (t *atHome) RoundTrip(r *http.Request) (*http.Response, error) {
	if outbound.AtHome(r) {
		return t.home.RoundTrip(r)
	}
	return t.elsewhere.RoundTrip(r)
}

// takeBody reads a request's body to its end; nil for none.
func takeBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(r.Body)
}

// withBody is a copy of a request that sends these bytes; nil is no body.
func withBody(r *http.Request, body []byte) *http.Request {
	out := r.Clone(r.Context())
	out.Body, out.GetBody, out.ContentLength = nil, nil, 0
	if body != nil {
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		out.Body, _ = out.GetBody()
		out.ContentLength = int64(len(body))
	}
	return out
}
