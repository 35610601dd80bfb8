// Command devstack-sandbox runs the sandbox app: a small third-party product with a real authorization server,
// against which Connected Apps is demonstrated and tested. See README.md.
//
// It is a development tool. Its admin endpoints ask for no credential: do not listen on anything but loopback.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"connectedapps/devstack/sandbox/internal/sandbox"
)

// shutdownGrace is how long running requests may take to end after SIGTERM.
const shutdownGrace = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "devstack-sandbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	options, err := parseOptions(args)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", options.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: another sandbox may be running; stop it or choose another address with --listen", options.listen)
	}
	if err != nil {
		return err
	}
	defer listener.Close()
	if options.config.Issuer == "" {
		options.config.Issuer = "http://" + listener.Addr().String()
	}
	opened, err := sandbox.Open(ctx, options.config)
	if err != nil {
		return err
	}
	ready := map[string]string{"event": "ready", "sandbox": options.config.Issuer, "credentials": opened.CredentialsPath()}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return errors.Join(err, opened.Close())
	}
	return errors.Join(serve(ctx, listener, opened), opened.Close())
}

// serve returns once the context ends and running requests have, or their time is up.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close() // what is still running is cut off, as the grace time says
	}
	return nil
}
