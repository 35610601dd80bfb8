package backend

import (
	"context"
	"sync"
	"time"

	"connectedapps/workflows"
)

const (
	// MaxRows is how many connections of an environment are sorted and counted here,
	// since Temporal cannot. More are said to be more.
	MaxRows = 5000
	// rowsLife is how long a list is shown again without asking.
	rowsLife = 5 * time.Second
	// rowsPage is the largest page that Temporal gives.
	rowsPage = 1000
	// renewShare bounds what renewing ahead costs: one part in so many of the time. A
	// thousand rows take Temporal about a tenth of a second.
	renewShare = 20
	// renewTime bounds one renewal ahead.
	renewTime = 20 * time.Second
)

// Rows are the open connections of an environment as they were a few seconds ago.
type Rows struct {
	Rows []workflows.Row
	// More: there are further ones, which are not among them.
	More bool
	At   time.Time
}

// Lists keeps each environment's connections for a few seconds, so that sorting,
// paging and counting do not ask for all of them each time. The zero value is ready.
type Lists struct {
	// Ahead is how long after somebody has looked a list is renewed before it is asked for,
	// so that people who come back do not wait. 0 renews nothing ahead.
	Ahead time.Duration

	mu   sync.Mutex
	kept map[string]*kept
}

type kept struct {
	turn chan struct{} // taken while asking, so that many who look at once ask once

	mu      sync.Mutex // guards what follows
	rows    Rows
	took    time.Duration // to ask for all of them, the last time
	changed time.Time     // a connection was, here
	asked   time.Time     // by a person
	// renewing: somebody keeps it fresh.
	renewing bool
}

// Connections answers the environment's connections; the slice is shared and must not be changed.
func (l *Lists) Connections(ctx context.Context, e Environment) (Rows, error) {
	k := l.of(e.Name)
	rows, err := k.ask(ctx, e, rowsLife)
	if err == nil {
		l.renewAhead(e, k)
	}
	return rows, err
}

// renewAhead keeps a list fresh while people look at it, at an interval that makes up
// for what it costs. A renewal that fails ends it: whoever looks next asks, and is told.
func (l *Lists) renewAhead(e Environment, k *kept) {
	k.mu.Lock()
	k.asked = time.Now()
	begin := l.Ahead > 0 && !k.renewing
	k.renewing = k.renewing || begin
	k.mu.Unlock()
	if begin {
		go k.renew(e, l.Ahead)
	}
}

// renew is that somebody.
func (k *kept) renew(e Environment, ahead time.Duration) {
	for {
		time.Sleep(k.interval())
		ctx, cancel := context.WithTimeout(context.Background(), renewTime)
		_, err := k.ask(ctx, e, rowsLife/2)
		cancel()
		k.mu.Lock()
		k.renewing = err == nil && time.Since(k.asked) < ahead
		over := !k.renewing
		k.mu.Unlock()
		if over {
			return
		}
	}
}

// interval is how long to wait before the next renewal.
func (k *kept) interval() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return max(rowsLife*4/5, renewShare*k.took)
}

// fresh is what is kept, unless that is older than life or than a change.
func (k *kept) fresh(life time.Duration) (Rows, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rows, k.rows.At.After(k.changed) && time.Since(k.rows.At) < life
}

// ask answers what is kept, or all there is once that is older than life.
func (k *kept) ask(ctx context.Context, e Environment, life time.Duration) (Rows, error) {
	if rows, ok := k.fresh(life); ok {
		return rows, nil
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return Rows{}, ctx.Err()
	}
	defer func() { <-k.turn }()
	if rows, ok := k.fresh(life); ok {
		return rows, nil
	}
	found := Rows{At: time.Now()}
	var page []byte
	for {
		rows, next, err := e.Client.List(ctx, workflows.Filter{}, rowsPage, page)
		if err != nil {
			return Rows{}, err
		}
		found.Rows = append(found.Rows, rows...)
		if len(next) == 0 {
			break
		}
		if len(found.Rows) >= MaxRows {
			found.Rows, found.More = found.Rows[:MaxRows], true
			break
		}
		page = next
	}
	k.mu.Lock()
	k.rows, k.took = found, time.Since(found.At)
	k.mu.Unlock()
	return found, nil
}

// Changed forgets an environment's list: somebody has just changed one of its connections.
func (l *Lists) Changed(environment string) {
	k := l.of(environment)
	k.mu.Lock()
	k.changed = time.Now()
	k.mu.Unlock()
}

func (l *Lists) of(environment string) *kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[string]*kept{}
	}
	if l.kept[environment] == nil {
		l.kept[environment] = &kept{turn: make(chan struct{}, 1)}
	}
	return l.kept[environment]
}
