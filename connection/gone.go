package connection

import (
	"fmt"
	"time"
)

// Disconnecting reports a connection that is about to be gone: its gate is closed,
// and its credential is being revoked and destroyed. Not retried.
func Disconnecting(id ID) *Problem {
	return Refused(ErrConnectionNotFound, fmt.Sprintf("%s is being disconnected", id),
		"connect the app again once it is gone: connected-apps connect "+id.String())
}

// Disconnected reports a connection that there was, and when it ended. Not retried.
func Disconnected(id ID, at time.Time) *Problem {
	return Refused(ErrConnectionNotFound, fmt.Sprintf("%s was disconnected on %s UTC", id, at.UTC().Format("2006-01-02 15:04")),
		"connect the app again: connected-apps connect "+id.String())
}
