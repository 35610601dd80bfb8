package api

import (
	"context"
	"time"

	"connectedapps/connection"
)

// SessionClient is what the API asks of one environment's connect sessions. Every
// error is a [connection.Problem], or that of a context that ended.
type SessionClient interface {
	CreateConnectSession(ctx context.Context, in NewSession) (SessionState, error)
	ConnectSession(ctx context.Context, session string) (SessionState, error)
	CancelConnectSession(ctx context.Context, session, reason string) (SessionState, error)
}

// NewSession is a link, good once, with which one person makes one connection. What
// is left out is that person's choice.
type NewSession struct {
	// Session is the slug that names it, and Connection the one to be made.
	Session    string
	Connection connection.ID
	Method     string
	AuthConfig string
	Access     string
	Actions    []string
	Values     map[string]string
	Toolkit    string
	// DisplayName is free text; "" is the connection's slug. Owner is the platform's end user.
	DisplayName, Owner, RequestedBy string
	// ReturnTo is where the browser is sent in the end; it has been checked. Notify names a sink. Both may be "".
	ReturnTo, Notify string
	// TokenSHA256 is the hexadecimal SHA-256 of the link's token.
	TokenSHA256 string
	Life        time.Duration
}

// SessionState is how far a connect session has come.
type SessionState struct {
	NewSession
	// State is "open", "claimed", "connecting", "connected", "failed", "cancelled" or "expired".
	State                            string
	Created, Expires, Claimed, Ended time.Time
	// Status and Identity are the connection's, once it is connected.
	Status   connection.Status
	Identity connection.Identity
	// Problem is why the last connect came to nothing; nil where none did.
	Problem *connection.Problem
}
