package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// pseudoTerminal is a terminal and what somebody at it sees.
func pseudoTerminal(t *testing.T) (tty, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	var locked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &locked, syscall.TIOCGPTN: &number} {
		if _, _, code := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(unsafe.Pointer(value))); code != 0 {
			t.Fatal(code)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return tty, screen
}

// Somebody who starts the gateway at a terminal is shown a link there.
func TestServeGreetsATerminal(t *testing.T) {
	newKVServer(t)
	t.Setenv("CONNECTED_APPS_LISTEN", "127.0.0.1:0")
	tty, screen := pseudoTerminal(t)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	root := newRoot(&program{in: strings.NewReader(""), out: tty, errOut: io.Discard})
	root.SetArgs([]string{"serve"})
	stopped := make(chan error, 1)
	go func() { stopped <- root.ExecuteContext(ctx) }()
	seen := bufio.NewScanner(screen)
	for _, want := range []string{"The gateway is at ", "Sign in, once and within ten minutes: http://127.0.0.1:8400/sign-in/development_"} {
		if !seen.Scan() || !strings.HasPrefix(seen.Text(), want) {
			t.Errorf("%q, %v", seen.Text(), seen.Err())
		}
	}
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
