package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"connectedapps/deployment"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/hashicorp/vault/api"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
)

// environment is the one whose worker is measured.
const environment = "development"

const (
	// metricsPort and uiPort of Temporal, before the offset: all of this stack's ports lie
	// between those of two stacks whose offsets differ by a thousand.
	metricsPort, uiPort = 7333, 7433
	// readyWithin bounds the start of the stack; a machine that compiles needs long.
	readyWithin = 3 * time.Minute
	// stopWithin bounds its stop: a worker gets to end what it does.
	stopWithin = 90 * time.Second
)

// rig is the running stack, with the floor's worker beside it.
type rig struct {
	settings
	dir      string
	ready    record
	launcher *exec.Cmd
	ended    chan struct{} // closed when the launcher has ended
	floor    *floorProcess

	deployed deployment.Settings
	client   *workflows.Client
	bare     client.Client // of the same namespace, with nothing but the SDK's defaults
	secrets  *vault.Client // as the gateway
	root     *api.Client   // Vault's administrator
	// sandbox are the app's credentials, by the names of its credentials file.
	sandbox map[string]string
	random  *rand.Rand
	bar     string // what runs, for the lines of progress
	slugs   int
}

// record is what the launcher says in ready.json, as far as it is needed here.
type record struct {
	Temporal           string            `json:"temporal"`
	TemporalMetrics    string            `json:"temporal_metrics"`
	Vault              string            `json:"vault"`
	Gateway            string            `json:"gateway"`
	Sandbox            string            `json:"sandbox"`
	SandboxCredentials string            `json:"sandbox_credentials"`
	Workers            map[string]string `json:"workers"`
	PIDs               map[string]int    `json:"pids"`
	EnvFile            string            `json:"env_file"`
	Logs               string            `json:"logs"`
}

// openRig starts a stack in a directory of its own, on ports of its own, and the
// floor's worker. Close it, also after an error of a bar.
func openRig(ctx context.Context, o settings) (*rig, error) {
	dir, err := os.MkdirTemp("", "connected-apps-bench-")
	if err != nil {
		return nil, err
	}
	r := &rig{settings: o, dir: dir, ended: make(chan struct{}), random: rand.New(rand.NewPCG(o.seed, 0))}
	if err := r.launch(ctx); err != nil {
		r.close()
		return nil, err
	}
	if err := r.open(); err != nil {
		r.close()
		return nil, err
	}
	if r.floor, err = startFloor(ctx, r); err != nil {
		r.close()
		return nil, fmt.Errorf("the floor's worker: %w", err)
	}
	return r, nil
}

func (r *rig) launch(ctx context.Context) error {
	log, err := os.Create(filepath.Join(r.dir, "launcher.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the launcher has it
	args := []string{"up", "--no-main-job", "--bin", r.bin, "--dir", r.dir, "--access-ttl", "1h",
		"--port-offset", strconv.Itoa(r.offset),
		"--temporal-metrics-port", strconv.Itoa(metricsPort + r.offset), "--temporal-ui-port", strconv.Itoa(uiPort + r.offset)}
	r.launcher = exec.Command(filepath.Join(r.bin, "devstack"), args...)
	r.launcher.Stdout, r.launcher.Stderr = log, log
	r.launcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := start(r.launcher); err != nil {
		r.launcher = nil
		return fmt.Errorf("%w; build it first with: make build", err)
	}
	go func() { _ = r.launcher.Wait(); close(r.ended) }()
	r.say("starting the stack in %s", r.dir)
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	for r.reload() != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.ended:
		case <-deadline.C:
		case <-time.After(100 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the stack is not ready:\n%s", text)
	}
	return nil
}

// reload reads the launcher's record again: its process IDs change when it starts a process again.
func (r *rig) reload() error {
	text, err := os.ReadFile(filepath.Join(r.dir, "ready.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &r.ready)
}

// open makes the clients of the stack, as an outsider has them.
func (r *rig) open() error {
	err := os.Setenv("CONNECTED_APPS_ENV_FILE", r.ready.EnvFile)
	if err == nil {
		err = deployment.LoadFile()
	}
	if err == nil {
		r.deployed, err = deployment.Read()
	}
	if err != nil {
		return err
	}
	catalogue, err := r.deployed.Catalogue()
	if err != nil {
		return err
	}
	if r.secrets, err = r.deployed.Vault(environment, zap.NewNop()); err != nil {
		return err
	}
	if r.client, err = r.deployed.Client(environment, catalogue, r.secrets, zap.NewNop()); err != nil {
		return err
	}
	if r.bare, err = client.NewLazyClient(client.Options{HostPort: r.ready.Temporal, Namespace: r.client.Namespace(), Logger: quiet{}}); err != nil {
		return err
	}
	if err := readJSON(r.ready.SandboxCredentials, &r.sandbox); err != nil {
		return err
	}
	var initial struct {
		RootToken string `json:"root_token"`
	}
	if err := readJSON(filepath.Join(r.dir, "vault", "init.json"), &initial); err != nil {
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

// close stops everything and removes the directory, unless it is to be kept.
func (r *rig) close() {
	if r.floor != nil {
		r.floor.stop()
	}
	if r.client != nil {
		r.client.Temporal.Close()
	}
	if r.bare != nil {
		r.bare.Close()
	}
	if r.launcher != nil {
		_ = r.launcher.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.ended:
		case <-time.After(stopWithin):
			_ = r.launcher.Process.Kill()
		}
	}
	if r.keep {
		r.say("kept: %s", r.dir)
		return
	}
	if err := os.RemoveAll(r.dir); err != nil {
		r.say("%v", err)
	}
}

// say tells a line of progress.
func (r *rig) say(format string, args ...any) {
	where := "bench"
	if r.bar != "" {
		where = r.bar
	}
	_, _ = fmt.Fprintf(r.progress, "%s  %s: %s\n", time.Now().UTC().Format("15:04:05"), where, fmt.Sprintf(format, args...))
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// start starts a command from a thread that lives as long as this process: the
// kernel sends Pdeathsig when the thread ends that made the child.
func start(cmd *exec.Cmd) error {
	done := make(chan error)
	starts <- func() { done <- cmd.Start() }
	return <-done
}

var errNotReady = errors.New("it ended before it was ready")

// settings are what the command line asks for.
type settings struct {
	bin      string // directory of the binaries
	offset   int    // of every port
	rounds   int
	short    bool // a few operations each: counts are good, times are not
	seed     uint64
	keep     bool  // the stack's directory
	sizes    []int // of the bars of many connections, growing
	herd     int   // how many are due at once
	herdRate int   // of the budget, requests a second
	progress io.Writer
}
