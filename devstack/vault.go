package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/hashicorp/vault/api"
)

// auditMost is how large the audit log may grow before a start sets it aside: it grows by 3 kB a request.
const auditMost = 100 << 20

// vaultInit is the content of init.json: what the one initialisation answered.
type vaultInit struct {
	RootToken    string   `json:"root_token"`
	RecoveryKeys []string `json:"recovery_keys"`
}

// startVault runs the embedded server and answers an administrator's client of it.
func startVault(ctx context.Context, s *stack, o *options) (*api.Client, error) {
	config, err := prepareVault(o)
	if err != nil {
		return nil, fmt.Errorf("prepare Vault: %w", err)
	}
	address := "http://" + o.ports.address(portVault)
	err = s.start(ctx, spec{
		name: "vault", what: "Vault", binary: o.binary("devstack-vault"), args: []string{"server", "-config=" + config},
		server: true, restart: o.restartServers, stopWithin: 15 * time.Second, ready: func(ctx context.Context) error { return initialised(ctx, address, o.path("vault", "init.json")) },
	})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(o.path("vault", "init.json"))
	if err != nil {
		return nil, fmt.Errorf("the root token of Vault is lost: %w; remove %s to start anew, without the connections in it", err, o.dir)
	}
	var init vaultInit
	if err := json.Unmarshal(text, &init); err != nil {
		return nil, fmt.Errorf("%s: %w", o.path("vault", "init.json"), err)
	}
	return vaultAdmin(address, init.RootToken)
}

// vaultAdmin is a client that may do everything; it never leaves the launcher.
func vaultAdmin(address, token string) (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	config.Address = address
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("VAULT_ADDR: %w", err)
	}
	client.SetToken(token)
	return client, nil
}

// prepareVault makes the directory as the server wants to find it, and answers
// the path of its configuration.
func prepareVault(o *options) (string, error) {
	dir := o.path("vault")
	if err := os.MkdirAll(filepath.Join(dir, "raft"), 0o700); err != nil {
		return "", err
	}
	// The key is made once. Another one would make what is stored unreadable.
	key := filepath.Join(dir, "unseal.key")
	if _, err := os.Stat(key); errors.Is(err, os.ErrNotExist) {
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails, since Go 1.24
		if err := replaceFile(key, random, 0o600); err != nil {
			return "", err
		}
	}
	audit := filepath.Join(dir, "audit.log")
	if info, err := os.Stat(audit); err == nil && info.Size() > auditMost {
		if err := os.Rename(audit, filepath.Join(dir, "audit.previous.log")); err != nil {
			return "", err
		}
	}
	text, err := template.ParseFiles(o.vaultTemplate)
	if err != nil {
		return "", fmt.Errorf("the template of its configuration: %w; say where it is with --vault-config", err)
	}
	path := filepath.Join(dir, "server.hcl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	err = text.Execute(file, struct{ Address, ClusterAddress, Dir string }{
		o.ports.address(portVault), o.ports.address(portVaultCluster), dir})
	if closed := file.Close(); err == nil {
		err = closed
	}
	return path, err
}

// initialised answers nil once the server can be used; it initialises a new one.
func initialised(ctx context.Context, address, keep string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/v1/sys/health", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotImplemented: // up, and never initialised
		return initialise(ctx, address, keep)
	}
	return fmt.Errorf("the health of Vault is %s", answer.Status)
}

// initialise asks for the root token and keeps it. One recovery key is the least
// there can be; nobody needs it, since the server unseals itself.
func initialise(ctx context.Context, address, keep string) error {
	client, err := vaultAdmin(address, "")
	if err != nil {
		return err
	}
	made, err := client.Sys().InitWithContext(ctx, &api.InitRequest{RecoveryShares: 1, RecoveryThreshold: 1})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(vaultInit{RootToken: made.RootToken, RecoveryKeys: made.RecoveryKeysB64}, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(keep, text, 0o600)
}
