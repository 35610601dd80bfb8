package activities

import (
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestWhyThereIsNoConnection(t *testing.T) {
	for name, test := range map[string]struct {
		set   func(*world)
		want  string
		asked int
	}{
		"never made":                 {func(*world) {}, "there is no connection " + string(testID), 1},
		"disconnected":               {func(w *world) { w.told.ended = time.Date(2026, 11, 22, 11, 0, 0, 0, time.FixedZone("CET", 3600)) }, string(testID) + " was disconnected on 2026-11-22 10:00 UTC", 1},
		"Temporal cannot tell":       {func(w *world) { w.told.mute = true }, "there is no connection " + string(testID), 1},
		"a disconnect is on its way": {nil, string(testID) + " is being disconnected", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			if test.set == nil {
				w.vault.change(t, w.ref, func(d *connection.Document) { d.Gate.Closed = true })
			} else {
				_ = w.vault.Destroy(background, w.ref)
				test.set(w)
			}
			_, err := w.call(t, w.process(), CallActionInput{Action: "whoami"})
			demand(t, err, connection.ErrConnectionNotFound)
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want: %s", err, test.want)
			}
			if w.told.asked != test.asked {
				t.Errorf("Temporal was asked %d times, want %d", w.told.asked, test.asked)
			}
		})
	}
}
