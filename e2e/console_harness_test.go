package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// signIn makes a one-time link on the command line and opens it.
func (b *tab) signIn() {
	b.t.Helper()
	link := strings.TrimSpace(must(b.t, "console"))
	b.open(link)
	b.press("Sign in")
	b.see("Connected Apps")
	b.until("the list of connections", func() bool { return strings.HasSuffix(b.at(), "/connections") })
}

// consent says yes at the sandbox's own page.
func (b *tab) consent() {
	b.t.Helper()
	b.see("asks for access to your Sandbox account")
	b.press("Allow")
}

// pageOf is a connection's page in the console.
func pageOf(id connection.ID) string { return "/connections/" + id.String() }

// startConnect opens the form of a connect of the sandbox and fills in what all methods
// ask for.
func (b *tab) startConnect(t *testing.T, name, method string) {
	t.Helper()
	b.open("/apps/sandbox/connect?method=" + method)
	b.fill("Connection name", name)
	if method != "oauth" && method != "oauth-org" {
		b.fill("Address", s.ready.Sandbox)
	}
}

// review creates the toolkit that the last step proposes.
func (b *tab) review() {
	b.t.Helper()
	b.see("Create App Toolkit")
	b.press("Create App Toolkit")
	b.see("Open the connection")
}

// leave disconnects what a test has connected, and fails it if anything is left.
func leave(t *testing.T, name string) {
	t.Helper()
	if _, err := s.client.Disconnect(within(t, time.Minute), id(name), "the test is over"); err != nil {
		t.Error(err)
	}
	eventually(t, "the end of "+name, func() bool {
		_, err := s.client.Describe(within(t, time.Minute), id(name))
		return connection.TypeOf(err) == connection.ErrConnectionNotFound
	})
	gone(t, name)
}

// signedIn is a program with a browser's session.
func signedIn(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	visitor := &http.Client{Jar: jar, Timeout: time.Minute}
	out, err := exec.Command("../bin/connected-apps", "console").Output()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, strings.TrimSpace(string(out)), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", s.ready.Gateway)
	response, err := visitor.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("signing in answered %s", response.Status)
	}
	return visitor
}
