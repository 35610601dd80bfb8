package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

// Limits of the server. A connection that says nothing costs a goroutine for
// headerTime and no more, so idle sockets cannot keep callbacks waiting.
const (
	headerTime = 5 * time.Second
	readTime   = 10 * time.Second
	// writeTime covers the slowest answer, beginTime, with room to send it.
	writeTime = 25 * time.Second
	idleTime  = 30 * time.Second
	// maxHeader holds several sealed cookies beside what browsers send.
	maxHeader = 32 << 10
	// stopTime is how long requests in flight may finish: a callback first of all.
	stopTime = callbackTime + 3*time.Second
)

// Serve answers requests until ctx is done, then lets those in flight finish; streams
// of events end at once, and their readers come back to another gateway.
// It returns nil after an orderly stop.
func (g *Gateway) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: g, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader, ErrorLog: zap.NewStdLog(g.log)}
	// Shutdown waits for requests and tells them nothing; streams would last for minutes.
	stopping, end := context.WithCancel(context.Background())
	defer end()
	server.BaseContext = func(net.Listener) context.Context { return web.WithStop(context.Background(), stopping) }
	server.RegisterOnShutdown(end)
	if g.agents != nil {
		server.RegisterOnShutdown(g.agents.Stop) // calls that wait for a person would hold it up
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
