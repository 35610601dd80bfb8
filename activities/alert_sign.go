package activities

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// sinkRequest is one attempt: the body is the same in every one, timestamp and
// signatures are of now.
func sinkRequest(ctx context.Context, sink connection.Sink, out outgoing, now time.Time) (*http.Request, error) {
	text, err := body(sink, out)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, sink.URL.Reveal(), bytes.NewReader(text))
	if err != nil {
		return nil, connection.ProviderUnavailable("the sink "+out.sink+" has a URL that cannot be posted to", 0)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "connected-apps")
	if sink.Kind == connection.SinkSlack {
		return request, nil
	}
	signatures, err := sign(sink.Good(now), out, now, text)
	if err != nil {
		return nil, err
	}
	request.Header.Set(standardwebhooks.HeaderWebhookID, out.id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	return request, nil
}

// sign makes one signature for every key, so that a receiver may have either while it changes over.
func sign(keys []connection.SinkKey, out outgoing, now time.Time, text []byte) (string, error) {
	var signatures []string
	for _, key := range keys {
		signer, err := standardwebhooks.NewWebhook(key.Secret.Reveal())
		if err != nil {
			return "", connection.ProviderUnavailable("the sink "+out.sink+" has a signing key that cannot be used", 0)
		}
		signature, err := signer.Sign(out.id, now, text)
		if err != nil {
			return "", connection.Internal("signing for a sink")
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return "", connection.ProviderUnavailable("the sink "+out.sink+" has no signing key", 0)
	}
	return strings.Join(signatures, " "), nil
}

// slackEscape keeps text from being read as Slack's own marks, such as <!channel>:
// these three characters and no others (api.slack.com/reference/surfaces/formatting#escaping).
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackText is the message as plain text: a line each for what, why and what to do.
func slackText(message AlertMessage) string {
	data := message.Data
	lines := []string{data.Title}
	for _, line := range []struct{ name, value string }{
		{"Account", data.Account}, {"Owner", data.Owner}, {"Why", data.Reason}, {"What to do", data.Remedy}, {"Alert", data.Alert},
	} {
		if line.value != "" && (message.Type != MessageResolved || line.name == "Alert") {
			lines = append(lines, fmt.Sprintf("%s: %s", line.name, line.value))
		}
	}
	return slackEscape.Replace(strings.Join(lines, "\n"))
}
