package sandbox_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strings"
	"testing"
)

var nonceOf = regexp.MustCompile(`nonce="([^"]+)"`)

// digestAnswer is what a client answers to a challenge; change breaks it.
type digestAnswer struct {
	algorithm, username, password, nonce, nc, uri, method, opaque, cnonce string
}

func (a digestAnswer) header() string {
	made := md5.New
	var sum func() hash.Hash = made
	if a.algorithm == "SHA-256" {
		sum = sha256.New
	}
	h := func(text string) string {
		s := sum()
		s.Write([]byte(text))
		return hex.EncodeToString(s.Sum(nil))
	}
	response := h(strings.Join([]string{h(a.username + ":sandbox:" + a.password), a.nonce, a.nc, a.cnonce, "auth", h(a.method + ":" + a.uri)}, ":"))
	return fmt.Sprintf(`Digest username="%s", realm="sandbox", nonce="%s", uri="%s", algorithm=%s, qop=auth, nc=%s, cnonce="%s", response="%s", opaque="%s"`,
		a.username, a.nonce, a.uri, a.algorithm, a.nc, a.cnonce, response, a.opaque)
}

func TestDigest(t *testing.T) {
	w := newWorld(t)
	challenged := func() (nonce string) {
		challenges := w.call("GET", "/api/v1/me", "").want(401).header.Values("WWW-Authenticate")
		if len(challenges) != 3 || !strings.Contains(challenges[1], "SHA-256") || !strings.Contains(challenges[2], "MD5") {
			t.Fatalf("%q", challenges)
		}
		return nonceOf.FindStringSubmatch(challenges[1])[1]
	}
	send := func(a digestAnswer) reply { return w.call("GET", "/api/v1/me", "", "Authorization", a.header()) }
	good := func(algorithm string) digestAnswer {
		return digestAnswer{algorithm: algorithm, username: w.secrets.BasicUsername, password: w.secrets.BasicPassword, nonce: challenged(),
			nc: "00000001", uri: "/api/v1/me", method: "GET", opaque: "sandbox", cnonce: "cn"}
	}
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		a := good(algorithm)
		if me := send(a).want(200); me.field("auth") != "digest" || me.field("id") != "ada" {
			t.Errorf("%s", me.body)
		}
		send(a).want(401) // the same count again
		a.nc = "00000003"
		send(a).want(200)
		a.nc = "00000002" // an older one
		send(a).want(401)
		a.nc = "0000000a"
		send(a).want(200)
	}
	for name, change := range map[string]func(*digestAnswer){
		"another password":   func(a *digestAnswer) { a.password = "wrong" },
		"another user":       func(a *digestAnswer) { a.username = "grace" },
		"another URI":        func(a *digestAnswer) { a.uri = "/api/v1/contacts" },
		"another method":     func(a *digestAnswer) { a.method = "POST" },
		"another opaque":     func(a *digestAnswer) { a.opaque = "other" },
		"no cnonce":          func(a *digestAnswer) { a.cnonce = "" },
		"a count of zero":    func(a *digestAnswer) { a.nc = "00000000" },
		"a short count":      func(a *digestAnswer) { a.nc = "1" },
		"a nonce of its own": func(a *digestAnswer) { a.nonce = "bm9uY2U" },
		"a nonce of another time of its own": func(a *digestAnswer) {
			raw, err := base64.RawURLEncoding.DecodeString(a.nonce)
			if err != nil {
				t.Fatal(err)
			}
			raw[7] ^= 1
			a.nonce = base64.RawURLEncoding.EncodeToString(raw)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			a := good("SHA-256")
			change(&a)
			refused := w.call("GET", "/api/v1/me", "", "Authorization", a.header()).want(401)
			stale := strings.Contains(strings.Join(refused.header.Values("WWW-Authenticate"), " "), "stale=true")
			if stale != strings.HasSuffix(name, "of its own") {
				t.Errorf("stale: %v", stale)
			}
		})
	}
	old := good("SHA-256")
	w.clock.Advance(w.config.Settings.NonceTTL.Std())
	if refused := send(old).want(401); !strings.Contains(refused.header.Values("WWW-Authenticate")[0], "stale=true") {
		t.Errorf("an old nonce: %q", refused.header.Values("WWW-Authenticate"))
	}
	old.password = "wrong" // stale is told only to those who know the password
	if refused := send(old).want(401); strings.Contains(strings.Join(refused.header.Values("WWW-Authenticate"), " "), "stale") {
		t.Error("stale is told to anybody")
	}
	w.call("POST", "/admin/credentials", `{"kind":"basic","revoked":true}`).want(200)
	send(good("SHA-256")).want(401)
}
