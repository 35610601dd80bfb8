package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// crowd is how many sockets say nothing, or begin a request and never end it; patience is how long a browser waits here.
const crowd, patience = 2000, 2 * time.Second

// occupy opens sockets, and leaves every other one in the middle of a request.
func occupy(t *testing.T, address string, n int) []net.Conn {
	t.Helper()
	sockets := make([]net.Conn, n)
	for i := range sockets {
		socket, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		t.Cleanup(func() { _ = socket.Close() })
		if i%2 == 0 {
			_, _ = socket.Write([]byte("GET /oauth/callback?code=c HTTP/1.1\r\nHost: "))
		}
		sockets[i] = socket
	}
	return sockets
}

// callBack begins an authorization and sends its callback, as a browser would, over a connection of its own.
func (b *bench) callBack() (*http.Response, error) {
	b.t.Helper()
	state, cookie := b.begin()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+"/oauth/callback?code=c&state="+state, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	request.AddCookie(cookie)
	return client.Do(request)
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// places is a listener that has so many places, and lets nobody in while all are taken.
type places struct {
	net.Listener
	free chan struct{}
}

func (p places) Accept() (net.Conn, error) {
	<-p.free
	conn, err := p.Listener.Accept()
	return &seated{Conn: conn, leave: sync.OnceFunc(func() { p.free <- struct{}{} })}, err
}

// seated gives its place back when it is closed.
type seated struct {
	net.Conn
	leave func()
}

func (s *seated) Close() error {
	defer s.leave()
	return s.Conn.Close()
}

// unlimited serves the same handler as a server that puts no end to what says nothing.
func unlimited(t *testing.T, b *bench, listener net.Listener) {
	t.Helper()
	server := &http.Server{Handler: b.gateway}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// TestServeUnderIdleSockets shows that a callback is still answered and delivered beside the crowd, and that stopping is orderly.
func TestServeUnderIdleSockets(t *testing.T) {
	listener := listening(t)
	b := newBench(t, "http://"+listener.Addr().String())
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- b.gateway.Serve(ctx, listener) }()
	occupy(t, listener.Addr().String(), crowd)
	response, err := b.callBack()
	if err != nil || response.StatusCode != http.StatusSeeOther {
		t.Fatalf("%v %v", response, err)
	}
	_ = response.Body.Close()
	if b.effects() != 2 {
		t.Errorf("the callback had %d effects, want 2", b.effects())
	}
	stop()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("it does not stop")
	}
}

// The control of the test above: the same crowd is enough to keep the callback out of a server with a place for each of
// them that lets none of them go.
func TestACrowdKeepsOthersOutOfAServerWithoutLimits(t *testing.T) {
	listener := listening(t)
	b := newBench(t, "http://"+listener.Addr().String())
	free := make(chan struct{}, crowd)
	for range crowd {
		free <- struct{}{}
	}
	unlimited(t, b, places{listener, free})
	occupy(t, listener.Addr().String(), crowd)
	if response, err := b.callBack(); err == nil {
		_ = response.Body.Close()
		t.Errorf("%s: the crowd holds nobody up", response.Status)
	}
	b.mu.Lock() // the callback comes in after all when the crowd goes, at the end of the test
	defer b.mu.Unlock()
	if b.effects() != 0 {
		t.Errorf("%d effects", b.effects())
	}
}

// Whoever says nothing is let go after headerTime: that is what keeps a crowd from growing. Without the limit none is.
func TestServeLetsIdleSocketsGo(t *testing.T) {
	limited, endless := listening(t), listening(t)
	b := newBench(t, "http://"+limited.Addr().String())
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- b.gateway.Serve(ctx, limited) }()
	unlimited(t, b, endless)
	// Long after headerTime, but before the next longer limit would end them.
	late := time.Now().Add(readTime - 500*time.Millisecond)
	idle, kept := occupy(t, limited.Addr().String(), 20), occupy(t, endless.Addr().String(), 20)
	// lasts reports whether a socket is open when the time is over.
	lasts := func(socket net.Conn, until time.Time) bool {
		_ = socket.SetReadDeadline(until)
		_, err := socket.Read(make([]byte, 1))
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	for i, socket := range idle {
		if lasts(socket, late) {
			t.Fatalf("socket %d is open long after %s", i, headerTime)
		}
	}
	for i, socket := range kept {
		if !lasts(socket, time.Now().Add(10*time.Millisecond)) {
			t.Errorf("socket %d is closed without the limit too, so this test proves nothing", i)
		}
	}
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
