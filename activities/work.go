package activities

import (
	"context"
	"errors"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

const (
	// workFails and workFailsFor are how many attempts must have failed, and over how
	// long, with no success in between, before trouble that may pass is reported.
	workFails, workFailsFor = 3, 5 * time.Minute
	// workAgain is how long a reported trouble is not reported again.
	workAgain = time.Hour
	// workForgotten is how long after its last failure a streak no longer counts.
	workForgotten = 24 * time.Hour
	// workTold bounds the signal about it, which must not outlast the action by much.
	workTold = 5 * time.Second
)

// streaks are the failures of actions in this process, by connection, since the
// last success. What a worker that dies has counted is counted anew by another.
type streaks struct {
	mu   sync.Mutex
	held map[connection.ID]streak
}

// streak is the zero value where nothing has failed.
type streak struct {
	grant   string
	trouble connection.WorkTrouble
	// told is when it was reported last, and toldLasting that no wait will help against
	// what was told. They outlive a success: an action that works, beside one that never
	// does, must not make it news again and again.
	told        time.Time
	toldLasting bool
}

func newStreaks() *streaks { return &streaks{held: map[connection.ID]streak{}} }

// attempted notes how an attempt of an action went, and tells the Connection of
// trouble that does not end. It reports whether a success has ended one.
func (a *Activities) attempted(ctx context.Context, id connection.ID, stored connection.Stored, err error) (ended bool) {
	now := stored.Clock.Now()
	if err == nil {
		return a.streaks.succeeded(id, now)
	}
	problem, ok := connection.AsProblem(err)
	if !ok || !troubled(problem) || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	trouble, before, report := a.streaks.failed(id, stored.Grant, *problem, now)
	if !report {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTold)
	defer cancel()
	ref := connection.CredentialRef{Connection: id, Grant: stored.Grant, Generation: stored.Generation}
	if err := a.Workflows.WorkFailed(ctx, ref, trouble); err != nil {
		a.streaks.untold(id, before)
		a.Log.Warn("the connection could not be told that its actions fail; the next failure tells it",
			zap.String("connection", id.String()), zap.Error(err))
	}
	return false
}

// troubled reports a failure of the app, and of nothing that has a way of its own to be told.
func troubled(p *connection.Problem) bool {
	switch p.Verdict {
	case connection.ScopeLost, connection.ClientMisconfigured, connection.OutcomeUnknown:
		return true
	case connection.Transient:
		return p.Type == connection.ErrProviderUnavailable // not Vault, nor Temporal
	case connection.OK, connection.RateLimit, connection.RejectedInput, connection.Revoked:
	}
	return false
}

// lasting reports trouble that no wait ends: one failure says it all.
func lasting(v connection.Verdict) bool {
	return v == connection.ScopeLost || v == connection.ClientMisconfigured
}

// succeeded ends a streak. It reports whether that one had been told.
func (s *streaks) succeeded(id connection.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.held[id]
	if !ok {
		return false
	}
	ended := held.trouble.Count > 0 && !held.told.IsZero()
	held.trouble = connection.WorkTrouble{}
	if s.held[id] = held; !held.toldLasting || now.Sub(held.told) >= workAgain {
		delete(s.held, id)
	}
	return ended
}

// failed counts a failure and says whether the streak is to be reported now. It is
// then taken for told; before is what to put back where that fails.
func (s *streaks) failed(id connection.ID, grant string, p connection.Problem, now time.Time) (trouble connection.WorkTrouble, before streak, report bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held[id]
	if held.grant != grant {
		held = streak{grant: grant}
	}
	if held.trouble.Count == 0 || now.Sub(held.trouble.Last) > workForgotten {
		held.trouble = connection.WorkTrouble{Since: now}
	}
	held.trouble.Count++
	held.trouble.Last, held.trouble.Verdict, held.trouble.Reason = now, p.Verdict, connection.Bound(p.Message, 200)
	before = held
	if report = held.due(now); report {
		held.told, held.toldLasting = now, lasting(p.Verdict)
	}
	s.room(now)
	s.held[id] = held
	return held.trouble, before, report
}

// due reports whether a streak is to be told now. What is lasting is told at once,
// also where something that may pass was told before.
func (s streak) due(now time.Time) bool {
	last := lasting(s.trouble.Verdict)
	if !last && (s.trouble.Count < workFails || s.trouble.Last.Sub(s.trouble.Since) < workFailsFor) {
		return false
	}
	return s.told.IsZero() || now.Sub(s.told) >= workAgain || last && !s.toldLasting
}

// untold puts back when a streak was told last.
func (s *streaks) untold(id connection.ID, before streak) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.held[id]; ok {
		held.told, held.toldLasting = before.told, before.toldLasting
		s.held[id] = held
	}
}

// room makes room for one more; for whoever holds the lock.
func (s *streaks) room(now time.Time) {
	if len(s.held) < cacheSize {
		return
	}
	for id, held := range s.held {
		if now.Sub(held.trouble.Last) > workForgotten {
			delete(s.held, id)
		}
	}
	makeRoom(s.held)
}
