package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxTokenAnswer bounds a token answer, in bytes. golang.org/x/oauth2 would cut
// a longer one silently at the same length.
const maxTokenAnswer = 1 << 20

var errTokenAnswerTooLarge = errors.New("the token answer is larger than 1 MiB")

// tokenTransport stands between golang.org/x/oauth2 and the network. Outwards
// it adds what the definition declares; inwards it reads the provider's answer,
// keeps the outcome, and gives the library a clean answer that says the same.
// The provider's own text never reaches the library, whose errors print it.
type tokenTransport struct {
	next    http.RoundTripper
	method  *Method
	what    spent
	extra   url.Values
	headers map[string]string
	asJSON  bool
	scrub   *scrubber
	// presented is the refresh token being spent, "" for other grants.
	presented string

	// What came of it, once RoundTrip has returned.
	sent   bool
	answer *answer
	grant  *Grant
	failed error
}

// RoundTrip is http.RoundTripper's. It is called once.
func (t *tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := t.outgoing(r)
	if err != nil {
		t.failed = err
		return nil, err
	}
	t.sent = true
	response, err := t.next.RoundTrip(out)
	if err != nil {
		t.failed = err
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer+1))
	_ = response.Body.Close()
	if len(raw) > maxTokenAnswer {
		t.failed = errTokenAnswerTooLarge
		return nil, t.failed
	}
	// An answer that broke off is read as far as it came: it may hold a rotated token.
	t.answer = &answer{status: response.StatusCode, header: response.Header, raw: raw, scrub: t.scrub}
	if object := readLoosely(raw); object != nil {
		t.answer.body = object
	}
	if t.accepted() {
		t.grant = t.method.OAuth.readGrant(t.answer, t.presented)
	}
	if t.grant == nil && err != nil {
		t.failed = err
		return nil, err
	}
	return t.standard(r), nil
}

// accepted reports whether the answer is one with tokens. An error code refuses
// it, unless a refresh token came along with the code: that one counts.
func (t *tokenTransport) accepted() bool {
	rules := t.method.OAuth.Answer
	if t.answer.status < 200 || t.answer.status > 299 {
		return false
	}
	refused := rules.Error.or("error").text(t.answer.body) != ""
	if rules.OK != "" {
		refused = !rules.OK.holds(t.answer)
	}
	if !refused {
		return true
	}
	grant := t.method.OAuth.readGrant(t.answer, t.presented)
	if grant == nil {
		return false
	}
	for _, token := range grant.Tokens {
		if !token.Refresh.Empty() && token.Refresh.Reveal() != t.presented {
			return true
		}
	}
	return false
}

// outgoing is the library's request with what the definition adds.
func (t *tokenTransport) outgoing(r *http.Request) (*http.Request, error) {
	raw, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	for name, values := range t.extra {
		form[name] = values
	}
	body, contentType := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if t.asJSON {
		contentType = "application/json"
		if body, err = formJSON(form); err != nil {
			return nil, err
		}
	}
	out := r.Clone(r.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	// Without GetBody the transport cannot send a request twice on its own account.
	out.GetBody = nil
	out.ContentLength = int64(len(body))
	out.Header.Set("Content-Type", contentType)
	out.Header.Set("Accept", "application/json")
	for name, value := range t.headers {
		out.Header.Set(name, value)
	}
	return out, nil
}

// formJSON writes a form as a flat JSON object.
func formJSON(form url.Values) ([]byte, error) {
	flat := make(map[string]string, len(form))
	for name, values := range form {
		flat[name] = strings.Join(values, " ")
	}
	return json.Marshal(flat)
}

// standard is the outcome as RFC 6749 section 5 writes it. A set whose access
// token is missing gets a stand-in, since the library refuses an empty one.
func (t *tokenTransport) standard(r *http.Request) *http.Response {
	status, content := http.StatusBadRequest, map[string]any{"error": "refused"}
	if t.grant != nil {
		status, content = http.StatusOK, map[string]any{"access_token": "kept", "token_type": "Bearer"}
	}
	body, _ := json.Marshal(content)
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}
}
