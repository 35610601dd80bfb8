package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"

	"go.temporal.io/sdk/activity"
)

// CallActionInput names one use of one action of a toolkit. It is public contract.
type CallActionInput struct {
	Connection connection.ID `json:"connection"`
	// Toolkit of the connection; "" is "default".
	Toolkit string `json:"toolkit,omitempty"`
	Action  string `json:"action"`
	// Arguments is a JSON object that the action's schema accepts; absent is {}.
	Arguments json.RawMessage `json:"arguments,omitempty"`
	// IdempotencyKey makes repetitions harmless where the app supports it; "" lets
	// one be made of the workflow's and the activity's IDs.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	// Projection is a JMESPath expression that picks what comes back; "" is everything.
	Projection string `json:"projection,omitempty"`
	// Cursor of an earlier result asks for the page after it.
	Cursor string `json:"cursor,omitempty"`
	// MaxBytes bounds the result; 0 is 256 KiB.
	MaxBytes int `json:"max_bytes,omitempty"`
	// WaitForReconnect parks the action while the connection is Expired, instead of failing.
	WaitForReconnect bool `json:"wait_for_reconnect,omitempty"`
	// Owner says whose work it is: a burst of one owner's does not hold up another's.
	// "" is the connection's own share.
	Owner string `json:"owner,omitempty"`
}

// CallActionResult is what the app answered. It is public contract.
type CallActionResult struct {
	Data   json.RawMessage `json:"data"`
	Status int             `json:"status"`
	// NextCursor asks for the next page; "" means there is none.
	NextCursor string `json:"next_cursor,omitempty"`
	// Truncated says that the answer was larger than allowed and parts are missing.
	Truncated bool `json:"truncated,omitempty"`
	// Secrets are outputs that were put into Vault, by their place in the answer; the value is where.
	Secrets map[string]string `json:"secrets,omitempty"`
}

const (
	// parkMin and parkMax pace the looks of parked work at the gate.
	parkMin, parkMax = 5 * time.Second, 60 * time.Second
	// usedGrain is how exact "last used" is kept, to spare Vault a write for each action.
	usedGrain = time.Minute
	// sending is the heartbeat detail left before a request that must not be sent
	// twice, and answered the one after an answer that says it was not carried out.
	sending, answered = "sending", "answered"
)

// CallAction runs one action: one read of Vault, the gate, the request, the verdict.
//
// Killed before the request was sent, it is run again. Killed after, a request
// that may be repeated is repeated with the same key, and one that may not be is
// reported as OutcomeUnknown.
func (a *Activities) CallAction(ctx context.Context, in CallActionInput) (*CallActionResult, error) {
	result, err := a.callAction(ctx, in)
	return result, a.leave(ctx, "CallAction", err)
}

func (a *Activities) callAction(ctx context.Context, in CallActionInput) (*CallActionResult, error) {
	action, err := a.action(in)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection}
	stored, err := a.stored(ctx, ref, true)
	if err != nil {
		return nil, err
	}
	if err := admit(stored, in); err != nil {
		return nil, a.parkOr(ctx, in, err)
	}
	info := activity.GetInfo(ctx)
	once := !action.Repeatable()
	if once && wasSending(ctx) { // whatever the attempt's number: a reset counts from 1 and keeps the details
		return nil, connection.Refused(connection.ErrOutcomeUnknown,
			"an earlier attempt was cut off after the request had left; it may have been carried out",
			"look in the app whether it happened before doing it again")
	}
	call := connectors.CallInput{Arguments: in.Arguments, IdempotencyKey: key(in, info), Cursor: in.Cursor,
		Projection: in.Projection, MaxBytes: in.MaxBytes}
	pulse := startPulse(ctx)
	defer pulse.stop()
	var answer *connectors.CallResult
	err = a.use(ctx, stored, ref, func(ctx context.Context, x access) error {
		if err := a.withinBudget(ctx, in.Connection, x); err != nil {
			return err
		}
		if once {
			pulse.say(sending)
		}
		var err error
		answer, err = x.session().Call(ctx, a.Provider, action, call)
		if err != nil && once && connection.TypeOf(err) != connection.ErrOutcomeUnknown {
			pulse.say(answered) // it is known not to have happened
		}
		return err
	})
	ended := a.attempted(ctx, in.Connection, stored, err)
	if err != nil {
		return nil, a.parkOr(ctx, in, err)
	}
	a.noteUse(ctx, ref, stored, ended)
	result := &CallActionResult{Data: answer.Data, Status: answer.Status, NextCursor: answer.NextCursor, Truncated: answer.Truncated}
	if len(answer.Secrets) > 0 {
		result.Secrets, err = a.keepOutputs(ctx, in.Connection, answer.Secrets)
	}
	return result, err
}

// action resolves and checks what can be without any request.
func (a *Activities) action(in CallActionInput) (*connectors.Action, error) {
	if _, err := connection.ParseID(in.Connection.String()); err != nil {
		return nil, err
	}
	if env := in.Connection.Environment(); env != a.Environment {
		return nil, connection.Refused(connection.ErrUnknownEnvironment,
			fmt.Sprintf("this worker serves %s, not %s", a.Environment, env),
			"run the action in the Temporal namespace of the connection's environment")
	}
	app, err := a.Catalogue.App(in.Connection.App())
	if err != nil {
		return nil, err
	}
	action, err := app.Action(in.Action)
	if err != nil {
		return nil, err
	}
	return action, action.CheckArguments(in.Arguments)
}

// admit is the gate: what the Connection says about who may act.
func admit(stored connection.Stored, in CallActionInput) error {
	gate := stored.Gate
	switch {
	case gate.Closed:
		return connection.Disconnecting(in.Connection)
	case gate.Status == connection.Pending:
		return connection.Refused(connection.ErrConnectionPending, fmt.Sprintf("%s is still being connected", in.Connection), "finish connecting it, or cancel that: connected-apps connect "+in.Connection.String()+" --cancel")
	case gate.Status == connection.Paused:
		return connection.PausedByPerson(in.Connection)
	case gate.Status == connection.Expired:
		return connection.ReconnectRequired(in.Connection, gate.Reason)
	}
	name := in.Toolkit
	if name == "" {
		name = connection.DefaultToolkit
	}
	actions, ok := gate.Toolkits[name]
	if !ok {
		return connection.Refused(connection.ErrToolkitNotFound, fmt.Sprintf("%s has no toolkit %q", in.Connection, connection.Bound(name, 63)),
			"see: connected-apps toolkits list "+in.Connection.String())
	}
	if !slices.Contains(actions, in.Action) {
		return connection.Refused(connection.ErrActionNotInToolkit,
			fmt.Sprintf("toolkit %q of %s does not offer %q", name, in.Connection, connection.Bound(in.Action, 63)),
			"it offers: "+strings.Join(actions, ", "))
	}
	return nil
}

// parkOr turns ReconnectRequired into a durable wait where the caller asked for
// one, after checking that the caller's own options can outlast it.
func (a *Activities) parkOr(ctx context.Context, in CallActionInput, err error) error {
	problem, ok := connection.AsProblem(err)
	if !ok || !in.WaitForReconnect || problem.Type != connection.ErrReconnectRequired {
		return err
	}
	info := activity.GetInfo(ctx)
	if remedy := tooImpatient(info); remedy != "" {
		refused := *problem
		refused.Remedy = remedy
		return &refused
	}
	a.reader.drop(connection.CredentialRef{Connection: in.Connection})
	return connection.LookAgain(fmt.Sprintf("waiting for a person to reconnect %s", in.Connection), parkWait(info.Attempt))
}

// tooImpatient names the option of the caller's that would end the wait before a
// person can have reconnected; "" when all of them can outlast it.
func tooImpatient(info activity.Info) string {
	switch {
	case info.RetryPolicy != nil && info.RetryPolicy.MaximumAttempts > 0:
		return fmt.Sprintf("wait_for_reconnect needs RetryPolicy.MaximumAttempts 0; this one gives up after %d attempts", info.RetryPolicy.MaximumAttempts)
	case info.ScheduleToCloseTimeout > 0 && info.ScheduleToCloseTimeout < time.Hour:
		return "wait_for_reconnect needs a ScheduleToCloseTimeout of an hour or more, or none"
	default:
		return ""
	}
}

// parkWait doubles from parkMin to parkMax.
func parkWait(attempt int32) time.Duration {
	return min(parkMin<<min(max(attempt-1, 0), 4), parkMax)
}

// key is the same for every attempt of the same activity, and for no other.
func key(in CallActionInput, info activity.Info) string {
	if in.IdempotencyKey != "" {
		return in.IdempotencyKey
	}
	if info.WorkflowExecution.ID == "" {
		return info.ActivityID
	}
	return fingerprint(connection.NewSecret(info.WorkflowExecution.ID+"/"+info.WorkflowExecution.RunID)) + "-" + info.ActivityID
}

func wasSending(ctx context.Context) bool {
	var said string
	return activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &said) == nil && said == sending
}

// noteUse records that the connection did work, about once a minute; at once where
// that ends a trouble, which the watch is waiting to see.
func (a *Activities) noteUse(ctx context.Context, ref connection.CredentialRef, stored connection.Stored, atOnce bool) {
	now := stored.Clock.Now()
	if !atOnce && now.Sub(stored.Facts.LastUsed) < usedGrain {
		return
	}
	facts := map[connection.Fact]time.Time{connection.FactLastUsed: now, connection.FactLastOK: now}
	if a.Documents.Note(ctx, ref, facts) == nil {
		a.reader.used(ref, now)
	}
}
