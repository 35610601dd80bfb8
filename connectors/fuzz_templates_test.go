package connectors

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectedapps/connection"
)

// Whatever a value says, a header is either refused or one line that HTTP takes.
func FuzzHeaderTemplate(f *testing.F) {
	for _, seed := range []string{"a", "", "a\r\nX-Evil: 1", "{secret}", "é", "\x00", "\t", strings.Repeat("x", 9000)} {
		f.Add("Bearer {token}", seed)
		f.Add("{token}{token}", seed)
	}
	m := methodOf(f, "sandbox", "oauth")
	f.Fuzz(func(t *testing.T, template, value string) {
		v := m.variables(testClient, map[string]string{"token": value}, map[string]connection.Secret{"secret": connection.NewSecret("s-4711")})
		if _, err := v.headers(map[string]Text{"X-Name": Text(template), "Content-Length": "1"}); err == nil {
			t.Fatal("a header of the framing was set")
		}
		headers, err := v.headers(map[string]Text{"X-Name": Text(template)})
		if err != nil {
			return
		}
		for _, text := range headers {
			if holdsControl(text) {
				t.Errorf("%q", text)
			}
			if strings.Contains(text, "s-4711") && !strings.Contains(template, "{secret}") && !strings.Contains(template+value, "s-4711") {
				t.Errorf("%q in %q was read as a template", value, template)
			}
		}
	})
}

// A child over a parent, both of anything: a definition or reasons, each with its
// place, and never a way around in circles.
func FuzzExtends(f *testing.F) {
	for _, seed := range []string{"id: child\nextends: demo\n", "id: child\nextends: child\n", "id: demo\nextends: demo\nauth: null\n", "id: child\nextends: demo\nauth: [{id: x}]\nactions: [{id: }]\n", "extends: [demo]\n", "id: child\nextends: demo\nextends: x\n"} {
		f.Add([]byte(sound), []byte(seed))
		f.Add([]byte(odd), []byte(seed))
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, parent, child []byte) {
		lib := &library{documents: map[string]*document{}}
		if d, defect := newDocument("parent.yaml", parent); defect == nil {
			lib.documents[d.id] = d
		}
		d, defect := newDocument("child.yaml", child)
		if defect != nil {
			saysWhy(t, defect)
			return
		}
		lib.documents[d.id] = d
		if defect := lib.inherit(d); defect != nil {
			saysWhy(t, defect)
			return
		}
		app, defects := d.definition(thorough)
		if app == nil && len(defects) == 0 {
			t.Error("nothing and no reason")
		}
		saysWhy(t, defects...)
	})
}

func saysWhy(t *testing.T, defects ...*DefinitionError) {
	t.Helper()
	for _, defect := range defects {
		if defect.Reason == "" || defect.Line < 0 || defect.File == "" {
			t.Errorf("%+v", defect)
		}
	}
}

// hostile are expressions in which every function meets what it is given.
var hostile = []Expression{
	`base64(x)`, `string(unbase64(x))`, `hex(sha256(x + y))`, `hex(hmac_sha512(x, y))`, `base64url(md5(x))`, `jwt_claims(x).exp`, `parse_json(x).a.b[0]`, `spki_sha256(x)`,
	`x.split(y)[1]`, `x.replace(y, x)`, `x.substring(int(y))`, `x.matches(y)`, `x + y + string(size(x))`, `x == y ? x : y`, `hex(random(int(x)))`, `x.split("").map(c, c + y).join(y)`,
	`int(x) / int(y)`, `timestamp(x).getFullYear()`, `x.format([y])`, `[x, y].join("-").upperAscii()`,
}

// Whatever a person typed in, an expression yields text of bounded length or an
// error that does not show it; a predicate holds or does not.
func FuzzExpression(f *testing.F) {
	for i := range hostile {
		for _, seed := range []string{"", "key-us1", "a.eyJleHAiOjF9.c", "{\"a\":1}", "9223372036854775807", "(a+)+$", "%s%d", "\xff\x00", strings.Repeat("a-", 500)} {
			f.Add(uint(i), seed, seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint, x, y string) {
		values := map[string]string{"x": x, "y": y}
		e := hostile[which%uint(len(hostile))]
		text, err := e.text(from(values))
		if len(text) > maxComputed {
			t.Errorf("%s yields %d bytes", e, len(text))
		}
		if err != nil && len(x) > 12 && strings.Contains(err.Error(), x) {
			t.Errorf("%s: the error shows what it was given: %v", e, err)
		}
		a := &answer{status: 200, header: http.Header{"X-Y": {y}}, body: map[string]any{"x": x, "list": []any{y, x, nil}}}
		for _, p := range []Predicate{`body.x.matches(headers["x-y"])`, `body.list.exists(e, e == body.x)`, `body.x == headers["x-y"] || body.none > 1`, `int(body.x) > 0`, `"x-y" in headers && body.x.contains(headers["x-y"])`} {
			p.holds(a)
		}
	})
}

// Whatever a server or a caller says is the next page, it is a page of the same
// thing: a cursor changes the query and nothing else.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{`<https://a.example/x?page=2>; rel="next"`, `<//evil/?a>; rel=next`, `<x>;rel="prev next";title="a, b", <y?z=1>; rel=last`, `<`, `a=b&c=%2f`, "10", "-1", "a\r\nb", strings.Repeat("<a>;rel=next,", 300), "<?" + strings.Repeat("a", maxCursor+1) + ">; rel=next"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, link, cursor string) {
		if next := queryOf(nextLink(http.Header{"Link": {link}})); len(next) > maxCursor {
			t.Errorf("%d bytes", len(next))
		}
		for _, kind := range []PagingKind{PagingLink, PagingNextURL, PagingCursor, PagingOffset, PagingPage} {
			a := &Action{ID: "list", Paging: &Paging{Kind: kind, To: "at"}}
			out := &outgoing{method: http.MethodGet, path: "/list", query: url.Values{}}
			if _, err := a.applyCursor(out, nil, cursor); err != nil {
				problemOf(t, err)
				continue
			}
			if out.path != "/list" || out.method != http.MethodGet || len(out.header) != 0 {
				t.Errorf("%s %q: %+v", kind, cursor, out)
			}
			if u, err := url.Parse("https://a.example/list?" + out.query.Encode()); err != nil || u.Host != "a.example" || u.Path != "/list" {
				t.Errorf("%s %q: %v", kind, cursor, err)
			}
		}
	})
}
