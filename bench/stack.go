package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"connectedapps/connectors"
	"connectedapps/vault"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// stack is one running development stack with an administrator's view of it. The
// rig has one; bars that need many connections, or another worker, start their own.
type stack struct {
	view     *rig // for what the rig can count
	dir      string
	offset   int
	ready    record
	client   *workflows.Client
	admin    *vault.Client // as Vault's administrator
	sandbox  *sandbox
	launcher *exec.Cmd // nil for the rig's own
	ended    chan struct{}
}

// stackOffset is how far the ports of one stack are from those of the next; no two of a
// handful of stacks meet.
const stackOffset = 20

// ownStack starts a stack of those binaries beside the rig's. The variables are added to
// its environment, and so to that of its workers. Close it.
func (r *rig) ownStack(ctx context.Context, number int, bin string, variables ...string) (*stack, error) {
	offset := r.offset + stackOffset*number
	s := &stack{dir: filepath.Join(r.dir, "stack-"+strconv.Itoa(number)), offset: offset, ended: make(chan struct{})}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(s.dir, "launcher.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the launcher has it
	template := filepath.Join(r.bin, "..", "devstack", "vault", "server.hcl.tmpl")
	s.launcher = exec.Command(filepath.Join(r.bin, "devstack"), "up", "--no-main-job", "--bin", bin, "--dir", s.dir, "--access-ttl", "24h",
		"--vault-config", template, "--port-offset", strconv.Itoa(offset), "--temporal-metrics-port", strconv.Itoa(metricsPort+offset))
	// What the rig's own stack has left in the environment would be taken for servers to use.
	s.launcher.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "CONNECTED_APPS_") || strings.HasPrefix(v, "TEMPORAL_") || strings.HasPrefix(v, "VAULT_")
	})
	s.launcher.Env = append(s.launcher.Env, variables...)
	s.launcher.Stdout, s.launcher.Stderr = log, log
	s.launcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := start(s.launcher); err != nil {
		return nil, err
	}
	go func() { _ = s.launcher.Wait(); close(s.ended) }()
	if err := s.await(ctx); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.close()
		return nil, fmt.Errorf("%w:\n%s", err, text)
	}
	return s, s.open()
}

func (s *stack) await(ctx context.Context) error {
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	for s.reload() != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
			return errNotReady
		case <-deadline.C:
			return errNotReady
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// reload reads the launcher's record again, after a process was started again.
func (s *stack) reload() error { return readJSON(filepath.Join(s.dir, "ready.json"), &s.ready) }

// open makes the clients from the record alone: the environment is the rig's.
func (s *stack) open() error {
	var initial struct {
		RootToken string `json:"root_token"`
	}
	if err := readJSON(filepath.Join(s.dir, "vault", "init.json"), &initial); err != nil {
		return err
	}
	var err error
	s.admin, err = vault.Open(vault.Config{Layout: vault.Layout{Environment: environment}, Address: s.ready.Vault, Token: initial.RootToken})
	if err != nil {
		return err
	}
	t, err := client.NewLazyClient(client.Options{HostPort: s.ready.Temporal, Namespace: environment, Logger: quiet{}})
	if err != nil {
		return err
	}
	catalogue, err := connectors.Load()
	if err != nil {
		return err
	}
	s.client = &workflows.Client{Temporal: t, Environment: environment, NamespaceName: environment, Catalogue: catalogue}
	s.sandbox = &sandbox{url: s.ready.Sandbox}
	s.view = &rig{dir: s.dir, ready: s.ready, client: s.client}
	return readJSON(s.ready.SandboxCredentials, &s.sandbox.credentials)
}

// stack is the rig's own.
func (r *rig) stack() (*stack, error) {
	s := &stack{dir: r.dir, offset: r.offset, ready: r.ready, ended: r.ended}
	return s, s.open()
}

// restartWorker ends the worker as a crash would, and waits until the launcher's next one is ready.
func (s *stack) restartWorker(ctx context.Context) error {
	old := s.worker()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		return err
	}
	for s.worker() == old || !answers(ctx, s.ready.Workers[environment]+"/readyz") {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		if err := s.reload(); err != nil {
			return err
		}
	}
	return nil
}

// worker is the process ID of the measured worker.
func (s *stack) worker() int { return s.ready.PIDs["worker-"+environment] }

// answers reports whether the address answers 200.
func answers(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// close stops a stack of one's own.
func (s *stack) close() {
	if s.client != nil {
		s.client.Temporal.Close()
	}
	if s.launcher == nil {
		return
	}
	_ = s.launcher.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopWithin):
		_ = s.launcher.Process.Kill()
	}
	_ = os.RemoveAll(s.dir) // below the rig's, which says what it cannot remove
}

// log is where a process of the stack writes.
func (s *stack) log(process string) string { return filepath.Join(s.ready.Logs, process+".log") }

var errTooLong = errors.New("it took too long")

// until asks again and again, less and less often, until it is so, an error comes or the time is up.
func until(ctx context.Context, within time.Duration, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTooLong)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(wait*3/2, time.Second) {
		if done, err := is(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}
