package activities

import (
	"context"
	"slices"
	"testing"

	"connectedapps/connection"
)

// known is Vault with these connections.
type known struct {
	Documents
	credentials, candidates []connection.ID
}

func (k known) Connections(context.Context) ([]connection.ID, error) { return k.credentials, nil }
func (k known) WithCandidates(context.Context) ([]connection.ID, error) {
	return k.candidates, nil
}

// A sweep asks Temporal for nobody who is in its list, and for whoever is missing there:
// the list may not have heard yet of one that is open.
func TestASweepAsksOnlyForThoseWhoAreNotListed(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	const open, fresh, orphan, half = "development/sandbox/open", "development/sandbox/fresh", "development/sandbox/orphan", "development/sandbox/half"
	a.Documents = known{w.vault, []connection.ID{orphan, open, fresh}, []connection.ID{open, half}}
	w.told.listed, w.told.closed = []connection.ID{open, "development/sandbox/unknown"}, []connection.ID{orphan, half}

	report, err := a.SweepVault(background)
	if err != nil || !slices.Equal(report.Orphans, []connection.ID{half, orphan}) {
		t.Fatalf("%+v %v", report, err)
	}
	slices.Sort(w.told.described)
	if !slices.Equal(w.told.described, []connection.ID{fresh, half, orphan}) {
		t.Errorf("asked for %v", w.told.described)
	}

	w.told.mute = true // nobody is an orphan because Temporal is away
	if report, err := a.SweepVault(background); err == nil || report != nil && len(report.Orphans) > 0 {
		t.Errorf("%+v %v", report, err)
	}
	w.told.mute, a.Documents = false, known{w.vault, nil, nil}
	w.told.described = nil
	if report, err := a.SweepVault(background); err != nil || len(report.Orphans)+len(w.told.described) > 0 {
		t.Errorf("%+v %v", report, err)
	}
}
