package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"connectedapps/devstack/sandbox/internal/ledger"
)

// asSandbox makes the test binary behave as devstack-sandbox, so that a test can kill it.
const asSandbox = "DEVSTACK_SANDBOX_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asSandbox) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

type child struct {
	process *exec.Cmd
	url     string
	apiKey  string
}

// start runs a sandbox of its own process and waits for its ready line.
func start(t *testing.T, dir string) child {
	t.Helper()
	process := exec.Command(os.Args[0], "--listen", "127.0.0.1:0", "--state", dir)
	process.Env = append(os.Environ(), asSandbox+"=1")
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	var ready struct{ Event, Sandbox, Credentials string }
	if err := json.Unmarshal(line, &ready); err != nil || ready.Event != "ready" {
		t.Fatalf("ready line %q: %v", line, err)
	}
	raw, err := os.ReadFile(ready.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	var secrets struct {
		APIKey string `json:"api_key"`
	}
	if err := json.Unmarshal(raw, &secrets); err != nil {
		t.Fatal(err)
	}
	return child{process, ready.Sandbox, secrets.APIKey}
}

func (c child) do(method, path, body string) (status int, answer []byte, err error) {
	request, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-API-Key", c.apiKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	sandbox := start(t, dir)
	const writers, acknowledgements = 8, 200
	var mu sync.Mutex
	var created []string
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for {
				status, answer, err := sandbox.do("POST", "/api/v1/contacts", `{"name":"Kept"}`)
				if err != nil || status != http.StatusCreated {
					return // the sandbox has been killed
				}
				var contact struct{ ID string }
				if err := json.Unmarshal(answer, &contact); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				created = append(created, contact.ID)
				if len(created) == acknowledgements {
					_ = sandbox.process.Process.Kill()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(created) < acknowledgements {
		t.Fatalf("only %d were acknowledged", len(created))
	}
	_ = sandbox.process.Wait() // its lock on the file ends with it

	again := start(t, dir)
	for _, id := range created {
		if status, answer, err := again.do("GET", "/api/v1/contacts/"+id, ""); err != nil || status != 200 {
			t.Fatalf("%s is lost: %d %s %v", id, status, answer, err)
		}
	}
	_, answer, err := again.do("GET", "/ledger/summary", "")
	if err != nil {
		t.Fatal(err)
	}
	var summary ledger.Summary
	if err := json.Unmarshal(answer, &summary); err != nil {
		t.Fatal(err)
	}
	if summary.API.ByStatus["201"] < len(created) {
		t.Errorf("ledger counts %d creations, %d were acknowledged", summary.API.ByStatus["201"], len(created))
	}
}

func TestTerminationIsGraceful(t *testing.T) {
	sandbox := start(t, t.TempDir())
	if err := sandbox.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.process.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = run(context.Background(), []string{"--listen", taken.Addr().String(), "--state", t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()+" is in use") {
		t.Errorf("error %v", err)
	}
}

func TestStateInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	err := run(context.Background(), []string{"--listen", "127.0.0.1:0", "--state", dir})
	if err == nil || !strings.Contains(err.Error(), "in use by another sandbox") {
		t.Errorf("error %v", err)
	}
}

func TestOptions(t *testing.T) {
	secretFile := t.TempDir() + "/secret"
	clientsFile := t.TempDir() + "/clients.json"
	for path, content := range map[string]string{secretFile: "from-file\n", clientsFile: `[{"id":"other","redirect_uris":[]}]`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := parseOptions([]string{"--state", "d", "--access-ttl", "20s", "--rotation", "grace", "--clients", clientsFile,
		"--client-secret-file", secretFile, "--redirect-uri", "http://127.0.0.1/a", "--redirect-uri", "http://127.0.0.1/b"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(parsed.config.Settings.AccessTTL.Std(), parsed.config.Settings.Rotation, parsed.config.ClientSecret,
		parsed.config.RedirectURIs, parsed.config.Clients[0].ID)
	if want := "20s grace from-file [http://127.0.0.1/a http://127.0.0.1/b] other\n"; got != want {
		t.Errorf("parsed %s, want %s", got, want)
	}
	for _, args := range [][]string{
		{}, {"--state", "d", "stray"}, {"--state", "d", "--issuer", "http://host/path"}, {"--state", "d", "--access-ttl", "soon"},
		{"--state", "d", "--client-secret", "a", "--client-secret-file", secretFile},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
