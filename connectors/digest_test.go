package connectors

import (
	"crypto/md5" // #nosec G501
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/icholy/digest"

	"connectedapps/connection"
)

// digestServer verifies answers itself, after RFC 7616 section 3.4 and not with
// the library that made them.
type digestServer struct {
	*httptest.Server
	algorithm, qop string
	userhash       bool
	// staleAfter calls a nonce stale after so many uses; 0 never.
	staleAfter int
	// forgets forgets nonces without saying stale.
	forgets bool

	mu      sync.Mutex
	nonce   string
	issued  int
	uses    int
	last    int    // the nonce count
	cnonce  string // of the session
	bodies  []string
	asked   int
	refused []string
}

var digestTestHashes = map[string]func() hash.Hash{"": md5.New, "MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

func newDigestServer(t testing.TB, d *digestServer) *digestServer {
	t.Helper()
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *digestServer) challenge(w http.ResponseWriter, stale bool) {
	d.issued++
	d.nonce, d.uses, d.last, d.cnonce = fmt.Sprintf("nonce,%d=", d.issued), 0, 0, ""
	line := `Basic realm="basic, really", Digest realm="a \"realm\"", nonce="` + d.nonce + `", opaque="op"`
	if d.qop != "" {
		line += `, qop="` + d.qop + `"`
	}
	if d.algorithm != "" {
		line += `, algorithm=` + d.algorithm
	}
	if stale {
		line += `, stale=TRUE`
	}
	if d.userhash {
		line += `, userhash=true`
	}
	w.Header().Add("WWW-Authenticate", `Digest realm="x", nonce="n", algorithm=WHIRLPOOL`)
	w.Header().Add("WWW-Authenticate", line)
	w.WriteHeader(http.StatusUnauthorized)
}

func (d *digestServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	raw, _ := io.ReadAll(r.Body)
	d.bodies = append(d.bodies, string(raw))
	header := r.Header.Get("Authorization")
	if header == "" {
		d.challenge(w, false)
		return
	}
	if reason := d.verify(r, header, raw); reason != "" {
		d.refused = append(d.refused, reason)
		d.challenge(w, reason == "stale" && !d.forgets)
		return
	}
	_, _ = w.Write([]byte(`{"ok":true}`))
}

// verify answers why the header is not right, "" when it is.
func (d *digestServer) verify(r *http.Request, header string, body []byte) string {
	params := map[string]string{}
	rest, ok := strings.CutPrefix(header, "Digest ")
	if !ok {
		return "scheme"
	}
	for part := range strings.SplitSeq(rest, `, `) {
		name, value, _ := strings.Cut(part, "=")
		if text, err := strconv.Unquote(value); err == nil {
			value = text
		}
		params[name] = value
	}
	algorithm, session := strings.CutSuffix(d.algorithm, "-sess")
	h := func(text string) string {
		sum := digestTestHashes[algorithm]()
		sum.Write([]byte(text))
		return hex.EncodeToString(sum.Sum(nil))
	}
	user := "ann"
	if d.userhash {
		user = h(`ann:a "realm"`)
	}
	if params["nonce"] != d.nonce {
		return "stale"
	}
	d.uses++
	if d.staleAfter > 0 && d.uses > d.staleAfter {
		return "stale"
	}
	count, _ := strconv.ParseInt(params["nc"], 16, 64)
	a1 := h(`ann:a "realm":CANARY-password`)
	if session {
		if d.cnonce == "" {
			d.cnonce = params["cnonce"]
		}
		a1 = h(a1 + ":" + d.nonce + ":" + d.cnonce)
	}
	a2 := h(r.Method + ":" + r.RequestURI)
	if params["qop"] == "auth-int" {
		a2 = h(r.Method + ":" + r.RequestURI + ":" + h(string(body)))
	}
	want := h(a1 + ":" + d.nonce + ":" + params["nc"] + ":" + params["cnonce"] + ":" + params["qop"] + ":" + a2)
	if d.qop == "" {
		want = h(a1 + ":" + d.nonce + ":" + a2)
	}
	switch {
	case params["username"] != user:
		return "username"
	case params["realm"] != `a "realm"` || params["opaque"] != "op" || params["uri"] != r.RequestURI || params["algorithm"] != d.algorithm:
		return "echo: " + header
	case d.qop != "" && (!strings.Contains(d.qop, params["qop"]) || params["qop"] == "" || int(count) <= d.last || len(params["nc"]) != 8 || params["cnonce"] == ""):
		return "count: " + header
	case params["response"] != want:
		return "response: " + header
	}
	d.last = int(count)
	return ""
}

func digestSession(d *digestServer, password string) Session {
	return sessionWith(d.URL, Method{Kind: connection.Digest}, map[string]string{"username": "ann", "password": password})
}

func TestDigest(t *testing.T) {
	for _, algorithm := range []string{"", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"} {
		for _, qop := range []string{"auth", "auth-int", "auth-int, auth", ""} {
			if qop == "" && strings.HasSuffix(algorithm, "-sess") {
				continue // the server could not know the client's nonce
			}
			for _, userhash := range []bool{false, true} {
				t.Run(fmt.Sprint(algorithm, "/", qop, "/", userhash), func(t *testing.T) {
					d := newDigestServer(t, &digestServer{algorithm: algorithm, qop: qop, userhash: userhash})
					s := digestSession(d, "CANARY-password")
					post := made(Request{Method: "POST", Path: "/x y", Query: map[string]Text{"q": "a b"}, Body: &Body{}})
					for i := range 4 {
						if err := s.callMade(t, post, `{"n":1}`); err != nil {
							t.Fatalf("call %d: %v, %v", i, err, d.refused)
						}
					}
					if d.asked != 5 || len(d.refused) > 0 {
						t.Errorf("asked %d times, refused %v", d.asked, d.refused)
					}
					for _, body := range d.bodies {
						if body != `{"n":1}` {
							t.Errorf("a body was not replayed: %q", body)
						}
					}
				})
			}
		}
	}
}

func TestDigestNonces(t *testing.T) {
	get := made(Request{Method: "GET", Path: "/x"})
	t.Run("stale", func(t *testing.T) {
		d := newDigestServer(t, &digestServer{algorithm: "SHA-256", qop: "auth", staleAfter: 2})
		s := digestSession(d, "CANARY-password")
		for range 6 {
			if err := s.callMade(t, get, `{}`); err != nil {
				t.Fatal(err)
			}
		}
		if len(d.refused) != 2 || d.asked != 1+6+2 {
			t.Errorf("asked %d times, refused %v", d.asked, d.refused)
		}
	})
	t.Run("forgotten without a word", func(t *testing.T) {
		d := newDigestServer(t, &digestServer{qop: "auth", staleAfter: 1, forgets: true})
		s := digestSession(d, "CANARY-password")
		for range 3 {
			if err := s.callMade(t, get, `{}`); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("always stale", func(t *testing.T) {
		asked := 0
		server := recording(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="r", nonce="n%d", stale=true, qop="auth"`, asked))
			w.WriteHeader(http.StatusUnauthorized)
		})
		problem := problemOf(t, sessionWith(server.URL, Method{Kind: connection.Digest}, map[string]string{"username": "a", "password": "b"}).callMade(t, get, `{}`))
		if problem.Type != connection.ErrProviderUnavailable || asked != 3 {
			t.Errorf("%+v, asked %d times", problem, asked)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		d := newDigestServer(t, &digestServer{algorithm: "SHA-256", qop: "auth"})
		s := digestSession(d, "CANARY-password")
		if err := s.callMade(t, get, `{}`); err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		known := challenges.get(challengeKey(d.URL, "ann", "CANARY-password"))
		var wait sync.WaitGroup
		var mu sync.Mutex
		for range 50 {
			wait.Go(func() {
				n := known.next()
				mu.Lock()
				defer mu.Unlock()
				if seen[n] {
					t.Errorf("count %d was given twice", n)
				}
				seen[n] = true
			})
		}
		wait.Wait()
	})
}

func TestDigestRefused(t *testing.T) {
	d := newDigestServer(t, &digestServer{algorithm: "SHA-256", qop: "auth"})
	get := made(Request{Method: "GET", Path: "/x"})
	problem := problemOf(t, digestSession(d, "CANARY-wrong").callMade(t, get, `{}`))
	if problem.Type != connection.ErrReconnectRequired || d.asked != 2 || strings.Contains(problem.Error(), "CANARY") {
		t.Errorf("%+v, asked %d times", problem, d.asked)
	}
	// What was refused is forgotten: the next call asks anew, and no other credential uses its challenge.
	if challenges.get(challengeKey(d.URL, "ann", "CANARY-wrong")) != nil {
		t.Error("a refused challenge is kept")
	}
	if err := digestSession(d, "CANARY-password").callMade(t, get, `{}`); err != nil || d.asked != 4 {
		t.Errorf("%v, asked %d times", err, d.asked)
	}
	if problem := problemOf(t, digestSession(d, "").callMade(t, made(Request{Method: "POST", Path: "/", Body: &Body{}}), `{}`)); problem.Type != connection.ErrReconnectRequired {
		t.Errorf("%+v", problem)
	}
	nobody := sessionWith(d.URL, Method{Kind: connection.Digest}, nil)
	before := d.asked
	if problem := problemOf(t, nobody.callMade(t, get, `{}`)); problem.Type != connection.ErrReconnectRequired || d.asked != before {
		t.Errorf("%+v", problem)
	}
	// Nobody is sent the password, and a server that wants Basic is not given it.
	basic := recording(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	s := sessionWith(basic.URL, Method{Kind: connection.Digest}, map[string]string{"username": "ann", "password": "CANARY-password"})
	if problem := problemOf(t, s.callMade(t, get, `{}`)); problem.Type != connection.ErrReconnectRequired || strings.Contains(basic.everything(), "Authorization") {
		t.Errorf("%+v %s", problem, basic.everything())
	}
}

// A challenged change has not happened: when the answer to the challenge cannot
// be sent, it may be tried again. Once it was sent, it may have happened.
func TestDigestChallengeIsNoChange(t *testing.T) {
	for _, test := range []struct {
		name, want string
		drop       bool
	}{{"gone", connection.ErrProviderUnavailable, false}, {"answered", connection.ErrOutcomeUnknown, true}} {
		t.Run(test.name, func(t *testing.T) {
			var server *recorder
			asked := 0
			server = recording(t, func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked > 1 {
					panic(http.ErrAbortHandler)
				}
				if !test.drop {
					_ = server.Listener.Close()
				}
				w.Header().Set("Connection", "close")
				w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
			s := sessionWith(server.URL, Method{Kind: connection.Digest}, map[string]string{"username": "a", "password": "b"})
			if problem := problemOf(t, s.callMade(t, made(Request{Method: "POST", Path: "/", Body: &Body{}}), `{}`)); problem.Type != test.want {
				t.Errorf("%+v", problem)
			}
		})
	}
}

func TestDigestCacheIsBounded(t *testing.T) {
	cache := newChallengeCache()
	first := cache.put("first", &digestChallenge{})
	for i := range maxChallenges - 1 {
		cache.put(strconv.Itoa(i), &digestChallenge{})
	}
	if cache.get("first") != first {
		t.Error("it was dropped too early")
	}
	cache.put("one more", &digestChallenge{})
	if cache.get("first") != first || cache.get("0") != nil || len(cache.known) != maxChallenges || cache.order.Len() != maxChallenges {
		t.Errorf("%d known", len(cache.known))
	}
	if challengeKey("ab", "c", "") == challengeKey("a", "bc", "") || strings.Contains(challengeKey("o", "u", "CANARY"), "CANARY") {
		t.Error("keys of different credentials are the same")
	}
}

// The examples of RFC 7616 section 3.9.1.
func TestDigestExamples(t *testing.T) {
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		c := readChallenge(`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=` + algorithm +
			`, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`)
		header, err := c.answer(digest.Options{Method: "GET", URI: "/dir/index.html", Username: "Mufasa", Password: "Circle of Life",
			Count: 1, Cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}, "")
		if err != nil || !strings.Contains(header, `response="`+want+`"`) {
			t.Errorf("%s: %s %v", algorithm, header, err)
		}
	}
}

func TestDigestChallenges(t *testing.T) {
	for text, want := range map[string]string{
		`Digest nonce=abc, realm="r"`:                                          "abc",
		`digest NONCE="a\"b", qop = "auth"`:                                    `a"b`,
		`Digest realm="r", nonce="n",`:                                         "n",
		`Digest realm="Digest nonce=x, Digest nonce=y", nonce="n"`:             "n",
		`Negotiate, Digest nonce="n"`:                                          "n",
		`Negotiate abc==, Basic realm="x, Digest nonce=z", Digest nonce="n"`:   "n",
		`Digest nonce="1", algorithm=FOO, Digest nonce="2", algorithm=sha-256`: "2",
		`Digest nonce="1", nonce="2"`:                                          "",
		`Digest realm="r"`:                                                     "",
		`Digest nonce="n", qop="token"`:                                        "",
		`Digest nonce="n", algorithm=MD5-sess`:                                 "",
		`Digest nonce="n`:                                                      "",
		`Basic realm="r"`:                                                      "",
		`Digest nonce="` + strings.Repeat("n", maxChallenge) + `"`:             "",
	} {
		got := ""
		if c := digestChallengeIn(http.Header{"Www-Authenticate": {text}}); c != nil {
			got = c.Nonce
		}
		if got != want {
			t.Errorf("%.60s: %q", text, got)
		}
	}
}
