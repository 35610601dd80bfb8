package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// record is the content of ready.json.
type record struct {
	Temporal   string `json:"temporal"`
	TemporalUI string `json:"temporal_ui,omitempty"`
	// TemporalMetrics is for Prometheus, where its port was given.
	TemporalMetrics    string            `json:"temporal_metrics,omitempty"`
	Vault              string            `json:"vault"`
	Gateway            string            `json:"gateway"`
	Sandbox            string            `json:"sandbox"`
	SandboxCredentials string            `json:"sandbox_credentials"`
	Identities         map[string]string `json:"identities"`
	// Namespaces are Temporal's, by environment.
	Namespaces map[string]string `json:"namespaces"`
	// Workers are where each answers /healthz and /readyz, by environment.
	Workers map[string]string `json:"workers"`
	PIDs    map[string]int    `json:"pids"`
	EnvFile string            `json:"env_file"`
	Dir     string            `json:"dir"`
	Logs    string            `json:"logs"`
	// VaultInit is the file with the embedded server's root token; absent for a server of the person's.
	VaultInit string `json:"vault_init,omitempty"`
	// MainJob is "passed", "failed" or "skipped".
	MainJob string `json:"main_job"`
	// Connection is what the main job made.
	Connection string    `json:"connection,omitempty"`
	Since      time.Time `json:"since"`
}

const recordName = "ready.json"

// write replaces the file at once: whoever finds it finds all of it.
func (r *record) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(text, '\n'), 0o600)
}

func readRecord(path string) (*record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &r, nil
}

func forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// claim keeps a second launcher out of a directory. The lock ends with the process, however it ends.
func claim(dir string) (*os.File, error) {
	file, err := os.OpenFile(dir+"/lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another devstack runs on %s: stop it, or choose another directory with --dir (and other ports, with --port-offset 1000)", dir)
	}
	return file, nil
}
