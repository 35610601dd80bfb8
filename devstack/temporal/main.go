package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	// startTimeout bounds everything up to the ready line. A start takes half
	// a second on two cores, or three when search attributes are added; a machine
	// that compiles at the same time may need many times that.
	startTimeout = 90 * time.Second

	// stopTimeout is what the server gets to stop in good order, for which it needs
	// one to three seconds. Past it the process leaves anyway: the write-ahead log makes that as safe as kill -9.
	stopTimeout = 5 * time.Second
)

// ready is the line that tells the launcher where to find the servers. Addresses
// that were not asked for are left out.
type ready struct {
	Event    string `json:"event"`
	Temporal string `json:"temporal"`
	UI       string `json:"ui"`
	HTTP     string `json:"http,omitempty"`
	Metrics  string `json:"metrics,omitempty"`
	// QueuePollLimit is how often a second a shard may look for due work in each of its
	// queues. Nobody can ask a server for it, and every latency depends on it.
	QueuePollLimit int `json:"queue_poll_limit"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package has already said what is wrong
	default:
		fmt.Fprintln(os.Stderr, "devstack-temporal:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. A nil error means that it was asked to stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	unlock, err := lockDatabase(o.database)
	if err != nil {
		return err
	}
	defer unlock()
	internal, err := claimPorts(o)
	if err != nil {
		return err
	}
	cfg := serverConfig(o, internal)
	if err := prepareDatabase(cfg, o); err != nil {
		return err
	}
	logger, quiet, err := newLogger(o.logLevel)
	if err != nil {
		return err
	}
	server, err := newServer(cfg, o, internal, logger)
	if err != nil {
		return fmt.Errorf("assemble the server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	defer func() {
		quiet()
		stopWithin(stopTimeout, server.Stop)
	}()

	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := prepareNamespaces(starting, o); err != nil {
		return stoppedOr(ctx, err)
	}
	ui, err := startUI(starting, o)
	if err != nil {
		return stoppedOr(ctx, err)
	}
	defer ui.Stop()

	if err := json.NewEncoder(stdout).Encode(addresses(o)); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	<-ctx.Done()
	return nil
}

// stoppedOr returns nil when the start was broken off by a signal: being told to
// stop is not a failure. Else it returns err.
func stoppedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// stopWithin runs stop and waits for it, but not longer than limit.
func stopWithin(limit time.Duration, stop func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "devstack-temporal: stop:", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(limit):
		fmt.Fprintf(os.Stderr, "devstack-temporal: not stopped after %v, leaving\n", limit)
	}
}

func addresses(o options) ready {
	r := ready{
		Event:    "ready",
		Temporal: o.address(o.port),
		UI:       "http://" + o.address(o.uiPort),

		QueuePollLimit: pollsPerSecond,
	}
	if o.httpPort != 0 {
		r.HTTP = "http://" + o.address(o.httpPort)
	}
	if o.metricsPort != 0 {
		r.Metrics = "http://" + o.address(o.metricsPort) + "/metrics"
	}
	return r
}

func (o options) address(port int) string {
	return net.JoinHostPort(o.ip, strconv.Itoa(port))
}
