package connectors

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
)

// Places of a token to revoke.
const (
	revokeAccess = "access"
	// bearerAuth authenticates a revocation by the access token itself.
	bearerAuth = "bearer"
	// noParameter sends no token: the one that authenticates is revoked.
	noParameter = "-"
)

// maxRevokeAnswer is all that is read of a revocation's answer, in bytes: its
// body matters only for an error code.
const maxRevokeAnswer = 64 << 10

// Revoke ends the grant at the provider (RFC 7009). offered is false when the
// provider has no way to, and nothing was sent. A token that is already unknown
// there is a success. ErrProviderUnavailable, for a 503 among others, means that
// the token may still live, and that revoking should be tried again.
func (m *Method) Revoke(ctx context.Context, hc *http.Client, in RevokeInput) (offered bool, err error) {
	if m.OAuth == nil {
		return false, nil
	}
	in.Client = in.Client.known(in.Values, in.Credential.Fields)
	end := m.revokeEnd(withClientID(in.Values, in.Client))
	if end == nil {
		return false, nil
	}
	names := make([]string, 0, len(in.Credential.Tokens))
	for name := range in.Credential.Tokens {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := m.revokeToken(ctx, hc, in, end, in.Credential.Tokens[name]); err != nil {
			return true, err
		}
	}
	return true, nil
}

// withClientID makes the client's ID a value that URLs may use; one among the values stays.
func withClientID(values map[string]string, client Client) map[string]string {
	out := map[string]string{"client_id": client.ID}
	for name, value := range values {
		out[name] = value
	}
	return out
}

// revokeToken revokes one token set, by its refresh token where that is declared and
// there is one. Where that may have been replaced by one that was lost, the app no
// longer knows it, and many apps end the grant by its access token too.
func (m *Method) revokeToken(ctx context.Context, hc *http.Client, in RevokeInput, end *RevokeEnd, token connection.Token) error {
	if end.Token == revokeAccess || token.Refresh.Empty() {
		return m.revokeBy(ctx, hc, in, end, token, token.Access, "access_token")
	}
	if err := m.revokeBy(ctx, hc, in, end, token, token.Refresh, "refresh_token"); err != nil || !in.Doubtful || end.Parameter != "" {
		return err
	}
	err := m.revokeBy(ctx, hc, in, end, token, token.Access, "access_token")
	if problem, ok := connection.AsProblem(err); ok && problem.Verdict == connection.RejectedInput {
		return nil // it takes refresh tokens only
	}
	return err
}

// revokeBy hands in one token. An empty one is a success.
func (m *Method) revokeBy(ctx context.Context, hc *http.Client, in RevokeInput, end *RevokeEnd, token connection.Token, subject connection.Secret, hint string) error {
	if subject.Empty() {
		return nil
	}
	v := m.variables(in.Client, in.Values, in.Credential.Fields)
	endpoints, err := m.Endpoints(withClientID(in.Values, in.Client))
	if err != nil {
		return err
	}
	v.set("token_url", endpoints.Token)
	for name, set := range in.Credential.Tokens {
		v.hide(name, set.Access.Reveal())
	}
	v.hide("token", token.Access.Reveal())
	auth := authentication{kind: bearerAuth}
	if end.Auth != bearerAuth {
		declared := Text(end.Auth)
		if declared == "" {
			declared = m.OAuth.ClientAuth
		}
		if auth, err = m.authentication(declared, in.Client, v); err != nil {
			return firstError(v.failed, err)
		}
	}
	request, err := revokeRequest(ctx, end, endpoints.Revoke, auth, token, subject.Reveal(), hint, v)
	if err != nil {
		return err
	}
	certified, err := m.withCertificate(hc, v.lookup)
	if err != nil {
		return firstError(v.failed, err)
	}
	whom := "the revocation endpoint of " + m.app.Name
	client := &http.Client{Transport: transportOf(certified), Timeout: hc.Timeout, CheckRedirect: stay}
	response, err := client.Do(request)
	if err != nil {
		return networkProblem(whom, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxRevokeAnswer))
	if err != nil && response.StatusCode/100 != 2 {
		return networkProblem(whom, err)
	}
	a := &answer{status: response.StatusCode, header: response.Header, raw: raw,
		scrub: newScrubber(slices.Concat(in.Credential.Secrets(), v.secrets(), auth.secrets(), in.Client.secrets())...)}
	if object := readLoosely(raw); object != nil {
		a.body = object
	}
	return m.revoked(a, end, whom)
}

// revoked says what the answer to a revocation means.
func (m *Method) revoked(a *answer, end *RevokeEnd, whom string) error {
	code := a.text(m.OAuth.Answer.Error.or("error"))
	done := a.status/100 == 2
	if end.Done != "" {
		done = end.Done.holds(a)
	}
	switch {
	case done || code == "invalid_token":
		return nil
	case a.status == http.StatusTooManyRequests:
		return rateLimited(whom+" asks to wait", a.status, a.wait(nil))
	case a.status >= 500:
		p := connection.ProviderUnavailable(fmt.Sprintf("%s answered %d: the token may still live", whom, a.status), a.status)
		p.RetryAfter = a.wait(nil)
		return p
	case code == "invalid_client", code == "unauthorized_client", a.status == http.StatusUnauthorized && code == "":
		return clientMisconfigured(whom+" refused the client registration", a.status)
	default:
		return rejectedInput(a.scrub.text(fmt.Sprintf("%s answered %d %s", whom, a.status, code)), a.status)
	}
}

// revokeRequest builds the request as the definition has it.
func revokeRequest(ctx context.Context, end *RevokeEnd, at string, auth authentication, token connection.Token, subject, hint string, v *variables) (*http.Request, error) {
	form, header := url.Values{}, http.Header{}
	for name, value := range v.expand(end.Params) {
		form.Set(name, value)
	}
	headers, err := v.headers(end.Headers)
	if err != nil || v.failed != nil {
		return nil, firstError(v.failed, err)
	}
	header.Set("Accept", "application/json")
	for name, value := range headers {
		header.Set(name, value)
	}
	switch end.Parameter {
	case noParameter:
	case "":
		form.Set("token", subject)
		form.Set("token_type_hint", hint)
	default:
		form.Set(end.Parameter, subject)
	}
	if auth.kind == bearerAuth {
		header.Set("Authorization", "Bearer "+token.Access.Reveal())
	} else {
		auth.put(form, header)
	}
	body, contentType := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if end.Body == bodyJSON {
		contentType = "application/json"
		if body, err = formJSON(form); err != nil {
			return nil, connection.Internal("revocation request")
		}
	}
	method := end.Method
	if method == "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, badURL(end.URL, "no request can be made of it")
	}
	request.GetBody = nil
	header.Set("Content-Type", contentType)
	request.Header = header
	return request, nil
}
