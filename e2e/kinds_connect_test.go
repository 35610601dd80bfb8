package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// connecting is what a person does to connect by a method. again reconnects what is
// connected: only what is secret is given once more, and the rest must have been kept.
type connecting func(t *testing.T, name, method string, again bool)

// cli runs the command line without a terminal.
func cli(t *testing.T, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	command := exec.CommandContext(within(t, 2*time.Minute), "../bin/connected-apps", arguments...)
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// must fails the test unless the command line succeeds.
func must(t *testing.T, arguments ...string) string {
	t.Helper()
	stdout, stderr, code := cli(t, arguments...)
	if code != 0 {
		t.Fatalf("%v ended with %d: %s", arguments, code, stderr)
	}
	return stdout
}

// connectArguments are those of a command that connects with values that are not
// secret, or reconnects without them.
func connectArguments(name, method string, values map[string]string, again bool) []string {
	if again {
		return []string{"reconnect", string(id(name))}
	}
	arguments := []string{"connect", string(id(name)), "--method", method, "--set", "base_url=" + s.ready.Sandbox}
	for input, value := range values {
		arguments = append(arguments, "--set", input+"="+value)
	}
	return arguments
}

// registered are the arguments of a command that connects by an auth config of the
// sandbox's default client, or reconnects by the same.
func registered(t *testing.T, name, method string, values map[string]string, again bool) []string {
	t.Helper()
	if again {
		return []string{"reconnect", string(id(name))}
	}
	authConfig(t, "kind-"+method, method)
	arguments := []string{"connect", string(id(name)), "--method", method, "--auth-config", "kind-" + method}
	for input, value := range values {
		arguments = append(arguments, "--set", input+"="+value)
	}
	return arguments
}

// secretFile is a file with secrets, as a person hands them over.
func secretFile(t *testing.T, secrets map[string]string) string {
	t.Helper()
	text, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// provided hands over values and secrets.
func provided(values, secrets map[string]string) connecting {
	return func(t *testing.T, name, method string, again bool) {
		t.Helper()
		must(t, append(connectArguments(name, method, values, again), "--secret-file", secretFile(t, secrets))...)
	}
}

// withClient is provided, by an auth config of the sandbox's default client.
func withClient(values, secrets map[string]string) connecting {
	return func(t *testing.T, name, method string, again bool) {
		t.Helper()
		must(t, append(registered(t, name, method, values, again), "--secret-file", secretFile(t, secrets))...)
	}
}

// begin asks for a link or a code, and answers what the command line wrote.
func begin(t *testing.T, arguments []string, into any) {
	t.Helper()
	written := must(t, append(arguments, "--no-wait", "--output", "json")...)
	if err := json.Unmarshal([]byte(written), into); err != nil {
		t.Fatalf("%v: %s", err, written)
	}
}

// atTheApp goes to the app by a link and agrees there.
func atTheApp(t *testing.T, name, method string, again bool) {
	t.Helper()
	var link struct{ URL string }
	begin(t, registered(t, name, method, nil, again), &link)
	result := newPerson(t).connect(link.URL, "ada", "approve")
	if result.status != http.StatusOK || !strings.Contains(result.text, "ada") {
		t.Fatalf("the result page does not say whose account it is: %d %s", result.status, result.text)
	}
}

// onAnotherDevice types the code in at the app and agrees there.
func onAnotherDevice(t *testing.T, name, method string, again bool) {
	t.Helper()
	var prompt struct {
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
	}
	begin(t, registered(t, name, method, nil, again), &prompt)
	p := newPerson(t)
	asked := p.visit(prompt.VerificationURI)
	if wrong := p.submit(asked, map[string]string{"user_code": "BCDF-GHJK"}); wrong.status != http.StatusUnprocessableEntity {
		t.Fatalf("a wrong code: %d %s", wrong.status, wrong.text)
	}
	consent := p.submit(asked, map[string]string{"user_code": prompt.UserCode})
	if done := p.submit(consent, map[string]string{"user": "ada", "decision": "approve"}); done.status != http.StatusOK || !strings.Contains(done.text, "Done") {
		t.Fatalf("%d %s", done.status, done.text)
	}
}

// withCode logs in with a password, answers one wrong code and then the one on the phone.
func withCode(t *testing.T, name, method string, again bool) {
	t.Helper()
	arguments := connectArguments(name, method, map[string]string{"username": s.credentials["basic_username"]}, again)
	_, stderr, code := cli(t, append(arguments, "--secret-file", secretFile(t, map[string]string{"password": s.credentials["basic_password"]}))...)
	if code == 0 || !strings.Contains(stderr, "--resume --secret-file") {
		t.Fatalf("the code is not asked for: %d %s", code, stderr)
	}
	var phone struct{ Code string }
	s.sandbox(t, http.MethodGet, "/admin/one-time-code?user=ada", nil, &phone)
	wrong := "000000"
	if phone.Code == wrong {
		wrong = "111111"
	}
	if _, stderr, code := cli(t, "connect", string(id(name)), "--resume", "--secret-file", secretFile(t, map[string]string{"code": wrong})); code == 0 {
		t.Fatalf("a wrong code is taken: %s", stderr)
	}
	must(t, "connect", string(id(name)), "--resume", "--secret-file", secretFile(t, map[string]string{"code": phone.Code}))
}

// ofTwoOrganisations agrees at the app and then says which organisation is meant.
func ofTwoOrganisations(t *testing.T, name, method string, again bool) {
	t.Helper()
	offered(t, registered(t, name, method, nil, again))
	must(t, "connect", string(id(name)), "--resume", "--choose", "grace-2")
	if got := organisation(t, name); got != "grace-2" {
		t.Fatalf("it is of %q", got)
	}
}

// offered goes to the app by the link of a command, and comes back to where one of
// two organisations is to be chosen.
func offered(t *testing.T, arguments []string) {
	t.Helper()
	var link struct{ URL string }
	begin(t, arguments, &link)
	p := newPerson(t)
	consent := p.submit(p.visit(link.URL), nil)
	// The page goes on waiting for the choice, so the person leaves it.
	p.once(http.MethodGet, p.submitOnce(consent, map[string]string{"user": "grace", "decision": "approve"}).header.Get("Location"), nil, "")
	_, stderr, code := cli(t, "connect", arguments[1], "--resume")
	if code == 0 || !strings.Contains(stderr, "grace-1") || !strings.Contains(stderr, "grace-2") {
		t.Fatalf("the organisations are not offered: %d %s", code, stderr)
	}
}

// organisation is the one that actions of a connection work in.
func organisation(t *testing.T, name string) string {
	t.Helper()
	var me struct{ Organisation string }
	ran, err := run(t, name, "whoami", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(ran.Data, &me); err != nil {
		t.Fatalf("%s %v", ran.Data, err)
	}
	return me.Organisation
}

// asSignedClient registers a client that signs instead of having a secret, and connects as it.
func asSignedClient(t *testing.T, name, method string, again bool) {
	t.Helper()
	if again {
		must(t, "reconnect", string(id(name)))
		return
	}
	key := newSigner(t)
	s.sandbox(t, http.MethodPost, "/admin/clients", map[string]any{"id": "signing-client", "redirect_uris": []string{},
		"token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": []any{key.jwk()}}}, nil)
	ctx := within(t, time.Minute)
	ref, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"private_key": connection.NewSecret(key.pem(t))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: "sandbox", Name: "signing", Method: method, ClientID: "signing-client",
		Values: map[string]string{"base_url": s.ready.Sandbox, "key_id": key.id}, Inbox: ref}); err != nil {
		t.Fatal(err)
	}
	must(t, "connect", string(id(name)), "--method", method, "--auth-config", "signing")
}
