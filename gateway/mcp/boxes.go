package mcp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// maxBoxes bounds what callers can make a gateway keep, and maxBoxesEach what one of
// them can.
const maxBoxes, maxBoxesEach = 2000, 20

// boxes are the tools of all callers. While there are any, one goroutine looks at the
// toolkits of those with sessions and drops those that nobody uses. The zero value with
// a core is ready.
type boxes struct {
	*core
	mu       sync.Mutex
	all      map[string]*box
	watching bool
}

// of is a caller's tools; they are made where there are none yet, in place of those that
// the caller used least lately where there are many. They are held: whoever asked
// releases them after use.
func (s *boxes) of(subject string, v view) (*box, error) {
	texts := []string{subject, fmt.Sprint(v.search, v.output)}
	for _, ref := range v.refs {
		texts = append(texts, ref.String())
	}
	key := strings.Join(texts, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.all[key]; b != nil {
		b.hold()
		return b, nil
	}
	if !s.roomFor(subject) {
		return nil, connection.RateLimited("too many sets of toolkits are in use by this caller just now", 10*time.Second)
	}
	if len(s.all) >= maxBoxes {
		return nil, connection.RateLimited("too many agents use this gateway just now", 10*time.Second)
	}
	if s.all == nil {
		s.all = map[string]*box{}
	}
	b := s.newBox(v)
	b.subject = subject
	b.hold()
	s.all[key] = b
	if !s.watching {
		s.watching = true
		go s.watch()
	}
	return b, nil
}

// roomFor reports whether a caller may have one more; where they have all they may, the
// one goes that is not in use and was used least lately. The lock is held.
func (s *boxes) roomFor(subject string) bool {
	count, victim := 0, ""
	var oldest time.Time
	for key, b := range s.all {
		if b.subject != subject {
			continue
		}
		count++
		if used, unused := b.unused(); unused && (victim == "" || used.Before(oldest)) {
			victim, oldest = key, used
		}
	}
	if count < maxBoxesEach {
		return true
	}
	if victim != "" {
		delete(s.all, victim)
	}
	return victim != ""
}

func (s *boxes) watch() {
	tick := time.NewTicker(s.pace.look)
	defer tick.Stop()
	for {
		select {
		case <-s.stopping:
			return
		case <-tick.C:
		}
		open, ended := s.sweep()
		for _, b := range open {
			if err := b.look(context.Background(), s.pace.fresh); err != nil {
				s.Log.Warn("toolkits cannot be looked at; what was known of them stays", zap.Error(err))
			}
		}
		if ended {
			return
		}
	}
}

// close ends every session, at its own pace.
func (s *boxes) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		for session := range b.server.Sessions() {
			go func() { _ = session.Close() }() // the process ends in any case
		}
	}
}

// sweep drops what nobody uses, and answers what is in use. It reports an end where nothing is left.
func (s *boxes) sweep() (open []*box, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, b := range s.all {
		if b.idle() {
			delete(s.all, key)
			continue
		}
		for range b.server.Sessions() {
			open = append(open, b)
			break
		}
	}
	s.watching = len(s.all) > 0
	return open, !s.watching
}
