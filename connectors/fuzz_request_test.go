package connectors

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

// Whatever a server asks for: no panic, no endless asking, no header that
// becomes two, and never the password.
func FuzzDigestChallenge(f *testing.F) {
	for _, seed := range []string{
		`Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256`, `Digest nonce="n", algorithm=MD5-sess, qop=auth-int, userhash=true`, `Basic realm="x, Digest nonce=z", Digest nonce="n"`,
		`Digest realm="\"\\", nonce="\r\n", qop="auth"`, `digest nonce=,,,=`, `Digest nonce="n", stale=true`, "Digest realm=\"\xff\", nonce=\"\x00\"", `Digest`, `,`, `Digest nonce="`,
	} {
		f.Add(seed, `Digest realm="r", nonce="m", qop="auth"`)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if c := digestChallengeIn(http.Header{"Www-Authenticate": {first, second}}); c != nil {
			header, err := c.answer(digest.Options{Method: "GET", URI: "/", Username: "ann", Password: "CANARY-password", Count: 1}, "cnonce")
			if err != nil {
				t.Fatalf("a challenge that was accepted cannot be answered: %v", err)
			}
			if strings.ContainsAny(header, "\r\n\x00") || strings.Contains(header, "CANARY") && !strings.Contains(first+second, "CANARY") {
				t.Fatalf("%q", header)
			}
		}
		asked := 0
		p := &provider{answer: func(r *http.Request) (*http.Response, error) {
			asked++
			challenge := first
			if asked%2 == 0 {
				challenge = second
			}
			return &http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": {challenge}}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
		}}
		d := &digesting{next: p, user: "ann", password: "CANARY-password", unsent: func() {}}
		r, err := http.NewRequest("POST", "https://api.example/x", bytes.NewReader([]byte("body")))
		if err != nil {
			t.Fatal(err)
		}
		if response, err := d.RoundTrip(r); err == nil {
			_ = response.Body.Close()
		}
		if asked > 4 {
			t.Errorf("asked %d times", asked)
		}
		for _, body := range p.bodies {
			if body != "body" {
				t.Errorf("the body was %q", body)
			}
		}
	})
}

// Whatever an argument says: it stays what it is, where it belongs, and is never
// read as a template.
func FuzzBodyTemplate(f *testing.F) {
	for _, seed := range []string{"a", "{secret}", "{text}", `"},"admin":{"x":"`, "\r\n", "&admin=1", "=", "{", "\xff"} {
		f.Add(seed, "name")
	}
	template := map[string]any{"whole": "{text}", "within": "<{text}>", "deep": []any{map[string]any{"x": "{object}"}}, "gone": "{nobody}"}
	f.Fuzz(func(t *testing.T, text, key string) {
		text, key = strings.ToValidUTF8(text, "?"), strings.ToValidUTF8(key, "?")
		object := map[string]any{key: text}
		filled, err := fillBody(template, bodyNames{arguments: map[string]any{"text": text, "object": object}, values: map[string]string{"secret": "CANARY"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := outgoing{method: "POST", body: &payload{value: filled, given: true}}
		raw, _, err := out.encode(map[string]string{"api_key": "the-key"})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Whole, Within string
			Deep          []struct{ X map[string]string }
			Key           string `json:"api_key"`
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if got.Whole != text || got.Within != "<"+text+">" || len(got.Deep) != 1 || got.Deep[0].X[key] != text || got.Key != "the-key" || bytes.Contains(raw, []byte("CANARY")) != strings.Contains(text+key, "CANARY") {
			t.Errorf("%s", raw)
		}
		out.body.encoding = encodingForm
		raw, _, err = out.encode(map[string]string{"api_key": "the-key"})
		if err != nil {
			t.Fatal(err)
		}
		form, err := url.ParseQuery(string(raw))
		if err != nil || form.Get("whole") != text || form.Get("within") != "<"+text+">" || len(form["api_key"]) != 1 || form.Get("api_key") != "the-key" || len(form) != 4 {
			t.Errorf("%s: %v", raw, err)
		}
	})
}
