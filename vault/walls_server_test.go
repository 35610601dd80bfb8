package vault

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/hashicorp/vault/api"
)

// realServer is the development stack's Vault-API server, started for one test in
// a directory of its own: the administrator's client of it. Without the binary the
// test is skipped; `make build` makes it.
func realServer(t *testing.T) *api.Client {
	t.Helper()
	binary, err := filepath.Abs("../bin/devstack-vault")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("bin/devstack-vault is not there; make build makes it")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "raft"), 0o700); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	if err := os.WriteFile(filepath.Join(dir, "unseal.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	config := serverConfig(t, dir, address, freeAddress(t))
	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(binary, "server", "-config="+config)
	process.Stdout, process.Stderr = output, output
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		_ = output.Close()
	})
	return initialised(t, "http://"+address, output.Name())
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// serverConfig fills in the template that the development stack uses.
func serverConfig(t *testing.T, dir, address, cluster string) string {
	t.Helper()
	text, err := template.ParseFiles("../devstack/vault/server.hcl.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "server.hcl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := text.Execute(file, struct{ Address, ClusterAddress, Dir string }{address, cluster, dir}); err != nil {
		t.Fatal(err)
	}
	return path
}

// initialised waits for a fresh server, initialises it, and answers a client with its root token.
func initialised(t *testing.T, address, output string) *api.Client {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = address
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.ClearToken()
	client.SetMaxRetries(0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		health, err := client.Sys().HealthWithContext(ctx)
		switch {
		case err == nil && !health.Initialized:
			made, err := client.Sys().InitWithContext(ctx, &api.InitRequest{RecoveryShares: 1, RecoveryThreshold: 1})
			if err != nil {
				t.Fatal(err)
			}
			client.SetToken(made.RootToken)
		case err == nil && !health.Sealed && !health.Standby:
			return client
		case ctx.Err() != nil:
			text, _ := os.ReadFile(output)
			t.Fatalf("Vault is not ready: %v\n%s", err, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// logIn is a client with the token of an identity, as a process gets it.
func logIn(t *testing.T, admin *api.Client, identity Identity) *api.Client {
	t.Helper()
	client, err := admin.Clone()
	if err != nil {
		t.Fatal(err)
	}
	client.ClearToken()
	client.SetMaxRetries(0)
	answer, err := client.Logical().Write("auth/approle/login", map[string]any{"role_id": identity.RoleID, "secret_id": identity.SecretID.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(answer.Auth.ClientToken)
	return client
}

// try sends one request as it is, and answers its status and its body.
func try(t *testing.T, client *api.Client, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, client.Address()+"/v1/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", client.Token())
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := http.DefaultTransport.RoundTrip(request)
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
