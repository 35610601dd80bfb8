package main

import (
	"context"
	"slices"
)

// bar is one line of the table: what is measured, against what.
type bar struct {
	// name is for --only: lower case, words joined by -.
	name string
	// what is measured, floor what it is compared with ("" for an absolute figure),
	// and target what was aimed at; all in words, for the table.
	what, floor, target string
	// run measures. An error means that it could not be measured; a target that was
	// missed is none, and stands in the result.
	run func(ctx context.Context, r *rig) (*result, error)
}

// bars are all of them, in the order of the table. Each part of the list stands in
// the file that runs it.
func bars() []bar {
	return slices.Concat(
		actionBars(),
		clientBars(),
		vaultBars(),
		connectBars(),
		lookBars(),
		refreshBars(),
		scaleBars(),
		herdBars(),
		startBars(),
	)
}
