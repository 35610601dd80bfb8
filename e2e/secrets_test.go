package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// forms are the ways a secret may be written down: as it is, base64 at three
// alignments, hexadecimal, escaped for URLs and JSON, and its first twelve characters.
func forms(secret string) []string {
	all := []string{secret, hex.EncodeToString([]byte(secret)), url.QueryEscape(secret), secret[:min(12, len(secret))]}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		all = append(all, text[from:to])
	}
	escaped, _ := json.Marshal(secret)
	return append(all, strings.Trim(string(escaped), `"`))
}

// leaks names the secrets that a surface holds, in any form.
func leaks(surface []byte, secrets map[string]string) []string {
	var found []string
	for name, secret := range secrets {
		for _, form := range forms(secret) {
			if len(form) >= 8 && bytes.Contains(surface, []byte(form)) {
				found = append(found, fmt.Sprintf("%s as %.6s…", name, form))
				break
			}
		}
	}
	return found
}

// canaries are every secret this stack knows: what people typed, and what Vault holds of every connection.
func canaries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"Vault's root token": s.root.Token()}
	for name, value := range s.credentials {
		if name != "client_id" && name != "basic_username" && name != "header_id" && name != "access_key_id" {
			all["the sandbox's "+name] = value
		}
	}
	for _, who := range []string{"worker", "gateway"} {
		if text, err := os.ReadFile(filepath.Join(s.dir, "identities", who, environment, "secret-id")); err == nil {
			all["secret ID of the "+who] = strings.TrimSpace(string(text))
		}
	}
	var collect func(where string, value any)
	collect = func(where string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				if name != "values" && name != "gate" && name != "scopes" && name != "rejected" {
					collect(where+"."+name, inner)
				}
			}
		case string:
			field := where[strings.LastIndexByte(where, '.')+1:]
			if field == "access" || field == "refresh" || field == "verifier" || strings.Contains(where, ".fields.") {
				all[where] = v
			}
		}
	}
	base := "connected-apps/" + environment + "/secrets/"
	for _, folder := range []string{"connections/sandbox", "candidates/sandbox"} {
		listed, err := s.root.Logical().List(base + "metadata/" + folder)
		if err != nil || listed == nil {
			continue
		}
		keys, _ := listed.Data["keys"].([]any)
		for _, key := range keys {
			if found, err := s.root.Logical().Read(base + "data/" + folder + "/" + fmt.Sprint(key)); err == nil && found != nil {
				collect(fmt.Sprint(key), found.Data["data"])
			}
		}
	}
	return all
}

// surfaces are the places where no secret may be, by name.
func surfaces(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"histories": histories(t), "descriptions and lists": descriptions(t)}
	for _, pattern := range []string{"temporal.db*", "logs/*", "vault/audit.log", "ready.json", "env", "launcher.log"} {
		paths, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(path)] = text
		}
	}
	var commands []byte
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if text, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")); err == nil {
			commands = append(commands, text...)
		}
	}
	all["process list"] = commands
	return all
}

// executions lists every workflow of the environment, open and closed.
func executions(t *testing.T) []*commonpb.WorkflowExecution {
	t.Helper()
	var all []*commonpb.WorkflowExecution
	var page []byte
	for {
		answer, err := s.client.Temporal.ListWorkflow(within(t, time.Minute), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 500, NextPageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, execution := range answer.GetExecutions() {
			all = append(all, execution.GetExecution())
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return all
		}
	}
}

// histories are all events of all workflows, with their payloads decoded.
func histories(t *testing.T) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, execution := range executions(t) {
		iterator := s.client.Temporal.GetWorkflowHistory(within(t, time.Minute), execution.GetWorkflowId(), execution.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for iterator.HasNext() {
			event, err := iterator.Next()
			if err != nil {
				t.Fatal(err)
			}
			decoded(t, &all, event)
		}
	}
	return all.Bytes()
}

func descriptions(t *testing.T) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, execution := range executions(t) {
		described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), execution.GetWorkflowId(), execution.GetRunId())
		if err != nil {
			t.Fatal(err)
		}
		decoded(t, &all, described)
		for _, query := range []string{workflows.QueryProgress, workflows.QueryDescribe} {
			if value, err := s.client.Temporal.QueryWorkflow(within(t, 10*time.Second), execution.GetWorkflowId(), execution.GetRunId(), query); err == nil {
				var answer json.RawMessage
				if value.Get(&answer) == nil {
					all.Write(answer)
				}
			}
		}
	}
	return all.Bytes()
}

// decoded writes a message as JSON, and the base64 of its payloads in clear after it.
func decoded(t *testing.T, to *bytes.Buffer, message proto.Message) {
	t.Helper()
	text, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	to.Write(text)
	var anything any
	if err := json.Unmarshal(text, &anything); err != nil {
		t.Fatal(err)
	}
	var open func(any)
	open = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				if encoded, ok := inner.(string); ok && name == "data" {
					if plain, err := base64.StdEncoding.DecodeString(encoded); err == nil {
						to.Write(plain)
					}
				}
				open(inner)
			}
		case []any:
			for _, inner := range v {
				open(inner)
			}
		}
	}
	open(anything)
}

// handOver gives an alert sink its URL and its keys, lets it fail, and has an auth
// config refuse a new client secret. It answers these secrets.
func handOver(t *testing.T) map[string]string {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	leave := func(fields map[string]string) connection.InboxRef {
		secrets := map[string]connection.Secret{}
		for name, value := range fields {
			secrets[name] = connection.NewSecret(value)
		}
		ref, err := s.secrets.Inbox().Leave(ctx, secrets)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	path, refused := "sink-canary-7d865e959b2466918c98", "rotated-canary-ca978112ca1bbdcafac2"
	first, second := "jPG+2TI7mxMw12yMsmF34GsR2QDEHcw7CpCzEpJE", "K2oElFelKj9/MeQDPfXimt3YxPvLeOf09UjYfffU"
	url := "http://127.0.0.1:9/" + path // nobody listens there
	if _, err := s.client.CreateSink(ctx, workflows.CreateSink{Name: "canary", Kind: connection.SinkWebhook,
		Inbox: leave(map[string]string{"url": url, "key": "whsec_" + first})}); err != nil {
		t.Fatal(err)
	}
	if tested, err := s.client.TestSink(ctx, "canary"); err != nil || tested.Delivered {
		t.Fatalf("%+v %v", tested, err)
	}
	if _, err := s.client.RotateSink(ctx, workflows.RotateSink{Name: "canary", Inbox: leave(map[string]string{"key": "whsec_" + second})}); err != nil {
		t.Fatal(err)
	}
	_, err := s.client.RotateAuthConfig(ctx, "sandbox", "oauth", workflows.Rotate{Inbox: leave(map[string]string{"client_secret": refused})})
	problemOf(t, err, connection.ErrClientMisconfigured)
	return map[string]string{"a sink's URL": path, "a signing key": first, "a signing key that replaced it": second, "a client secret that was refused": refused}
}

// No secret is anywhere but in Vault: with no payload codec, after connects by
// every method, refreshes, actions, failures and a secret answer. Each surface is
// shown to be searched by planting a secret on it.
func TestNoSecretIsOutsideVault(t *testing.T) {
	planted := "planted-canary-9f86d081884c7d659a2f"
	for _, method := range []string{"oauth", "client-credentials", "api-key", "bearer", "headers", "basic"} {
		connectBy(t, "canary-"+method, method)
	}
	if _, err := s.client.Refresh(within(t, time.Minute), id("canary-oauth")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "canary-oauth", "create-key", map[string]any{"name": "canary"}); err != nil {
		t.Fatal(err)
	}
	// A secret that is refused travels as far as one that is accepted.
	open, _ := typed("api-key")
	wrong, err := s.secrets.Inbox().Leave(within(t, time.Minute), map[string]connection.Secret{"api_key": connection.NewSecret("refused-canary-2c26b46b68ffc68ff99b")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Connect(within(t, time.Minute), workflows.ConnectInput{
		ConnectRequest: activities.ConnectRequest{Connection: id("canary-refused"), Method: "api-key", Values: open}}, wrong); err != nil {
		t.Fatal(err)
	}
	handed, passed := handOver(t), passing(t)
	secrets := canaries(t)
	secrets["a refused key"] = "refused-canary-2c26b46b68ffc68ff99b"
	maps.Copy(secrets, handed)
	maps.Copy(secrets, passed)
	pages, visit := shown(t, "canary-oauth", "canary-api-key", "canary-refused")
	maps.Copy(secrets, visit)
	if len(secrets) < 12 {
		t.Fatalf("only %d secrets are known: the test proves nothing", len(secrets))
	}
	all := surfaces(t)
	maps.Copy(all, pages)
	for name, surface := range all {
		if len(surface) == 0 && name != "ready.json" && !strings.HasSuffix(name, ".log") && !strings.Contains(name, "-wal") && !strings.Contains(name, "lock") {
			t.Errorf("%s is empty: nothing was searched", name)
		}
		for _, leak := range leaks(surface, secrets) {
			t.Errorf("%s holds %s", name, leak)
		}
		for _, form := range forms(planted) {
			if len(leaks(append(bytes.Clone(surface), form...), map[string]string{"planted": planted})) == 0 {
				t.Errorf("a leak planted on %s as %s is not found", name, form)
			}
		}
	}
	cancelled(t, "canary-refused")
	must(t, "alerts", "sinks", "delete", "canary", "--environment", environment, "--yes")
	t.Logf("%d secrets, %d surfaces", len(secrets), len(all))
}

// The control on the real surfaces: a secret that is really sent through a
// workflow is found in its history and in the database.
func TestALeakThatIsPlantedIsFound(t *testing.T) {
	planted := "leaked-canary-b5bb9d8014a0f9b1d61e21e796d78dcc"
	started, err := s.client.Temporal.ExecuteWorkflow(within(t, time.Minute), startOptions("leak"), workflows.TypeRunAction,
		workflows.RunActionInput{CallActionInput: activities.CallActionInput{Connection: id("nobody"), Action: "echo",
			Arguments: json.RawMessage(`{"secret":"` + planted + `"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	_ = started.Get(within(t, time.Minute), nil) // it fails, as it should
	if len(leaks(histories(t), map[string]string{"planted": planted})) == 0 {
		t.Error("not found in the histories")
	}
	eventually(t, "the leak in the database file", func() bool {
		paths, _ := filepath.Glob(filepath.Join(s.dir, "temporal.db*"))
		for _, path := range paths {
			if text, err := os.ReadFile(path); err == nil && len(leaks(text, map[string]string{"planted": planted})) > 0 {
				return true
			}
		}
		return false
	})
}

// The walls of Vault, tried with the identities that the processes really use.
func TestEachIdentityReachesOnlyItsOwn(t *testing.T) {
	connectBy(t, "walls", "api-key")
	login := func(who, where string) string {
		role, err := os.ReadFile(filepath.Join(s.dir, "identities", who, where, "role-id"))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := os.ReadFile(filepath.Join(s.dir, "identities", who, where, "secret-id"))
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.root.Logical().Write("auth/approle/login", map[string]any{"role_id": strings.TrimSpace(string(role)), "secret_id": strings.TrimSpace(string(secret))})
		if err != nil {
			t.Fatal(err)
		}
		return found.Auth.ClientToken
	}
	mine := "connected-apps/" + environment
	document := "/secrets/data/connections/sandbox/walls"
	cases := []struct {
		who, where, method, path string
		allowed                  bool
	}{
		{"worker", environment, http.MethodGet, mine + document, true},
		{"worker", "staging", http.MethodGet, mine + document, false},
		{"worker", "production", http.MethodGet, mine + "/inbox/metadata?list=true", false},
		{"worker", environment, http.MethodGet, mine + "/secrets/data/access/x", false},
		{"worker", environment, http.MethodPut, mine + "/inbox/data/x", false},
		{"gateway", environment, http.MethodGet, mine + document, false},
		{"gateway", environment, http.MethodGet, mine + "/secrets/metadata/connections/sandbox/walls", true},
		{"gateway", environment, http.MethodGet, mine + "/secrets/data/auth-configs/sandbox/oauth", false},
		{"gateway", environment, http.MethodGet, mine + "/secrets/data/attempts/sandbox/walls/x", false},
		{"gateway", environment, http.MethodGet, mine + "/inbox/metadata?list=true", false},
		{"gateway", environment, http.MethodGet, mine + "/inbox/data/x", false},
		{"gateway", "staging", http.MethodGet, mine + "/secrets/metadata/connections/sandbox/walls", false},
		{"gateway", environment, http.MethodGet, "sys/policies/acl?list=true", false},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(t.Context(), c.method, s.ready.Vault+"/v1/"+c.path, strings.NewReader(`{"data":{},"options":{"cas":0}}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Vault-Token", login(c.who, c.where))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if denied := response.StatusCode == http.StatusForbidden; denied == c.allowed {
			t.Errorf("%s of %s, %s %s: %d", c.who, c.where, c.method, c.path, response.StatusCode)
		}
	}
}
