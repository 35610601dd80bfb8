package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// cell is one place of the matrix, visited once: what was done to one connection there,
// and what came of it.
type cell struct {
	lane    *lane
	subject *subject
	point   point
	strike  strike
	let     release
	// storeAfter: the store fault begins with the strike; otherwise with the operation.
	storeAfter bool
	action     string
	actionKey  string

	began  time.Time
	struck time.Time
	came   bool // to the point, before the strike
	// released is when what was held went on.
	released time.Time
	err      error
	ended    time.Time
}

const (
	// gather is how long a round waits for its connections to come to the point: less than
	// the ten seconds after which the product gives a request to Vault up and goes on.
	gather = 8 * time.Second
	// storeFor is how long a store fault lasts.
	storeFor = 3 * time.Second
)

// round takes a lane to one point.
func (l *lane) round(ctx context.Context, at point, how strike, dice *rand.Rand, n int) ([]*cell, error) {
	subjects, err := l.prepare(ctx, at, n)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", at.name, err)
	}
	let := drop
	if !at.answered && dice.IntN(2) == 0 {
		let = late
	}
	var cells []*cell
	keys := make([]string, 0, len(subjects))
	for i, s := range subjects {
		cells = append(cells, &cell{lane: l, subject: s, point: at, strike: how, let: let, storeAfter: dice.IntN(2) == 0 || l.storeAfter,
			action: cmp.Or(l.action, actions[dice.IntN(len(actions))]), actionKey: fmt.Sprintf("chaos-%s-%d-%d", l.environment, n, i)})
		keys = append(keys, l.key(s))
	}
	held := l.gate.holdAt(l.environment, at, keys)
	var running sync.WaitGroup
	for _, c := range cells {
		c.began = time.Now()
		if how != calm && !c.storeAfter {
			l.gate.breakFor(l.key(c.subject), c.subject.store, storeFor)
		}
		running.Go(func() { c.work(ctx); c.ended = time.Now() })
	}
	came := map[string]bool{}
	if how == calm {
		l.gate.let(l.environment, deliver)
	} else {
		came = held.await(len(cells), gather)
		held.seal(l.gate)
	}
	struck := time.Now()
	for _, c := range cells {
		c.struck, c.came = struck, came[l.key(c.subject)]
		if how != calm && c.storeAfter {
			l.gate.breakFor(l.key(c.subject), c.subject.store, storeFor+2*time.Second)
		}
	}
	if err := l.strike(ctx, how, let, func() *hold { return l.gate.holdAt(l.environment, at, slices.Collect(maps.Keys(came))) }); err != nil {
		return nil, fmt.Errorf("%s at %s: %w", how, at.name, err)
	}
	for _, c := range cells {
		c.released = time.Now() // or a little earlier: the strike ends with it
	}
	running.Wait()
	for _, c := range cells {
		c.came = c.came && c.ended.After(struck) // one that was over had nothing left to be struck
	}
	for _, s := range subjects {
		l.gate.mend(l.key(s))
	}
	l.bury()
	return cells, ctx.Err()
}

// prepare answers the connections of a round: those that last, or some of their kind
// that are made for it.
func (l *lane) prepare(ctx context.Context, at point, n int) ([]*subject, error) {
	var subjects []*subject
	switch at.op {
	case opRefresh, opAction:
		return l.subjects, nil
	case opConnect, opDisconnect, opRevoked:
		for _, s := range l.subjects {
			fresh := *s
			fresh.name = fmt.Sprintf("%s-%d", s.name, n)
			subjects = append(subjects, &fresh)
		}
	}
	if at.op == opConnect {
		return subjects, each(subjects, func(s *subject) (err error) {
			s.person, s.callback, err = l.callback(ctx, s)
			return err
		})
	}
	if err := l.connectAll(ctx, subjects); err != nil {
		return nil, err
	}
	if at.op == opRevoked {
		for _, s := range subjects {
			if err := l.sandbox.revoke(ctx, s.family); err != nil {
				return nil, err
			}
		}
	}
	return subjects, nil
}

// connectAll makes several connections at a time.
func (l *lane) connectAll(ctx context.Context, subjects []*subject) error {
	return each(subjects, func(s *subject) error { return l.connect(ctx, s) })
}

// each does something for some connections at a time, and answers the first error.
func each(subjects []*subject, do func(*subject) error) error {
	errs := make(chan error, len(subjects))
	slots := make(chan struct{}, 6)
	for _, s := range subjects {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			err := do(s)
			if err != nil {
				err = fmt.Errorf("%s: %w", s.name, err)
			}
			errs <- err
		}()
	}
	var first error
	for range subjects {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// work is the operation on one connection.
func (c *cell) work(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, opWithin)
	defer cancel()
	switch c.point.op {
	case opRefresh:
		c.err = c.lane.refresh(ctx, c.subject, c.strike)
	case opRevoked:
		if c.action == "list-contacts" { // work finds out, or a person
			_, c.err = c.lane.act(ctx, c.subject, c.action, c.actionKey)
			return
		}
		_, c.err = c.lane.product.Refresh(ctx, c.lane.id(c.subject))
	case opAction:
		_, c.err = c.lane.act(ctx, c.subject, c.action, c.actionKey)
	case opConnect:
		c.err = c.lane.deliver(ctx, c.subject, c.subject.person, c.subject.callback)
	case opDisconnect:
		c.err = c.lane.disconnect(ctx, c.subject)
	}
}

// every connection that lasts: one for each rotation mode and store fault.
func everySubject(modes []mode, stores []string) []*subject {
	var all []*subject
	for _, m := range modes {
		for _, store := range stores {
			all = append(all, &subject{name: method(m) + "-" + store, mode: m, store: store})
		}
	}
	return all
}
