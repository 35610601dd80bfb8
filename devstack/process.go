package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one running child.
type process struct {
	cmd *exec.Cmd
	log string
	// firstLine gets the first line of standard output, where a server says that it is ready.
	firstLine chan string
	exited    chan struct{}
	started   time.Time
	// err is how it ended; read it after exited is closed.
	err error
}

// spawner starts processes from one thread that never ends. The kernel sends the
// death signal of a child when the *thread* that made it ends, and Go ends threads at will.
type spawner struct{ requests chan func() }

func newSpawner() spawner {
	s := spawner{make(chan func())}
	go func() {
		runtime.LockOSThread()
		for request := range s.requests {
			request()
		}
	}()
	return s
}

func (s spawner) start(cmd *exec.Cmd) error {
	done := make(chan error)
	s.requests <- func() { done <- cmd.Start() }
	return <-done
}

// launch starts a binary with the launcher's environment and more, its output in a log file.
func (s spawner) launch(spec spec, logs string) (*process, error) {
	path := filepath.Join(logs, spec.name+".log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(spec.binary, spec.args...)
	cmd.Env = append(os.Environ(), spec.env...)
	cmd.Stdout, cmd.Stderr = file, file
	p := &process{cmd: cmd, log: path, exited: make(chan struct{}), firstLine: make(chan string, 1), started: time.Now()}
	if spec.announces {
		cmd.Stdout = &lineWatch{out: file, first: p.firstLine}
	}
	cmd.SysProcAttr = attributes()
	if err := s.start(cmd); err != nil {
		_ = file.Close()
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is not built: run make build", spec.binary)
		}
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		_ = file.Close()
		close(p.exited)
	}()
	return p, nil
}

// signal reaches the process and whatever it started.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, sig) }

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// stop asks it to end, and ends it when the time is up or hurry is closed. It
// reports whether it ended by itself.
func (p *process) stop(within time.Duration, hurry <-chan struct{}) bool {
	if !p.running() {
		return true
	}
	p.signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		return true
	case <-time.After(within):
	case <-hurry:
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
	return false
}

// tail is the end of a log, indented, for an error message.
func tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	const enough = 16 << 10
	if size, err := file.Seek(0, io.SeekEnd); err == nil && size > enough {
		_, _ = file.Seek(-enough, io.SeekEnd)
	} else {
		_, _ = file.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(file)
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	all = all[max(0, len(all)-lines):]
	return "    | " + strings.Join(all, "\n    | ")
}

// lineWatch passes everything on and tells the first line.
type lineWatch struct {
	out   io.Writer
	first chan<- string
	mu    sync.Mutex
	held  []byte
	told  bool
}

func (w *lineWatch) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.told {
		w.held = append(w.held, text...)
		if line, _, ok := bytes.Cut(w.held, []byte("\n")); ok {
			w.told = true
			w.first <- string(line)
			w.held = nil
		}
	}
	return w.out.Write(text)
}
