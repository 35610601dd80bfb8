package e2e

import (
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// Whoever acts on a connection that was disconnected is told so, and when.
func TestWhatWasDisconnectedIsToldAsThat(t *testing.T) {
	connectBy(t, "gone", "api-key")
	if _, err := s.client.Disconnect(within(t, time.Minute), id("gone"), "no longer needed"); err != nil {
		t.Fatal(err)
	}
	said := func(err error) bool {
		return connection.TypeOf(err) == connection.ErrConnectionNotFound && strings.Contains(err.Error(), "was disconnected on "+time.Now().UTC().Format("2006-01-"))
	}
	eventually(t, "an action is told", func() bool {
		_, err := run(t, "gone", "whoami", map[string]any{})
		return said(err)
	})
	if _, err := s.client.Test(within(t, time.Minute), id("gone")); !said(err) {
		t.Errorf("a test was told: %v", err)
	}
	if _, err := s.client.Describe(within(t, time.Minute), id("gone")); !said(err) {
		t.Errorf("who asked for it was told: %v", err)
	}
	problem := problemOf(t, func() error { _, err := run(t, "never", "whoami", map[string]any{}); return err }(), connection.ErrConnectionNotFound)
	if !strings.Contains(problem.Message, "there is no connection") {
		t.Errorf("of one that never was: %s", problem.Message)
	}
}
