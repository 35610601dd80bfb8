package workflows

import (
	"fmt"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// tell brings the end of the session to the sink that it names.
func (s *connectSession) tell(ctx workflow.Context) {
	if s.state.Notify == "" {
		return
	}
	message := s.state.message()
	id := messageID(workflow.GetInfo(ctx).FirstRunID, message.Type, 1)
	s.state.Delivery = &Delivery{Sink: s.state.Notify, Message: id, Type: message.Type, State: DeliveryPending, Since: workflow.Now(ctx)}
	s.show(ctx)
	report, err := deliverSession.do(ctx, delivering, message.Type+" to "+s.state.Notify,
		activities.DeliverSessionMessageInput{Sink: s.state.Notify, ID: id, Message: message})
	s.state.Delivery.settle(workflow.Now(ctx), report, err)
	s.show(ctx)
}

// message is what the platform is told of a session that is over.
func (s ConnectSessionState) message() activities.SessionMessage {
	data := activities.SessionData{Session: s.Session, Environment: s.Environment, App: s.App, Connection: s.Connection,
		Owner: s.Owner, Toolkit: s.Toolkit, Problem: s.Problem}
	if data.Toolkit == "" {
		data.Toolkit = connection.DefaultToolkit
	}
	kind := activities.MessageSessionFailed
	switch s.State {
	case SessionConnected:
		kind = activities.MessageSessionConnected
		data.Status, data.Account, data.Toolkit = s.Result.Status, s.Result.Identity.Label, s.Result.Toolkit.Name
		if data.Account == "" {
			data.Account = s.Result.Identity.Account
		}
	case SessionCancelled:
		kind = activities.MessageSessionCancelled
	case SessionExpired:
		kind = activities.MessageSessionExpired
	case SessionFailed, SessionOpen, SessionClaimed, SessionConnecting:
	}
	return activities.SessionMessage{Type: kind, Timestamp: s.Ended.UTC(), Data: data}
}

// publish tells the lists of Temporal whose session it is, and shows it.
func (s *connectSession) publish(ctx workflow.Context) {
	name := s.state.DisplayName
	if name == "" {
		name = s.state.Connection.Slug()
	}
	err := workflow.UpsertTypedSearchAttributes(ctx, AttributeApp.ValueSet(s.state.App), AttributeEnvironment.ValueSet(s.state.Environment),
		AttributeName.ValueSet(name), keyword(AttributeOwner, s.state.Owner))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes were refused", "error", err.Error())
	}
	s.show(ctx)
}

func (s *connectSession) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, s.state.details())
}

// details is what an operator reads on top of the run in the Web UI; no secret can be in it.
func (s ConnectSessionState) details() string {
	var b strings.Builder
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", what, value)
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(&b, "**a link to connect %s**: **%s**\n\n", s.Connection, s.State)
	line("owner", s.Owner)
	line("asked for by", s.RequestedBy)
	line("opened", at(s.Claimed))
	if !s.State.Over() {
		line("expires", at(s.Expires))
	}
	if s.Connect != nil {
		line("connect", "`"+ConnectWorkflowID(s.Connection)+"`")
	}
	if s.Result != nil {
		line("account", s.Result.Identity.Label)
	}
	if s.Problem != nil {
		line("problem", s.Problem.Error())
	}
	line("ended", at(s.Ended))
	if s.Delivery != nil {
		line("`"+s.Delivery.Type+"` to "+s.Delivery.Sink, s.Delivery.text())
	}
	return b.String()
}
