package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shell is a child that does what the script says.
func shell(name, script string) spec {
	return spec{name: name, what: "the " + name, binary: "/bin/sh", args: []string{"-c", script}, stopWithin: 5 * time.Second}
}

// spoken collects what the narration says.
type spoken struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (s *spoken) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(text)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func newTestStack(t *testing.T) (context.Context, *stack, *spoken) {
	t.Helper()
	ctx, fail := context.WithCancelCause(t.Context())
	out := &spoken{}
	s, err := newStack(t.TempDir(), &narration{out: out}, fail)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(nil); fail(nil) })
	return ctx, s, out
}

func TestAChildThatEndsAtOnceIsShownWithItsLog(t *testing.T) {
	ctx, s, _ := newTestStack(t)
	bad := shell("server", "echo no such port >&2; exit 3")
	bad.announces = true
	err := s.start(ctx, bad)
	if err == nil || !strings.Contains(err.Error(), "the server ended (exit status 3)") || !strings.Contains(err.Error(), "| no such port") {
		t.Errorf("got %v", err)
	}
}

func TestABinaryThatIsNotBuilt(t *testing.T) {
	ctx, s, _ := newTestStack(t)
	missing := shell("gateway", "")
	missing.binary = filepath.Join(t.TempDir(), "connected-apps")
	if err := s.start(ctx, missing); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v", err)
	}
}

func TestTheEndOfAServerEndsTheRun(t *testing.T) {
	ctx, s, _ := newTestStack(t)
	server := shell("server", "echo ready; echo the disk is full >&2; sleep 0.2; exit 1")
	server.announces, server.server = true, true
	if err := s.start(ctx, server); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
	if cause := context.Cause(ctx); !strings.Contains(cause.Error(), "| the disk is full") {
		t.Errorf("got %v", cause)
	}
}

func TestAWorkerIsStartedAgain(t *testing.T) {
	ctx, s, out := newTestStack(t)
	counter := filepath.Join(t.TempDir(), "starts")
	worker := shell("worker", "echo start >> "+counter+"; sleep 60")
	worker.restart = true
	worker.ready = func(context.Context) error {
		_, err := os.Stat(counter)
		return err
	}
	changed := make(chan struct{}, 1)
	s.onChange(func() { changed <- struct{}{} })
	if err := s.start(ctx, worker); err != nil {
		t.Fatal(err)
	}
	first := s.pids()["worker"]
	if err := syscall.Kill(-first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("it was not started again")
	}
	if second := s.pids()["worker"]; second == first || !alive(second) {
		t.Errorf("process %d, before %d", second, first)
	}
	if ctx.Err() != nil {
		t.Errorf("the run ended: %v", context.Cause(ctx))
	}
	if !strings.Contains(out.String(), "the worker ended (signal: killed)") {
		t.Errorf("said only %q", out)
	}
}

func TestServersAreStoppedLast(t *testing.T) {
	ctx, s, _ := newTestStack(t)
	order := filepath.Join(t.TempDir(), "order")
	traps := func(name string) string {
		return "trap 'sleep 0.1; echo " + name + " >> " + order + "; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
	}
	server, worker := shell("server", traps("server")), shell("worker", traps("worker"))
	server.server, server.announces = true, true
	worker.restart, worker.announces = true, true
	for _, child := range []spec{server, worker} {
		if err := s.start(ctx, child); err != nil {
			t.Fatal(err)
		}
	}
	s.stop(nil)
	text, err := os.ReadFile(order)
	if err != nil || string(text) != "worker\nserver\n" {
		t.Errorf("order %q %v", text, err)
	}
}

func TestAChildThatDoesNotStopIsKilled(t *testing.T) {
	for name, hurry := range map[string]bool{"after its time": false, "at a second Ctrl-C": true} {
		t.Run(name, func(t *testing.T) {
			ctx, s, out := newTestStack(t)
			deaf := shell("deaf", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
			deaf.announces = true
			deaf.stopWithin = 300 * time.Millisecond
			ch := make(chan struct{})
			if hurry {
				deaf.stopWithin = time.Minute
				close(ch)
			}
			if err := s.start(ctx, deaf); err != nil {
				t.Fatal(err)
			}
			pid := s.pids()["deaf"]
			s.stop(ch)
			if alive(pid) {
				t.Error("it is still there")
			}
			if !strings.Contains(out.String(), "killed, since it took too long to stop: deaf") {
				t.Errorf("said only %q", out)
			}
		})
	}
}
