package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed overlay/worker_memory.go.txt
var workerMemory []byte

// telling is a directory of binaries in which the worker tells its memory: the same
// source, with one file laid over its package by the compiler. What is measured is the
// worker itself, and what is shipped has no such endpoint.
func (r *rig) telling(ctx context.Context) (string, error) {
	dir := filepath.Join(r.dir, "telling")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	bin, err := filepath.Abs(r.bin)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(bin)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if entry.Name() == workerBinary {
			continue
		}
		if err := os.Symlink(filepath.Join(bin, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return "", err
		}
	}
	source, laid, overlay := filepath.Dir(bin), filepath.Join(dir, "memory.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(laid, workerMemory, 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(source, "worker", "bench_memory.go"): laid}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", filepath.Join(dir, workerBinary), "./worker")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the worker that tells its memory: %w\n%s", err, out)
	}
	return dir, nil
}

const workerBinary = "connected-apps-worker"

// memoryPort is where such a worker tells its memory, before the offset of its stack.
const memoryPort = 9347

func memoryVariables(offset int) []string {
	return []string{"BENCH_MEMORY_LISTEN=" + memoryAddress(offset), "BENCH_MEMORY_ENVIRONMENT=" + environment}
}

func memoryAddress(offset int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(memoryPort+offset))
}

// footprint is what a worker's process has in memory.
type footprint struct {
	Heap       int64 `json:"heap"` // bytes alive after a collection
	Stacks     int64 `json:"stacks"`
	Goroutines int   `json:"goroutines"`
	resident   int64 // VmRSS
}

// alive is heap and stacks.
func (f footprint) alive() float64 { return float64(f.Heap + f.Stacks) }

// footprint asks three times and answers the least: what is in flight passes.
func (s *stack) footprint(ctx context.Context) (footprint, error) {
	var least footprint
	for i := range 3 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+memoryAddress(s.offset), nil)
		if err != nil {
			return least, err
		}
		var now footprint
		if err := fetch(request, &now); err != nil {
			return least, err
		}
		if i == 0 || now.alive() < least.alive() {
			least = now
		}
		if err := sleep(ctx, time.Second); err != nil {
			return least, err
		}
	}
	var err error
	least.resident, err = memory(s.worker())
	return least, err
}

// cache has so many connections cached by the worker: each is told something, since a
// query alone leaves none behind.
func (f *flock) cache(ctx context.Context, count int) error {
	return together(ctx, count, 8, func(ctx context.Context, i int) error {
		return f.stack.client.Rename(ctx, f.ids[i], f.ids[i].Slug()+" told")
	})
}
