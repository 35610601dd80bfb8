package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// told makes the table's lines of it.
func told(sizes []*size) *result {
	small, large := sizes[0], sizes[len(sizes)-1]
	uncached := (large.alone.alive() - small.alone.alive()) / float64(large.open-small.open)
	of := func(get func(*size) []float64) [][]float64 {
		var all [][]float64
		for _, z := range sizes {
			all = append(all, get(z))
		}
		return all
	}
	found := &result{Checks: []check{
		atMost(fmt.Sprintf("memory of the worker for an open connection, not cached (%d against %d)", large.open, small.open), uncached, 100, "bytes"),
		atMost("memory of the worker for a cached one", large.cached/1e3, 25, "kB"),
		atMost("trend of lateness p99 with the size (Page's test; above 1.64 it is upward)", trend(of(func(z *size) []float64 { return z.lateness })), 1.64, ""),
		atMost("trend of CPU per refresh with the size (the same)", trend(of((*size).cpu)), 1.64, ""),
		atMost("open connections that the sweep takes for orphans", float64(large.orphans), 0, "").exact(),
	}, Figures: []figure{{"resident memory of the worker for a cached one", large.resident / 1e3, "kB"},
		{"a bare workflow with as many handlers and an activity, cached", large.bare / 1e3, "kB"}}}
	for _, z := range sizes {
		open := fmt.Sprintf("%d open: ", z.open)
		found.Figures = append(found.Figures,
			figure{open + "lateness p99", median(z.lateness), "ms"}, figure{open + "lateness p50", median(z.p50), "ms"},
			figure{open + "latest of all", most(z.worst), "ms"}, figure{open + "CPU per refresh", median(z.cpu()), "ms"},
			figure{open + "of it the worker", median(z.part("worker")), "ms"}, figure{open + "of it Temporal", median(z.part("temporal")), "ms"},
			figure{open + "of it Vault", median(z.part("vault")), "ms"},
			figure{open + "CPU while nothing is due, of one core", 100 * (z.idle("worker") + z.idle("temporal") + z.idle("vault")), "%"},
			figure{open + "a sweep of Vault", milliseconds(z.swept), "ms"},
			figure{open + "worker, resident", float64(z.alone.resident) / 1e6, "MB"},
			figure{open + "worker, alive after a collection", z.alone.alive() / 1e6, "MB"})
		for _, name := range slices.Sorted(maps.Keys(z.servers)) {
			found.Figures = append(found.Figures, figure{open + name, float64(z.servers[name]) / 1e6, "MB"})
		}
	}
	found.Note = fmt.Sprintf("Each size has servers and a worker of its own; all run side by side, and one is measured at a time. "+
		"A round makes %d due, %d a second; late is from the moment a token is due until Vault has the next. "+
		"CPU is of worker, Temporal and Vault, less what they use in the same time while nothing is due.", dueInRound, duePerSecond)
	return found
}

// trend is Page's statistic for ordered alternatives: of groups in the order in which a
// rise is suspected, each with a figure from every round, how many standard deviations
// the ranks within the rounds lie above chance. One-sided at 5 % the bound is 1.64.
func trend(groups [][]float64) float64 {
	k, n := len(groups), len(groups[0])
	l := 0.0
	for round := range n {
		for i, group := range groups {
			rank := 1.0
			for j, other := range groups {
				if j != i && other[round] < group[round] {
					rank++
				} else if j != i && other[round] == group[round] {
					rank += 0.5
				}
			}
			l += float64(i+1) * rank
		}
	}
	K, N := float64(k), float64(n)
	return (12*l - 3*N*K*(K+1)*(K+1)) / math.Sqrt(N*K*K*(K*K-1)*(K+1))
}

// readSizes reads numbers separated by commas, each larger than the one before.
func readSizes(text string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 10 || len(all) > 0 && n <= all[len(all)-1] {
			return nil, fmt.Errorf("--sizes %q: give growing numbers such as 1000,5000,20000", text)
		}
		all = append(all, n)
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("--sizes %q: one size shows no trend", text)
	}
	return all, nil
}
