package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// gate stands before Vault and the app and reads what passes. It remembers what Vault
// took and what the app was asked, lets a round hold requests at a point, and breaks
// the store for single connections.
type gate struct {
	vault, app string // where the real ones listen: http://host:port
	transport  *http.Transport

	mu     sync.Mutex
	stored map[string]document // what Vault holds, by subject
	owners map[string]string   // subject, by fingerprint of a token or code
	// committed are the fingerprints of refresh tokens that Vault took, and when.
	committed map[string]time.Time
	calls     []call
	deaths    map[string][]time.Time // of workers, by environment
	holds     map[string]*hold       // by environment
	faults    map[string]*storeFault
	broken    map[string]int // requests that met each store fault
}

func newGate(vault, app string) *gate {
	return &gate{vault: vault, app: app,
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256},
		stored:    map[string]document{}, owners: map[string]string{}, committed: map[string]time.Time{},
		deaths: map[string][]time.Time{}, holds: map[string]*hold{}, faults: map[string]*storeFault{}, broken: map[string]int{}}
}

// listen serves one of the two sides and answers where.
func (g *gate) listen(address string, handler http.HandlerFunc) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(listener, handler) }() // until the process ends
	return "http://" + listener.Addr().String(), nil
}

func (g *gate) serveVault(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		cut(w)
		return
	}
	c := vaultCall(r, body, g.before, g.owner)
	if c.subject == "" {
		g.pass(w, r, g.vault, body, c)
		return
	}
	if g.breakStore(w, r, body, c) {
		return
	}
	g.holdOr(w, r, g.vault, body, c)
}

func (g *gate) serveApp(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		cut(w)
		return
	}
	c := appCall(r, body, g.owner)
	if c.subject == "" {
		g.pass(w, r, g.app, body, c)
		return
	}
	g.holdOr(w, r, g.app, body, c)
}

// holdOr holds the request where a round waits for it, and passes it on otherwise.
func (g *gate) holdOr(w http.ResponseWriter, r *http.Request, to string, body []byte, c call) {
	h := g.arrive(c)
	if h == nil {
		g.pass(w, r, to, body, c)
		return
	}
	c.held = true
	if !h.answered {
		how := h.wait()
		switch how {
		case deliver:
			g.pass(w, r, to, body, c)
		case late: // the request was on its way when its sender died
			_, _ = g.forward(r, to, body, &c)
			cut(w)
		case drop, fail:
			cut(w)
		}
		return
	}
	answer, err := g.forward(r, to, body, &c)
	how := h.wait()
	switch {
	case err != nil || how == drop || how == late:
		cut(w)
	case how == fail:
		http.Error(w, `{"error":{"code":"internal","message":"it was carried out, and then this"}}`, http.StatusInternalServerError)
	default:
		answer.write(w)
	}
}

func (g *gate) pass(w http.ResponseWriter, r *http.Request, to string, body []byte, c call) {
	answer, err := g.forward(r, to, body, &c)
	if err != nil {
		cut(w)
		return
	}
	answer.write(w)
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // whoever asked may be dead
}

// forward sends the request whether or not its sender still lives, and remembers it.
func (g *gate) forward(r *http.Request, to string, body []byte, c *call) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.Method, to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header, request.Host = r.Header.Clone(), r.Host
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		request.Header.Del(name)
	}
	response, err := g.transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	response.Header.Del("Transfer-Encoding")
	c.status = response.StatusCode
	g.remember(c, said)
	return answer{response.StatusCode, response.Header, said}, nil
}

// remember keeps what is needed to judge, and learns whose the tokens are that pass.
func (g *gate) remember(c *call, said []byte) {
	if c.subject == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.kind == kindRedeem || c.kind == kindExchange {
		access, refresh := answered(said)
		c.issued = refresh
		g.own(c.subject, access, refresh)
	}
	if c.write && c.status == http.StatusOK {
		for _, t := range c.doc.Credential.Tokens {
			g.own(c.subject, fingerprint(t.Access), fingerprint(t.Refresh))
		}
		if f := c.doc.refresh(); f != "" && g.committed[f].IsZero() {
			g.committed[f] = time.Now()
		}
		if c.kind != kindCandidate {
			g.stored[c.subject] = c.doc
		}
	}
	if c.kind == kindDestroy {
		delete(g.stored, c.subject)
	}
	g.calls = append(g.calls, *c)
}

func (g *gate) own(subject string, fingerprints ...string) {
	for _, f := range fingerprints {
		if f != "" {
			g.owners[f] = subject
		}
	}
}

// learn tells whose an authorization code is.
func (g *gate) learn(subject, code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.own(subject, fingerprint(code))
}

func (g *gate) owner(f string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owners[f]
}

func (g *gate) before(subject string) (document, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d, ok := g.stored[subject]
	return d, ok
}

// since are the requests of one connection from a moment on, in the order in which they were answered.
func (g *gate) since(subject string, from time.Time) []call {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []call
	for _, c := range g.calls {
		if c.subject == subject && !c.at.Before(from) {
			all = append(all, c)
		}
	}
	return all
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// environmentOf is the lane that a subject belongs to.
func environmentOf(subject string) string {
	environment, _, _ := strings.Cut(subject, "/")
	return environment
}
