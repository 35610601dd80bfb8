package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The short campaign: one sweep through every rotation mode, without the points that
// others stand for and the stores that are away, and with the controls that cost least.
// make chaos runs all of it.
func TestShortCampaign(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	stand := regexp.MustCompile("^(calm|intent, written|redeem, answered|settle, sent|rejection, written|action, answered|" +
		"callback, in the inbox|exchange, answered|adoption, written|revocation, answered|document, destroyed)$")
	p := plan{seed: 1, sweeps: 1, only: stand, modes: modes, stores: []string{storeWell, storeSlow, storeLost}, crowds: true, root: root, bin: filepath.Join(root, "bin"), portOffset: portOffset,
		say: func(format string, args ...any) {
			t.Logf("%4.0f s  "+format, append([]any{time.Since(began).Seconds()}, args...)...)
		}}
	for _, c := range controls {
		if c.short {
			p.controls = append(p.controls, c)
		}
	}
	b, err := campaign(t.Context(), p)
	var table strings.Builder
	b.print(&table)
	t.Log(table.String())
	if err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("CONNECTED_APPS_CHAOS_JSON"); path != "" {
		if err := b.write(path); err != nil {
			t.Error(err)
		}
	}
	// How soon is a measurement, and this machine may have other work: make chaos judges it,
	// and whether everybody was at the point in time.
	b.Zeros[lineSlow], b.EmptyCells = 0, nil
	if !b.good() {
		t.Error("see the tables")
	}
}
