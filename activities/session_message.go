package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"connectedapps/connection"
)

// The types of messages that tell how a connect session ended. They are public contract.
const (
	MessageSessionConnected = "connect-session.connected"
	MessageSessionFailed    = "connect-session.failed"
	MessageSessionCancelled = "connect-session.cancelled"
	MessageSessionExpired   = "connect-session.expired"
)

// SessionMessage tells a platform how a connect session ended: the body of a webhook
// is this as JSON. It is public contract. Every attempt sends the same bytes.
type SessionMessage struct {
	// Type is one of the four above.
	Type string `json:"type"`
	// Timestamp is when the session ended. When it was sent is in the header webhook-timestamp.
	Timestamp time.Time   `json:"timestamp"`
	Data      SessionData `json:"data"`
}

// SessionData is a connect session that is over. It holds no secret, and what does not
// apply is left out.
type SessionData struct {
	Session     string `json:"session"`
	Environment string `json:"environment"`
	App         string `json:"app"`
	// Connection is the one that was to be made. It exists after MessageSessionConnected only.
	Connection connection.ID `json:"connection"`
	Owner      string        `json:"owner,omitempty"`
	// Toolkit is the name of the connection's toolkit.
	Toolkit string `json:"toolkit"`
	// Status is the connection's; "" when none was made.
	Status connection.Status `json:"status,omitempty"`
	// Account is whose account was connected, as people recognise it; "" where the app does not tell.
	Account string `json:"account,omitempty"`
	// Problem is why nothing was connected.
	Problem *connection.Problem `json:"problem,omitempty"`
}

// DeliverSessionMessageInput is a message on its way to the sink that the session names.
type DeliverSessionMessageInput struct {
	Sink string `json:"sink"`
	// ID is the message's: the same in every attempt, so that a receiver can tell a repetition.
	ID      string         `json:"id"`
	Message SessionMessage `json:"message"`
}

// DeliverSessionMessage sends the end of a connect session to its sink, once, as
// [Activities.DeliverAlert] sends an alert: signed, and retried until a 2xx unless the
// sink is gone for good.
func (a *Activities) DeliverSessionMessage(ctx context.Context, in DeliverSessionMessageInput) (*DeliverAlertReport, error) {
	report, err := a.deliver(ctx, outgoing{sink: in.Sink, id: in.ID, message: in.Message, text: sessionText(in.Message)})
	return report, a.leave(ctx, "DeliverSessionMessage", err)
}

// sessionText is the message as a line of plain text.
func sessionText(message SessionMessage) string {
	data := message.Data
	line := data.Connection.String() + ": " + strings.ReplaceAll(message.Type, "connect-session.", "the connect session "+data.Session+" ended, ")
	if data.Account != "" {
		line += " as " + data.Account
	}
	if data.Owner != "" {
		line += fmt.Sprintf(" (for %s)", data.Owner)
	}
	if data.Problem != nil {
		line += ": " + data.Problem.Message
	}
	return slackEscape.Replace(strings.Join(strings.Fields(line), " "))
}
