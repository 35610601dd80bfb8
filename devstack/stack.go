package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// readyWithin bounds the start of one process. It takes seconds; a machine that
	// compiles at the same time needs many more.
	readyWithin = 90 * time.Second
	// restartFirst and restartMost pace the restarts of a worker or gateway that keeps ending.
	restartFirst, restartMost = time.Second, 30 * time.Second
	// settled is how long a process must have lived for its next end to count as the first.
	settled = time.Minute
)

// spec says how to run one process.
type spec struct {
	name   string
	what   string // for people: "the gateway"
	binary string
	args   []string
	env    []string
	// announces: the first line of standard output says that it is ready.
	announces bool
	// ready answers nil once it can be used; nil asks nothing.
	ready func(ctx context.Context) error
	// server: the others need it. It is stopped after them, and its end is the end
	// of everything, unless restart is set.
	server bool
	// restart it when it ends.
	restart bool
	// stopWithin is how long it may take to stop in good order.
	stopWithin time.Duration
}

// stack is the set of running children.
type stack struct {
	logs    string
	tell    *narration
	spawner spawner
	// fail ends the run, with the reason.
	fail context.CancelCauseFunc

	mu       sync.Mutex
	running  []*member
	stopping bool
	// changed is called after a restart, since process IDs are then others.
	changed func()
}

type member struct {
	spec
	*process
}

func newStack(logs string, tell *narration, fail context.CancelCauseFunc) (*stack, error) {
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	return &stack{logs: logs, tell: tell, spawner: newSpawner(), fail: fail, changed: func() {}}, nil
}

// start runs one process, waits until it is ready, and looks after it from then on.
func (s *stack) start(ctx context.Context, spec spec) error {
	log := filepath.Join(s.logs, spec.name+".log")
	if err := os.Rename(log, filepath.Join(s.logs, spec.name+".previous.log")); err != nil && !os.IsNotExist(err) {
		return err
	}
	p, err := s.spawner.launch(spec, s.logs)
	if err != nil {
		return fmt.Errorf("%s: %w", spec.what, err)
	}
	m := &member{spec: spec, process: p}
	s.mu.Lock()
	s.running = append(s.running, m)
	s.mu.Unlock()
	if err := s.awaitReady(ctx, m); err != nil {
		return err
	}
	go s.attend(ctx, m)
	return nil
}

func (s *stack) awaitReady(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("%s was not ready within %s", m.what, readyWithin))
	defer cancel()
	if m.announces {
		select {
		case <-m.firstLine:
		case <-m.exited:
			return s.ended(m)
		case <-ctx.Done():
			return s.late(ctx, m, nil)
		}
	}
	var last error
	for m.ready != nil {
		if last = m.ready(ctx); last == nil {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-m.exited:
			return s.ended(m)
		case <-ctx.Done():
			return s.late(ctx, m, last)
		}
	}
	return nil
}

func (s *stack) ended(m *member) error {
	how := "without an error"
	if m.err != nil {
		how = m.err.Error()
	}
	return fmt.Errorf("%s ended (%s); the end of %s:\n%s", m.what, how, m.log, tail(m.log, 12))
}

func (s *stack) late(ctx context.Context, m *member, last error) error {
	err := context.Cause(ctx)
	if err == context.Canceled {
		return err
	}
	if last != nil {
		err = fmt.Errorf("%w: %w", err, last)
	}
	return fmt.Errorf("%w; the end of %s:\n%s", err, m.log, tail(m.log, 12))
}

// attend waits for the end of a process, and starts it again or ends the run.
func (s *stack) attend(ctx context.Context, m *member) {
	for wait := restartFirst; ; wait = min(2*wait, restartMost) {
		<-m.exited
		if s.isStopping() {
			return
		}
		err := s.ended(m)
		if !m.restart {
			s.fail(err)
			return
		}
		if time.Since(m.started) > settled {
			wait = restartFirst
		}
		s.tell.note("%v\n  it is started again in %s", err, wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := s.again(m); err != nil {
			s.fail(fmt.Errorf("%s could not be started again: %w", m.what, err))
			return
		}
		s.tellChange()
	}
}

// onChange sets what is called after each restart.
func (s *stack) onChange(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = do
}

func (s *stack) tellChange() {
	s.mu.Lock()
	do, stopping := s.changed, s.stopping
	s.mu.Unlock()
	if !stopping {
		do()
	}
}

// again replaces the process of a member, unless everything is being stopped.
func (s *stack) again(m *member) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	p, err := s.spawner.launch(m.spec, s.logs)
	if err == nil {
		m.process = p
	}
	return err
}

func (s *stack) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// pids are the process IDs by name.
func (s *stack) pids() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	pids := map[string]int{"devstack": os.Getpid()}
	for _, m := range s.running {
		pids[m.name] = m.cmd.Process.Pid
	}
	return pids
}

// stop ends the children: first those that use the servers, together, and then
// the servers, so that whoever is in the middle of something can finish it.
// Closing hurry kills what is left.
func (s *stack) stop(hurry <-chan struct{}) {
	s.mu.Lock()
	s.stopping = true
	members := s.running
	s.mu.Unlock()
	for _, servers := range []bool{false, true} {
		var all sync.WaitGroup
		var mu sync.Mutex
		var killed []string
		for _, m := range members {
			if m.server != servers {
				continue
			}
			all.Go(func() {
				if !m.process.stop(m.stopWithin, hurry) {
					mu.Lock()
					defer mu.Unlock()
					killed = append(killed, m.name)
				}
			})
		}
		all.Wait()
		if len(killed) > 0 {
			s.tell.note("killed, since it took too long to stop: %s", strings.Join(killed, ", "))
		}
	}
}
