package access

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// keysPause is how long after a look at the provider's keys they are not looked at
	// again. The library looks for each token whose key it does not find, and anybody may
	// send such a token. A provider that signs with a key that it has just published is
	// believed that much later at most, and refusedLife after that for a token that came early.
	keysPause = 5 * time.Second
	// maxKeys bounds the document: providers have a few keys of one or two kB each.
	maxKeys = 1 << 20
)

// pacedContext makes a key set of the library ask through a client that is paced.
func pacedContext(ctx context.Context, client *http.Client) context.Context {
	slow := *client
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	slow.Transport = &paced{base: base}
	return oidc.ClientContext(ctx, &slow)
}

// paced sends a request at most once in keysPause, which begins at the end of the last
// one, and gives what came of that, failures too, to those in between. It is for one
// document, be it behind redirects.
type paced struct {
	base http.RoundTripper
	mu   sync.Mutex // held while asking: the library asks once at a time
	last map[string]looked
}

// looked is what came of a request.
type looked struct {
	answer http.Response
	body   []byte
	err    error
	at     time.Time
}

// RoundTrip implements [http.RoundTripper].
func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	address := r.URL.String()
	found, ok := p.last[address]
	if !ok || time.Since(found.at) >= keysPause {
		found = p.look(r)
		if len(p.last) > 4 { // more redirects than a document has
			p.last = nil
		}
		if p.last == nil {
			p.last = map[string]looked{}
		}
		p.last[address] = found
	}
	if found.err != nil {
		return nil, found.err
	}
	answer := found.answer
	answer.Header, answer.Request, answer.Body = found.answer.Header.Clone(), r, io.NopCloser(bytes.NewReader(found.body))
	return &answer, nil
}

func (p *paced) look(r *http.Request) looked {
	ctx, cancel := context.WithTimeout(r.Context(), discoveryTime) // the library sets none
	defer cancel()
	answer, err := p.base.RoundTrip(r.Clone(ctx))
	if err != nil {
		return looked{err: err, at: time.Now()}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys))
	return looked{answer: *answer, body: body, err: err, at: time.Now()}
}
