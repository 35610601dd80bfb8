package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// shown are the console's pages and the API's answers about some connections, as one
// text each, and the secrets of the visit itself: the session, its token, a connect
// session's link.
func shown(t *testing.T, names ...string) (surfaces map[string][]byte, secrets map[string]string) {
	t.Helper()
	visitor := signedIn(t)
	p := newPlatform(t, "canary", "admin")
	var made struct{ Session, URL string }
	p.must(http.MethodPost, "/connect-sessions", map[string]any{"environment": environment, "app": "sandbox", "owner": "canary"}, &made)
	secrets = map[string]string{"access token of a platform: its own": p.token[strings.LastIndexByte(p.token, '_')+1:], "connect session: its link": made.URL[strings.LastIndexByte(made.URL, '/')+1:]}
	gateway, err := url.Parse(s.ready.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range visitor.Jar.Cookies(gateway) {
		secrets["cookie: "+cookie.Name] = cookie.Value[strings.LastIndexByte(cookie.Value, ':')+1:]
	}
	pages := []string{"/connections", "/apps", "/apps/sandbox", "/auth-configs", "/auth-configs/" + environment + "/sandbox/oauth", "/auth-configs/new?environment=" + environment + "&app=sandbox&method=oauth", "/alerts", "/alerts/sinks"}
	answers := []string{"/me", "/environments", "/apps/sandbox", "/connections?environment=" + environment, "/auth-configs", "/auth-configs/" + environment + "/sandbox/oauth", "/alerts", "/alert-sinks/" + environment,
		"/connect-sessions/" + environment + "/" + made.Session}
	for _, name := range names {
		at := "/connections/" + id(name).String()
		pages = append(pages, at, at+"/connect", at+"/reconnect", at+"/toolkits/default", at+"/toolkits/default/actions/create-key")
		answers = append(answers, at, at+"/connect", at+"/toolkits/default")
	}
	var html, json bytes.Buffer
	for _, path := range pages {
		response, err := visitor.Get(s.ready.Gateway + path)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusGone {
			t.Errorf("%s answers %d: there is little to search", path, response.StatusCode)
		}
		if _, err := io.Copy(&html, response.Body); err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	for _, path := range answers {
		status, text := p.do(http.MethodGet, path, nil, nil)
		if status != http.StatusOK && status != http.StatusNotFound && status != http.StatusGone {
			t.Errorf("%s answers %d %s", path, status, text)
		}
		json.WriteString(text)
	}
	p.must(http.MethodDelete, "/connect-sessions/"+environment+"/"+made.Session, nil, nil)
	return map[string][]byte{"console's pages": html.Bytes(), "API's answers": json.Bytes()}, secrets
}
