package main

import (
	"context"
	"time"
)

// part is what a process spends on a refresh, in milliseconds, in each round: what it
// spends while some are due, less what it does while none is. That is little, and now
// and then a server cleans up: its median over the rounds is taken off each.
func (z *size) part(name string) []float64 {
	var all []float64
	for _, share := range z.busy[name] {
		all = append(all, (share-median(z.quiet[name]))*z.window.Seconds()*1000/float64(z.count))
	}
	return all
}

// cpu is what all of them spend together.
func (z *size) cpu() []float64 { return z.sum(z.part) }

func (z *size) sum(of func(name string) []float64) []float64 {
	var all []float64
	for name := range z.busy {
		for i, v := range of(name) {
			if i == len(all) {
				all = append(all, 0)
			}
			all[i] += v
		}
	}
	return all
}

// spent is the processor time that worker and servers use for a while.
func (z *size) spent(ctx context.Context, while time.Duration) (map[string]time.Duration, error) {
	pids := map[string]int{"worker": z.stack.worker(), "temporal": z.stack.ready.PIDs["temporal"], "vault": z.stack.ready.PIDs["vault"]}
	used := map[string]time.Duration{}
	for name, pid := range pids {
		d, err := processCPU(pid)
		if err != nil {
			return nil, err
		}
		used[name] = -d
	}
	if err := sleep(ctx, while); err != nil {
		return nil, err
	}
	for name, pid := range pids {
		d, err := processCPU(pid)
		if err != nil {
			return nil, err
		}
		used[name] += d
	}
	return used, nil
}
