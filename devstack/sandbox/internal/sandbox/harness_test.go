package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/clock/clocktest"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/sandbox"
	"connectedapps/devstack/sandbox/internal/settings"
)

const (
	redirectURI  = "http://127.0.0.1/callback"
	verifier     = "a-verifier-of-at-least-forty-three-characters-0123456789"
	requestState = "state-of-the-client-0123"
	allScopes    = "contacts.read contacts.write offline_access"
)

// world is a sandbox over HTTP, its clock, and the credentials it made.
type world struct {
	t       *testing.T
	clock   *clocktest.Manual
	config  sandbox.Config
	server  *httptest.Server
	opened  *sandbox.Sandbox
	secrets sandbox.Credentials
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.NewManual(time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC))}
	w.config = sandbox.Config{
		Dir: t.TempDir(), RedirectURIs: []string{redirectURI}, Settings: settings.Default(), Clock: w.clock,
	}
	w.open()
	t.Cleanup(w.close)
	return w
}

// in is the same world, failing a subtest.
func (w *world) in(t *testing.T) *world {
	inner := *w
	inner.t = t
	return &inner
}

func (w *world) open() {
	w.t.Helper()
	w.server = httptest.NewUnstartedServer(nil)
	if w.config.Issuer == "" {
		w.config.Issuer = "http://" + w.server.Listener.Addr().String()
	}
	opened, err := sandbox.Open(context.Background(), w.config)
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	w.opened = opened
	w.server.Config.Handler = opened
	w.server.Start()
	raw, err := os.ReadFile(opened.CredentialsPath())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &w.secrets); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.server.Close()
	if err := w.opened.Close(); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

// reopen restarts the sandbox on the same directory and under the same issuer.
func (w *world) reopen() {
	w.t.Helper()
	w.close()
	w.open()
}

// reply is an HTTP answer read to its end.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

func (r reply) into(target any) reply {
	r.t.Helper()
	if err := json.Unmarshal(r.body, target); err != nil {
		r.t.Fatalf("not JSON: %v: %s", err, r.body)
	}
	return r
}

func (r reply) field(name string) string {
	r.t.Helper()
	var object map[string]any
	r.into(&object)
	value, _ := object[name].(string)
	return value
}

func (w *world) send(client *http.Client, request *http.Request) reply {
	w.t.Helper()
	response, err := client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{w.t, response.StatusCode, response.Header, body}
}

func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return request
}

// call sends an API or admin request; headers come in pairs.
func (w *world) call(method, path, body string, headers ...string) reply {
	w.t.Helper()
	request := w.request(method, path, body)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return w.send(http.DefaultClient, request)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func (w *world) set(object string) { w.t.Helper(); w.call("POST", "/admin/settings", object).want(200) }

func (w *world) entries(query string) []ledger.Entry {
	w.t.Helper()
	var entries []ledger.Entry
	w.call("GET", "/ledger?"+query, "").want(200).into(&entries)
	return entries
}

// lastEntry is the newest entry of a kind.
func (w *world) lastEntry(kind string) ledger.Entry {
	w.t.Helper()
	entries := w.entries("kind=" + kind)
	if len(entries) == 0 {
		w.t.Fatalf("no %s entry", kind)
	}
	return entries[len(entries)-1]
}

// browser keeps cookies and does not follow redirects.
func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func authorizeQuery(scope string) url.Values {
	challenge := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {sandbox.DefaultClientID}, "redirect_uri": {redirectURI},
		"scope": {scope}, "state": {requestState},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// consentForm opens the consent page and answers its hidden fields.
func (w *world) consentForm(browser *http.Client, query url.Values) url.Values {
	w.t.Helper()
	page := w.send(browser, w.request("GET", "/oauth/authorize?"+query.Encode(), "")).want(200)
	fields := url.Values{}
	for _, match := range hiddenField.FindAllSubmatch(page.body, -1) {
		fields.Set(string(match[1]), html.UnescapeString(string(match[2])))
	}
	return fields
}

func (w *world) submit(browser *http.Client, fields url.Values) reply {
	w.t.Helper()
	request := w.request("POST", "/oauth/authorize", fields.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.send(browser, request)
}

// location is the query of the redirect, which must lead to the client.
func (r reply) location() url.Values {
	r.t.Helper()
	target, err := url.Parse(r.want(http.StatusSeeOther).header.Get("Location"))
	if err != nil || !strings.HasPrefix(target.String(), redirectURI+"?") {
		r.t.Fatalf("redirected to %q, not to the client", r.header.Get("Location"))
	}
	return target.Query()
}

// authorize is a person who agrees to everything.
func (w *world) authorize(user, scope string) (code string) {
	w.t.Helper()
	browser := w.browser()
	fields := w.consentForm(browser, authorizeQuery(scope))
	fields.Set("user", user)
	fields.Set("decision", "approve")
	return w.submit(browser, fields).location().Get("code")
}

// token posts to a form endpoint as the default client.
func (w *world) token(path string, form url.Values) *http.Request {
	w.t.Helper()
	request := w.request("POST", path, form.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(w.secrets.ClientID, w.secrets.ClientSecret)
	return request
}

func (w *world) post(path string, form url.Values) reply {
	w.t.Helper()
	return w.send(http.DefaultClient, w.token(path, form))
}

func (w *world) redeem(code string) reply {
	w.t.Helper()
	return w.post("/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	})
}

func (w *world) refresh(refreshToken string) reply {
	w.t.Helper()
	return w.post("/oauth/token", refreshForm(refreshToken))
}

func refreshForm(refreshToken string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
}

// pair is a token answer.
type pair struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	TokenType string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

func (r reply) pair() (tokens pair) {
	r.t.Helper()
	r.want(200).into(&tokens)
	return tokens
}

// connect authorizes and redeems.
func (w *world) connect(user, scope string) pair {
	w.t.Helper()
	return w.redeem(w.authorize(user, scope)).pair()
}

func (w *world) wantOAuthError(r reply, code string) {
	w.t.Helper()
	if got := r.field("error"); got != code || r.status < 400 {
		w.t.Fatalf("answered %d %q, want the error %q", r.status, got, code)
	}
}

func contains(t *testing.T, haystack []byte, needle string) {
	t.Helper()
	if !bytes.Contains(haystack, []byte(needle)) {
		t.Errorf("%q is not in %s", needle, haystack)
	}
}
