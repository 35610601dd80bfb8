package connectors

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectedapps/connection"
)

// What people and models type must not decide where a request goes.
func TestArgumentsCannotChangeTheRequest(t *testing.T) {
	s := sessionOf(t, "github", "token")
	for _, evil := range []string{
		"..", ".", "a/b", "../../user", `a\b`, "a%2fb", "a%2F..%2Fb", "%2e%2e", "%252e", "a%00", "a\x00b", "a\r\nHost: evil", "a\nb", "", "a%23b",
	} {
		p := answering(200, `[]`)
		arguments, err := json.Marshal(map[string]any{"owner": evil, "repo": "r"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Call(context.Background(), p.client(), s.mustAction(t, "list-issues"), CallInput{Arguments: arguments})
		if problem := problemOf(t, err); problem.Type != connection.ErrInvalidArguments {
			t.Errorf("%q: %+v", evil, problem)
		}
		if len(p.asked) != 0 {
			t.Errorf("%q was sent: %v", evil, p.asked)
		}
	}
	// What is only unusual goes through, as one segment.
	for argument, segment := range map[string]string{
		"en.usa#holiday@group.v.calendar.google.com": "en.usa%23holiday%40group.v.calendar.google.com",
		"a b?c&d=e": "a%20b%3Fc%26d%3De", "ümlaut": "%C3%BCmlaut", "100%": "100%25", ";x=y": "%3Bx%3Dy", "user:pw@evil.example": "user%3Apw%40evil.example",
	} {
		p := answering(200, `[]`)
		arguments, err := json.Marshal(map[string]any{"owner": argument, "repo": "r"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Call(context.Background(), p.client(), s.mustAction(t, "list-issues"), CallInput{Arguments: arguments}); err != nil {
			t.Errorf("%q: %v", argument, err)
			continue
		}
		if want := "GET https://api.github.com/repos/" + segment + "/r/issues"; p.asked[0] != want {
			t.Errorf("%q: %s, want %s", argument, p.asked[0], want)
		}
	}
}

func TestPathsOfAnyAPI(t *testing.T) {
	s := sessionOf(t, "http", "bearer")
	s.Values["base_url"] = "https://api.example/v2"
	for path, want := range map[string]string{
		"/a/b": "https://api.example/v2/a/b", "a/b": "https://api.example/v2/a/b", "/a/": "https://api.example/v2/a/", "/": "https://api.example/v2/",
		"/a b/é": "https://api.example/v2/a%20b/%C3%A9", "/a?b": "https://api.example/v2/a%3Fb", "/@evil.example/": "https://api.example/v2/@evil.example/",
		"/../x": "", "/a/../x": "", "/a//b": "", "//evil.example/x": "", "/a%2f..": "", "/a%2e%2e/": "", "/a\r\nx": "", `/a\..\b`: "", "https://evil.example/": "",
	} {
		p := answering(200, `{}`)
		arguments, err := json.Marshal(map[string]any{"path": path})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Call(context.Background(), p.client(), s.mustAction(t, "get"), CallInput{Arguments: arguments})
		switch {
		case want == "" && (err == nil || len(p.asked) > 0):
			t.Errorf("%q was sent: %v", path, p.asked)
		case want != "" && (err != nil || p.asked[0] != "GET "+want):
			t.Errorf("%q: %v %v, want %s", path, p.asked, err, want)
		}
	}
}

// Values cannot move the base URL to another host, or hide one in it.
func TestValuesCannotChangeTheHost(t *testing.T) {
	const t1 Template = "https://{shop}.example.com/api"
	for _, evil := range []string{"evil.com/", "evil.com#", "evil.com?", "a@evil.com", `evil.com\`, "a b", "a\r\nb", "", "a%2fb", "evil.com/x@"} {
		if u, err := expandBase(t1, map[string]string{"shop": evil}); err == nil {
			t.Errorf("%q: %s", evil, u)
		}
	}
	if u, err := expandBase(t1, map[string]string{"shop": "acme"}); err != nil || u.String() != "https://acme.example.com/api" {
		t.Errorf("%v %v", u, err)
	}
	const t2 Template = "{+base_url}/api/v1"
	for _, evil := range []string{"ftp://x", "javascript:alert(1)", "https://a@evil.com", "https://evil.com#", "https://evil.com?x=", "//evil.com", "https:///x", "https://a/../b", "https://a/%2e%2e/b", "https://a\r\nb"} {
		if u, err := expandBase(t2, map[string]string{"base_url": evil}); err == nil {
			t.Errorf("%q: %s", evil, u)
		}
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	s := sessionOf(t, "http", "bearer")
	for _, evil := range []map[string]string{
		{"X-A": "b\r\nAuthorization: evil"}, {"X-A\r\nX-B": "c"}, {"Host": "evil"}, {"host": "evil"}, {"Authorization": "evil"}, {"authorization": "evil"},
		{"Cookie": "evil"}, {"Content-Length": "1"}, {"Transfer-Encoding": "chunked"}, {"Connection": "close"}, {"X A": "b"}, {"": "b"}, {"Proxy-Authorization": "x"}, {"X-A": "b\x00"},
	} {
		p := answering(200, `{}`)
		arguments, err := json.Marshal(map[string]any{"path": "/", "headers": evil})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Call(context.Background(), p.client(), s.mustAction(t, "get"), CallInput{Arguments: arguments}); err == nil || len(p.asked) > 0 {
			t.Errorf("%q was sent: %v", evil, p.header)
		}
	}
	p := answering(200, `{}`)
	if _, err := s.Call(context.Background(), p.client(), s.mustAction(t, "get"), CallInput{Arguments: json.RawMessage(`{"path":"/","headers":{"X-A":"b"}}`)}); err != nil {
		t.Fatal(err)
	}
	if p.header[0].Get("X-A") != "b" || p.header[0].Get("Authorization") != "Bearer secret-of-token" {
		t.Errorf("%v", p.header[0])
	}
}

// A next link that leads elsewhere gives nothing but its query.
func TestCursorsStayOnTheirAction(t *testing.T) {
	s := sessionOf(t, "github", "token")
	p := answering(200, `[]`, `Link: <https://evil.example/keys?page=2&per_page=5>; rel="next"`)
	first, err := s.Call(context.Background(), p.client(), s.mustAction(t, "list-repositories"), CallInput{})
	if err != nil || first.NextCursor == "" {
		t.Fatal(first, err)
	}
	if _, err = s.Call(context.Background(), p.client(), s.mustAction(t, "list-repositories"), CallInput{Cursor: first.NextCursor}); err != nil {
		t.Fatal(err)
	}
	if p.asked[1] != "GET https://api.github.com/user/repos?page=2&per_page=5" {
		t.Error(p.asked[1])
	}
}

func TestOrigins(t *testing.T) {
	s := sessionOf(t, "sandbox", "bearer")
	hosts, err := s.Method.Hosts(map[string]string{"base_url": "https://Sandbox.Example:443"})
	if err != nil || len(hosts) != 1 || hosts[0] != "https://sandbox.example" {
		t.Errorf("%v %v", hosts, err)
	}
	for text, want := range map[string]string{"http://A:80/x": "http://a", "https://a:8443": "https://a:8443", "http://[::1]:90": "http://[::1]:90"} {
		u, err := url.Parse(text)
		if err != nil || origin(u) != want {
			t.Errorf("%s: %s", text, origin(u))
		}
	}
}

func TestWrongTemplates(t *testing.T) {
	for _, text := range []Template{"{", "{a", "{/a}", "{;a}", "{.a}", "{#a}", "{a:3}", "/x{?a}/{b}", "{a.b}", "{a,b}", "{a*}", "{a}}", "{?a}{+b}", "{}"} {
		if _, err := text.parts(); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
	if got := (Text("{a}-{b}")); got.check() != nil || (Text("{a")).check() == nil || (Text("a}")).check() == nil {
		t.Error("texts")
	}
}

// A stored secret with a line break would be a header of its own.
func TestCredentialsCannotInjectHeaders(t *testing.T) {
	for _, id := range []string{"bearer", "api-key", "headers"} {
		s := sessionOf(t, "sandbox", id)
		for name := range s.Credential.Fields {
			s.Credential.Fields[name] = connection.NewSecret("a\r\nX-Evil: b")
		}
		p := answering(200, `{}`)
		if _, err := s.Call(context.Background(), p.client(), s.mustAction(t, "whoami"), CallInput{}); problemOf(t, err).Type != connection.ErrReconnectRequired || len(p.asked) > 0 {
			t.Errorf("%s: %v, asked %v", id, err, p.asked)
		}
	}
}

// A request without the credential its method needs is not sent at all.
func TestIncompleteCredential(t *testing.T) {
	for app, methods := range map[string][]string{"sandbox": {"oauth", "api-key", "api-key-query", "bearer", "headers", "basic"}} {
		for _, id := range methods {
			s := sessionOf(t, app, id)
			s.Credential = connection.Credential{}
			delete(s.Values, "username")
			p := answering(200, `{"id":"1","name":"n"}`)
			_, err := s.Call(context.Background(), p.client(), s.mustAction(t, "whoami"), CallInput{})
			problem := problemOf(t, err)
			if problem.Type != connection.ErrReconnectRequired || problem.Status != http.StatusUnauthorized || len(p.asked) > 0 {
				t.Errorf("%s: %+v, asked %v", id, problem, p.asked)
			}
			if !strings.Contains(problem.Message, "credential") {
				t.Errorf("%s: %s", id, problem.Message)
			}
		}
	}
}
