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
	if m.OAuth == nil || m.OAuth.Revoke == nil {
		return false, nil
	}
	values := withClientID(in.Values, in.Client)
	if !complete(m.OAuth.Revoke.URL, values) {
		return false, nil
	}
	names := make([]string, 0, len(in.Credential.Tokens))
	for name := range in.Credential.Tokens {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := m.revokeToken(ctx, hc, in, values, in.Credential.Tokens[name]); err != nil {
			return true, err
		}
	}
	return true, nil
}

// withClientID makes the client's ID a value that the revocation URL may use.
func withClientID(values map[string]string, client Client) map[string]string {
	out := map[string]string{"client_id": client.ID}
	for name, value := range values {
		out[name] = value
	}
	return out
}

// revokeToken revokes one token set, by its refresh token where that is declared and there is one.
func (m *Method) revokeToken(ctx context.Context, hc *http.Client, in RevokeInput, values map[string]string, token connection.Token) error {
	end := m.OAuth.Revoke
	subject, hint := token.Refresh, "refresh_token"
	if end.Token == revokeAccess || subject.Empty() {
		subject, hint = token.Access, "access_token"
	}
	if subject.Empty() {
		return nil
	}
	request, err := m.revokeRequest(ctx, in, values, token, subject.Reveal(), hint)
	if err != nil {
		return err
	}
	whom := "the revocation endpoint of " + m.app.Name
	client := &http.Client{Transport: transportOf(hc), Timeout: hc.Timeout, CheckRedirect: stay}
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
		scrub: newScrubber(append(in.Credential.Secrets(), in.Client.secrets()...)...)}
	if object := readLoosely(raw); object != nil {
		a.body = object
	}
	return m.revoked(a, whom)
}

// revoked says what the answer to a revocation means.
func (m *Method) revoked(a *answer, whom string) error {
	code := m.OAuth.Answer.Error.or("error").text(a.body)
	done := a.status/100 == 2
	if m.OAuth.Revoke.Done != "" {
		done = m.OAuth.Revoke.Done.holds(a)
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
func (m *Method) revokeRequest(ctx context.Context, in RevokeInput, values map[string]string, token connection.Token, subject, hint string) (*http.Request, error) {
	end := m.OAuth.Revoke
	u, err := expandURL(end.URL, values)
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	switch end.Parameter {
	case noParameter:
	case "":
		form.Set("token", subject)
		form.Set("token_type_hint", hint)
	default:
		form.Set(end.Parameter, subject)
	}
	auth := string(end.Auth)
	if auth == "" {
		if auth, err = m.clientAuth(m.OAuth.ClientAuth, in.Values); err != nil {
			return nil, err
		}
	}
	if auth == clientAuthPost || auth == clientAuthNone {
		form.Set("client_id", in.Client.ID)
	}
	if auth == clientAuthPost {
		form.Set("client_secret", in.Client.Secret.Reveal())
	}
	body, contentType := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if end.Body == "json" {
		contentType = "application/json"
		if body, err = formJSON(form); err != nil {
			return nil, connection.Internal("revocation request")
		}
	}
	method := end.Method
	if method == "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, badURL(end.URL, "no request can be made of it")
	}
	request.GetBody = nil
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", "application/json")
	switch auth {
	case clientAuthBasic:
		request.SetBasicAuth(url.QueryEscape(in.Client.ID), url.QueryEscape(in.Client.Secret.Reveal()))
	case bearerAuth:
		request.Header.Set("Authorization", "Bearer "+token.Access.Reveal())
	}
	return request, nil
}
