package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"connectedapps/connection"
)

// readyTime bounds each question of a readiness check; orchestrators ask with a few seconds' patience.
const readyTime = 3 * time.Second

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready bool `json:"ready"`
	// Catalogue is the digest of the definitions; a worker with another one holds different definitions.
	Catalogue string `json:"catalogue"`
	// Environments say "ok", or what is wrong.
	Environments map[string]EnvironmentReadiness `json:"environments"`
}

// EnvironmentReadiness is one environment's part.
type EnvironmentReadiness struct {
	Temporal string `json:"temporal"`
	Vault    string `json:"vault"`
	// Payloads says whether this gateway seals what it sends to Temporal.
	Payloads string `json:"payloads,omitempty"`
}

// healthy says that the process lives, whatever it depends on.
func (g *Gateway) healthy(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready asks Temporal and Vault of every environment at once. One environment
// that is away makes the gateway not ready as a whole, and names itself.
func (g *Gateway) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	answer := Readiness{Ready: true, Catalogue: g.catalogue.Digest(), Environments: map[string]EnvironmentReadiness{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, environment := range g.environments.All() {
		name := environment.Name
		all.Go(func() {
			var temporal string
			var both sync.WaitGroup
			both.Go(func() { temporal = check(ctx, environment.Temporal) })
			vault := check(ctx, environment.Vault)
			both.Wait()
			payloads := ""
			if environment.Payloads != nil {
				payloads = environment.Payloads.Status()
			}
			mu.Lock()
			defer mu.Unlock()
			answer.Environments[name] = EnvironmentReadiness{Temporal: temporal, Vault: vault, Payloads: payloads}
			answer.Ready = answer.Ready && temporal == "ok" && vault == "ok"
		})
	}
	all.Wait()
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

func check(ctx context.Context, ask func(context.Context) error) string {
	if ask == nil {
		return "ok"
	}
	err := ask(ctx)
	if err == nil {
		return "ok"
	}
	if problem, ok := connection.AsProblem(err); ok {
		return problem.Message
	}
	return "no answer"
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the asker went away: nobody is left to tell
}
