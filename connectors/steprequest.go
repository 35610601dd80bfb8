package connectors

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"

	"connectedapps/connection"
)

// stepRun is one step being taken.
type stepRun struct {
	method *Method
	step   *Step
	in     StepInput
	known  *variables
	// login is set for steps that make a credential: what they refuse is what a person gave.
	login bool
}

// stepVariables is everything that a step may use. Answers and captured secrets
// are among the secrets, so that no URL can be made of them.
func (m *Method) stepVariables(in StepInput) *variables {
	client := in.Client.known(in.Values, in.Credential.Fields)
	known := m.variables(client, in.Values, in.Credential.Fields)
	for name, token := range in.Credential.Tokens {
		known.hide(name, token.Access.Reveal())
		if name == connection.DefaultToken {
			known.hide("token", token.Access.Reveal())
		}
	}
	public := map[string]bool{}
	for _, step := range slices.Concat(m.Steps, m.FollowUp) {
		if step.Ask == nil {
			continue
		}
		for _, input := range step.Ask.Inputs {
			public[input.Name] = !input.Secret
		}
	}
	for name, answer := range in.Answers {
		known.hide(name, answer.Reveal())
	}
	for name, plain := range public {
		if value, ok := known.secret[name]; ok && plain {
			known.set(name, value)
		}
	}
	return known
}

// ask sends the step's request and answers what it was told, if that is a success.
func (r stepRun) ask(ctx context.Context, hc *http.Client) (*answer, error) {
	target, err := r.target()
	if err != nil {
		return nil, err
	}
	session := Session{App: r.method.app, Method: r.method, Credential: r.in.Credential, Values: r.known.plain, Client: r.in.Client}
	lookup := r.known.lookup
	if r.credentialed() {
		// What is computed must be the same in the step's own parts and in the credential.
		if session, err = session.computing(); err != nil {
			return nil, err
		}
		lookup = overlaid(session.worked, lookup)
	}
	out, secrets, err := r.outgoing(target, lookup)
	if err != nil {
		return nil, err
	}
	request, err := r.complete(ctx, session, target, out)
	if err != nil {
		return nil, err
	}
	request.scrub = request.scrub.with(append(secrets, r.known.secrets()...)...)
	if hc, err = r.method.clientFor(hc, lookup); err != nil {
		return nil, err
	}
	// A login that is sent elsewhere would take the person's password along.
	resting := *hc
	resting.CheckRedirect = stay
	received, err := session.send(&resting, request, true)
	if err != nil {
		return nil, err
	}
	return received, r.verdict(session, received)
}

// credentialed reports whether the credential goes into the request as the method does it.
func (r stepRun) credentialed() bool {
	if r.step.Credential != nil {
		return *r.step.Credential
	}
	return !r.login
}

// target is where the request goes. Where values decide which host that is, it
// must be one that credentials of the app may go to.
func (r stepRun) target() (*url.URL, error) {
	declared := r.step.Request.URL
	target, err := expandURL(declared, r.known.plain)
	if err != nil {
		return nil, err
	}
	if len(declared.hostVariables()) == 0 || slices.Contains(r.method.origins(r.known.plain), origin(target)) {
		return target, nil
	}
	return nil, connection.InvalidInput("", "the request would take the login to a host that is not the app's", "check the values that the URL is made of")
}

// outgoing fills the declared request in. secrets are texts made for it alone.
func (r stepRun) outgoing(target *url.URL, lookup func(string) (string, bool)) (outgoing, []string, error) {
	declared := r.step.Request
	out := outgoing{method: declared.Method, query: url.Values{}, header: http.Header{}}
	if out.method == "" {
		out.method = http.MethodGet
	}
	for name, text := range declared.Query {
		if value, ok := text.expand(lookup); ok {
			out.query.Set(name, value)
		}
	}
	if err := setHeaders(out.header, declared.Headers, lookup); err != nil {
		return out, nil, err
	}
	var secrets []string
	if declared.Basic != nil {
		user, _ := declared.Basic.Username.expand(lookup)
		password, _ := declared.Basic.Password.expand(lookup)
		pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
		out.header.Set("Authorization", "Basic "+pair)
		secrets = append(secrets, pair)
	}
	if declared.Body != nil {
		value, given := expandJSON(declared.Body, lookup)
		out.body = &payload{encoding: declared.Encoding, value: value, given: given}
	}
	if r.known.failed != nil {
		return out, nil, r.known.failed
	}
	return out, secrets, nil
}

// complete makes the request: through the session's own machinery where the
// credential goes along, and of the step's parts alone where it does not.
func (r stepRun) complete(ctx context.Context, session Session, target *url.URL, out outgoing) (*sent, error) {
	if r.credentialed() {
		return session.complete(ctx, target, out)
	}
	body, contentType, err := out.encode(nil)
	if err != nil {
		return nil, err
	}
	located, query := *target, target.Query()
	for name, values := range out.query {
		query[name] = values
	}
	located.RawQuery = query.Encode()
	result := &sent{scrub: newScrubber(append(r.in.Credential.Secrets(), r.in.Client.secrets()...)...)}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { result.left.Store(true) }}
	result.Request, err = http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), out.method, located.String(), reader)
	if err != nil {
		return nil, connection.InvalidInput("", "no request can be made of these values", "check the values it is made of")
	}
	if body != nil {
		result.Header.Set("Content-Type", contentType)
	}
	for name, values := range out.header {
		result.Header[name] = values
	}
	return result, nil
}

// with knows further secrets.
func (s *scrubber) with(secrets ...string) *scrubber {
	more := newScrubber(secrets...)
	more.forms = append(more.forms, s.forms...)
	more.long = append(more.long, s.long...)
	more.whole = append(more.whole, s.whole...)
	longestFirst := func(a, b string) int { return len(b) - len(a) }
	slices.SortStableFunc(more.forms, longestFirst)
	slices.SortStableFunc(more.long, longestFirst)
	return more
}
