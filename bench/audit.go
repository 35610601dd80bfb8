package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"connectedapps/vault"
)

// vaultRequest is one request that Vault's audit log tells of.
type vaultRequest struct {
	// Operation is create, read, update, patch, delete or list; Path is below the API's root.
	Operation, Path string
	// Role is the AppRole that asked, such as connected-apps-worker-development; "" for none.
	Role string
}

// auditing answers what Vault was asked while do ran, by whoever, in order. The log is
// written before Vault answers, so nothing is missing.
func (r *rig) auditing(_ context.Context, do func() error) ([]vaultRequest, error) {
	file, err := os.Open(filepath.Join(r.dir, "vault", "audit.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return readAudit(text)
}

func readAudit(text []byte) ([]vaultRequest, error) {
	var all []vaultRequest
	for line := range bytes.Lines(text) {
		if line[len(line)-1] != '\n' {
			break // it is being written
		}
		var entry struct {
			Type string `json:"type"`
			Auth struct {
				Metadata map[string]string `json:"metadata"`
			} `json:"auth"`
			Request struct {
				Operation string `json:"operation"`
				Path      string `json:"path"`
			} `json:"request"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, err
		}
		if entry.Type == "request" {
			all = append(all, vaultRequest{Operation: entry.Request.Operation, Path: entry.Request.Path, Role: entry.Auth.Metadata["role_name"]})
		}
	}
	return all, nil
}

// byWorker are the requests of our worker, but for the care of its own login.
func byWorker(all []vaultRequest) []vaultRequest {
	role := vault.Layout{Environment: environment}.Role(vault.Worker)
	var own []vaultRequest
	for _, q := range all {
		if q.Role == role && !strings.HasPrefix(q.Path, "auth/") && !strings.HasPrefix(q.Path, "sys/") {
			own = append(own, q)
		}
	}
	return own
}

// byKind counts requests by operation and the mount's part of their path, such as "read data/connections".
func byKind(requests []vaultRequest) map[string]float64 {
	counts := map[string]float64{}
	for _, q := range requests {
		counts[q.Operation+" "+strings.Join(strings.SplitN(q.Path, "/", 6)[3:5], "/")]++
	}
	return counts
}

// counted counts the requests with one of the operations on paths below the mount's part,
// such as data/connections/ ("" for all).
func counted(all []vaultRequest, part string, operations ...string) int {
	n := 0
	below := vault.Layout{Environment: environment}.Secrets() + "/" + part
	for _, q := range all {
		if !strings.HasPrefix(q.Path, below) {
			continue
		}
		for _, operation := range operations {
			if q.Operation == operation {
				n++
			}
		}
	}
	return n
}
