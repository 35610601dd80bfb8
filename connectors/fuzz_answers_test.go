package connectors

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func holdsControl(text string) bool { return slices.ContainsFunc([]byte(text), isControl) }

// Tokens in XML, in a header and in a cookie: no panic, nothing that cannot be
// sent, no set without a token, no lifetime out of bounds.
func FuzzTokenPlaces(f *testing.F) {
	for _, seed := range []string{
		"<r><t><refresh>r</refresh><life>60</life></t></r>", "<r><t><refresh>r</re", "<r><t a='1'>x<refresh/>", "<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><r>&e;</r>",
		"<?xml version='1.0'?><r><t/><t/></r>", "\xef\xbb\xbf<r/>", `{"r":{"t":{"refresh":"r"}}}`, "r=1", "",
	} {
		f.Add([]byte(seed), "header-token", "sid=cookie-token; Path=/")
		f.Add([]byte(seed), " \tx\x00", "sid=\"a b\"; sid=c")
	}
	o := &OAuth{Answer: AnswerRules{Format: bodyXML, Tokens: map[string]TokenRules{
		connection.DefaultToken: {Access: "header:X-Token", Refresh: "r.t.refresh", Expires: "r.t.life"},
		"cookie":                {Access: "cookie:sid", Optional: true},
	}}}
	f.Fuzz(func(t *testing.T, raw []byte, header, cookie string) {
		a := &answer{status: 200, header: http.Header{"Date": {testDate}, "X-Token": {header}, "Set-Cookie": {cookie, cookie + "; Secure"}}, raw: raw}
		if object := o.readBody(raw); object != nil {
			a.body = object
		}
		grant := o.readGrant(a, "presented")
		if grant == nil {
			return
		}
		for name, token := range grant.Tokens {
			if token.Access.Empty() && token.Refresh.Empty() {
				t.Errorf("%s has no token", name)
			}
			if token.Lifetime < 0 || token.Lifetime > maxLifetime || holdsControl(token.Access.Reveal()+token.Refresh.Reveal()) {
				t.Errorf("%s: %v %q", name, token.Lifetime, token.Access.Reveal()+token.Refresh.Reveal())
			}
		}
	})
}

// However an expiry is written, a lifetime is ahead and not longer than the
// longest; whole seconds are read exactly; without a clock no moment is a length.
func FuzzExpiry(f *testing.F) {
	for _, seed := range []string{"3600", "0", "-1", "1e999", "0x10", "1795352400", "1795352400000", "2026-11-22T13:00:00Z", testDate, "1h30m", "9223372036854775807", "a.eyJleHAiOjE3OTUzNTI0MDB9.c", "a.!.c"} {
		f.Add(seed, int64(1795348800))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		now := time.Unix(at%(1<<36), 0)
		for _, form := range []TimeForm{"", FormSeconds, FormMilliseconds, FormEpoch, FormEpochMillis, FormISO, FormDate, FormDuration, FormJWT, "other"} {
			life, ok := form.length(text, now, maxLifetime)
			if ok && (life <= 0 || life > maxLifetime) {
				t.Errorf("%s %q: %v", form, text, life)
			}
			moment := !slices.Contains([]TimeForm{"", FormSeconds, FormMilliseconds, FormDuration}, form)
			if _, ok := form.length(text, time.Time{}, maxLifetime); ok && moment {
				t.Errorf("%s %q has a length without a clock", form, text)
			}
		}
		if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1_000_000 {
			if life, ok := FormSeconds.length(text, now, maxLifetime); !ok || life != time.Duration(n)*time.Second {
				t.Errorf("%q is %v", text, life)
			}
		}
		header := http.Header{"Retry-After": {text}}
		if wait, ok := retryAfter(header, now); ok && (wait <= 0 || wait > maxWait) {
			t.Errorf("Retry-After %q: %v", text, wait)
		}
	})
}

const fuzzSteps = `id: fuzz
name: Fuzz
base_url: https://fuzz.example
auth:
  - id: m
    kind: multi-step
    steps:
      - id: login
        request: {url: "https://fuzz.example/login"}
        capture:
          session: {from: "data.session", secret: true, expires: data.expires, expires_form: epoch, optional: true}
          cookie: {from: "cookie:sid", secret: true, optional: true}
          head: {from: "header:X-Head", secret: false, optional: true}
          account: {from: data.account, secret: false, optional: true}
        choose: {items: data.items, id: id, label: name, values: {site: id, other: a.b}}
    place: [{in: header, name: Authorization, value: "Bearer {session}"}]
    untestable: it is not tested
actions: []
`

// Whatever a step is answered with: no panic, an error that is a problem, nothing
// learnt or captured that cannot be sent, choices that can be told apart.
func FuzzStepAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"session":"s","expires":1795352400,"account":"a","items":[{"id":1,"name":"A"},{"id":2,"name":" "}]}}`, `{"data":{"items":[{"id":"x"}]}}`,
		`{"data":{"items":[{"id":{}},{"id":null},3,"x",[]]}}`, `{"data":[]}`, `[`, ``, `<html>`, `{"data":{"session":"a\r\nb","items":[]}}`,
		`{"data":{"account":"a\nb","items":[{"id":"1"},{"id":"1"},{"id":"2","name":"B","a":{"b":"c\u0000"}}]}}`,
	} {
		f.Add(200, []byte(seed), "h", "sid=1")
		f.Add(401, []byte(seed), "", "")
	}
	app, defects := parseDefinition("fuzz.yaml", []byte(fuzzSteps), thorough)
	if len(defects) > 0 {
		f.Fatal(defects)
	}
	m, err := app.Method("m")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, header, cookie string) {
		if status < 200 || status > 599 || holdsControl(header+cookie) {
			return
		}
		p := answering(status, string(body), "X-Head: "+header, "Set-Cookie: "+cookie)
		out, err := m.RunStep(context.Background(), p.client(), StepInput{Stage: StageSteps})
		if err != nil {
			var problem *connection.Problem
			if !errors.As(err, &problem) || problem.Type == "" || problem.Type == connection.ErrInternal {
				t.Errorf("%v", err)
			}
			return
		}
		for name, token := range out.Tokens {
			if token.Access.Empty() || holdsControl(token.Access.Reveal()) || token.Lifetime < 0 || token.Lifetime > maxLifetime {
				t.Errorf("%s: %+v", name, token.Lifetime)
			}
		}
		seen := map[string]bool{}
		for _, choice := range out.Choices {
			if choice.ID == "" || choice.Label == "" || seen[choice.ID] {
				t.Errorf("choice %+v", choice)
			}
			seen[choice.ID] = true
		}
		for name, value := range out.Values {
			if value == "" || len(value) > maxLearnt || holdsControl(value) {
				t.Errorf("%s is %q", name, value)
			}
		}
		if len(out.Choices) == 1 || len(out.Choices) > maxChoices {
			t.Errorf("%d choices", len(out.Choices))
		}
	})
}

// Whatever an authorization server says of itself, its endpoints are https or on
// this machine, and its name is the one that was expected.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{`{"issuer":"i","token_endpoint":"https://a.example/t"}`, `{"token_endpoint":"http://a.example"}`, `{"token_endpoint":"https://a@b","revocation_endpoint":"file:///x"}`, `{"token_endpoint":["x"]}`, `[]`} {
		f.Add([]byte(seed))
	}
	m := methodOf(f, "sandbox", "oauth")
	f.Fuzz(func(t *testing.T, raw []byte) {
		described, ok := decodeJSONObject(raw)
		if !ok {
			return
		}
		learnt, err := m.learntEndpoints(described, "https://issuer.example")
		if err != nil {
			problemOf(t, err)
			return
		}
		for name, value := range learnt {
			loopback := strings.HasPrefix(value, "http://localhost") || strings.HasPrefix(value, "http://127.") || strings.HasPrefix(value, "http://[::1]")
			if strings.HasSuffix(name, "_endpoint") && (!strings.HasPrefix(value, "https://") && !loopback || holdsControl(value) || strings.Contains(value, "@") && !strings.Contains(value, "/")) {
				t.Errorf("%s is %q", name, value)
			}
		}
	})
}
