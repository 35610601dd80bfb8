package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

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
	// StateSHA256 is the hexadecimal SHA-256 of what the callback brings in place of a
	// state, where the provider has none (OAuth 1.0a). The browser is then bound to it,
	// and no state is added. "" everywhere else.
	StateSHA256 string `json:"state_sha256,omitempty"`
}

// BeginAuthorization prepares one attempt: it asks the server for its description
// or for temporary credentials where the method needs that, makes a PKCE verifier,
// keeps all of it in Vault with the issuer that must answer, and builds the
// provider's URL. Run again, it finds what it kept.
func (a *Activities) BeginAuthorization(ctx context.Context, in BeginAuthorizationInput) (*BeginAuthorizationResult, error) {
	result, err := a.beginAuthorization(ctx, in)
	return result, a.leave(ctx, "BeginAuthorization", err)
}

func (a *Activities) beginAuthorization(ctx context.Context, in BeginAuthorizationInput) (*BeginAuthorizationResult, error) {
	method, err := a.method(in.Connection.App(), in.Method)
	if err != nil {
		return nil, err
	}
	config, err := a.currentConfig(ctx, in.Connection, in.AuthConfig)
	if err != nil {
		return nil, err
	}
	attempt, _, _, err := a.Attempts.Read(ctx, in.Connection, in.Attempt)
	if errors.Is(err, connection.ErrAbsent) {
		attempt, err = a.newAttempt(ctx, in, method, config)
	}
	if err != nil {
		return nil, err
	}
	if method.Kind == connection.OAuth1 {
		sum := sha256.Sum256([]byte(attempt.Token))
		return &BeginAuthorizationResult{URL: attempt.URL, StateSHA256: hex.EncodeToString(sum[:])}, nil
	}
	values := under(config, in.Values, attempt.Values)
	url, err := method.Authorize(connectors.AuthorizeInput{Client: client(config, connection.Credential{Values: values}),
		RedirectURI: attempt.RedirectURI, Scopes: in.Scopes,
		Challenge: oauth2.S256ChallengeFromVerifier(attempt.Verifier.Reveal()), Values: values})
	if err != nil {
		return nil, err
	}
	return &BeginAuthorizationResult{URL: url}, nil
}

// currentConfig reads an auth config past the cache: a person is about to rely on it.
func (a *Activities) currentConfig(ctx context.Context, id connection.ID, name string) (connection.AuthConfig, error) {
	if name == "" {
		return connection.AuthConfig{}, nil
	}
	config, _, err := a.AuthConfigs.Read(ctx, id.App(), name)
	if errors.Is(err, connection.ErrAbsent) {
		return config, noAuthConfig(id.App(), name)
	}
	return config, err
}

// newAttempt prepares an attempt and keeps it. Another worker may have done so meanwhile; its attempt counts.
func (a *Activities) newAttempt(ctx context.Context, in BeginAuthorizationInput, method *connectors.Method, config connection.AuthConfig) (connection.Attempt, error) {
	values := under(config, in.Values)
	attempt := connection.Attempt{RedirectURI: a.redirectURI(), AuthConfig: in.AuthConfig}
	if method.Kind == connection.OAuth1 {
		begun, err := method.BeginOAuth1(ctx, a.Provider, connectors.OAuth1BeginInput{
			Client: client(config, connection.Credential{Values: values}), CallbackURL: attempt.RedirectURI, Values: values})
		if err != nil {
			return attempt, err
		}
		attempt.Token, attempt.TokenSecret, attempt.URL = begun.Token, begun.Secret, begun.URL
	} else {
		found, err := method.Discover(ctx, a.Provider, values)
		if err != nil {
			return attempt, err
		}
		attempt.Values = found
		attempt.Verifier = connection.NewSecret(oauth2.GenerateVerifier())
		attempt.Issuer = method.Issuer(under(config, values, found))
	}
	err := a.Attempts.Write(ctx, in.Connection, in.Attempt, attempt, 0)
	if errors.Is(err, connection.ErrVersionConflict) {
		attempt, _, _, err = a.Attempts.Read(ctx, in.Connection, in.Attempt)
	}
	return attempt, err
}

// redirectURI is where providers send people back to.
func (a *Activities) redirectURI() string {
	return strings.TrimSuffix(a.GatewayURL, "/") + CallbackPath
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
	method, err := a.method(in.Connection.App(), in.Method)
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
	// RFC 9207: before the code is presented, and before the words of a refusal are believed.
	if !connectors.IssuerAgrees(in.Issuer, attempt.Issuer, attempt.Values) {
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
	values := under(config, in.Values, attempt.Values)
	grant, err := a.redeem(ctx, method, attempt, callback, config, in.Scopes, values)
	if err != nil {
		if problem, ok := connection.AsProblem(err); ok && !problem.Retryable {
			a.forgetAttempt(ctx, in)
		}
		return nil, err
	}
	report, err := a.storeGrant(ctx, granted{ref: ref, method: method, config: config, authConfig: attempt.AuthConfig,
		asked: in.Scopes, values: values, grant: grant, now: clock.Now()})
	if err == nil {
		a.forgetAttempt(ctx, in)
	}
	return report, err
}

// redeem trades what the callback brought for tokens.
func (a *Activities) redeem(ctx context.Context, method *connectors.Method, attempt connection.Attempt, callback map[string]connection.Secret,
	config connection.AuthConfig, scopes []string, values map[string]string) (*connectors.Grant, error) {
	known := client(config, connection.Credential{Values: values})
	if method.Kind != connection.OAuth1 {
		return method.ExchangeCode(ctx, a.Provider, connectors.ExchangeInput{Client: known, RedirectURI: attempt.RedirectURI,
			Code: callback["code"], Verifier: attempt.Verifier, Scopes: scopes, Values: values, Fields: config.Fields,
			Callback: callbackValues(callback)})
	}
	// RFC 5849 section 2.2: the answer must be for the temporary credentials of this attempt.
	if callback["oauth_token"] != connection.NewSecret(attempt.Token) {
		return nil, authorizeAgain("the answer belongs to another authorization")
	}
	return method.ExchangeOAuth1(ctx, a.Provider, connectors.OAuth1ExchangeInput{Client: known, Token: attempt.Token,
		Secret: attempt.TokenSecret, Verifier: callback["oauth_verifier"], Values: values})
}

func (a *Activities) forgetAttempt(ctx context.Context, in ExchangeCodeInput) {
	_ = a.Inbox.Clear(ctx, in.Inbox)                       // the sweep clears what could not be cleared here
	_ = a.Attempts.Destroy(ctx, in.Connection, in.Attempt) // likewise
}

// callbackValues is the callback as it came: what a definition learns from it or checks its signature over.
func callbackValues(callback map[string]connection.Secret) map[string]string {
	values := map[string]string{}
	for name, value := range callback {
		values[name] = value.Reveal()
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
