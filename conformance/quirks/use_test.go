package quirks

import (
	"crypto/sha1" // #nosec G505 -- what WSSE is made of
	"encoding/base64"
	"net/http"
	"regexp"
	"testing"

	"connectedapps/connection"
)

// lets replaces who may use the API.
func lets(in func(r *http.Request) bool) func(p *provider) {
	return func(p *provider) { p.api = func(_ *provider, r *http.Request) bool { return in(r) } }
}

// header lets in who sends exactly this.
func header(name, value string) func(p *provider) {
	return lets(func(r *http.Request) bool { return r.Header.Get(name) == value })
}

const key = "inputs: [{name: api_key, title: Key, secret: true}]\n"

var secretKey = map[string]string{"api_key": "k-123"}

func TestUse(t *testing.T) {
	every(t, []quirk{
		{name: "a prefix of its own with OAuth", method: "place: [{in: header, name: Authorization, value: \"token {token}\"}]", set: func(p *provider) { p.api = bearer("token ") }},
		{name: "prefix Bot", kind: "api-key", method: key + "place: [{in: header, name: Authorization, value: \"Bot {api_key}\"}]", fields: secretKey, set: header("Authorization", "Bot k-123")},
		{name: "prefix SSWS", kind: "api-key", method: key + "place: [{in: header, name: Authorization, value: \"SSWS {api_key}\"}]", fields: secretKey, set: header("Authorization", "SSWS k-123")},
		{name: "prefix Token token=", kind: "api-key", method: key + "place: [{in: header, name: Authorization, value: \"Token token={api_key}\"}]", fields: secretKey, set: header("Authorization", "Token token=k-123")},
		{name: "no prefix", kind: "api-key", method: key + "place: [{in: header, name: Authorization, value: \"{api_key}\"}]", fields: secretKey, set: header("Authorization", "k-123")},
		{name: "another header", kind: "api-key", method: key + "place: [{in: header, name: PRIVATE-TOKEN, value: \"{api_key}\"}]", fields: secretKey, set: header("Private-Token", "k-123")},
		{name: "bearer", kind: "bearer", method: "inputs: [{name: token, title: Token, secret: true}]", fields: map[string]string{"token": "t-1"}, set: header("Authorization", "Bearer t-1")},
		{name: "two keys at once", kind: "headers", method: "inputs: [{name: a, title: A, secret: true}, {name: b, title: B, secret: true}]\nplace: [{in: header, name: DD-API-KEY, value: \"{a}\"}, {in: header, name: DD-APPLICATION-KEY, value: \"{b}\"}]",
			fields: map[string]string{"a": "1", "b": "2"}, set: lets(func(r *http.Request) bool {
				return r.Header.Get("DD-API-KEY") == "1" && r.Header.Get("DD-APPLICATION-KEY") == "2"
			})},
		{name: "in the query", kind: "api-key", method: key + "place: [{in: query, name: key, value: \"{api_key}\"}]", fields: secretKey, set: lets(func(r *http.Request) bool { return r.URL.Query().Get("key") == "k-123" })},
		{name: "in a cookie", kind: "api-key", method: key + "place: [{in: cookie, name: sid, value: \"{api_key}\"}]", fields: secretKey, set: lets(func(r *http.Request) bool {
			cookie, err := r.Cookie("sid")
			return err == nil && cookie.Value == "k-123"
		})},
		{name: "in the body", kind: "api-key", method: key + "place: [{in: body, name: token, value: \"{api_key}\"}]", fields: secretKey,
			probe: `{method: POST, path: /me, body: {q: who}, ok: body.id == "account-1", identity: {account: id}, tests: me}`,
			set: lets(func(r *http.Request) bool {
				var body struct{ Token, Q string }
				return decode(r, &body) && body.Token == "k-123" && body.Q == "who"
			})},
		{name: "Basic with a template", kind: "basic", method: "inputs: [{name: email, title: E-mail, secret: false}, {name: token, title: Token, secret: true}]\nbasic: {username: \"{email}/token\", password: \"{token}\"}",
			values: map[string]string{"email": "ada@example.com"}, fields: map[string]string{"token": "t"}, set: lets(func(r *http.Request) bool {
				user, password, _ := r.BasicAuth()
				return user == "ada@example.com/token" && password == "t"
			})},
		{name: "Basic with a key as user", kind: "basic", method: key + "basic: {username: \"{api_key}\", password: \"\"}", fields: secretKey, set: lets(func(r *http.Request) bool {
			user, password, ok := r.BasicAuth()
			return ok && user == "k-123" && password == ""
		})},
		{name: "WSSE", kind: "headers", method: `inputs: [{name: username, title: User, secret: false}, {name: password, title: Password, secret: true}]
compute:
  - {name: nonce, value: hex(random(16))}
  - {name: created, value: string(now())}
  - {name: digest, value: base64(sha1(nonce + created + password))}
  - {name: nonce64, value: base64(nonce)}
place: [{in: header, name: X-WSSE, value: 'UsernameToken Username="{username}", PasswordDigest="{digest}", Nonce="{nonce64}", Created="{created}"'}]
`, values: map[string]string{"username": "ada"}, fields: map[string]string{"password": "pw"}, set: lets(wsse)},
		{name: "fixed headers", method: "headers: {Notion-Version: \"2025-09-03\", Client-Id: \"{client_id}\"}", set: func(p *provider) {
			inner := p.api
			p.api = func(p *provider, r *http.Request) bool {
				return inner(p, r) && r.Header.Get("Notion-Version") == "2025-09-03" && r.Header.Get("Client-Id") == clientID
			}
		}},
		{name: "a data centre in the key", kind: "api-key", method: key + "derive: [{name: dc, value: 'api_key.split(\"-\")[1]'}]\nheaders: {X-Dc: \"{dc}\"}\nplace: [{in: header, name: X-Key, value: \"{api_key}\"}]", fields: secretKey,
			set: header("X-Dc", "123")},
		{name: "none", kind: "none", set: lets(func(r *http.Request) bool { return r.Header.Get("Authorization") == "" })},
	})
}

var wsseHeader = regexp.MustCompile(`^UsernameToken Username="ada", PasswordDigest="([^"]+)", Nonce="([^"]+)", Created="([^"]+)"$`)

func wsse(r *http.Request) bool {
	found := wsseHeader.FindStringSubmatch(r.Header.Get("X-WSSE"))
	if found == nil {
		return false
	}
	nonce, err := base64.StdEncoding.DecodeString(found[2])
	sum := sha1.Sum([]byte(string(nonce) + found[3] + "pw")) // #nosec G401
	return err == nil && found[1] == base64.StdEncoding.EncodeToString(sum[:])
}

// A test that passes for a wrong credential, for an anonymous caller or at another
// server would be a lie.
func TestProbesDoNotLie(t *testing.T) {
	for name, me := range map[string]http.HandlerFunc{
		"anonymous with 200": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, object{"id": nil}) },
		"another server":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>welcome</html>")) },
		"empty":              func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) },
		"an error in a 200":  func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, object{"error": "no"}) },
	} {
		t.Run(name, func(t *testing.T) {
			r := quirk{kind: "none"}.begin(t)
			r.p.api = func(*provider, *http.Request) bool { return true }
			r.p.me = me
			r.connect(t)
			if result, err := probe(r); connection.TypeOf(err) != connection.ErrTestFailed {
				t.Errorf("%+v %v", result, err)
			}
		})
	}
}
