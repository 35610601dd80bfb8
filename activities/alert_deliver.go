package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/connectors/outbound"

	"go.uber.org/zap"
)

const (
	// deliveryTimeout is how long a sink may take over an answer; the Standard
	// Webhooks specification advises 15 to 30 seconds.
	deliveryTimeout = 15 * time.Second
	// The wait that a sink may ask for is at least the first pause and at most the longest.
	deliveryWaitMin, deliveryWait = 5 * time.Second, time.Hour
	// sinkGone is why a sink is disabled that answered 410, by the same specification.
	sinkGone = "it answered 410 Gone"
)

// DeliverAlertInput is a message on its way to one sink.
type DeliverAlertInput struct {
	Sink string `json:"sink"`
	// ID is the message's: the same in every attempt, so that a receiver can tell a repetition.
	ID      string       `json:"id"`
	Message AlertMessage `json:"message"`
}

// DeliverAlertReport says what became of a message.
type DeliverAlertReport struct {
	// Delivered is false when the sink is gone and there is nobody to deliver to.
	Delivered bool `json:"delivered"`
	// Status is the sink's HTTP status; 0 when it was not asked.
	Status int `json:"status,omitempty"`
	// Reason is why it was not delivered.
	Reason string `json:"reason,omitempty"`
}

// DeliverAlert sends a message to a sink, once. Whatever is not a 2xx is an error that
// is retried, unless the sink is gone for good. A kill after the request sends it
// again with the same ID.
func (a *Activities) DeliverAlert(ctx context.Context, in DeliverAlertInput) (*DeliverAlertReport, error) {
	report, err := a.deliver(ctx, outgoing{sink: in.Sink, id: in.ID, message: in.Message, text: slackText(in.Message)})
	return report, a.leave(ctx, "DeliverAlert", err)
}

// outgoing is a message on its way to one sink, whatever it is about.
type outgoing struct {
	sink, id string
	// message is what a webhook gets, as JSON, and text what a chat is told of it.
	message any
	text    string
}

func (a *Activities) deliver(ctx context.Context, out outgoing) (*DeliverAlertReport, error) {
	sink, version, clock, err := a.Sinks.Read(ctx, out.sink)
	if errors.Is(err, connection.ErrAbsent) {
		return &DeliverAlertReport{Reason: "the sink was deleted"}, nil
	}
	if err != nil {
		return nil, err
	}
	if sink.Disabled != "" {
		// Told again: whoever disabled it may have been killed before it could.
		return &DeliverAlertReport{Reason: "the sink is disabled: " + sink.Disabled}, a.Workflows.SinkGone(ctx, out.sink, sink.Disabled)
	}
	status, wait, err := a.post(ctx, sink, out, clock.Now())
	if err != nil {
		return nil, err
	}
	switch {
	case status/100 == 2:
		return &DeliverAlertReport{Delivered: true, Status: status}, nil
	case status == http.StatusGone:
		return a.disableSink(ctx, out.sink, sink, version)
	case wait > 0:
		problem := connection.RateLimited(fmt.Sprintf("the sink %s answered %d and asks to wait", out.sink, status), min(max(wait, deliveryWaitMin), deliveryWait))
		problem.Status = status
		return nil, problem
	default:
		return nil, connection.ProviderUnavailable(fmt.Sprintf("the sink %s answered %d", out.sink, status), status)
	}
}

// disableSink writes that a sink is gone, and tells. A sink that was changed meanwhile
// is asked again, since the answer was for another.
func (a *Activities) disableSink(ctx context.Context, name string, sink connection.Sink, version int) (*DeliverAlertReport, error) {
	sink.Disabled = sinkGone
	err := a.Sinks.Write(ctx, name, sink, version)
	if errors.Is(err, connection.ErrVersionConflict) || errors.Is(err, connection.ErrAbsent) {
		return nil, connection.ProviderUnavailable("the sink "+name+" answered 410 and was changed meanwhile", http.StatusGone)
	}
	if err != nil {
		return nil, err
	}
	a.Log.Warn("an alert sink is disabled", zap.String("sink", name), zap.String("reason", sinkGone))
	return &DeliverAlertReport{Status: http.StatusGone, Reason: "the sink is disabled: " + sinkGone}, a.Workflows.SinkGone(ctx, name, sinkGone)
}

// post sends the message and answers the status, and the wait that the sink asks for.
// Its errors name the sink and never its URL, which may be a secret.
func (a *Activities) post(ctx context.Context, sink connection.Sink, out outgoing, now time.Time) (int, time.Duration, error) {
	request, err := sinkRequest(ctx, sink, out, now)
	if err != nil {
		return 0, 0, err
	}
	client := *a.Provider // its transport holds the policy of what may be reached
	client.Timeout = deliveryTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	switch {
	case ctx.Err() != nil:
		return 0, 0, ctx.Err()
	case errors.Is(err, outbound.ErrAddress):
		return 0, 0, connection.ProviderUnavailable("the sink "+out.sink+" is at an address that may not be reached from here", 0)
	case errors.Is(err, outbound.ErrPlainHTTP):
		return 0, 0, connection.ProviderUnavailable("the sink "+out.sink+" has no https, and plain http is not allowed here", 0)
	case err != nil:
		return 0, 0, connection.ProviderUnavailable("the sink "+out.sink+" did not answer", 0)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, askedWait(response), nil
}

// askedWait is what Retry-After says with a 429 or a 503; 0 when it says nothing.
func askedWait(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	wait, _ := connectors.RetryAfter(response.Header)
	return wait
}

func body(sink connection.Sink, out outgoing) ([]byte, error) {
	if sink.Kind == connection.SinkSlack {
		return json.Marshal(map[string]string{"text": out.text})
	}
	return json.Marshal(out.message)
}
