package activities

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

// The watch of a connection over three days of Vault's time, with a worker that is
// replaced every six hours: what is remembered is in Vault, or nowhere.
const (
	longRun   = 72 * time.Hour
	shiftTime = 6 * time.Hour
)

// endure watches for the long run and answers everything that was news.
func (w *long) endure(in *WatchInput) (news []Look, looks int) {
	w.t.Helper()
	for range longRun / shiftTime {
		more, count := w.watch(w.worker(), in, shiftTime)
		news, looks = append(news, more...), looks+count
	}
	return news, looks
}

// long is a world that a stubborn network may stand in front of.
type long struct {
	*world
	network *stubborn
}

// worker is a new worker, behind the network as it is now.
func (w *long) worker() *Activities {
	a := w.process()
	if w.network != nil {
		w.network.next = a.Provider.Transport
		a.Provider = &http.Client{Transport: w.network}
	}
	return a
}

// stubborn answers every request of one kind, and lets the others through.
type stubborn struct {
	next   http.RoundTripper // of the worker that asks
	path   string
	status int
	body   string
	header http.Header

	mu    sync.Mutex
	asked int
}

func (s *stubborn) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.path != "" && !strings.HasSuffix(r.URL.Path, s.path) {
		return s.next.RoundTrip(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	header := s.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return &http.Response{StatusCode: s.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r}, nil
}

// Whatever trouble a provider has for three days, nobody is expired by it, nobody is
// told so, it is not asked more than every few minutes, and the end of it heals.
func TestThreeDaysOfTroubleExpireNobody(t *testing.T) {
	for name, answer := range map[string]*stubborn{
		"500 everywhere":              {status: 500, body: `{"error":"internal_error"}`},
		"500 at the token endpoint":   {path: "/oauth/token", status: 500},
		"500 without a word, as HTML": {status: 500, body: "<html>"},
		"502":                         {status: 502},
		"503 with a wait":             {status: 503, header: http.Header{"Retry-After": {"120"}}},
		"504":                         {status: 504},
		"429 for ever":                {status: 429, header: http.Header{"Retry-After": {"300"}}},
		"500 that says invalid_grant": {path: "/oauth/token", status: 500, body: `{"error":"invalid_grant"}`},
		"a page of maintenance":       {path: "/oauth/token", status: 200, body: "<html>back soon</html>"},
		"temporarily_unavailable":     {path: "/oauth/token", status: 400, body: `{"error":"temporarily_unavailable"}`},
		"408":                         {status: 408},
	} {
		t.Run(name, func(t *testing.T) {
			w := &long{world: newWorld(t, "strict")}
			in := w.watching(w.process())
			trouble := &stubborn{path: answer.path, status: answer.status, body: answer.body, header: answer.header}
			w.network = trouble
			news, looks := w.endure(in)
			for _, look := range news {
				if look.Status == connection.Expired || look.Verdict == connection.Revoked {
					t.Errorf("expired: %+v", look)
				}
			}
			if signals := w.told.signals(); len(signals) != 0 || w.vault.peek(w.ref).Rejected != nil {
				t.Errorf("signals %q, mark %v", signals, w.vault.peek(w.ref).Rejected)
			}
			// One request for a token and one for a test, every two minutes at the most.
			if most := int(longRun/time.Minute) + 60; looks > most/2 || trouble.asked > most {
				t.Errorf("%d looks and %d requests in three days", looks, trouble.asked)
			}
			if trouble.asked < 72 {
				t.Errorf("given up after %d requests", trouble.asked)
			}
			w.network = nil
			if w.watch(w.worker(), in, time.Hour); in.Reported.Status != connection.Active {
				t.Errorf("not healed: %+v", in.Reported)
			}
			if w.vault.peek(w.ref).Generation < 2 {
				t.Error("not renewed when the trouble was over")
			}
		})
	}
}

// A grant that is over is over: within three days, with actions that want the
// connection all the time, the provider is asked at most twice.
func TestAnEndedGrantIsAskedForAtMostTwice(t *testing.T) {
	declared := []string{"rotation: strict", "rotation: strict\n      errors: {revoked: [token_gone, \"190\"]}\n      answer: {error: \"error.code || error\"}"}
	for name, test := range map[string]struct {
		declared []string
		answer   *stubborn
	}{
		"400 invalid_grant":     {nil, &stubborn{status: 400, body: `{"error":"invalid_grant"}`}},
		"403 invalid_grant":     {nil, &stubborn{status: 403, body: `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`}},
		"401 invalid_grant":     {nil, &stubborn{status: 401, body: `{"error":"invalid_grant"}`}},
		"200 invalid_grant":     {nil, &stubborn{status: 200, body: `{"error":"invalid_grant"}`}},
		"a declared code":       {declared, &stubborn{status: 400, body: `{"error":"token_gone"}`}},
		"a declared number":     {declared, &stubborn{status: 400, body: `{"error":{"code":190,"message":"no"}}`}},
		"a declared code, 200":  {declared, &stubborn{status: 200, body: `{"error":"token_gone"}`}},
		"a declared code, 403":  {declared, &stubborn{status: 403, body: `{"error":"token_gone"}`}},
		"trouble, then refused": {nil, &stubborn{status: 400, body: `{"error":"invalid_grant"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &long{world: newWorld(t, "strict")}
			w.custom(test.declared...)
			in := w.watching(w.process())
			if strings.HasPrefix(name, "trouble") {
				w.network = &stubborn{path: "/oauth/token", status: 503}
				w.watch(w.worker(), in, 6*time.Hour)
			}
			refusing := &stubborn{path: "/oauth/token", status: test.answer.status, body: test.answer.body}
			w.network = refusing
			news, _ := w.endure(in)
			if in.Reported.Status != connection.Expired || in.Reported.Verdict != connection.Revoked {
				t.Fatalf("after three days: %+v (news %+v)", in.Reported, news)
			}
			for range 20 { // each of them from a worker that remembers nothing
				_, err := w.worker().spender.Renew(context.Background(), w.ref, "401")
				demand(t, err, connection.ErrReconnectRequired)
			}
			if refusing.asked < 1 || refusing.asked > 2 {
				t.Errorf("asked %d times", refusing.asked)
			}
			if signals := w.told.signals(); len(signals) != 1 {
				t.Errorf("signals %q, want one", signals)
			}
		})
	}
}

// A healthy connection is renewed for three days by workers that come and go, each
// refresh token presented once.
func TestThreeHealthyDays(t *testing.T) {
	w := &long{world: newWorld(t, "strict")}
	in := w.watching(w.process())
	if news, _ := w.endure(in); len(news) != 0 {
		t.Fatalf("news of healthy days: %+v", news)
	}
	ledger, seen := w.provider.ledger(), map[string]bool{}
	for _, token := range ledger {
		if seen[token] {
			t.Errorf("%s was presented twice", token)
		}
		seen[token] = true
	}
	if len(ledger) < 72 || len(ledger) > 90 { // an hour's life, less 5 to 7.5 minutes
		t.Errorf("%d refreshes in three days", len(ledger))
	}
}
