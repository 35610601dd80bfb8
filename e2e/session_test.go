package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// session creates a connect session and uses its link up, in a browser of its own.
func session(t *testing.T, name string, life time.Duration) {
	t.Helper()
	open, _ := typed("api-key")
	if _, err := s.client.CreateConnectSession(within(t, time.Minute), workflows.ConnectSessionInput{Environment: environment, Session: name, App: "sandbox",
		ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "api-key", Values: open}, DisplayName: name, Owner: "user-1",
		TokenSHA256: hashed("token of " + name), Life: life}); err != nil {
		t.Fatal(err)
	}
}

func claimed(t *testing.T, name string) workflows.Reconnecting {
	t.Helper()
	_, err := s.client.ClaimConnectSession(within(t, time.Minute), name, workflows.ClaimSession{TokenSHA256: hashed("token of " + name), BrowserSHA256: hashed(name)})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := s.client.StartConnectSession(within(t, time.Minute), name, workflows.StartSession{BrowserSHA256: hashed(name)})
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

// ended waits for a session to be over, and fails the test unless it is so.
func ended(t *testing.T, name string, want workflows.SessionState) {
	t.Helper()
	eventually(t, name+" is "+string(want), func() bool {
		state, err := s.client.ConnectSession(within(t, time.Minute), name)
		return err == nil && state.State == want
	})
}

// A session ends as its connect does, by a cancellation that undoes it, or unused.
func TestConnectSessionEndsInEveryWay(t *testing.T) {
	session(t, "session-good", 0)
	begun := claimed(t, "session-good")
	elsewhere := workflows.ClaimSession{TokenSHA256: hashed("token of session-good"), BrowserSHA256: hashed("another browser")}
	_, err := s.client.ClaimConnectSession(within(t, time.Minute), "session-good", elsewhere)
	problemOf(t, err, connection.ErrLinkInvalid)
	if progress, err := s.client.Connect(within(t, time.Minute), begun.Connect, leftBy(t, "api-key")); err != nil || progress.Problem != nil {
		t.Fatalf("%+v %v", progress, err)
	}
	ended(t, "session-good", workflows.SessionConnected)
	leave(t, "session-good")

	session(t, "session-cancelled", 0)
	_ = claimed(t, "session-cancelled")
	if _, err := s.client.CancelConnectSession(within(t, time.Minute), "session-cancelled", workflows.Reason{Reason: "not wanted"}); err != nil {
		t.Fatal(err)
	}
	ended(t, "session-cancelled", workflows.SessionCancelled)
	eventually(t, "its reservation is released", func() bool {
		open, err := s.client.ConnectionOpen(within(t, time.Minute), id("session-cancelled"))
		return err == nil && !open
	})
	gone(t, "session-cancelled")

	session(t, "session-unused", 2*time.Second)
	ended(t, "session-unused", workflows.SessionExpired)
	late := workflows.ClaimSession{TokenSHA256: hashed("token of session-unused"), BrowserSHA256: hashed("session-unused")}
	_, err = s.client.ClaimConnectSession(within(t, time.Minute), "session-unused", late)
	problemOf(t, err, connection.ErrSessionClosed)
}
