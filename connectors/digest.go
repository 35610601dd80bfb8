package connectors

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/icholy/digest"

	"connectedapps/connectors/outbound"
)

// errStale ends the answering of a server that calls every nonce stale. It has
// accepted the password each time, so the credential is not at fault.
var errStale = errors.New("the server calls its own nonce stale")

// injectDigest prepares HTTP Digest (RFC 7616): the password itself is never sent.
func (s Session) injectDigest(out *injected) error {
	user, password, err := s.pair(s.Method.Digest)
	if err != nil {
		return err
	}
	if slices.ContainsFunc([]byte(user), isControl) {
		return unauthorized("the credential stored for " + s.App.Name + " holds a control character")
	}
	out.secrets = append(out.secrets, password)
	out.carry = func(request *sent, next http.RoundTripper) http.RoundTripper {
		return &digesting{next: next, user: user, password: password, unsent: func() { request.left.Store(false) }}
	}
	return nil
}

// digesting answers challenges. It follows a request to its last redirect, and
// answers nobody but the origin that the request was meant for.
type digesting struct {
	next           http.RoundTripper
	user, password string
	// unsent is called when what was sent was only challenged, and has done nothing.
	unsent func()
}

// RoundTrip is http.RoundTripper's. It sends at most four requests: one on a
// challenge of an earlier call, one when that has run out, one when the server
// calls the new one stale, and the first of all without any.
func (d *digesting) RoundTrip(r *http.Request) (*http.Response, error) {
	if !outbound.AtHome(r) {
		return d.next.RoundTrip(r)
	}
	body, err := takeBody(r)
	if err != nil {
		return nil, err
	}
	key := challengeKey(origin(r.URL), d.user, d.password)
	known := challenges.get(key)
	earlier, stale := known != nil, false
	for {
		response, err := d.send(r, body, known)
		if err != nil || response.StatusCode != http.StatusUnauthorized {
			return response, err
		}
		fresh := digestChallengeIn(response.Header)
		switch {
		case fresh == nil:
			challenges.drop(key)
			return response, nil
		case known == nil:
		case fresh.Stale && stale:
			closeAnswer(response)
			return nil, errStale
		case fresh.Stale:
			stale = true
		case earlier && fresh.Nonce != known.challenge.Nonce:
			// It has forgotten the nonce of an earlier call, and not everyone says stale.
		default:
			challenges.drop(key)
			return response, nil
		}
		closeAnswer(response)
		d.unsent()
		known, earlier = challenges.put(key, fresh), false
	}
}

// send sends the request once, with an answer where there is something to answer.
func (d *digesting) send(r *http.Request, body []byte, known *answered) (*http.Response, error) {
	out := withBody(r, body)
	if known != nil {
		header, err := known.challenge.answer(digest.Options{
			Method: r.Method, URI: r.URL.RequestURI(), GetBody: out.GetBody,
			Count: known.next(), Username: d.user, Password: d.password,
		}, known.cnonce)
		if err != nil {
			return nil, errSigning
		}
		out.Header.Set("Authorization", header)
	} else {
		out.Header.Del("Authorization")
	}
	response, err := d.next.RoundTrip(out)
	if response != nil {
		response.Request = r // as the client knows it: without the answer
	}
	return response, err
}

// maxChallenged bounds what is read of a 401 that is answered, so that its connection can be used again.
const maxChallenged = 64 << 10

func closeAnswer(response *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxChallenged))
	_ = response.Body.Close()
}

// answered is a challenge in use.
type answered struct {
	challenge *digestChallenge
	cnonce    string
	mu        sync.Mutex
	count     int
}

// next is the nonce count of the next answer: none is used twice (RFC 7616 section 3.4).
func (a *answered) next() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	return a.count
}

// maxChallenges bounds the credentials whose challenge is kept; whoever falls
// out pays one more request.
const maxChallenges = 1024

// challengeCache keeps the challenges of credentials across calls, the most recently used.
type challengeCache struct {
	mu    sync.Mutex
	known map[string]*list.Element // of cachedChallenge
	order *list.List               // the most recently used first
}

type cachedChallenge struct {
	key string
	*answered
}

var (
	challenges = newChallengeCache()
	// challengeSecret makes keys of the cache useless to whoever reads memory for passwords.
	challengeSecret = []byte(rand.Text())
)

func newChallengeCache() *challengeCache {
	return &challengeCache{known: map[string]*list.Element{}, order: list.New()}
}

// challengeKey tells credentials of an origin apart without holding them.
func challengeKey(parts ...string) string {
	mac := hmac.New(sha256.New, challengeSecret)
	for _, part := range parts {
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return string(mac.Sum(nil))
}

// get is the challenge in use for a credential, nil for none.
func (c *challengeCache) get(key string) *answered {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.known[key]
	if !ok {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(cachedChallenge).answered
}

// put takes a challenge into use. One that somebody else has just put there is kept, with its count.
func (c *challengeCache) put(key string, challenge *digestChallenge) *answered {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.known[key]; ok {
		present := element.Value.(cachedChallenge).answered
		if present.challenge.Nonce == challenge.Nonce {
			return present
		}
		c.order.Remove(element)
	}
	fresh := &answered{challenge: challenge, cnonce: rand.Text()}
	c.known[key] = c.order.PushFront(cachedChallenge{key, fresh})
	if c.order.Len() > maxChallenges {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.known, oldest.Value.(cachedChallenge).key)
	}
	return fresh
}

// drop forgets the challenge of a credential that was refused.
func (c *challengeCache) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.known[key]; ok {
		c.order.Remove(element)
		delete(c.known, key)
	}
}
