package mcp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// A request that cannot be read costs no look and leaves no tools.
func TestUnreadableRequestLeavesNothing(t *testing.T) {
	b := newBench(t)
	if status, _, _ := b.post("", strings.Repeat(" ", maxBody+1), map[string]string{"Authorization": "Bearer agent"}); status != 400 {
		t.Errorf("a large request: %d", status)
	}
	b.handler.boxes.mu.Lock()
	defer b.handler.boxes.mu.Unlock()
	if len(b.handler.boxes.all) != 0 || b.looked() != 0 {
		t.Errorf("%d sets of tools, %d looks", len(b.handler.boxes.all), b.looked())
	}
}

// Whoever waits for another's look may stop waiting, and whoever gives up their own does
// not fail it for others.
func TestLookHeedsWhoAsks(t *testing.T) {
	b := newBench(t)
	b.lookWaits = make(chan struct{})
	tools := b.handler.newBox(view{refs: []connection.ToolkitRef{ref("development/atlas/main")}})
	first, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	gaveUp := make(chan error, 1)
	go func() { gaveUp <- tools.look(first, time.Hour) }()
	eventually(t, "the first look", func() bool { return b.looked() == 1 })
	second, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	waited := make(chan error, 1)
	go func() { waited <- tools.look(second, time.Hour) }()
	select {
	case err := <-waited:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waited: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("who waited could not stop")
	}
	giveUp()
	if err := <-gaveUp; err == nil {
		t.Error("who gave up saw something")
	}
	close(b.lookWaits)
	if err := tools.look(context.Background(), time.Hour); err != nil {
		t.Errorf("who asked next: %v", err)
	}
}

// A first look that failed is not repeated at once, and is later.
func TestFailedLookIsRemembered(t *testing.T) {
	b := newBench(t)
	b.describe = connection.VaultUnavailable("it is away")
	tools := b.handler.newBox(view{refs: []connection.ToolkitRef{ref("development/atlas/main")}})
	for range 3 {
		if err := tools.look(context.Background(), time.Hour); connection.TypeOf(err) != connection.ErrVaultUnavailable {
			t.Errorf("%v", err)
		}
	}
	if b.looked() != 1 {
		t.Errorf("%d looks", b.looked())
	}
	b.mu.Lock()
	b.describe = nil
	b.mu.Unlock()
	time.Sleep(2 * time.Millisecond)
	if err := tools.look(context.Background(), time.Millisecond); err != nil || b.looked() != 2 {
		t.Errorf("%d looks, %v", b.looked(), err)
	}
}
