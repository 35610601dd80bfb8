package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/deployment"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/hashicorp/vault/api"
	"go.uber.org/zap"
)

const environment = "development"

// stack is the running development stack, as an outsider sees it.
type stack struct {
	dir      string
	launcher *exec.Cmd
	ended    chan struct{} // closed when the launcher has ended
	ready    struct {
		Temporal           string `json:"temporal"`
		TemporalMetrics    string `json:"temporal_metrics"`
		Vault              string `json:"vault"`
		Gateway            string `json:"gateway"`
		Sandbox            string `json:"sandbox"`
		SandboxCredentials string `json:"sandbox_credentials"`
	}
	credentials map[string]string
	settings    deployment.Settings
	client      *workflows.Client
	secrets     *vault.Client
	root        *api.Client
}

var s *stack

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if s, err = start(); err != nil {
			fmt.Fprintln(os.Stderr, "the development stack did not start:", err)
			return 1
		}
		defer s.stop()
		return m.Run()
	}())
}

// start launches a stack in a directory of its own, on ports of its own.
func start() (*stack, error) {
	dir, err := os.MkdirTemp("", "connected-apps-e2e-")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "launcher.log"))
	if err != nil {
		return nil, err
	}
	launcher := exec.Command("../bin/devstack", "up", "--no-main-job", "--restart-servers", "--bin", "../bin", "--dir", dir, "--port-offset", "20000",
		"--temporal-metrics-port", "27333", "--access-ttl", "1h")
	// Workers and gateway write down all that they can, so that it is seen if a secret is among it.
	launcher.Env = append(os.Environ(), "CONNECTED_APPS_LOG_LEVEL=debug")
	launcher.Stdout, launcher.Stderr = log, log
	launcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := launcher.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it first with: make build", err)
	}
	st := &stack{dir: dir, launcher: launcher, ended: make(chan struct{})}
	go func() { _ = launcher.Wait(); close(st.ended) }()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, "ready.json")); err == nil && json.Unmarshal(text, &st.ready) == nil {
			break
		}
		dead := false
		select {
		case <-st.ended:
			dead = true
		default:
		}
		if dead || time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			st.stop()
			return nil, fmt.Errorf("not ready:\n%s", text)
		}
	}
	return st, st.open()
}

func (st *stack) open() error {
	if err := os.Setenv("CONNECTED_APPS_ENV_FILE", filepath.Join(st.dir, "env")); err != nil {
		return err
	}
	if err := deployment.LoadFile(); err != nil {
		return err
	}
	var err error
	if st.settings, err = deployment.Read(); err != nil {
		return err
	}
	catalogue, err := st.settings.Catalogue()
	if err != nil {
		return err
	}
	if st.secrets, err = st.settings.Vault(environment, zap.NewNop()); err != nil {
		return err
	}
	if st.client, err = st.settings.Client(environment, catalogue, st.secrets, zap.NewNop()); err != nil {
		return err
	}
	text, err := os.ReadFile(st.ready.SandboxCredentials)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &st.credentials); err != nil {
		return err
	}
	var initial struct {
		RootToken string `json:"root_token"`
	}
	text, err = os.ReadFile(filepath.Join(st.dir, "vault", "init.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &initial); err != nil {
		return err
	}
	config := api.DefaultConfig()
	config.Address = st.ready.Vault
	if st.root, err = api.NewClient(config); err != nil {
		return err
	}
	st.root.SetToken(initial.RootToken)
	return nil
}

func (st *stack) stop() {
	_ = st.launcher.Process.Signal(syscall.SIGTERM)
	select {
	case <-st.ended:
	case <-time.After(time.Minute):
		_ = st.launcher.Process.Kill()
	}
	if os.Getenv("CONNECTED_APPS_KEEP") == "" {
		_ = os.RemoveAll(st.dir)
	}
}

// child finds a process that the launcher started: its binary's name, and a
// NAME=value that its environment must hold ("" for any).
func (st *stack) child(t *testing.T, binary, variable string) int {
	t.Helper()
	found := 0
	eventually(t, "a running "+binary, func() bool {
		entries, _ := os.ReadDir("/proc")
		for _, entry := range entries {
			pid, err := strconv.Atoi(entry.Name())
			if err != nil {
				continue
			}
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				continue
			}
			fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			variables, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(st.launcher.Process.Pid) &&
				filepath.Base(strings.Split(string(command), "\x00")[0]) == binary &&
				strings.Contains("\x00"+string(variables), "\x00"+variable) {
				found = pid
				return true
			}
		}
		return false
	})
	return found
}

// killWorker ends the development worker with SIGKILL; the launcher starts another.
func (st *stack) killWorker(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(st.child(t, "connected-apps-worker", "CONNECTED_APPS_ENVIRONMENT="+environment), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// sandbox asks the sandbox's own administration and ledger.
func (st *stack) sandbox(t *testing.T, method, path string, in, out any) {
	t.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, st.ready.Sandbox+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatal(err)
		}
	}
}

// settings changes the sandbox's behaviour for one test.
func (st *stack) sandboxSettings(t *testing.T, changes map[string]any) {
	t.Helper()
	st.sandbox(t, http.MethodPost, "/admin/settings", changes, nil)
	t.Cleanup(func() {
		request, _ := http.NewRequest(http.MethodPost, st.ready.Sandbox+"/admin/settings/reset", nil)
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	})
}

// entry is a line of the sandbox's ledger.
type entry struct {
	Seq                 int    `json:"seq"`
	Kind                string `json:"kind"`
	Auth                string `json:"auth"`
	Outcome             string `json:"outcome"`
	Detail              string `json:"detail"`
	Status              int    `json:"status"`
	GrantType           string `json:"grant_type"`
	Client              string `json:"client"`
	Family              string `json:"family"`
	Presented           string `json:"presented"`
	PresentedGeneration int    `json:"presented_generation"`
	Generation          int    `json:"generation"`
	IssuedAccess        string `json:"issued_access"`
	Credential          string `json:"credential"`
	Method              string `json:"method"`
	Path                string `json:"path"`
	IdempotencyKey      string `json:"idempotency_key"`
}

// contacts is where actions read and write contacts. Watches of other connections never
// ask there, so what stands there in the ledger is a test's own.
const contacts = "/api/v1/contacts"

// since answers the ledger's lines after a sequence number.
func (st *stack) since(t *testing.T, seq int) []entry {
	t.Helper()
	var all []entry
	st.sandbox(t, http.MethodGet, fmt.Sprintf("/ledger?since=%d&limit=1000000", seq), nil, &all)
	return all
}

// mark is the ledger's last sequence number.
func (st *stack) mark(t *testing.T) int {
	t.Helper()
	last := 0
	for _, e := range st.since(t, 0) {
		last = max(last, e.Seq)
	}
	return last
}

func count(entries []entry, match func(entry) bool) int {
	n := 0
	for _, e := range entries {
		if match(e) {
			n++
		}
	}
	return n
}

// eventually waits for a condition; what is said if it does not come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !condition(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 90 s: %s", what)
		}
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func id(name string) connection.ID { return connection.ID(environment + "/sandbox/" + name) }

// problemOf fails the test unless the error is a problem of the given type.
func problemOf(t *testing.T, err error, kind string) *connection.Problem {
	t.Helper()
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Type != kind {
		t.Fatalf("want %s, have %v", kind, err)
	}
	if problem.Message == "" || problem.Remedy == "" {
		t.Errorf("%s says too little: %+v", kind, problem)
	}
	return problem
}
