package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// passing are the secrets that live for minutes: what an authorization and a login of
// several steps use up. Both are gone through while they are written down.
func passing(t *testing.T) map[string]string {
	t.Helper()
	p, callback := begun(t, "canary-code", "approve")
	verifier := stored(t, "attempts/sandbox/canary-code", "verifier")
	answer, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	p.visit(callback)
	ctx := within(t, time.Minute)
	if _, err := s.client.AwaitConnect(ctx, id("canary-code")); err != nil {
		t.Fatal(err)
	}
	ref, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"password": connection.NewSecret(s.credentials["basic_password"])})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("canary-login"), Method: "login",
		Values: map[string]string{"base_url": s.ready.Sandbox, "username": s.credentials["basic_username"]}}}, ref); err != nil {
		t.Fatal(err)
	}
	arrives(t, "canary-login", workflows.PhaseAnswer)
	ticket := stored(t, "candidates/sandbox/canary-login", "access") // of the token set that the step captured
	var phone struct{ Code string }
	s.sandbox(t, http.MethodGet, "/admin/one-time-code?user=ada", nil, &phone)
	if len(phone.Code) < 6 || verifier == "" || ticket == "" {
		t.Fatalf("code %q, verifier and ticket of %d and %d characters", phone.Code, len(verifier), len(ticket))
	}
	progress, err := s.client.Progress(ctx, id("canary-login"))
	if err != nil {
		t.Fatal(err)
	}
	left, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"code": connection.NewSecret(phone.Code)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.AnswerStep(ctx, id("canary-login"), workflows.AnswerStep{Step: progress.Question.Step, Inbox: left}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.AwaitConnect(ctx, id("canary-login")); err != nil {
		t.Fatal(err)
	}
	return map[string]string{classCode + ": of a callback": answer.Query().Get("code"), classState + ": of a callback": answer.Query().Get("state"),
		classVerifier + ": of an attempt": verifier, classInterim + ": of a login": ticket}
}

// stored finds a field in what Vault holds below a folder, at any depth.
func stored(t *testing.T, folder, field string) string {
	t.Helper()
	base := "connected-apps/" + environment + "/secrets/"
	listed, err := s.root.Logical().List(base + "metadata/" + folder)
	if err != nil || listed == nil {
		t.Fatalf("nothing is stored in %s: %v", folder, err)
	}
	keys, _ := listed.Data["keys"].([]any)
	for _, key := range keys {
		found, err := s.root.Logical().Read(base + "data/" + folder + "/" + strings.TrimSuffix(fmt.Sprint(key), "/"))
		if err != nil || found == nil {
			continue
		}
		if value := fieldOf(found.Data["data"], field); value != "" {
			return value
		}
	}
	return ""
}

func fieldOf(value any, field string) string {
	object, _ := value.(map[string]any)
	for name, inner := range object {
		if text, ok := inner.(string); ok && name == field {
			return text
		}
		if found := fieldOf(inner, field); found != "" {
			return found
		}
	}
	return ""
}
