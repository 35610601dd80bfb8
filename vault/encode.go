package vault

import (
	"time"

	"connectedapps/connection"
)

// The stored forms: the only place where a secret is written as plain text, on
// its way into Vault. Field names are what an operator sees there.

type storedDocument struct {
	Grant       string                `json:"grant"`
	Generation  int                   `json:"generation"`
	Credential  storedCredential      `json:"credential"`
	RefreshedBy string                `json:"refreshed_by,omitempty"`
	Intent      *storedIntent         `json:"intent,omitempty"`
	Rejected    *connection.Rejection `json:"rejected,omitempty"`
	Gate        connection.Gate       `json:"gate"`
	Login       *connection.Login     `json:"login,omitempty"`
	AuthConfig  string                `json:"auth_config,omitempty"`
	Asked       []string              `json:"asked,omitempty"`
	Tenant      string                `json:"tenant,omitempty"`
	TenantLabel string                `json:"tenant_label,omitempty"`
}

type storedCredential struct {
	Method string                 `json:"method"`
	Tokens map[string]storedToken `json:"tokens,omitempty"`
	Fields map[string]string      `json:"fields,omitempty"`
	Values map[string]string      `json:"values,omitempty"`
}

type storedToken struct {
	Access           string    `json:"access"`
	Refresh          string    `json:"refresh,omitempty"`
	Type             string    `json:"type,omitempty"`
	Scopes           []string  `json:"scopes,omitempty"`
	IssuedAt         time.Time `json:"issued_at,omitzero"`
	ExpiresAt        time.Time `json:"expires_at,omitzero"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at,omitzero"`
	RefreshIssuedAt  time.Time `json:"refresh_issued_at,omitzero"`
}

type storedIntent struct {
	Attempt       string  `json:"attempt"`
	Fingerprint   string  `json:"fingerprint"`
	BudgetSeconds float64 `json:"budget_seconds"`
	Presentations int     `json:"presentations"`
}

type storedAuthConfig struct {
	Method       string                 `json:"method"`
	ClientID     string                 `json:"client_id,omitempty"`
	ClientSecret string                 `json:"client_secret,omitempty"`
	Fields       map[string]string      `json:"fields,omitempty"`
	Values       map[string]string      `json:"values,omitempty"`
	Scopes       []string               `json:"scopes,omitempty"`
	Mark         *connection.ClientMark `json:"mark,omitempty"`
	Retired      bool                   `json:"retired,omitempty"`
	Expires      time.Time              `json:"expires,omitzero"`
	Rotation     string                 `json:"rotation,omitempty"`
	Next         *storedSecrets         `json:"next,omitempty"`
}

type storedSecrets struct {
	Rotation     string            `json:"rotation"`
	ClientSecret string            `json:"client_secret,omitempty"`
	Fields       map[string]string `json:"fields,omitempty"`
	Expires      time.Time         `json:"expires,omitzero"`
}

type storedAttempt struct {
	Verifier    string            `json:"verifier,omitempty"`
	RedirectURI string            `json:"redirect_uri,omitempty"`
	Issuer      string            `json:"issuer,omitempty"`
	AuthConfig  string            `json:"auth_config,omitempty"`
	Presented   int               `json:"presented,omitempty"`
	Values      map[string]string `json:"values,omitempty"`
	Token       string            `json:"token,omitempty"`
	TokenSecret string            `json:"token_secret,omitempty"`
	URL         string            `json:"url,omitempty"`
	Device      *storedDevice     `json:"device,omitempty"`
}

type storedDevice struct {
	Code                    string    `json:"code"`
	UserCode                string    `json:"user_code"`
	VerificationURI         string    `json:"verification_uri"`
	VerificationURIComplete string    `json:"verification_uri_complete,omitempty"`
	IntervalSeconds         float64   `json:"interval_seconds"`
	ExpiresAt               time.Time `json:"expires_at"`
}

func encodeDocument(d connection.Document) storedDocument {
	stored := storedDocument{
		Grant: d.Grant, Generation: d.Generation, RefreshedBy: d.RefreshedBy,
		Rejected: d.Rejected, Gate: d.Gate, Login: d.Login, AuthConfig: d.AuthConfig, Asked: d.Asked,
		Tenant: d.Tenant, TenantLabel: d.TenantLabel,
		Credential: storedCredential{
			Method: d.Credential.Method,
			Fields: reveal(d.Credential.Fields),
			Values: d.Credential.Values,
		},
	}
	if len(d.Credential.Tokens) > 0 {
		stored.Credential.Tokens = make(map[string]storedToken, len(d.Credential.Tokens))
	}
	for name, t := range d.Credential.Tokens {
		stored.Credential.Tokens[name] = storedToken{
			Access: t.Access.Reveal(), Refresh: t.Refresh.Reveal(), Type: t.Type, Scopes: t.Scopes,
			IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt, RefreshExpiresAt: t.RefreshExpiresAt, RefreshIssuedAt: t.RefreshIssuedAt,
		}
	}
	if d.Intent != nil {
		stored.Intent = &storedIntent{Attempt: d.Intent.Attempt, Fingerprint: d.Intent.Fingerprint,
			BudgetSeconds: d.Intent.Budget.Seconds(), Presentations: d.Intent.Presentations}
	}
	return stored
}

func (s storedDocument) decode() connection.Document {
	d := connection.Document{
		Grant: s.Grant, Generation: s.Generation, RefreshedBy: s.RefreshedBy,
		Rejected: s.Rejected, Gate: s.Gate, Login: s.Login, AuthConfig: s.AuthConfig, Asked: s.Asked,
		Tenant: s.Tenant, TenantLabel: s.TenantLabel,
		Credential: connection.Credential{
			Method: s.Credential.Method, Fields: conceal(s.Credential.Fields), Values: s.Credential.Values,
		},
	}
	if len(s.Credential.Tokens) > 0 {
		d.Credential.Tokens = make(map[string]connection.Token, len(s.Credential.Tokens))
	}
	for name, t := range s.Credential.Tokens {
		d.Credential.Tokens[name] = connection.Token{
			Access: connection.NewSecret(t.Access), Refresh: connection.NewSecret(t.Refresh),
			Type: t.Type, Scopes: t.Scopes,
			IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt, RefreshExpiresAt: t.RefreshExpiresAt, RefreshIssuedAt: t.RefreshIssuedAt,
		}
	}
	if s.Intent != nil {
		d.Intent = &connection.Intent{Attempt: s.Intent.Attempt, Fingerprint: s.Intent.Fingerprint,
			Budget:        time.Duration(s.Intent.BudgetSeconds * float64(time.Second)),
			Presentations: s.Intent.Presentations}
	}
	return d
}

func encodeAuthConfig(a connection.AuthConfig) storedAuthConfig {
	stored := storedAuthConfig{Method: a.Method, ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(),
		Fields: reveal(a.Fields), Values: a.Values, Scopes: a.Scopes, Mark: a.Mark, Retired: a.Retired,
		Expires: a.Expires, Rotation: a.Rotation}
	if n := a.Next; n != nil {
		stored.Next = &storedSecrets{Rotation: n.Rotation, ClientSecret: n.ClientSecret.Reveal(), Fields: reveal(n.Fields), Expires: n.Expires}
	}
	return stored
}

func (s storedAuthConfig) decode() connection.AuthConfig {
	a := connection.AuthConfig{Method: s.Method, ClientID: s.ClientID,
		ClientSecret: connection.NewSecret(s.ClientSecret),
		Fields:       conceal(s.Fields), Values: s.Values, Scopes: s.Scopes, Mark: s.Mark, Retired: s.Retired,
		Expires: s.Expires, Rotation: s.Rotation}
	if n := s.Next; n != nil {
		a.Next = &connection.NextSecrets{Rotation: n.Rotation, ClientSecret: connection.NewSecret(n.ClientSecret),
			Fields: conceal(n.Fields), Expires: n.Expires}
	}
	return a
}

func encodeAttempt(a connection.Attempt) storedAttempt {
	stored := storedAttempt{Verifier: a.Verifier.Reveal(), RedirectURI: a.RedirectURI, Issuer: a.Issuer,
		AuthConfig: a.AuthConfig, Presented: a.Presented, Values: a.Values,
		Token: a.Token, TokenSecret: a.TokenSecret.Reveal(), URL: a.URL}
	if d := a.Device; d != nil {
		stored.Device = &storedDevice{Code: d.Code.Reveal(), UserCode: d.UserCode, VerificationURI: d.VerificationURI,
			VerificationURIComplete: d.VerificationURIComplete, IntervalSeconds: d.Interval.Seconds(), ExpiresAt: d.ExpiresAt}
	}
	return stored
}

func (s storedAttempt) decode() connection.Attempt {
	a := connection.Attempt{Verifier: connection.NewSecret(s.Verifier), RedirectURI: s.RedirectURI,
		Issuer: s.Issuer, AuthConfig: s.AuthConfig, Presented: s.Presented, Values: s.Values,
		Token: s.Token, TokenSecret: connection.NewSecret(s.TokenSecret), URL: s.URL}
	if d := s.Device; d != nil {
		a.Device = &connection.DeviceCode{Code: connection.NewSecret(d.Code), UserCode: d.UserCode, VerificationURI: d.VerificationURI,
			VerificationURIComplete: d.VerificationURIComplete,
			Interval:                time.Duration(d.IntervalSeconds * float64(time.Second)), ExpiresAt: d.ExpiresAt}
	}
	return a
}

func reveal(fields map[string]connection.Secret) map[string]string {
	if len(fields) == 0 {
		return nil
	}
	plain := make(map[string]string, len(fields))
	for name, secret := range fields {
		plain[name] = secret.Reveal()
	}
	return plain
}

func conceal(plain map[string]string) map[string]connection.Secret {
	if len(plain) == 0 {
		return nil
	}
	fields := make(map[string]connection.Secret, len(plain))
	for name, text := range plain {
		fields[name] = connection.NewSecret(text)
	}
	return fields
}
