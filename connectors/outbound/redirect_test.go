package outbound

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func loopback(policy Policy) *http.Client {
	policy.AllowPrivate = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return New(policy)
}

// ask sends a request that carries credentials in every place.
func ask(t *testing.T, client *http.Client, method, target string, body io.Reader) (*http.Response, error) {
	t.Helper()
	ctx := WithCredentials(context.Background(), Credentials{Headers: []string{"X-Secret"}, Query: []string{"api_key"}})
	request, err := http.NewRequestWithContext(ctx, method, target+"/start?api_key=CANARY&page=1", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer CANARY")
	request.Header.Set("X-Secret", "CANARY")
	request.Header.Set("Cookie", "s=CANARY")
	request.Header.Set("X-Plain", "stays")
	response, err := client.Do(request)
	if err == nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	return response, err
}

func TestRedirectsStripCredentials(t *testing.T) {
	var seen []*http.Request
	var body string
	other := httptest.NewServer(nil)
	home := httptest.NewServer(nil)
	defer other.Close()
	defer home.Close()
	keep := func(r *http.Request) { seen = append(seen, r.Clone(context.Background())) }
	home.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keep(r)
		switch r.URL.Path {
		case "/start":
			if r.Header.Get("X-Plain") == "stays" && r.URL.Query().Get("page") == "1" {
				http.Redirect(w, r, other.URL+"/there?api_key=CANARY&page=2", http.StatusTemporaryRedirect)
			}
		case "/back":
			_, _ = w.Write([]byte("end"))
		}
	})
	other.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keep(r)
		raw, _ := io.ReadAll(r.Body)
		body += string(raw)
		http.Redirect(w, r, home.URL+"/back?page=3", http.StatusFound)
	})
	if _, err := ask(t, loopback(Policy{}), http.MethodGet, home.URL, nil); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 {
		t.Fatalf("%d hops", len(seen))
	}
	if seen[0].Header.Get("X-Secret") != "CANARY" || seen[0].Header.Get("Authorization") != "Bearer CANARY" {
		t.Error("the first hop lacks its credentials, so this test proves nothing")
	}
	for i, hop := range seen[1:] {
		all := hop.URL.String()
		for name, values := range hop.Header {
			all += "\n" + name + ": " + strings.Join(values, ", ")
		}
		if strings.Contains(all, "CANARY") {
			t.Errorf("hop %d: %s", i+1, all)
		}
		if hop.Header.Get("X-Plain") != "stays" {
			t.Errorf("hop %d lost what is no credential", i+1)
		}
	}
	// A body is a credential too, as far as anyone knows.
	if _, err := ask(t, loopback(Policy{}), http.MethodPost, home.URL, strings.NewReader("CANARY")); !errors.Is(err, ErrRedirectBody) || body != "" {
		t.Errorf("%v, body %q", err, body)
	}
}

func TestRedirectsOnTheSameOrigin(t *testing.T) {
	var last *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r.Clone(context.Background())
		if r.URL.Path == "/start" {
			http.Redirect(w, r, "/end", http.StatusFound)
		}
	}))
	defer server.Close()
	if _, err := ask(t, loopback(Policy{}), http.MethodGet, server.URL, nil); err != nil {
		t.Fatal(err)
	}
	if last.URL.Path != "/end" || last.Header.Get("X-Secret") != "CANARY" || last.Header.Get("Referer") != "" {
		t.Errorf("%s %v", last.URL, last.Header)
	}
	// A change must not become a read on the way.
	response, err := ask(t, loopback(Policy{}), http.MethodPost, server.URL, strings.NewReader("x"))
	if err != nil || response.StatusCode != http.StatusFound || last.URL.Path != "/start" {
		t.Errorf("%v %v %s", response, err, last.URL)
	}
}

func TestRedirectLoop(t *testing.T) {
	hops := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer server.Close()
	if _, err := ask(t, loopback(Policy{}), http.MethodGet, server.URL, nil); !errors.Is(err, ErrRedirects) || hops != maxRedirects+1 {
		t.Errorf("%v after %d", err, hops)
	}
}

func TestPlainHTTP(t *testing.T) {
	if _, err := New(Policy{}).Get("http://provider.example/"); !errors.Is(err, ErrPlainHTTP) {
		t.Error(err)
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "127.1": false, "localhost.evil.example": false, "10.0.0.1": false} {
		if Loopback(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

func TestBounds(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	const limit = 1000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := func() {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		switch r.URL.Path {
		case "/fits":
			_, _ = w.Write(make([]byte, limit))
		case "/large":
			_, _ = w.Write(make([]byte, limit+1))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 1000 {
				_, _ = z.Write(make([]byte, 1<<10))
			}
			_ = z.Close()
		case "/headers":
			w.Header().Set("X-Large", strings.Repeat("x", maxHeader+1))
		case "/never":
			wait()
		case "/stalls":
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			wait()
		case "/drips":
			for range 20 {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}
	}))
	defer server.Close()
	read := func(path string, policy Policy) (int, error) {
		policy.MaxBody = limit
		response, err := loopback(policy).Get(server.URL + path)
		if err != nil {
			return 0, err
		}
		defer func() { _ = response.Body.Close() }()
		raw, err := io.ReadAll(response.Body)
		return len(raw), err
	}
	if n, err := read("/fits", Policy{}); n != limit || err != nil {
		t.Errorf("what fits: %d %v", n, err)
	}
	for _, path := range []string{"/large", "/bomb"} {
		if n, err := read(path, Policy{}); !errors.Is(err, ErrTooLarge) || n > limit {
			t.Errorf("%s: %d %v", path, n, err)
		}
	}
	if _, err := read("/headers", Policy{}); err == nil {
		t.Error("headers of any size")
	}
	short := 100 * time.Millisecond
	if _, err := read("/never", Policy{FirstByte: short}); err == nil {
		t.Error("waits for a first byte for ever")
	}
	if n, err := read("/stalls", Policy{Idle: short}); !errors.Is(err, ErrIdle) || n != 1 {
		t.Errorf("a stalled body: %d %v", n, err)
	}
	if n, err := read("/drips", Policy{Idle: 5 * time.Second}); n != 20 || err != nil {
		t.Errorf("a slow body within its bounds: %d %v", n, err)
	}
	if _, err := read("/drips", Policy{Timeout: short}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the whole: %v", err)
	}
}

// Whoever signs hops asks this: home is home only until the first step elsewhere.
func TestAtHome(t *testing.T) {
	chain := func(urls ...string) *http.Request {
		var last *http.Request
		for _, target := range urls {
			next := httptest.NewRequest(http.MethodGet, target, nil)
			if last != nil {
				next.Response = &http.Response{Request: last}
			}
			last = next
		}
		return last
	}
	for _, test := range []struct {
		urls []string
		want bool
	}{
		{[]string{"https://a.example/x"}, true},
		{[]string{"https://a.example/x", "https://A.example:443/y"}, true},
		{[]string{"https://a.example/x", "https://b.example/x"}, false},
		{[]string{"https://a.example/x", "https://b.example/x", "https://a.example/x"}, false},
		{[]string{"https://a.example/x", "https://b.example/x", "https://b.example/y"}, false},
		{[]string{"https://a.example/x", "http://a.example/x"}, false},
		{[]string{"https://a.example/x", "https://a.example:8443/x"}, false},
	} {
		if got := AtHome(chain(test.urls...)); got != test.want {
			t.Errorf("%v: %v", test.urls, got)
		}
	}
	lost := chain("https://a.example/x", "https://a.example/y")
	lost.Response.Request = nil
	if AtHome(lost) {
		t.Error("a chain whose beginning is not known is at home")
	}
}
