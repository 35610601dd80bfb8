package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// tokenIn makes an access token of an environment for the length of the test.
func tokenIn(t *testing.T, environment, name, role string) string {
	t.Helper()
	token := strings.TrimSpace(must(t, "access", "create", name, "--environment", environment, "--role", role))
	t.Cleanup(func() {
		_ = exec.Command("../bin/connected-apps", "access", "revoke", name, "--environment", environment).Run()
	})
	return token
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func named(header, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(header, value) }
}

// send sends a request to the gateway and answers its status and body.
func send(t *testing.T, method, address, body string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	return sendBy(t, http.DefaultClient, method, address, body, change...)
}

func sendBy(t *testing.T, by *http.Client, method, address, body string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	sent, err := http.NewRequestWithContext(within(t, time.Minute), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sent.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(sent)
	}
	response, err := by.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// temporalUI is the origin of the stack's Web UI.
func temporalUI(t *testing.T) string {
	t.Helper()
	if s.settings.TemporalUI == "" {
		t.Fatal("the stack tells of no Web UI")
	}
	return s.settings.TemporalUI
}

// connectSealed connects the sandbox in staging by an API key, and answers the sealed
// input of its connect.
func connectSealed(t *testing.T, name, displayName string) (*workflows.Client, connection.ID, *commonpb.Payload) {
	t.Helper()
	staging, secrets := elsewhere(t, "staging")
	id := connection.ID("staging/sandbox/" + name)
	leaves(t, staging, id)
	values, secret := typed("api-key")
	ref, err := secrets.Inbox().Leave(within(t, time.Minute), secret)
	if err != nil {
		t.Fatal(err)
	}
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, Method: "api-key", Values: values}, DisplayName: displayName}
	if progress, err := staging.Connect(within(t, time.Minute), in, ref); err != nil || progress.Problem != nil {
		t.Fatal(progress.Problem, err)
	}
	if _, err := staging.AwaitConnect(within(t, time.Minute), id); err != nil {
		t.Fatal(err)
	}
	events := staging.Temporal.GetWorkflowHistory(within(t, time.Minute), workflows.ConnectWorkflowID(id), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	payload := first.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0]
	if string(payload.GetMetadata()["encoding"]) != vault.EncodingSealed {
		t.Fatalf("the input is not sealed: %v", payload)
	}
	return staging, id, payload
}

// bodyOf is a request of Temporal's codec protocol.
func bodyOf(t *testing.T, all ...*commonpb.Payload) string {
	t.Helper()
	text, err := protojson.Marshal(&commonpb.Payloads{Payloads: all})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Programs and pages open payloads by the gateway: those that may, and no others.
func TestCodecEndpoint(t *testing.T) {
	_, id, sealed := connectSealed(t, "codec-endpoint", "Canary of the endpoint")
	operator, viewer, other := tokenIn(t, "staging", "codec-op", "operator"), tokenIn(t, "staging", "codec-view", "viewer"), tokenIn(t, "production", "codec-op", "admin")
	decode, body := s.ready.Gateway+"/codec/staging/decode", bodyOf(t, sealed)
	shows := func(what string, status int, text string) {
		t.Helper()
		var all commonpb.Payloads
		if err := protojson.Unmarshal([]byte(text), &all); status != http.StatusOK || err != nil || len(all.Payloads) != 1 || !strings.Contains(string(all.Payloads[0].Data), id.String()) {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	refuses := func(what string, want int, kind string, status int, text string) {
		t.Helper()
		var told struct{ Error string }
		if err := json.Unmarshal([]byte(text), &told); err != nil || status != want || told.Error != kind || strings.Contains(text, id.String()) {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	status, text := send(t, "POST", decode, body, bearer(operator)) // as the temporal command line does
	shows("an operator", status, text)
	status, text = send(t, "POST", s.ready.Gateway+"/codec/decode", body, bearer(operator), named("X-Namespace", "staging"))
	shows("an operator who names the namespace in the header", status, text)
	status, text = send(t, "POST", s.ready.Gateway+"/codec/staging/encode", `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"InN0YWdpbmcvc2FuZGJveC9jb2RlYy1lbmRwb2ludCI="}]}`, bearer(operator))
	if status != http.StatusOK || strings.Contains(text, "anNvbi9wbGFpbg==") {
		t.Errorf("%d %s", status, text)
	}
	status, text = send(t, "POST", decode, text, bearer(operator))
	shows("what was sealed here", status, text)

	status, text = send(t, "POST", decode, body)
	refuses("nobody", http.StatusUnauthorized, connection.ErrNotSignedIn, status, text)
	status, text = send(t, "POST", decode, body, bearer(viewer))
	refuses("a viewer", http.StatusForbidden, connection.ErrNotAllowed, status, text)
	status, text = send(t, "POST", decode, body, bearer(other))
	refuses("another environment's admin", http.StatusForbidden, connection.ErrNotAllowed, status, text)
	status, text = send(t, "POST", s.ready.Gateway+"/codec/production/decode", body, bearer(other))
	refuses("another environment", http.StatusBadRequest, connection.ErrPayloadUnreadable, status, text)
	status, text = send(t, "POST", decode, body, bearer(operator), named("X-Namespace", "production"))
	refuses("two namespaces", http.StatusBadRequest, connection.ErrInvalidInput, status, text)
	sealed.Data[20] ^= 1
	status, text = send(t, "POST", decode, bodyOf(t, sealed), bearer(operator))
	refuses("changed", http.StatusBadRequest, connection.ErrPayloadUnreadable, status, text)

	visitor := signedIn(t)
	status, text = sendBy(t, visitor, "POST", decode, body, named("Origin", temporalUI(t)), named("Sec-Fetch-Site", "same-site"))
	shows("a session at the Web UI", status, text)
	for _, origin := range []string{"http://127.0.0.1:1", s.ready.Sandbox, "null", "https://evil.example"} {
		status, text = sendBy(t, visitor, "POST", decode, body, named("Origin", origin), named("Sec-Fetch-Site", "same-site"))
		refuses("a session at "+origin, http.StatusForbidden, connection.ErrNotAllowed, status, text)
	}
}

// A person who is signed in to the console reads payloads in Temporal's Web UI; before
// that, and in another browser, they are shown as they are kept.
func TestWebUIShowsWhatIsSealed(t *testing.T) {
	const canary = "Canary in the Web UI"
	_, id, sealed := connectSealed(t, "codec-ui", canary)
	page := temporalUI(t) + "/namespaces/staging/workflows/" + url.PathEscape(workflows.ConnectWorkflowID(id))
	stranger := newTab(t)
	stranger.open(page)
	stranger.see(base64.StdEncoding.EncodeToString(sealed.GetData()[:30]))
	if strings.Contains(stranger.text(), canary) {
		t.Error("a stranger reads it")
	}
	b := newTab(t)
	b.signIn()
	b.open(page)
	b.see(canary)
	if os.Getenv("CONNECTED_APPS_ARTEFACTS") != "" {
		time.Sleep(time.Second) // for the picture alone: the page fades in
		b.shot("web-ui-sealed")
	}
}
