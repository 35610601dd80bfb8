package connectors

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxTokenAnswer bounds a token answer, in bytes. golang.org/x/oauth2 would cut
// a longer one silently at the same length.
const maxTokenAnswer = 1 << 20

// How a token request carries its parameters.
const (
	bodyForm  = "form"
	bodyJSON  = "json"
	bodyQuery = "query" // in the URL, without a body
	bodyXML   = "xml"
)

var errTokenAnswerTooLarge = errors.New("the token answer is larger than 1 MiB")

// tokenTransport stands between golang.org/x/oauth2 and the network. Outwards
// it adds what the definition declares; inwards it reads the provider's answer,
// keeps the outcome, and gives the library a clean answer that says the same.
// The provider's own text never reaches the library, whose errors print it.
type tokenTransport struct {
	next      http.RoundTripper
	method    *Method
	request   tokenRequest
	auth      authentication
	assertion string
	params    map[string]string
	headers   map[string]string
	scrub     *scrubber
	// noGrantType takes the library's grant type out.
	noGrantType bool
	// noTokens is set for a device authorization request, whose answer is only kept.
	noTokens bool

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
	if object := t.method.OAuth.readBody(raw); object != nil {
		t.answer.body = object
	}
	if !t.noTokens && t.accepted() {
		t.grant = t.request.read(t.method.OAuth, t.answer)
	}
	if t.grant == nil && err != nil {
		t.failed = err
		return nil, err
	}
	return t.standard(r), nil
}

// readBody makes a map of a token answer, nil when there is no such structure in it.
func (o *OAuth) readBody(raw []byte) map[string]any {
	if o.Answer.Format == bodyXML {
		if object := readXML(raw); object != nil {
			return object
		}
	}
	return readLoosely(raw)
}

// accepted reports whether the answer is one with tokens. An error code refuses
// it, unless a refresh token came along with the code: that one counts.
func (t *tokenTransport) accepted() bool {
	rules := t.method.OAuth.Answer
	if t.answer.status < 200 || t.answer.status > 299 {
		return false
	}
	refused := t.answer.text(rules.Error.or("error")) != ""
	if rules.OK != "" {
		refused = !rules.OK.holds(t.answer)
	}
	if !refused {
		return true
	}
	grant := t.request.read(t.method.OAuth, t.answer)
	if grant == nil {
		return false
	}
	for _, token := range grant.Tokens {
		if !token.Refresh.Empty() && token.Refresh.Reveal() != t.request.presented {
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
	out := r.Clone(r.Context())
	if t.noTokens {
		// The library sends a device authorization request without client authentication.
		t.auth.put(form, out.Header)
	} else {
		t.auth.add(form, out.Header)
	}
	form = t.shape(form)
	out.Method = http.MethodPost
	if t.request.end.Method != "" {
		out.Method = t.request.end.Method
	}
	carrier := t.request.end.Body
	if out.Method == http.MethodGet {
		carrier = bodyQuery
	}
	var body []byte
	contentType := ""
	switch carrier {
	case bodyQuery:
		query := out.URL.Query()
		maps.Copy(query, form)
		u := *out.URL
		u.RawQuery = query.Encode()
		out.URL = &u
	case bodyJSON:
		contentType = "application/json"
		body, err = formJSON(form)
	case bodyXML:
		contentType = "application/xml"
		body, err = formXML(form)
	default:
		contentType = "application/x-www-form-urlencoded"
		body = []byte(form.Encode())
	}
	if err != nil {
		return nil, err
	}
	out.Body, out.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	// Without GetBody the transport cannot send a request twice on its own account.
	out.GetBody = nil
	out.Header.Del("Content-Type")
	if contentType != "" {
		out.Header.Set("Content-Type", contentType)
	}
	out.Header.Set("Accept", "application/json")
	if t.method.OAuth.Answer.Format == bodyXML {
		out.Header.Set("Accept", "application/xml")
	}
	for name, value := range t.headers {
		out.Header.Set(name, value)
	}
	return out, nil
}

// shape makes the standard parameters the definition's: its grant type, its
// names, without what it leaves out. Its own parameters win.
func (t *tokenTransport) shape(form url.Values) url.Values {
	end := t.request.end
	if t.noGrantType {
		form.Del("grant_type")
	}
	if end.Grant != "" {
		form.Set("grant_type", end.Grant)
	}
	if t.assertion != "" {
		form.Set("assertion", t.assertion)
	}
	form = renamed(form, end.Rename, end.Remove)
	for name, value := range t.params {
		form.Set(name, value)
	}
	return form
}

// renamed gives parameters other names and leaves some out; both lists have the standard names.
func renamed(form url.Values, names map[string]string, gone []string) url.Values {
	out := url.Values{}
	for name, values := range form {
		if slices.Contains(gone, name) {
			continue
		}
		if other := names[name]; other != "" {
			name = other
		}
		out[name] = values
	}
	return out
}

// formJSON writes a form as a flat JSON object.
func formJSON(form url.Values) ([]byte, error) {
	flat := make(map[string]string, len(form))
	for name, values := range form {
		flat[name] = strings.Join(values, " ")
	}
	return json.Marshal(flat)
}

// formXML writes a form as the elements of one called request, sorted by name.
func formXML(form url.Values) ([]byte, error) {
	type element struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
	}
	request := struct {
		XMLName  xml.Name `xml:"request"`
		Elements []element
	}{}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		request.Elements = append(request.Elements, element{XMLName: xml.Name{Local: name}, Text: strings.Join(form[name], " ")})
	}
	return xml.Marshal(request)
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
