package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectedapps/connectors"
	"connectedapps/deployment"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/hashicorp/vault/api"
	"github.com/rs/zerolog"
	"go.uber.org/zap"
)

// rig is everything that runs: the servers, the gates before them, and the lanes.
type rig struct {
	dir, bin    string
	definitions string
	servers     *child
	gate        *gate
	vaultGate   string
	appGate     string
	sandbox     *sandbox
	root        *api.Client
	settings    deployment.Settings
	portOffset  int
	catalogue   *connectors.Catalogue
	ready       ready
	links       *toxiproxy.ApiServer
	client      map[string]string // the sandbox's OAuth client
	lanes       []*lane
	seen        bool // tell of every cell what the gates saw
	say         func(format string, args ...any)
}

// ready is what the development stack tells of itself.
type ready struct {
	Temporal           string            `json:"temporal"`
	Vault              string            `json:"vault"`
	Sandbox            string            `json:"sandbox"`
	SandboxCredentials string            `json:"sandbox_credentials"`
	Identities         map[string]string `json:"identities"`
	VaultInit          string            `json:"vault_init"`
}

// startRig starts the servers and the gates; the lanes start their own processes.
func startRig(ctx context.Context, p plan) (*rig, error) {
	dir, err := os.MkdirTemp("", "connected-apps-chaos-")
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, bin: p.bin, seen: p.seen, say: p.say, portOffset: p.portOffset, links: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	if err := r.start(ctx); err != nil {
		r.stop(false)
		return nil, err
	}
	return r, nil
}

func (r *rig) start(ctx context.Context) error {
	// The app's gate comes first: its address is the app's for everybody.
	r.gate = newGate("", "")
	var err error
	if r.appGate, err = r.gate.listen("127.0.0.1:0", r.gate.serveApp); err != nil {
		return err
	}
	if r.vaultGate, err = r.gate.listen("127.0.0.1:0", r.gate.serveVault); err != nil {
		return err
	}
	r.servers, err = run(filepath.Join(r.bin, "devstack"), []string{"up", "--servers-only", "--restart-servers", "--bin", r.bin, "--dir", r.dir,
		"--port-offset", strconv.Itoa(r.portOffset), "--access-ttl", shortLife.String(), "--sandbox-issuer", r.appGate}, nil, filepath.Join(r.dir, "servers.log"))
	if err != nil {
		return err
	}
	if err := r.awaitReady(ctx); err != nil {
		return err
	}
	r.gate.vault, r.gate.app = r.ready.Vault, r.ready.Sandbox
	r.sandbox = &sandbox{url: r.ready.Sandbox}
	return r.open()
}

func (r *rig) awaitReady(ctx context.Context) error {
	for readJSON(filepath.Join(r.dir, "ready.json"), &r.ready) != nil {
		select {
		case <-r.servers.ended:
			log, _ := os.ReadFile(filepath.Join(r.dir, "servers.log"))
			return fmt.Errorf("the servers did not start:\n%s", log)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// open reads what the servers have said and makes the judges' own way to Vault.
func (r *rig) open() error {
	if err := r.writeDefinitions(); err != nil {
		return err
	}
	err := os.Setenv("CONNECTED_APPS_ENV_FILE", filepath.Join(r.dir, "env"))
	if err == nil {
		err = deployment.LoadFile()
	}
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"CONNECTED_APPS_CONNECTORS": r.definitions, "CONNECTED_APPS_ENV_FILE": "", "CONNECTED_APPS_LOG_LEVEL": "info"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if r.settings, err = deployment.Read(); err != nil {
		return err
	}
	if r.catalogue, err = r.settings.Catalogue(); err != nil {
		return err
	}
	if err := readJSON(r.ready.SandboxCredentials, &r.client); err != nil {
		return err
	}
	var initial struct {
		RootToken string `json:"root_token"`
	}
	if err := readJSON(r.ready.VaultInit, &initial); err != nil {
		return err
	}
	config := api.DefaultConfig()
	config.Address = r.ready.Vault
	if r.root, err = api.NewClient(config); err != nil {
		return err
	}
	r.root.SetToken(initial.RootToken)
	return nil
}

// writeDefinitions makes the app: the sandbox, with one method per rotation mode.
func (r *rig) writeDefinitions() error {
	var text strings.Builder
	text.WriteString("id: trial\nextends: sandbox\nname: Trial\nsummary: The sandbox app, once for each way to treat a refresh token.\nauth:\n")
	for _, m := range modes {
		fmt.Fprintf(&text, `  - id: %s
    kind: oauth2-code
    title: %s
    oauth:
      issuer: "{+base_url}"
      client_auth: basic
      scopes: {default: [offline_access]}
      authorize: {url: "{+base_url}/oauth/authorize"}
      token: {url: "{+base_url}/oauth/token"}
      refresh: {rotation: %s, while_valid: %t}
      revoke: {url: "{+base_url}/oauth/revoke"}
`, method(m), m.name, m.rotation, m.whileValid)
	}
	r.definitions = filepath.Join(r.dir, "definitions")
	if err := os.MkdirAll(r.definitions, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.definitions, "trial.yaml"), []byte(text.String()), 0o600)
}

// method is the ID of a mode's method in the definition.
func method(m mode) string { return strings.ReplaceAll(m.name, "_", "-") }

// stop ends everything. What is kept can be looked at.
func (r *rig) stop(keep bool) {
	var all sync.WaitGroup
	for _, l := range r.lanes {
		all.Go(l.stop)
	}
	all.Wait()
	if r.servers != nil {
		r.servers.terminate(time.Minute)
	}
	if !keep {
		_ = os.RemoveAll(r.dir)
	}
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

var quiet = zap.NewNop()
