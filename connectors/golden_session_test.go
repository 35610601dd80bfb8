package connectors

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
)

const (
	goldenRedirect = "https://gateway.example/oauth/callback"
	tokenAnswered  = `{"ok":true,"access_token":"a","refresh_token":"r","expires_in":3600}`
)

func ctx() context.Context { return context.Background() }

// golden is the record of one app.
type golden struct {
	t   *testing.T
	app *App
	key goldenKey
	out strings.Builder
}

func (g *golden) scopes(m *Method) []string { return m.ScopesFor(g.app.Actions) }

// goldenKey are the keys that sign, and what is known by them.
type goldenKey struct{ rsa, ec, fingerprint string }

func newGoldenKey(t *testing.T) goldenKey {
	t.Helper()
	write := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	first, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := goldenKey{rsa: write(first), ec: write(second)}
	out.fingerprint, err = Expression("spki_sha256(key)").text(from(map[string]string{"key": out.rsa}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	aJWT       = regexp.MustCompile(`(eyJ[A-Za-z0-9_-]+)\.(eyJ[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+`)
	aSignature = regexp.MustCompile(`oauth_signature=("[^"]*"|[^&\s]*)`)
)

// mask writes tokens as what they say, and leaves out what depends on a key.
func (k goldenKey) mask(text string) string {
	text = aJWT.ReplaceAllStringFunc(text, func(found string) string {
		var parts []string
		for part := range strings.SplitSeq(found, ".") {
			decoded, _ := base64.RawURLEncoding.DecodeString(part)
			parts = append(parts, string(decoded))
		}
		return "JWT(" + parts[0] + parts[1] + ")"
	})
	text = aSignature.ReplaceAllString(text, "oauth_signature=SIGNATURE")
	return strings.ReplaceAll(text, k.fingerprint, "FINGERPRINT")
}

// session has a value for everything that a method may use.
func (g *golden) session(m *Method) Session {
	s := Session{App: g.app, Method: m, Values: map[string]string{}, Credential: connection.Credential{Method: m.ID,
		Fields: map[string]connection.Secret{}, Tokens: map[string]connection.Token{}}, Client: Client{Fields: map[string]connection.Secret{}}}
	if m.NeedsClient() {
		s.Client.ID, s.Client.Secret = "client-id", connection.NewSecret("secret-of-client")
	}
	for _, in := range m.Inputs {
		g.fill(m, in, s.Values, s.Credential.Fields)
	}
	for _, in := range m.ClientInputs {
		g.fill(m, in, s.Values, s.Client.Fields)
	}
	for _, step := range slices.Concat(m.Steps, m.FollowUp) {
		if step.Ask != nil {
			for _, in := range step.Ask.Inputs {
				g.fill(m, in, s.Values, s.Credential.Fields)
			}
		}
	}
	derived, err := m.Derived(s.Values, secretsTogether(s.Client.Fields, s.Credential.Fields))
	if err != nil {
		g.t.Errorf("%s: %v", m.ID, err)
	}
	maps.Copy(s.Values, derived)
	for _, name := range m.vocabulary(g.app).flow().plain {
		if _, known := s.Values[name]; !known && name != "client_id" {
			s.Values[name] = m.sampleOf(name)
		}
	}
	for _, set := range m.tokenSets() {
		s.Credential.Tokens[set] = connection.Token{Access: connection.NewSecret("secret-token-" + set)}
	}
	if held, ok := s.Credential.Tokens[connection.DefaultToken]; ok {
		held.Refresh = connection.NewSecret("secret-refresh-token")
		s.Credential.Tokens[connection.DefaultToken] = held
	}
	return s
}

func secretsTogether(lists ...map[string]connection.Secret) map[string]connection.Secret {
	out := map[string]connection.Secret{}
	for _, list := range lists {
		maps.Copy(out, list)
	}
	return out
}

// fill gives an input a value of the kind that it asks for.
func (g *golden) fill(m *Method, in Input, values map[string]string, secrets map[string]connection.Secret) {
	value := m.sampleOf(in.Name)
	switch {
	case in.Default != "":
		value = in.Default
	case len(in.Enum) > 0:
		value = in.Enum[0]
	case in.Format == "url":
		value = "https://" + strings.ReplaceAll(in.Name, "_", "-") + ".example"
	case in.Format == "path":
		value = "/" + in.Name
	case in.Secret && m.uses("parse_json("+in.Name):
		file, _ := json.Marshal(map[string]string{"client_email": "robot@example.com", "private_key": g.key.rsa, "private_key_id": "key-1"})
		value = string(file)
	case in.Secret && strings.Contains(in.Name, "key") && in.Type == "text" && m.uses("ES256"):
		value = g.key.ec
	case in.Secret && in.Type == "text":
		value = g.key.rsa
	case in.Secret:
		value = "secret-of-" + in.Name
	}
	if in.Secret {
		secrets[in.Name] = connection.NewSecret(value)
	} else {
		values[in.Name] = value
	}
}

// sampleOf is a value that stands where a method wants it: a whole URL, or a part of a host.
func (m *Method) sampleOf(name string) string {
	if m.OAuth != nil && m.OAuth.Callback[name].Pattern != "" {
		return sampleText(name, map[string]any{"pattern": "^(?:" + m.OAuth.Callback[name].Pattern + ")$"})
	}
	host := strings.ReplaceAll(name, "_", "-")
	if m.uses("{+"+name+"}") || slices.Contains(metadataValues, name) {
		return "https://" + host + ".example"
	}
	return "value-of-" + host
}

// uses reports whether the method's or its app's definition holds a text.
func (m *Method) uses(text string) bool {
	encoded, _ := json.Marshal([]any{m, m.app.BaseURL, m.app.ExtraHosts})
	return strings.Contains(string(encoded), text)
}
