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
	s := surroundings{Go: runtime.Version(), Cores: runtime.NumCPU(), CPU: processor(), Load: load(), Seed: r.seed, Rounds: r.rounds, Journal: "?"}
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
	// The server says in its first line how it was set up.
	var ready struct {
		QueuePollLimit int    `json:"queue_poll_limit"`
		Journal        string `json:"journal"`
	}
	text, err := os.ReadFile(filepath.Join(r.ready.Logs, "temporal.log"))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"event":"ready"`) && json.Unmarshal([]byte(line), &ready) == nil {
			s.QueuePollLimit, s.Journal = ready.QueuePollLimit, ready.Journal
		}
	}
	return s, nil
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
