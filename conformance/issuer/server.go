// Package issuer runs an OpenID provider made with another library than the
// sandbox's, as a second opinion on discovery, codes, rotation, device codes,
// client credentials and assertions.
package issuer

import (
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

const (
	// WebClient signs people in, with a secret; DeviceClient has no browser.
	WebClient, DeviceClient = "conformance-web", "conformance-device"
	// ServiceClient acts for itself. It and its secret are the library's own example.
	ServiceClient, ServiceSecret = "sid1", "verysecret"
	// Secret is both clients'.
	Secret = "conformance-secret-7f3a"
	// RedirectURI is where the web client brings connections home, SignInURI people.
	RedirectURI = gatewayURL + "/oauth/callback"
	SignInURI   = gatewayURL + "/sign-in/oidc/callback"
	gatewayURL  = "https://gateway.example"
	password    = "verysecure" // of the library's example user
)

// Start runs the provider until the test ends and answers its issuer.
func Start(t *testing.T) string {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	storage.RegisterClients(storage.WebClient(WebClient, Secret, RedirectURI, SignInURI), storage.DeviceClient(DeviceClient, Secret))
	handler = exampleop.SetupServer(server.URL+"/", storage.NewStorage(storage.NewUserStore(server.URL+"/")), nil, false)
	return server.URL + "/"
}

// browser is a person with a cookie jar who stops before leaving the provider.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), gatewayURL+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// SignIn has the person sign in at an authorization URL; it answers the callback's query.
func SignIn(t *testing.T, authorize string) url.Values {
	t.Helper()
	person := browser(t)
	page, err := person.Get(authorize)
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	form := url.Values{"id": {page.Request.URL.Query().Get("authRequestID")}, "username": {"test-user@" + page.Request.URL.Hostname()}, "password": {password}}
	answer, err := person.PostForm(page.Request.URL.String(), form)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	target, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || target.Query().Get("code") == "" {
		t.Fatalf("the sign-in ended at %s with %d", answer.Request.URL, answer.StatusCode)
	}
	return target.Query()
}

// Allow has the person type a code in and agree.
func Allow(t *testing.T, verification, code string) {
	t.Helper()
	person := browser(t)
	u, err := url.Parse(verification)
	if err != nil {
		t.Fatal(err)
	}
	login := *u
	login.Path = strings.TrimSuffix(u.Path, "/") + "/login"
	answer, err := person.PostForm(login.String(), url.Values{"user_code": {code}, "username": {"test-user@" + u.Hostname()}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	confirm := *u
	confirm.Path = strings.TrimSuffix(u.Path, "/") + "/confirm"
	answer, err = person.PostForm(confirm.String(), url.Values{"action": {"allowed"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the confirmation was answered %d", answer.StatusCode)
	}
}

// ServiceKey is the private key of the library's example service user.
func ServiceKey(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/zitadel/oidc/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "example", "server", "service-key1.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}
