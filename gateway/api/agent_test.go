package api

import (
	"net/http"
	"testing"
)

// An agent's token is for MCP tools: not even what every other may ask is answered.
func TestAgentsUseNoAPI(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/me", "/apps", one, one + "/toolkits/default"} {
		b.do("agent", "GET", path, "").problem(http.StatusForbidden, "NotAllowed")
	}
}
