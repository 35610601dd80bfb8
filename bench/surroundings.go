package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
)

// surroundings are what the figures depend on.
type surroundings struct {
	// Temporal's server version and number of shards.
	Temporal string `json:"temporal"`
	Shards   int    `json:"shards"`
	// QueuePollLimit is how often a second a shard may look for due work.
	QueuePollLimit int `json:"queue_poll_limit"`
	// Journal is the mode of Temporal's database file.
	Journal string `json:"journal"`
	// Vault's server version.
	Vault  string  `json:"vault"`
	Go     string  `json:"go"`
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Load   float64 `json:"load"`
	Seed   uint64  `json:"seed"`
	Rounds int     `json:"rounds"`
}

func (r *rig) surroundings(ctx context.Context) (surroundings, error) {
	s := surroundings{Go: runtime.Version(), Cores: runtime.NumCPU(), CPU: processor(), Load: load(), Seed: r.seed, Rounds: r.rounds}
	cluster, err := r.client.Temporal.WorkflowService().GetClusterInfo(ctx, &workflowservice.GetClusterInfoRequest{})
	if err != nil {
		return s, err
	}
	s.Temporal, s.Shards = cluster.GetServerVersion(), int(cluster.GetHistoryShardCount())
	health, err := r.root.Sys().HealthWithContext(ctx)
	if err != nil {
		return s, err
	}
	s.Vault = health.Version
	if s.Journal, err = journal(filepath.Join(r.dir, "temporal.db")); err != nil {
		return s, err
	}
	var ready struct {
		QueuePollLimit int `json:"queue_poll_limit"`
	}
	text, err := os.ReadFile(filepath.Join(r.ready.Logs, "temporal.log"))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"event":"ready"`) && json.Unmarshal([]byte(line), &ready) == nil {
			s.QueuePollLimit = ready.QueuePollLimit
		}
	}
	return s, nil
}

// journal is the mode of an SQLite file: its header has a 2 where the log is written
// ahead (https://sqlite.org/fileformat.html, section 1.3.3).
func journal(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	version := make([]byte, 1)
	if _, err := file.ReadAt(version, 18); err != nil {
		return "", err
	}
	if version[0] == 2 {
		return "wal", nil
	}
	return "rollback", nil
}

// processor is the name of this machine's; "" where it has none.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
