package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
)

// wire leads to an issuer without a network, so that a test's clock may be a fake one.
type wire struct {
	issuer *issuer
	mu     sync.Mutex
	hangs  bool
	asked  map[string]int // by path
}

func (w *wire) hang(hangs bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangs = hangs
}

func (w *wire) count(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[path]
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked[r.URL.Path]++
	hangs := w.hangs
	w.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	answer := httptest.NewRecorder()
	w.issuer.Config.Handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func wired(t *testing.T, i *issuer) (*wire, *Provider) {
	w := &wire{issuer: i, asked: map[string]int{}}
	return w, i.provider(t, func(o *ProviderOptions) { o.HTTP = &http.Client{Transport: w} })
}

const discoveryPath = "/.well-known/openid-configuration"

// Many who need a provider that hangs wait together and not one after the other.
func TestHungProviderQueuesNobody(t *testing.T) {
	i := newIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		w, p := wired(t, i)
		w.hang(true)
		refused := func(ctx context.Context) {
			if _, err := p.ask(ctx); connection.TypeOf(err) != connection.ErrProviderUnavailable {
				t.Errorf("got %v", err)
			}
		}
		var all sync.WaitGroup
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			took(t, "one who leaves", time.Second, func() { refused(ctx) })
		})
		for range 5 {
			all.Go(func() { took(t, "one of many", discoveryTime, func() { refused(t.Context()) }) })
		}
		all.Wait()
		time.Sleep(discoveryPause - time.Millisecond)
		took(t, "one in the pause", 0, func() { refused(t.Context()) })
		if n := w.count(discoveryPath); n != 1 {
			t.Errorf("asked %d times", n)
		}
		w.hang(false)
		time.Sleep(time.Millisecond)
		if _, err := p.ask(t.Context()); err != nil || w.count(discoveryPath) != 2 {
			t.Errorf("after the pause: %v, asked %d times", err, w.count(discoveryPath))
		}
	})
}

// What a provider has said is believed while it is asked again, and while it hangs.
func TestOldDescriptionIsUsedMeanwhile(t *testing.T) {
	i := newIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		w, p := wired(t, i)
		old, err := p.ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(discoveryLife)
		w.hang(true)
		for range 5 {
			took(t, "one who needs it", 0, func() {
				if found, err := p.ask(t.Context()); err != nil || found != old {
					t.Errorf("%v %v", found, err)
				}
			})
		}
		synctest.Wait()
		if n := w.count(discoveryPath); n != 2 {
			t.Errorf("asked %d times", n)
		}
		w.hang(false)
		time.Sleep(discoveryTime + discoveryPause)
		_, _ = p.ask(t.Context())
		synctest.Wait()
		if found, err := p.ask(t.Context()); err != nil || found == old {
			t.Errorf("it was not renewed: %v", err)
		}
	})
}

// Forged tokens, whose keys nobody has, make nobody ask for keys more than now and then.
func TestForgedTokensDoNotAskForKeys(t *testing.T) {
	i, foreign, third := newIssuer(t), newIssuer(t), newIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		w, p := wired(t, i)
		b := newBench(t, p)
		good := func(who string) string { return i.signed(i.says(testSite, map[string]any{"sub": who})) }
		forge := func(who string) string { return foreign.signed(i.says(testSite, map[string]any{"sub": who})) }
		try := func(token, kind string) {
			t.Helper()
			if _, err := b.identify(bearer(token)); connection.TypeOf(err) != kind {
				t.Errorf("got %v, want %q", err, kind)
			}
		}
		try(good("u"), "")
		for n := range 20 {
			try(forge(string(rune('a'+n))), connection.ErrNotSignedIn)
		}
		if n := w.count("/keys"); n != 1 {
			t.Errorf("the keys were asked for %d times", n)
		}
		time.Sleep(keysPause - time.Second)
		again := forge("again")
		try(again, connection.ErrNotSignedIn)
		time.Sleep(time.Second)
		try(again, connection.ErrNotSignedIn) // refused a moment ago, and not looked at again
		if n := w.count("/keys"); n != 1 {
			t.Errorf("the keys were asked for %d times, for a token that was refused before", n)
		}
		try(forge("x"), connection.ErrNotSignedIn)
		i.key = foreign.key // the provider has a new key
		try(good("early"), connection.ErrNotSignedIn)
		time.Sleep(keysPause)
		try(good("u"), "")
		if n := w.count("/keys"); n != 3 {
			t.Errorf("the keys were asked for %d times", n)
		}
		w.hang(true)
		time.Sleep(keysPause)
		nobody := func(who string) string { return third.signed(i.says(testSite, map[string]any{"sub": who})) }
		took(t, "a token with a key that is unknown", discoveryTime, func() { try(nobody("a"), connection.ErrProviderUnavailable) })
		took(t, "the next", 0, func() { try(nobody("b"), connection.ErrProviderUnavailable) })
		took(t, "a good one", 0, func() { try(good("v"), "") })
		synctest.Wait()
	})
}

// A cache that is full makes room for many at once, and keeps most of what it has.
func TestCacheMakesRoom(t *testing.T) {
	c := newCache[int](time.Hour)
	for n := range cacheMost + 1 {
		c.put(time.Unix(int64(n), 0).String(), n)
	}
	if len(c.kept) != cacheMost-cacheRoom+1 {
		t.Errorf("%d entries", len(c.kept))
	}
}
