package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"

	"golang.org/x/oauth2"
)

// codePresentations is how often a code may be given to the token endpoint: once,
// and once more when no answer was seen.
const codePresentations = 2

// BeginAuthorizationInput is one attempt of a person to authorize.
type BeginAuthorizationInput struct {
	Connection connection.ID     `json:"connection"`
	Attempt    string            `json:"attempt"`
	Method     string            `json:"method"`
	AuthConfig string            `json:"auth_config"`
	Scopes     []string          `json:"scopes,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// BeginAuthorizationResult is where to send the person.
type BeginAuthorizationResult struct {
	// URL of the provider, without state: whoever sends the browser there adds it.
	URL string `json:"url"`
}

// BeginAuthorization makes a fresh PKCE verifier, keeps it in Vault with the
// issuer that must answer, and builds the provider's URL. Run again, it finds
// the verifier it kept.
func (a *Activities) BeginAuthorization(ctx context.Context, in BeginAuthorizationInput) (*BeginAuthorizationResult, error) {
	result, err := a.beginAuthorization(ctx, in)
	return result, a.leave(ctx, "BeginAuthorization", err)
}

func (a *Activities) beginAuthorization(ctx context.Context, in BeginAuthorizationInput) (*BeginAuthorizationResult, error) {
	method, err := a.method(in.Connection, in.Method)
	if err != nil {
		return nil, err
	}
	config, _, err := a.AuthConfigs.Read(ctx, in.Connection.App(), in.AuthConfig)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, noAuthConfig(in.Connection.App(), in.AuthConfig)
	}
	if err != nil {
		return nil, err
	}
	values := overlay(config.Values, in.Values)
	attempt := connection.Attempt{
		Verifier:    connection.NewSecret(oauth2.GenerateVerifier()),
		RedirectURI: strings.TrimSuffix(a.GatewayURL, "/") + CallbackPath,
		Issuer:      method.Issuer(values), AuthConfig: in.AuthConfig,
	}
	err = a.Attempts.Write(ctx, in.Connection, in.Attempt, attempt, 0)
	if errors.Is(err, connection.ErrVersionConflict) {
		attempt, _, _, err = a.Attempts.Read(ctx, in.Connection, in.Attempt)
	}
	if err != nil {
		return nil, err
	}
	url, err := method.Authorize(connectors.AuthorizeInput{Client: client(config), RedirectURI: attempt.RedirectURI,
		Scopes: in.Scopes, Challenge: oauth2.S256ChallengeFromVerifier(attempt.Verifier.Reveal()), Values: values})
	if err != nil {
		return nil, err
	}
	return &BeginAuthorizationResult{URL: url}, nil
}

// CallbackPath is where the gateway receives every provider's callback; the
// redirect URI to register is the gateway's URL with this path.
const CallbackPath = "/oauth/callback"

// ExchangeCodeInput is a callback that has passed the workflow's checks.
type ExchangeCodeInput struct {
	Connection connection.ID       `json:"connection"`
	Attempt    string              `json:"attempt"`
	Method     string              `json:"method"`
	Inbox      connection.InboxRef `json:"inbox"`
	Issuer     string              `json:"issuer,omitempty"`
	Scopes     []string            `json:"scopes,omitempty"`
	Values     map[string]string   `json:"values,omitempty"`
}

// ExchangeCode redeems an authorization code and stores the grant as a candidate
// before it returns. The grant's name is the attempt's, so that a candidate
// stored by an attempt that died is recognised. How often the code was presented
// is written before it is; past two, or refused, the person is asked to authorize again.
func (a *Activities) ExchangeCode(ctx context.Context, in ExchangeCodeInput) (*StoredReport, error) {
	report, err := a.exchangeCode(ctx, in)
	return report, a.leave(ctx, "ExchangeCode", err)
}

func (a *Activities) exchangeCode(ctx context.Context, in ExchangeCodeInput) (*StoredReport, error) {
	method, err := a.method(in.Connection, in.Method)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection, Grant: in.Attempt, Generation: 1, Candidate: true}
	if report, err := a.resumed(ctx, ref, method, in.Scopes); report != nil || err != nil {
		if err == nil {
			a.forgetAttempt(ctx, in)
		}
		return report, err
	}
	attempt, version, clock, err := a.Attempts.Read(ctx, in.Connection, in.Attempt)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, authorizeAgain("this authorization was not begun here, or is too old")
	}
	if err != nil {
		return nil, err
	}
	// RFC 9207: an issuer that is advertised must be named, and be the one the person was sent to.
	if attempt.Issuer != "" && attempt.Issuer != in.Issuer {
		a.forgetAttempt(ctx, in)
		return nil, authorizeAgain("the answer does not come from the authorization server that was asked")
	}
	callback, err := a.Inbox.Read(ctx, in.Inbox)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, authorizeAgain("the authorization's answer waited too long")
	}
	if err != nil {
		return nil, err
	}
	if refused := callback["error"]; !refused.Empty() {
		a.forgetAttempt(ctx, in)
		return nil, authorizeAgain(refusal(refused.Reveal()))
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), attempt.AuthConfig)
	if err != nil {
		return nil, err
	}
	if attempt.Presented >= codePresentations {
		a.forgetAttempt(ctx, in)
		return nil, authorizeAgain("the app did not answer the exchange of the authorization code")
	}
	attempt.Presented++
	if err := a.Attempts.Write(ctx, in.Connection, in.Attempt, attempt, version); err != nil {
		if errors.Is(err, connection.ErrVersionConflict) {
			return nil, connection.VaultUnavailable("the attempt was written by another")
		}
		return nil, err
	}
	values := overlay(config.Values, in.Values)
	grant, err := method.ExchangeCode(ctx, a.Provider, connectors.ExchangeInput{Client: client(config), RedirectURI: attempt.RedirectURI,
		Code: callback["code"], Verifier: attempt.Verifier, Values: values, Callback: callbackValues(callback)})
	if err != nil {
		if problem, ok := connection.AsProblem(err); ok && !problem.Retryable {
			a.forgetAttempt(ctx, in)
		}
		return nil, err
	}
	document := connection.Document{Grant: in.Attempt, Generation: 1, AuthConfig: attempt.AuthConfig,
		Gate:       connection.Gate{Status: connection.Pending, Grant: in.Attempt},
		Credential: minted(grant, method, connection.Credential{Values: values}, clock.Now())}
	if err := a.storeNew(ctx, ref, document, config, method); err != nil {
		return nil, err
	}
	a.forgetAttempt(ctx, in)
	report := storedReport(ref, document, method.Kind, in.Scopes)
	report.Identity = grant.Identity
	return report, nil
}

// storeWindow bounds how long a fresh grant waits in memory for Vault to take it.
const storeWindow = 2 * time.Minute

// storeNew stores a first generation, and goes on trying for a while if the
// caller is cancelled or Vault is away: the grant exists at the provider already.
// What cannot be stored is revoked.
func (a *Activities) storeNew(ctx context.Context, ref connection.CredentialRef, d connection.Document, config connection.AuthConfig, method *connectors.Method) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWindow)
	defer cancel()
	a.spender.writing.Add(1)
	defer a.spender.writing.Done()
	for wait := pollMin; ; wait = min(2*wait, pollMax) {
		_, err := a.Documents.Write(ctx, ref, d, 0)
		if err == nil || errors.Is(err, connection.ErrVersionConflict) {
			return nil // a conflict is this very document, whose answer was lost
		}
		if !pause(ctx, wait) {
			_, _ = method.Revoke(context.WithoutCancel(ctx), a.Provider, connectors.RevokeInput{Client: client(config),
				Credential: d.Credential, Values: d.Credential.Values})
			return authorizeAgain("the credential could not be stored")
		}
	}
}

func (a *Activities) forgetAttempt(ctx context.Context, in ExchangeCodeInput) {
	_ = a.Inbox.Clear(ctx, in.Inbox)                       // the sweep clears what could not be cleared here
	_ = a.Attempts.Destroy(ctx, in.Connection, in.Attempt) // likewise
}

func callbackValues(callback map[string]connection.Secret) map[string]string {
	values := map[string]string{}
	for name, value := range callback {
		if name != "code" && name != "error" && name != "error_description" {
			values[name] = value.Reveal()
		}
	}
	return values
}

func authorizeAgain(message string) *connection.Problem {
	return connection.Refused(connection.ErrAuthorizationFailed, message, "authorize again")
}

// refusal says RFC 6749's error codes of the authorization endpoint (section 4.1.2.1) in words.
func refusal(code string) string {
	switch code {
	case "access_denied":
		return "the person or the app declined the authorization"
	case "invalid_scope":
		return "the app does not know a scope that was asked for, or does not grant it"
	case "unauthorized_client", "invalid_client", "unsupported_response_type":
		return "the app refuses the client registration for this kind of authorization"
	case "server_error", "temporarily_unavailable":
		return "the app is in trouble just now"
	default:
		return fmt.Sprintf("the app answered the authorization with %q", connection.Bound(code, 60))
	}
}

// ObtainClientCredentialsInput asks for a token without a person.
type ObtainClientCredentialsInput struct {
	Connection connection.ID     `json:"connection"`
	Grant      string            `json:"grant"`
	Method     string            `json:"method"`
	AuthConfig string            `json:"auth_config"`
	Scopes     []string          `json:"scopes,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// ObtainClientCredentials runs the client credentials grant and stores the token
// as a candidate. Run again after a crash it may obtain a second token, which
// costs nothing; the first dies by itself.
func (a *Activities) ObtainClientCredentials(ctx context.Context, in ObtainClientCredentialsInput) (*StoredReport, error) {
	report, err := a.obtainClientCredentials(ctx, in)
	return report, a.leave(ctx, "ObtainClientCredentials", err)
}

func (a *Activities) obtainClientCredentials(ctx context.Context, in ObtainClientCredentialsInput) (*StoredReport, error) {
	method, err := a.method(in.Connection, in.Method)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection, Grant: in.Grant, Generation: 1, Candidate: true}
	if report, err := a.resumed(ctx, ref, method, in.Scopes); report != nil || err != nil {
		return report, err
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), in.AuthConfig)
	if err != nil {
		return nil, err
	}
	values := overlay(config.Values, in.Values)
	clock, err := a.Documents.Clock(ctx)
	if err != nil {
		return nil, err
	}
	grant, err := method.ClientCredentials(ctx, a.Provider, connectors.ClientCredentialsInput{Client: client(config),
		Scopes: in.Scopes, Values: values})
	if err != nil {
		return nil, err
	}
	document := connection.Document{Grant: in.Grant, Generation: 1, AuthConfig: in.AuthConfig,
		Gate:       connection.Gate{Status: connection.Pending, Grant: in.Grant},
		Credential: minted(grant, method, connection.Credential{Values: values}, clock.Now())}
	if _, err := a.Documents.Write(ctx, ref, document, 0); err != nil && !errors.Is(err, connection.ErrVersionConflict) {
		return nil, err
	}
	report := storedReport(ref, document, method.Kind, in.Scopes)
	report.Identity = grant.Identity
	return report, nil
}
