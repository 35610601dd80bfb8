package activities

import (
	"context"
	"errors"

	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"
)

// AnnounceAlertInput is a message that happened just now.
type AnnounceAlertInput struct {
	// ID is the message's: the same at every sink.
	ID      string       `json:"id"`
	Message AlertMessage `json:"message"`
}

// AnnounceAlertReport names the sinks that the message is for, sorted.
type AnnounceAlertReport struct {
	Sinks []string `json:"sinks,omitempty"`
}

// logged is what a heartbeat says once the message is in the log.
const logged = "logged"

// AnnounceAlert writes a message to the log, which is always there, and answers which
// sinks there are. An attempt that follows one which has logged does not log again.
func (a *Activities) AnnounceAlert(ctx context.Context, in AnnounceAlertInput) (*AnnounceAlertReport, error) {
	pulse := startPulse(ctx)
	defer pulse.stop()
	var said string
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &said) != nil || said != logged {
		a.logAlert(in)
	}
	pulse.say(logged) // and with every beat: one that said nothing would take its place
	report, err := a.announce(ctx)
	return report, a.leave(ctx, "AnnounceAlert", err)
}

func (a *Activities) announce(ctx context.Context) (*AnnounceAlertReport, error) {
	names, err := a.Sinks.List(ctx)
	if err != nil {
		return nil, err
	}
	report := &AnnounceAlertReport{}
	for _, name := range names {
		sink, _, _, err := a.Sinks.Read(ctx, name)
		if errors.Is(err, connection.ErrAbsent) {
			continue // deleted meanwhile
		}
		if connection.TypeOf(err) == connection.ErrVaultUnavailable {
			return nil, err
		}
		// One that cannot be read holds up no other: its delivery fails, and says so.
		if sink.Disabled == "" {
			report.Sinks = append(report.Sinks, name)
		}
	}
	return report, nil
}

// logAlert is the sink that every environment has.
func (a *Activities) logAlert(in AnnounceAlertInput) {
	data := in.Message.Data
	fields := []zap.Field{zap.String("type", in.Message.Type), zap.String("message", in.ID), zap.String("alert", data.Alert),
		zap.String("kind", string(data.Kind)), zap.String("app", data.App), zap.String("title", data.Title)}
	for _, optional := range []struct{ name, value string }{
		{"connection", data.Connection.String()}, {"auth_config", data.AuthConfig}, {"owner", data.Owner}, {"account", data.Account},
		{"reason", data.Reason}, {"remedy", data.Remedy}, {"verdict", string(data.Verdict)}, {"resolution", data.Resolution},
	} {
		if optional.value != "" {
			fields = append(fields, zap.String(optional.name, optional.value))
		}
	}
	if in.Message.Type == MessageResolved {
		a.Log.Info("an alert is resolved", fields...)
		return
	}
	a.Log.Warn("an alert is open", fields...)
}
