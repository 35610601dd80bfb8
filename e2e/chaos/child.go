package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// child is a process that the rig has started.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func run(binary string, args, env []string, log string) (*child, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := start(cmd); err != nil {
		return nil, fmt.Errorf("%w; build it first with: make build", err)
	}
	c := &child{cmd, make(chan struct{})}
	go func() { _ = cmd.Wait(); close(c.ended) }()
	return c, nil
}

// kill is SIGKILL: nothing of the process runs any more when it returns.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

func (c *child) terminate(within time.Duration) {
	c.signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(within):
		c.kill()
	}
}

// starts are run by one thread that never ends: the kernel sends the death signal of a
// child when the thread that made it ends, and Go ends threads at will.
var starts = sync.OnceValue(func() chan<- func() {
	all := make(chan func())
	go func() {
		runtime.LockOSThread()
		for next := range all {
			next()
		}
	}()
	return all
})

func start(cmd *exec.Cmd) error {
	done := make(chan error)
	starts() <- func() { done <- cmd.Start() }
	return <-done
}
