package connectors

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"
)

// Probe is the request that proves a credential works and tells whose account it is.
type Probe struct {
	Method string `yaml:"method"` // "" is GET
	// BaseURL replaces the app's for this request; its origin must be the app's or one of its hosts.
	BaseURL Template        `yaml:"base_url"`
	Path    Template        `yaml:"path"`
	Query   map[string]Text `yaml:"query"`
	// Body is JSON whose texts are templates over values, as in [Body.Template]; nil for none.
	Body map[string]any `yaml:"body"`
	// OK must hold beside the app's own success predicate: an answer for an
	// anonymous caller, or of another server, must not pass.
	OK Predicate `yaml:"ok"`
	// Alive holds for a refusal that still proves the credential good, such as
	// a restricted key that may not read its own account.
	Alive Predicate `yaml:"alive"`
	// Identity, when declared, must be found for the probe to pass.
	Identity *IdentityRules `yaml:"identity"`
	// ScopesHeader and Scopes say where the granted scopes stand, if anywhere.
	ScopesHeader string `yaml:"scopes_header"`
	Scopes       Path   `yaml:"scopes"`
	// Tests says in words what a pass proves.
	Tests string `yaml:"tests"`
	// Needs names a value without which the connection cannot be tested.
	Needs string `yaml:"needs"`
	// Interval between probes of a healthy connection; zero is the default of six hours.
	Interval time.Duration `yaml:"interval"`
}

// ProbeResult is what a passed probe says.
type ProbeResult struct {
	// Identity is the zero value when the app does not tell.
	Identity connection.Identity
	// Scopes the credential holds; nil when the app does not tell.
	Scopes []string
	// Tested says in words what was tested.
	Tested string
	// Untestable is set when nothing was asked, since the app offers no way to. It is not a pass.
	Untestable bool
}

// untested is what a person is told of an app without a possible probe.
const untested = "cannot be tested: the app offers no request that proves a credential"

// Probe sends the declared request. A pass proves what the definition says it
// does, and no less: an answer that lacks the declared identity or fails the
// predicate is ErrTestFailed, however friendly its status.
func (s Session) Probe(ctx context.Context, hc *http.Client) (ProbeResult, error) {
	if s.Method.Untestable != "" {
		return ProbeResult{Tested: s.Method.Untestable, Untestable: true}, nil
	}
	probe := s.Method.probe()
	if probe == nil || probe.Needs != "" && s.Values[probe.Needs] == "" {
		return ProbeResult{Tested: untested, Untestable: true}, nil
	}
	out, err := s.probeRequest(probe)
	if err != nil {
		return ProbeResult{}, err
	}
	request, err := s.request(ctx, out)
	if err != nil {
		return ProbeResult{}, err
	}
	received, err := s.send(hc, request, true)
	if err != nil {
		return ProbeResult{}, err
	}
	result := ProbeResult{Tested: probe.tests(out.method, out.path)}
	if probe.Alive.holds(received) {
		return result, nil
	}
	if problem := s.judge(received, "", true); problem != nil {
		return ProbeResult{}, problem
	}
	if probe.OK != "" && !probe.OK.holds(received) {
		return ProbeResult{}, testFailed(fmt.Sprintf("the answer of %s (%d) is not the one that proves a credential", s.App.Name, received.status), received.status)
	}
	result.Identity = probe.Identity.in(received)
	if probe.Identity != nil && !result.Identity.Known() {
		return ProbeResult{}, testFailed(s.App.Name+" did not say whose account it is: this may be another server", received.status)
	}
	result.Scopes = s.grantedScopes(probe, received)
	return result, nil
}

// probe is the method's own, or the app's; nil when there is none.
func (m *Method) probe() *Probe {
	if m.Probe != nil {
		return m.Probe
	}
	return m.app.Probe
}

// ProbeInterval is how often a connection of this method is tested when nothing else is due.
func (m *Method) ProbeInterval() time.Duration {
	if m.Probe != nil && m.Probe.Interval != 0 {
		return m.Probe.Interval
	}
	return m.app.ProbeInterval()
}

// probeRequest builds the request from values alone.
func (s Session) probeRequest(probe *Probe) (outgoing, error) {
	path, query, err := expandPath(probe.Path, nil, s.Values, map[string]bool{})
	if err != nil {
		name, reason, _ := strings.Cut(err.Error(), ": ")
		return outgoing{}, connection.InvalidInput(name, reason, "")
	}
	out := outgoing{method: probe.Method, base: probe.BaseURL, path: path, query: query}
	if out.method == "" {
		out.method = http.MethodGet
	}
	for name, text := range probe.Query {
		if value, ok := text.expand(from(s.Values)); ok {
			out.query.Set(name, value)
		}
	}
	if probe.Body != nil {
		value, err := fillBody(probe.Body, bodyNames{values: s.Values}, nil)
		if err != nil {
			return outgoing{}, connection.InvalidInput("", "the body of the test cannot be filled in", "")
		}
		out.body = &payload{value: value, given: true}
	}
	return out, nil
}

// grantedScopes reads what the credential holds, nil where the app does not tell.
func (s Session) grantedScopes(probe *Probe, received *answer) []string {
	var rules ScopeRules
	if s.Method.OAuth != nil {
		rules = s.Method.OAuth.Scopes
	}
	if probe.ScopesHeader != "" {
		if values := received.header.Values(probe.ScopesHeader); len(values) > 0 {
			return rules.parse(strings.Join(values, ","))
		}
		return nil
	}
	return rules.parse(probe.Scopes.find(received.body))
}

func (p *Probe) tests(method, path string) string {
	if p.Tests != "" {
		return p.Tests
	}
	return method + " " + path
}
