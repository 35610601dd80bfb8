package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"
)

// plan is what a campaign is to do.
type plan struct {
	seed   uint64
	sweeps int
	// only are the points whose name matches; nil is all.
	only *regexp.Regexp
	// modes and stores of the matrix.
	modes    []mode
	stores   []string
	controls []control
	crowds   bool
	root     string // of the repository
	bin      string
	keep     bool
	seen     bool // tell of every cell what the gates saw
	// portOffset keeps the rig's ports apart from those of a stack that somebody works with.
	portOffset int
	say        func(format string, args ...any)
}

// task is one thing for a lane to do.
type task struct {
	name string
	run  func(ctx context.Context, l *lane) error
}

// campaign runs all of it. The board is whole as far as it goes, also with an error.
func campaign(ctx context.Context, p plan) (*board, error) {
	b := newBoard(p.seed, p.sweeps)
	r, err := startRig(ctx, p)
	if err != nil {
		return b, err
	}
	defer func() { r.stop(p.keep) }()
	p.say("the servers run; logs and state are in %s", r.dir)
	if err := p.openLanes(ctx, r); err != nil {
		return b, err
	}
	chosen := p.points()
	err = p.share(ctx, r, p.tasks(r, b, chosen))
	for again := 0; err == nil && again < moreRounds; again++ {
		err = p.share(ctx, r, p.moreTasks(b, chosen, again))
	}
	if err == nil {
		err = r.close(ctx, b)
	}
	b.close(r.gate.met(), chosen, p.modes, p.stores)
	return b, err
}

func (p plan) points() []point {
	var chosen []point
	for _, at := range points {
		if p.only == nil || p.only.MatchString(at.name) {
			chosen = append(chosen, at)
		}
	}
	return chosen
}

func (p plan) openLanes(ctx context.Context, r *rig) error {
	began := time.Now()
	for _, environment := range environments {
		l, err := r.newLane(ctx, environment, filepath.Join(p.bin, "connected-apps-worker"))
		if err != nil {
			return fmt.Errorf("the lane %s: %w", environment, err)
		}
		l.subjects = everySubject(p.modes, p.stores)
		if err := l.connectAll(ctx, l.subjects); err != nil {
			return fmt.Errorf("the connections of %s: %w", environment, err)
		}
	}
	p.say("%d connections in %d lanes after %s", len(p.modes)*len(p.stores)*len(environments), len(environments), time.Since(began).Round(time.Second))
	return nil
}

// tasks are the rounds of every sweep, shuffled by the seed, and the controls.
func (p plan) tasks(r *rig, b *board, chosen []point) []task {
	dice := rand.New(rand.NewPCG(p.seed, 0))
	var all []task
	for sweep := range p.sweeps {
		for i, at := range chosen {
			n := len(all)
			how := at.strikes[(sweep+dice.IntN(2)*min(sweep, 1))%len(at.strikes)]
			own := rand.New(rand.NewPCG(p.seed, uint64(sweep*len(points)+i+1)))
			all = append(all, b.roundOf(at, how, own, n))
		}
	}
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, c := range p.controls {
		n := 10000 + i
		own := rand.New(rand.NewPCG(p.seed, uint64(n)))
		all = append(all, task{"control: without " + c.without, func(ctx context.Context, l *lane) error {
			worker, err := c.mutant(ctx, p.root, r.dir, "./worker")
			if err != nil {
				return err
			}
			told, err := c.run(ctx, l, worker, own, n)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.Controls = append(b.Controls, told)
			return err
		}})
	}
	if p.crowds {
		all = append(all, task{"a crowd of 500", func(ctx context.Context, l *lane) error {
			found, err := l.crowd(ctx, l.subjects[0])
			b.mu.Lock()
			defer b.mu.Unlock()
			b.find(found...)
			return err
		}})
	}
	return all
}

// roundOf is a round of a lane to one point.
func (b *board) roundOf(at point, how strike, dice *rand.Rand, n int) task {
	return task{fmt.Sprintf("%s, %s", at.name, how), func(ctx context.Context, l *lane) error {
		cells, err := l.round(ctx, at, how, dice, n)
		if err != nil {
			return err
		}
		return judgeAll(ctx, cells, func(v *verdict) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.add(v)
		})
	}}
}

// moreRounds is how often those are taken to a point again who have not been at it.
const moreRounds = 3

// moreTasks take whoever has not been at a point there again, with a store that does not
// stand in the way: it breaks with the strike.
func (p plan) moreTasks(b *board, chosen []point, again int) []task {
	var all []task
	for i, at := range chosen {
		missed := b.missed(at, p.modes, p.stores)
		if len(missed) == 0 {
			continue
		}
		n := 20000 + again*len(points) + i
		action := ""
		if at.op == opRevoked { // an app that renews no access before its end is asked nothing by a person's refresh
			action = "list-contacts"
		}
		one := b.roundOf(at, at.strikes[0], rand.New(rand.NewPCG(p.seed, uint64(n))), n)
		all = append(all, task{one.name + ", once more", func(ctx context.Context, l *lane) error {
			return l.only(func(s *subject) bool { return slices.Contains(missed, cellName(at, s.mode, s.store)) }, action, true,
				func() error { return one.run(ctx, l) })
		}})
	}
	return all
}

// judgeAll judges some cells at a time.
func judgeAll(ctx context.Context, cells []*cell, add func(*verdict)) error {
	slots := make(chan struct{}, 8)
	errs := make(chan error, len(cells))
	for _, c := range cells {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			v, err := c.judge(ctx)
			if err == nil {
				add(v)
			}
			errs <- err
		}()
	}
	var all []error
	for range cells {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// share lets every lane take the next task as soon as it is free.
func (p plan) share(ctx context.Context, r *rig, work []task) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	var mu sync.Mutex
	var failed []error
	next := 0
	take := func() (task, int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(work) || len(failed) > 0 || ctx.Err() != nil {
			return task{}, 0, false
		}
		next++
		return work[next-1], next, true
	}
	var all sync.WaitGroup
	for _, l := range r.lanes {
		all.Go(func() {
			for {
				t, n, ok := take()
				if !ok {
					return
				}
				started := time.Now()
				err := t.run(ctx, l)
				p.say("%3d/%d  %-45s %-12s %4.0f s, %.0f min in all", n, len(work), t.name, l.environment, time.Since(started).Seconds(), time.Since(began).Minutes())
				if err != nil {
					mu.Lock()
					failed = append(failed, fmt.Errorf("%s in %s: %w", t.name, l.environment, err))
					mu.Unlock()
					stop()
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// close ends every connection and looks for what is left.
func (r *rig) close(ctx context.Context, b *board) error {
	for _, l := range r.lanes {
		errs := make(chan error, len(l.subjects))
		for _, s := range l.subjects {
			go func() { errs <- l.disconnect(ctx, s) }()
		}
		for range l.subjects {
			if err := <-errs; err != nil {
				b.find(finding{lineBroken, fmt.Sprintf("%s: the last disconnect: %v", l.environment, err)})
			}
		}
		found, err := l.sweep(ctx)
		for wait := 0; err == nil && len(found) > 0 && wait < 240; wait++ { // a revocation waits for the budget of an intent
			time.Sleep(500 * time.Millisecond)
			found, err = l.sweep(ctx)
		}
		if err != nil {
			return err
		}
		b.find(found...)
	}
	return r.explainGrants(ctx, b)
}

// explainGrants looks for grants that live on at the app although no connection is left.
func (r *rig) explainGrants(ctx context.Context, b *board) error {
	grants, err := r.sandbox.grants(ctx, "")
	if err != nil {
		return err
	}
	var alive []string
	for _, g := range grants {
		if g.RevokedAt.IsZero() {
			alive = append(alive, g.Family)
		}
	}
	slices.Sort(alive)
	for _, family := range alive {
		beyond, err := r.beyondReach(ctx, family)
		if err != nil {
			return err
		}
		if beyond {
			b.BeyondReach++
			continue
		}
		b.find(finding{lineOrphans, "the grant " + family + " lives on at the app"})
	}
	return nil
}

// beyondReach reports whether a grant lives on whose newest pair nobody has stored, and
// whose older token was handed in for revocation: the app no longer knows that one.
func (r *rig) beyondReach(ctx context.Context, family string) (bool, error) {
	lines, err := r.sandbox.of(ctx, func(e entry) bool { return e.Family == family })
	if err != nil {
		return false, err
	}
	newest, asked := "", false
	for _, e := range lines {
		if e.Kind == "token" && e.IssuedRefresh != "" {
			newest = e.IssuedRefresh
		}
		asked = asked || e.Kind == "revoke"
	}
	return asked && newest != "" && !r.gate.heldAt(newest, time.Now()), nil
}
