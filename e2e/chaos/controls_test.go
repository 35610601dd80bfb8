package main

import (
	"path/filepath"
	"slices"
	"testing"
)

// A cell in which nobody was at the point spoils a run, however many were sent there.
func TestACellThatNobodyWasInIsTold(t *testing.T) {
	there := &cell{lane: &lane{rig: &rig{}}, subject: &subject{mode: modes[0], store: storeWell}, point: points[1], strike: killWorker}
	for _, came := range []bool{false, true} {
		there.came = came
		b := newBoard(1, 1)
		b.add(&verdict{cell: there})
		b.close(nil, points[1:2], modes[:1], []string{storeWell})
		if b.good() != came || (len(b.EmptyCells) == 0) != came {
			t.Errorf("came %t: good %t, empty %v", came, b.good(), b.EmptyCells)
		}
	}
}

// Every zero has a control that makes it other than zero.
func TestEveryZeroHasAControl(t *testing.T) {
	for _, line := range lines {
		if !slices.ContainsFunc(controls, func(c control) bool { return c.line == line }) {
			t.Errorf("nothing shows that %q can be found", line)
		}
	}
}

// Every guard that a control takes out is still where the control says, and what is left
// compiles.
func TestControlsFitTheSource(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range controls {
		t.Run(c.without, func(t *testing.T) {
			if _, err := c.mutant(t.Context(), root, t.TempDir(), "./"+filepath.Dir(c.edits[0].file)); err != nil {
				t.Error(err)
			}
		})
	}
}
