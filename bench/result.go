package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// result is what a bar has measured.
type result struct {
	Name   string `json:"name"`
	What   string `json:"what"`
	Floor  string `json:"floor,omitempty"`
	Target string `json:"target"`
	// Rounds are the pairs, where there is a floor.
	Rounds []round `json:"rounds,omitempty"`
	// Checks are what was aimed at, with what came of it.
	Checks []check `json:"checks"`
	// Figures are measured beside it, and nothing is aimed at.
	Figures []figure `json:"figures,omitempty"`
	// Note says what a reader of the figures must know.
	Note string `json:"note,omitempty"`
	// Load is the machine's one-minute load average when it began and ended.
	Load [2]float64 `json:"load"`
	// Took is how long it took.
	Took time.Duration `json:"took_ns"`
}

// check is one thing that was aimed at.
type check struct {
	What string `json:"what"`
	Unit string `json:"unit,omitempty"`
	// Have is the median over the rounds, or the count. Low and High are the least and
	// the most of the rounds; both zero where there was one figure only.
	Have float64 `json:"have"`
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
	// Want is the bound: Have must not be above it; with AtLeast not below it, with Equal
	// neither.
	Want    float64 `json:"want"`
	AtLeast bool    `json:"at_least,omitempty"`
	Equal   bool    `json:"equal,omitempty"`
	// Exact: a count that no load of the machine can change. Missing it fails the run.
	Exact bool `json:"exact,omitempty"`
	Met   bool `json:"met"`
}

// figure is a number beside the checks.
type figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// round is one pair: the same work by both sides, their blocks interleaved.
type round struct {
	Ours  measured `json:"ours"`
	Floor measured `json:"floor"`
}

// measured is one side of a round.
type measured struct {
	Ops int     `json:"ops"`
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	// PerSecond counts operations over the time of the blocks.
	PerSecond float64 `json:"per_second"`
	// CPU is in milliseconds an operation, by group of processes; see [rig.groups].
	CPU map[string]float64 `json:"cpu_ms_per_op"`

	took []time.Duration
}

// atMost, atLeast and equal are checks of one count or figure.
func atMost(what string, have, want float64, unit string) check {
	return check{What: what, Unit: unit, Want: want}.with(have)
}

func atLeast(what string, have, want float64, unit string) check {
	return check{What: what, Unit: unit, Want: want, AtLeast: true}.with(have)
}

func equal(what string, have, want float64, unit string) check {
	return check{What: what, Unit: unit, Want: want, Equal: true}.with(have)
}

// with judges a figure. One that is no number meets nothing.
func (c check) with(have float64) check {
	c.Have = have
	switch {
	case c.Equal:
		c.Met = have == c.Want
	case c.AtLeast:
		c.Met = have >= c.Want
	default:
		c.Met = have <= c.Want
	}
	return c
}

// exact makes a check one that fails the run.
func (c check) exact() check { c.Exact = true; return c }

// over makes one check of the figure of each round: its median counts.
func over(rounds []round, of func(round) float64, c check) check {
	all := make([]float64, 0, len(rounds))
	for _, r := range rounds {
		all = append(all, of(r))
	}
	c.Low, c.High = least(all), most(all)
	return c.with(median(all))
}

// byP50 and byRate are how a side of a round compares with its floor.
func byP50(r round) float64  { return r.Ours.P50 / r.Floor.P50 }
func byRate(r round) float64 { return r.Ours.PerSecond / r.Floor.PerSecond }

// byCPU compares the processor time of a group of processes.
func byCPU(group string) func(round) float64 {
	return func(r round) float64 { return r.Ours.CPU[group] / r.Floor.CPU[group] }
}

// median is the middle of the figures; between the two middle ones for an even number. NaN for none.
func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(all))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func least(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return slices.Min(all)
}

func most(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return slices.Max(all)
}

// quantile is the nearest-rank quantile; 0 for none.
func quantile[T cmp.Ordered](all []T, q float64) T {
	var none T
	if len(all) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(all))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
