package workflows

import (
	"slices"
	"testing"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
)

// What the list shows already is not written again, and what has gone is taken away.
func TestOnlyWhatHasChangedIsWrittenToTheList(t *testing.T) {
	before := activeState()
	before.Owner, before.AuthConfig = "team", "house"
	before.Look.Expires = time.Unix(1000, 0)
	shown := temporal.NewSearchAttributes(before.changed(temporal.SearchAttributes{})...)
	for name, test := range map[string]struct {
		change  func(*State)
		written int
	}{
		"nothing, which writes the status": {func(*State) {}, 1},
		"the name":                         {func(s *State) { s.DisplayName = "Other" }, 1},
		"the status":                       {func(s *State) { s.Look.Status = connection.Expired }, 1},
		"the same end in another zone":     {func(s *State) { s.Look.Expires = s.Look.Expires.UTC() }, 1},
		"no end and no auth config":        {func(s *State) { s.Look.Expires, s.AuthConfig = time.Time{}, "" }, 2},
		"a first use, and another name":    {func(s *State) { s.Look.LastUsed, s.DisplayName = time.Unix(5, 0), "Other" }, 2},
		"no toolkit":                       {func(s *State) { s.Toolkits = nil }, 1},
		"two toolkits":                     {func(s *State) { s.Toolkits = append(slices.Clone(s.Toolkits), connection.Toolkit{Name: "more"}) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			now := before
			test.change(&now)
			written := now.changed(shown)
			if len(written) != test.written {
				t.Errorf("%d attributes are written, wanted %d", len(written), test.written)
			}
			after := temporal.NewSearchAttributes(append([]temporal.SearchAttributeUpdate{shown.Copy()}, written...)...)
			for i, a := range now.attributes() {
				if !a.shown(after) {
					t.Errorf("attribute %d is not shown afterwards", i)
				}
			}
		})
	}
	if n := shown.Size(); n < 8 {
		t.Errorf("where nothing was shown, %d are written", n)
	}
}
