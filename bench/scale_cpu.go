package main

import (
	"context"
	"time"
)

// spending is the processor time of a stack's worker and servers: since they began, or
// for a while.
type spending map[string]time.Duration

// used is what they have used since they began.
func (z *size) used() (spending, error) {
	all := spending{}
	for name, pid := range map[string]int{"worker": z.stack.worker(), "temporal": z.stack.ready.PIDs["temporal"], "vault": z.stack.ready.PIDs["vault"]} {
		d, err := processCPU(pid)
		if err != nil {
			return nil, err
		}
		all[name] = d
	}
	return all, nil
}

// spent is what they use for a while.
func (z *size) spent(ctx context.Context, while time.Duration) (spending, error) {
	before, err := z.used()
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, while); err != nil {
		return nil, err
	}
	after, err := z.used()
	for name := range after {
		after[name] -= before[name]
	}
	return after, err
}

// rest begins a time in which nothing is due here: while other sizes are measured. Some
// minutes of it are needed, since a server with a large heap collects its garbage every
// two, for more than a second.
func (z *size) rest() (err error) {
	z.restedAt = time.Now()
	z.rested, err = z.used()
	return err
}

// wake ends it and adds it to what such times have cost so far.
func (z *size) wake() error {
	now, err := z.used()
	if err != nil {
		return err
	}
	for name, d := range now {
		z.quiet[name] += d - z.rested[name]
	}
	z.quietFor += time.Since(z.restedAt)
	return nil
}

// idle is the share of a core that a process uses while nothing is due.
func (z *size) idle(name string) float64 { return z.quiet[name].Seconds() / z.quietFor.Seconds() }

// part is what a process spends on a refresh, in milliseconds, in each round: what it
// spends while some are due, less what it does while none is.
func (z *size) part(name string) []float64 {
	var all []float64
	for _, share := range z.busy[name] {
		all = append(all, (share-z.idle(name))*z.window.Seconds()*1000/float64(z.count))
	}
	return all
}

// cpu is what all of them spend together.
func (z *size) cpu() []float64 {
	var all []float64
	for name := range z.busy {
		for i, v := range z.part(name) {
			if i == len(all) {
				all = append(all, 0)
			}
			all[i] += v
		}
	}
	return all
}
