package mcp

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxSessions bounds the open sessions, and maxSessionsEach those of one caller: a
	// client that begins one a minute and ends none has sixty before the first is over.
	maxSessions, maxSessionsEach = 1000, 100
	// maxStreams bounds the answers of one session that can be resumed.
	maxStreams = 64
	// maxKept bounds the bytes kept for resuming, and maxKeptEach those of one session.
	maxKept, maxKeptEach = 32 << 20, 1 << 20
	// eventCost is about what keeping an event takes beside its bytes.
	eventCost = 64
)

var errNoSession = errors.New("this session is not open")

// sessions counts the open sessions, and keeps what they were sent, so that a client
// which lost a connection can resume. The SDK tells it of their begin and end. The zero
// value is ready.
type sessions struct {
	mu   sync.Mutex
	open limit
	kept int
	all  map[string]*sent
}

var _ sdk.EventStore = (*sessions)(nil)

// sent is what one session was sent.
type sent struct {
	subject string
	kept    int
	streams map[string]*stream
	// order is that in which the streams of calls were opened. The one that belongs to no
	// call, "", stays as long as the session.
	order []string
}

// stream is one answer: its events from the index first on.
type stream struct {
	first  int
	events [][]byte
}

// seat is room for one session, for a request that may open one.
type seat struct {
	subject string
	taken   bool
}

type seatKey struct{}

// reserve makes room for a session, which whoever asked leaves after the request.
func (s *sessions) reserve(ctx context.Context, subject string) (with context.Context, leave func(), err error) {
	if !s.open.take(subject, maxSessions, maxSessionsEach) {
		return nil, nil, connection.RateLimited("too many sessions are open", 10*time.Second)
	}
	one := &seat{subject: subject}
	return context.WithValue(ctx, seatKey{}, one), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !one.taken {
			one.taken = true
			s.open.leave(subject)
		}
	}, nil
}

// Open implements [sdk.EventStore]. The first stream of a session takes a seat.
func (s *sessions) Open(ctx context.Context, sessionID, streamID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[sessionID]
	if one == nil {
		place, ok := ctx.Value(seatKey{}).(*seat)
		if !ok || place.taken {
			return errNoSession
		}
		place.taken = true
		one = &sent{subject: place.subject, streams: map[string]*stream{"": {}}}
		if s.all == nil {
			s.all = map[string]*sent{}
		}
		s.all[sessionID] = one
	}
	if one.streams[streamID] != nil {
		return nil
	}
	one.streams[streamID] = &stream{}
	if one.order = append(one.order, streamID); len(one.order) > maxStreams {
		for s.dropFirst(one, one.order[0]) {
		}
		delete(one.streams, one.order[0])
		one.order = slices.Delete(one.order, 0, 1)
	}
	return nil
}

// Append implements [sdk.EventStore]. What is older makes room, first in the same
// session and then in the one that keeps the most.
func (s *sessions) Append(_ context.Context, sessionID, streamID string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[sessionID]
	if one == nil {
		return errNoSession
	}
	to := one.streams[streamID]
	if to == nil {
		return sdk.ErrEventsPurged
	}
	to.events = append(to.events, data)
	one.kept, s.kept = one.kept+len(data)+eventCost, s.kept+len(data)+eventCost
	for one.kept > maxKeptEach && s.dropOldest(one) {
	}
	for s.kept > maxKept {
		most := one
		for _, other := range s.all {
			if other.kept > most.kept {
				most = other
			}
		}
		if !s.dropOldest(most) {
			break
		}
	}
	return nil
}

// dropOldest drops the first event of the oldest stream that has any. The lock is held.
func (s *sessions) dropOldest(one *sent) bool {
	for _, id := range one.order {
		if s.dropFirst(one, id) {
			return true
		}
	}
	return s.dropFirst(one, "")
}

func (s *sessions) dropFirst(one *sent, streamID string) bool {
	from := one.streams[streamID]
	if len(from.events) == 0 {
		return false
	}
	size := len(from.events[0]) + eventCost
	one.kept, s.kept = one.kept-size, s.kept-size
	from.events[0] = nil
	from.first, from.events = from.first+1, from.events[1:]
	return true
}

// After implements [sdk.EventStore].
func (s *sessions) After(_ context.Context, sessionID, streamID string, index int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		events, err := s.after(sessionID, streamID, index)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, data := range events {
			if !yield(data, nil) {
				return
			}
		}
	}
}

func (s *sessions) after(sessionID, streamID string, index int) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[sessionID]
	if one == nil {
		return nil, errNoSession
	}
	from := one.streams[streamID]
	if from == nil || index+1 < from.first {
		return nil, sdk.ErrEventsPurged
	}
	return slices.Clone(from.events[min(index+1-from.first, len(from.events)):]), nil
}

// SessionClosed implements [sdk.EventStore].
func (s *sessions) SessionClosed(_ context.Context, sessionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.all[sessionID]; one != nil {
		delete(s.all, sessionID)
		s.kept -= one.kept
		s.open.leave(one.subject)
	}
	return nil
}
