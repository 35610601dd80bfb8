package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// platform is a program with an access token.
type platform struct {
	t     *testing.T
	token string
}

func newPlatform(t *testing.T, name, role string) platform {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "../bin/connected-apps", "access", "create", name, "--environment", environment, "--role", role).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("../bin/connected-apps", "access", "revoke", name, "--environment", environment).Run()
	})
	return platform{t, strings.TrimSpace(string(out))}
}

// do sends a request and reads the answer into out, unless that is nil.
func (p platform) do(method, path string, in, out any, change ...func(*http.Request)) (int, string) {
	p.t.Helper()
	body := io.Reader(http.NoBody)
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(within(p.t, time.Minute), method, s.ready.Gateway+"/api/v1"+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.token)
	for _, f := range change {
		f(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if out != nil && response.StatusCode/100 == 2 {
		if err := json.Unmarshal(text, out); err != nil {
			p.t.Fatalf("%s: %v", text, err)
		}
	}
	return response.StatusCode, string(text)
}

func (p platform) must(method, path string, in, out any, change ...func(*http.Request)) {
	p.t.Helper()
	if status, text := p.do(method, path, in, out, change...); status/100 != 2 {
		p.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
}

// A platform connects, uses, corrects and ends a connection by the API alone.
func TestAPIConnectsUsesAndDisconnects(t *testing.T) {
	p := newPlatform(t, "api-test", "operator")
	path := "/connections/" + id("by-api").String()
	values, secrets := map[string]string{"base_url": s.ready.Sandbox}, map[string]string{"api_key": "wrong"}
	in := map[string]any{"connection": id("by-api"), "method": "api-key", "values": values, "secrets": secrets, "display_name": "By API", "owner": "team-api"}
	var begun struct {
		Flow     string
		Progress struct{ Phase workflows.Phase }
	}
	p.must(http.MethodPost, "/connections", in, &begun)
	if begun.Progress.Phase != workflows.PhaseTestFailed && begun.Progress.Phase != workflows.PhaseCredential {
		t.Errorf("a wrong key leads to %+v", begun)
	}
	events := p.follow(path + "/connect/events")
	p.must(http.MethodPost, path+"/connect/credential", map[string]any{"secrets": map[string]string{"api_key": s.credentials["api_key"]}}, nil)
	last := ""
	for event := range events {
		last = event
	}
	if !strings.Contains(last, `"active"`) {
		t.Errorf("the last event is %s", last)
	}
	var listed struct {
		Items []struct{ ID connection.ID }
	}
	eventually(t, "it is listed", func() bool {
		p.must(http.MethodGet, "/connections?environment="+environment+"&owner=team-api", nil, &listed)
		return len(listed.Items) == 1 && listed.Items[0].ID == id("by-api")
	})
	before := s.mark(t)
	create := map[string]any{"arguments": map[string]any{"name": "Once by API"}}
	key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "once-1") }
	var one, other struct {
		Result struct{ Data struct{ ID string } }
	}
	p.must(http.MethodPost, path+"/actions/create-contact", create, &one, key)
	p.must(http.MethodPost, path+"/actions/create-contact", create, &other, key)
	if one.Result.Data.ID == "" || one != other {
		t.Errorf("%+v and %+v", one, other)
	}
	if n := count(s.since(t, before), at("api", contacts)); n != 1 {
		t.Errorf("the app was asked %d times", n)
	}
	if status, text := p.do(http.MethodPost, path+"/actions/create-contact", map[string]any{"arguments": map[string]any{"name": 7}}, nil); status != http.StatusBadRequest || !strings.Contains(text, "InvalidArguments") {
		t.Errorf("wrong arguments: %d %s", status, text)
	}
	if status, text := p.do(http.MethodGet, "/connections/production/sandbox/by-api", nil, nil); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("another environment: %d %s", status, text)
	}
	p.must(http.MethodDelete, path+"?reason=done", nil, nil)
	eventually(t, "it is gone", func() bool { status, _ := p.do(http.MethodGet, path, nil, nil); return status == http.StatusNotFound })
	gone(t, "by-api")
	viewer := newPlatform(t, "api-viewer", "viewer")
	if status, text := viewer.do(http.MethodPost, "/connections", in, nil); status != http.StatusForbidden || !strings.Contains(text, "NotAllowed") {
		t.Errorf("a viewer: %d %s", status, text)
	}
	p.token = "cat_" + environment + "_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	if status, _ := p.do(http.MethodGet, "/me", nil, nil); status != http.StatusUnauthorized {
		t.Errorf("a token of nobody: %d", status)
	}
}

// follow reads the data of server-sent events until the stream ends.
func (p platform) follow(path string) <-chan string {
	p.t.Helper()
	request, err := http.NewRequestWithContext(within(p.t, 2*time.Minute), http.MethodGet, s.ready.Gateway+"/api/v1"+path, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("%v %v", response, err)
	}
	events := make(chan string, 100)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
				events <- data
			}
		}
	}()
	return events
}

// A platform sends its end user to a link: they connect without an account here, come
// back to the platform, and the platform is told.
func TestConnectSessionFromLinkToWebhook(t *testing.T) {
	authConfig(t, "console", "oauth")
	p := newPlatform(t, "sessions-test", "operator")
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<h1>Back at the platform</h1>")
	}))
	t.Cleanup(back.Close)
	hook := newReceiver(t)
	hook.change(func() {
		hook.key = sinkKey(t, must(t, "alerts", "sinks", "create", "sessions", "--kind", "webhook", "--environment", environment, "--url", hook.URL, "--output", "json"))
	})
	t.Cleanup(func() { // the test's own context has ended by then
		if err := s.client.DeleteSink(context.Background(), "sessions"); err != nil {
			t.Error(err)
		}
	})
	var made struct{ Session, URL string }
	p.must(http.MethodPost, "/connect-sessions", map[string]any{"environment": environment, "app": "sandbox", "name": "by-guest", "display_name": "By a guest",
		"owner": "user-4711", "requested_by": "Acme", "auth_config": "console", "method": "oauth", "return_to": back.URL + "/done", "notify": "sessions"}, &made)
	guest := newTab(t)
	guest.open(made.URL)
	guest.see("Acme")
	guest.accessible()
	guest.shot("session-1-invitation")
	guest.press("Continue")
	guest.see("Connect with OAuth")
	guest.accessible()
	guest.shot("session-2-form")
	elsewhere := newTab(t)
	elsewhere.open(made.URL)
	elsewhere.until("the link is used up", func() bool {
		return strings.Contains(elsewhere.text(), "used") || strings.Contains(elsewhere.text(), "Continue")
	})
	if strings.Contains(elsewhere.text(), "Continue") {
		elsewhere.press("Continue")
		elsewhere.see("used")
	}
	guest.press("Connect with OAuth")
	guest.consent()
	guest.see("Back at the platform")
	if at := guest.at(); !strings.Contains(at, "status=connected") || !strings.Contains(at, "connect_session="+made.Session) {
		t.Errorf("the person comes back to %s", at)
	}
	guest.quiet()
	eventually(t, "the platform is told", func() bool { n, _ := hook.about("by-guest", "connect-session.connected"); return n == 1 })
	guest.open("/connections")
	guest.see("Sign in")
	var state struct{ State string }
	p.must(http.MethodGet, "/connect-sessions/"+environment+"/"+made.Session, nil, &state)
	if state.State != "connected" {
		t.Errorf("the session is %+v", state)
	}
	leave(t, "by-guest")
}
