package main

import (
	"path/filepath"
	"testing"
)

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
