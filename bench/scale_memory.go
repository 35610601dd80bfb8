package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// servers is what Temporal and Vault have in memory and on disk, in bytes.
func (s *stack) servers() (map[string]int64, error) {
	all := map[string]int64{}
	for _, name := range []string{"temporal", "vault"} {
		resident, err := memory(s.ready.PIDs[name])
		if err != nil {
			return nil, err
		}
		all[name+", resident"] = resident
	}
	for name, pattern := range map[string]string{"temporal": "temporal.db*", "vault": "vault/raft/vault.db"} {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				return nil, err
			}
			all[name+", on disk"] += info.Size()
		}
	}
	return all, nil
}

// measureCached has many connections cached and looks how much more memory that takes.
func (z *size) measureCached(ctx context.Context, r *rig) error {
	count := min(cachedMost, z.open)
	if r.short {
		count = cachedShort
	}
	if err := z.flock.cache(ctx, 5); err != nil { // what the first ones bring with them
		return err
	}
	before, err := z.stack.footprint(ctx)
	if err != nil {
		return err
	}
	if err := z.flock.cache(ctx, count); err != nil {
		return err
	}
	after, err := z.stack.footprint(ctx)
	if err != nil {
		return err
	}
	z.cached = (after.alive() - before.alive()) / float64(count-5)
	z.resident = float64(after.resident-before.resident) / float64(count-5)
	if z.bare, err = z.stack.bareCached(ctx, count); err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	per := func(now, then int64) float64 { return float64(now-then) / float64(count-5) / 1e3 }
	r.say("%d cached: %.1f kB of heap, %.1f kB of stacks and %.1f goroutines each; a bare workflow %.1f kB", count, per(after.Heap, before.Heap),
		per(after.Stacks, before.Stacks), float64(after.Goroutines-before.Goroutines)/float64(count-5), z.bare/1e3)
	return z.stack.restartWorker(ctx)
}
