package backend_test

import (
	"context"
	"errors"
	"testing"

	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// alerting answers some open alerts, and counts how often it was asked.
type alerting struct {
	backend.Client
	open, asked int
	err         error
}

func (f *alerting) ListAlerts(_ context.Context, _ workflows.AlertFilter, most int, _ []byte) ([]workflows.AlertRow, []byte, error) {
	f.asked++
	return make([]workflows.AlertRow, min(f.open, most)), nil, f.err
}

func TestAlertsAreCountedBehind(t *testing.T) {
	fake := &alerting{open: 3}
	e := backend.Environment{Name: "development", Client: fake}
	var later []func()
	counts := backend.AlertCounts{Behind: func(renew func()) { later = append(later, renew) }}
	if _, known := counts.Open(e); known || fake.asked != 0 {
		t.Fatal("a page has waited for the count")
	}
	if counts.Open(e); len(later) != 1 {
		t.Fatalf("%d renewals at once", len(later))
	}
	later[0]()
	if open, known := counts.Open(e); open != 3 || !known || len(later) != 1 {
		t.Errorf("%d, known %t, after %d renewals", open, known, len(later))
	}
	counts.Changed(e.Name)
	if _, known := counts.Open(e); known {
		t.Error("a count from before a change is shown")
	}
	fake.err = errors.New("away")
	later[1]()
	if _, known := counts.Open(e); known {
		t.Error("a failure is taken for a count")
	}
	counts.Saw(e.Name, 500)
	if open, known := counts.Open(e); open != backend.AlertsMost+1 || !known {
		t.Errorf("saw %d, known %t", open, known)
	}
}
