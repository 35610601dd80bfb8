package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"connectedapps/gateway/web"
)

// A reader of events must not hold up a deploy; an ordinary request is let finish.
func TestServeEndsStreamsWhenItStops(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "http://"+listener.Addr().String())
	b.gateway.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-web.Stopping(r.Context()).Done():
		case <-r.Context().Done():
		}
		if r.Context().Err() == nil {
			_, _ = io.WriteString(w, "in order")
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- b.gateway.Serve(ctx, listener) }()
	response, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	stop()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the stream")
	}
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "in order" {
		t.Errorf("%q, %v", text, err)
	}
}
