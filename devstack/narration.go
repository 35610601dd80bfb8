package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// narration tells a person at the terminal what happens. It is safe for
// concurrent use; what is told at once stays together.
type narration struct {
	mu    sync.Mutex
	out   io.Writer
	steps int
}

// heading starts a part.
func (n *narration) heading(format string, args ...any) { n.print("\n"+format+"\n", args...) }

// note is something worth knowing between the steps.
func (n *narration) note(format string, args ...any) { n.print("  "+format+"\n", args...) }

// part says that one part of the stack is ready.
func (n *narration) part(what string, took time.Duration, about string) {
	n.print("  %-22s ready in %-7s %s\n", what, brief(took), about)
}

// say is a line within a step: a word for what it is about, and the rest.
func (n *narration) say(about, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.print("     %-13s%s\n", about, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 18)))
}

// step tells what is about to be done, does it, and tells how long it took.
func (n *narration) step(title string, do func() error) error {
	n.mu.Lock()
	n.steps++
	number := n.steps
	n.mu.Unlock()
	n.print("\n  %d. %s\n", number, title)
	started := time.Now()
	if err := do(); err != nil {
		n.say("FAILED", "%v", err)
		return fmt.Errorf("step %d, %s: %w", number, title, err)
	}
	n.say("done", "in %s", brief(time.Since(started)))
	return nil
}

func (n *narration) print(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintf(n.out, format, args...) // a closed terminal must not stop the work
}

// brief writes a duration as a person would say it.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / unit.size; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
		}
		d %= unit.size
	}
	return strings.Join(parts, " ")
}
