package connectors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Call uses an action: it checks the arguments before anything is sent, sends
// one request, and says what the answer means. A change whose outcome is not
// known is ErrOutcomeUnknown and must not be repeated; it becomes
// ErrProviderUnavailable, and may be, when the action is idempotent or was
// given a key that makes it so.
func (s Session) Call(ctx context.Context, hc *http.Client, a *Action, in CallInput) (*CallResult, error) {
	arguments, err := a.arguments(in.Arguments)
	if err != nil {
		return nil, err
	}
	if err := checkProjection(in.Projection); err != nil {
		return nil, err
	}
	out, err := s.outgoing(a, arguments, in)
	if err != nil {
		return nil, err
	}
	request, err := s.request(ctx, out)
	if err != nil {
		return nil, err
	}
	repeatable := a.repeatable(out.method, in.IdempotencyKey)
	received, err := s.send(hc, request, repeatable)
	if err != nil {
		return nil, err
	}
	if problem := s.judge(received, a.OK, repeatable); problem != nil {
		return nil, problem
	}
	return a.result(received, arguments, in)
}

// repeatable reports whether sending the request twice has the effect of once
// (RFC 9110 section 9.2.1 for the safe methods).
func (a *Action) repeatable(method, key string) bool {
	return a.ReadOnly || a.Idempotent || a.IdempotencyKey != "" && key != "" ||
		slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, method)
}

// send sends the request once and reads the answer.
func (s Session) send(hc *http.Client, request *sent, repeatable bool) (*answer, error) {
	hc, err := s.client(hc, request)
	if err != nil {
		return nil, err
	}
	response, err := hc.Do(request.Request)
	if err != nil {
		problem := networkProblem(s.App.Name, err)
		if problem.Retryable && !repeatable && request.left.Load() {
			return nil, outcomeUnknown(problem.Message+", and it may have done what was asked", 0)
		}
		return nil, problem
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		problem := networkProblem(s.App.Name, err)
		problem.Status = response.StatusCode
		switch {
		case !repeatable:
			return nil, outcomeUnknown(fmt.Sprintf("%s answered %d, but the answer could not be read", s.App.Name, response.StatusCode), response.StatusCode)
		case errors.Is(err, outbound.ErrTooLarge):
			problem.Remedy = "ask for less, or for smaller pages"
		}
		return nil, problem
	}
	return newAnswer(response, raw, request.scrub), nil
}

// newAnswer decodes a body: JSON where it is JSON, text otherwise.
func newAnswer(response *http.Response, raw []byte, scrub *scrubber) *answer {
	a := &answer{status: response.StatusCode, header: response.Header, raw: raw, scrub: scrub}
	if len(strings.TrimSpace(string(raw))) == 0 {
		a.raw = nil
		return a
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if decoded, err := decodeJSON(raw); err == nil && (kind == "" || strings.Contains(kind, "json") || raw[0] == '{' || raw[0] == '[') {
		a.raw, a.body, a.isJSON = bytes.TrimSpace(raw), decoded, true
		return a
	}
	if utf8.Valid(raw) {
		a.body = string(raw)
	}
	return a
}

// checkProjection refuses a projection before anything is sent: after a change
// it would be too late.
func checkProjection(expression string) error {
	if expression == "" {
		return nil
	}
	if _, err := project(expression, nil); err != nil && !errors.Is(err, errProjectionFit) {
		return connection.InvalidInput("projection", err.Error(), "see jmespath.org")
	}
	return nil
}
