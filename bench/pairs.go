package main

import (
	"context"
	"fmt"
	"time"
)

// side is one of the two that are compared.
type side struct {
	name string
	// block does a little of the work, and answers how long each operation took. It must
	// leave nothing running: what follows is counted as the other side's.
	block func(ctx context.Context) ([]time.Duration, error)
}

// pairs runs blocks of both sides in turn, ours first and the floor first alternating,
// in every round so many of each. One block of each goes before, uncounted: it warms
// caches, connections and pollers.
func (r *rig) pairs(ctx context.Context, ours, floor side, blocks int) ([]round, error) {
	for _, s := range []side{ours, floor} {
		if _, err := s.block(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if r.short {
		blocks = 1
	}
	var rounds []round
	for i := range r.rounds {
		var both [2]tally
		for b := range blocks {
			order := []int{0, 1}
			if (i+b)%2 == 1 {
				order = []int{1, 0}
			}
			for _, which := range order {
				s := []side{ours, floor}[which]
				if err := r.measure(ctx, s, &both[which]); err != nil {
					return nil, err
				}
			}
		}
		done := round{Ours: both[0].summed(), Floor: both[1].summed()}
		r.say("round %d of %d: %s p50 %.2f ms, %s p50 %.2f ms, ratio %.3f", i+1, r.rounds,
			ours.name, done.Ours.P50, floor.name, done.Floor.P50, byP50(done))
		rounds = append(rounds, done)
	}
	return rounds, nil
}

// tally collects the blocks of one side of a round.
type tally struct {
	took []time.Duration
	wall time.Duration
	cpu  map[string]time.Duration
}

func (r *rig) measure(ctx context.Context, s side, into *tally) error {
	before, err := r.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	took, err := s.block(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	into.wall += time.Since(began)
	after, err := r.cpu()
	if err != nil {
		return err
	}
	into.took = append(into.took, took...)
	if into.cpu == nil {
		into.cpu = map[string]time.Duration{}
	}
	for group := range after {
		into.cpu[group] += after[group] - before[group]
	}
	return nil
}

func (t *tally) summed() measured {
	m := measured{Ops: len(t.took), P50: milliseconds(quantile(t.took, 0.5)), P95: milliseconds(quantile(t.took, 0.95)),
		PerSecond: float64(len(t.took)) / t.wall.Seconds(), CPU: map[string]float64{}, took: t.took}
	for group, spent := range t.cpu {
		m.CPU[group] = milliseconds(spent) / float64(max(1, len(t.took)))
	}
	return m
}
