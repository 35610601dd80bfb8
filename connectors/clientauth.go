package connectors

import (
	"crypto/tls"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// How a client authenticates at the token endpoint.
const (
	clientAuthBasic      = "basic"             // RFC 6749 section 2.3.1, the header
	clientAuthPost       = "post"              // the same section, in the body
	clientAuthNone       = "none"              // a public client: only its ID, in the body
	clientAuthPrivateKey = "private_key_jwt"   // RFC 7523 section 2.2, signed with a private key
	clientAuthSecretJWT  = "client_secret_jwt" // the same section, signed with the client secret
	clientAuthTLS        = "tls"               // RFC 8705: a client certificate, and the ID in the body
	clientAuthSecretUser = "secret-as-user"    // Basic with the secret as user name and no password
)

// assertionType says that client_assertion is a JWT (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authentication is the one way in which one request says who the client is.
type authentication struct {
	kind      string
	client    Client
	assertion string
}

// authentication resolves the declared way, which may be a template over the
// auth config's values. It fails with ErrInvalidInput.
func (m *Method) authentication(declared Text, client Client, v *variables) (authentication, error) {
	kind, _ := declared.expand(v.lookup)
	out := authentication{kind: kind, client: client}
	switch kind {
	case clientAuthBasic, clientAuthPost:
	case clientAuthNone:
		out.client.Secret = connection.Secret{}
	case clientAuthTLS:
		out.client.Secret = connection.Secret{}
		if m.OAuth.TLS == nil {
			return out, connection.InvalidInput("client_auth", "it is tls, and there is no certificate", "")
		}
	case clientAuthSecretUser:
		if client.Secret.Empty() {
			return out, missingValue("client_secret")
		}
	case clientAuthPrivateKey, clientAuthSecretJWT:
		var err error
		if out.assertion, err = m.clientAssertion(kind, client, v); err != nil {
			return out, err
		}
		out.client.Secret = connection.Secret{}
	default:
		return out, connection.InvalidInput("client_auth", "it is no way in which a client authenticates", "")
	}
	return out, nil
}

// clientAssertion signs what the client authenticates with (RFC 7523 section 3).
func (m *Method) clientAssertion(kind string, client Client, v *variables) (string, error) {
	var declared JWT
	if m.OAuth.ClientAssertion != nil {
		declared = *m.OAuth.ClientAssertion
	}
	if declared.Key == "" && kind == clientAuthSecretJWT {
		declared.Key = "{client_secret}"
	}
	if declared.Algorithm == "" && kind == clientAuthSecretJWT {
		declared.Algorithm = "HS256"
	}
	audience, _ := v.lookup("token_url")
	return declared.sign(v.lookup, map[string]any{"iss": client.ID, "sub": client.ID, "aud": audience})
}

// library is the share that golang.org/x/oauth2 has in it: always explicit, so
// that it never tries a second way.
func (a authentication) library() (id, secret string, style oauth2.AuthStyle) {
	switch a.kind {
	case clientAuthBasic:
		return a.client.ID, a.client.Secret.Reveal(), oauth2.AuthStyleInHeader
	case clientAuthSecretUser:
		return "", "", oauth2.AuthStyleInParams
	default:
		return a.client.ID, a.client.Secret.Reveal(), oauth2.AuthStyleInParams
	}
}

// add is the share that the library does not know.
func (a authentication) add(form url.Values, header http.Header) {
	if a.assertion != "" {
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", a.assertion)
	}
	if a.kind == clientAuthSecretUser {
		header.Set("Authorization", "Basic "+a.userPair())
	}
}

// put is all of it, for requests that the library does not make or does not authenticate.
func (a authentication) put(form url.Values, header http.Header) {
	id, secret, style := a.library()
	switch {
	case style == oauth2.AuthStyleInHeader:
		header.Set("Authorization", "Basic "+basicPair(id, secret))
	case id != "":
		form.Set("client_id", id)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	a.add(form, header)
}

// secrets are the texts of it that must not come back in an error.
func (a authentication) secrets() []string {
	out := a.client.secrets()
	if a.assertion != "" {
		out = append(out, a.assertion)
	}
	if a.kind == clientAuthSecretUser {
		out = append(out, a.userPair())
	}
	return out
}

func (a authentication) userPair() string {
	return base64.StdEncoding.EncodeToString([]byte(a.client.Secret.Reveal() + ":"))
}

// basicPair is a client's Basic credentials (RFC 6749 section 2.3.1 wants both parts escaped).
func basicPair(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
}

// secrets are the client's texts that must not come back in an error, among
// them its Basic credentials as one.
func (c Client) secrets() []string {
	var out []string
	for field := range maps.Values(c.Fields) {
		out = append(out, field.Reveal())
	}
	if secret := c.Secret.Reveal(); secret != "" {
		out = append(out, secret, basicPair(c.ID, secret))
	}
	return out
}

// withCertificate is the HTTP client with the method's certificate, where it has one.
func (m *Method) withCertificate(hc *http.Client, lookup func(string) (string, bool)) (*http.Client, error) {
	if m.OAuth == nil || m.OAuth.TLS == nil {
		return hc, nil
	}
	chain, _ := m.OAuth.TLS.Certificate.expand(lookup)
	key, _ := m.OAuth.TLS.Key.expand(lookup)
	certificate, err := tls.X509KeyPair([]byte(standardPEM(chain)), []byte(standardPEM(key)))
	if err != nil {
		field := "certificate"
		if names := m.OAuth.TLS.Certificate.variables(); len(names) > 0 {
			field = names[0]
		}
		return nil, connection.InvalidInput(field, "it is no client certificate in PEM, or its private key is not the one given", "")
	}
	return outbound.WithCertificate(hc, certificate), nil
}

// clientFor is the HTTP client for requests to the API: with the method's
// certificate where the API wants it (RFC 8705 section 3). It fails with
// ErrInvalidInput for a certificate that is broken.
func (m *Method) clientFor(hc *http.Client, lookup func(string) (string, bool)) (*http.Client, error) {
	if m.OAuth == nil || m.OAuth.TLS == nil || !m.OAuth.TLS.API {
		return hc, nil
	}
	return m.withCertificate(hc, lookup)
}
