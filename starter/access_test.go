package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
)

// kvServer keeps KV entries as Vault does; staging's is away.
type kvServer struct {
	*httptest.Server
	mu      sync.Mutex
	entries map[string]json.RawMessage
}

func newKVServer(t *testing.T) *kvServer {
	t.Helper()
	s := &kvServer{entries: map[string]json.RawMessage{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	t.Setenv("VAULT_ADDR", s.URL)
	t.Setenv("VAULT_TOKEN", "t")
	t.Setenv("CONNECTED_APPS_IDENTITIES", "")
	t.Setenv("CONNECTED_APPS_ENVIRONMENTS", "development,staging,production")
	return s
}

func (s *kvServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/connected-apps/")
	data, meta := strings.Replace(path, "/metadata/", "/data/", 1), strings.Contains(path, "/metadata/")
	switch {
	case strings.HasPrefix(path, "staging/"):
		w.WriteHeader(http.StatusForbidden)
	case strings.HasSuffix(path, "lookup-self"):
		_, _ = io.WriteString(w, `{"data":{}}`)
	case meta && r.Method == http.MethodDelete:
		delete(s.entries, data)
		w.WriteHeader(http.StatusNoContent)
	case meta:
		keys := []string{}
		for key := range s.entries {
			if name, ok := strings.CutPrefix(key, strings.TrimSuffix(data, "/")+"/"); ok {
				keys = append(keys, name)
			}
		}
		answer, _ := json.Marshal(map[string]any{"data": map[string]any{"keys": keys}})
		_, _ = w.Write(answer)
	case r.Method == http.MethodGet && s.entries[path] != nil:
		_, _ = fmt.Fprintf(w, `{"data":{"data":%s,"metadata":{"version":1}}}`, s.entries[path])
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	default:
		var body struct{ Data json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.entries[path] = body.Data
		_, _ = io.WriteString(w, `{"data":{"version":1}}`)
	}
}

func (s *kvServer) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := json.Marshal(s.entries)
	return string(text)
}

// run is a command line with that Vault behind it.
func run(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, errOut: &errOut}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errOut)
	code := exitOK
	if err := root.ExecuteContext(t.Context()); err != nil {
		code = p.fail(p.usage(err))
	}
	return code, out.String(), errOut.String()
}

func TestAccessCommands(t *testing.T) {
	s := newKVServer(t)
	code, out, errOut := run(t, "access", "create", "ci", "--role", "operator", "--expires", "90d")
	token := strings.TrimSpace(out)
	if code != 0 || !strings.HasPrefix(token, "cat_development_") || strings.Count(out, "\n") != 1 || strings.Contains(errOut, token) || !strings.Contains(errOut, "not shown again") {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
	if all := s.all(); strings.Contains(all, token[16:28]) || !strings.Contains(all, access.Hash(connection.NewSecret(token))) {
		t.Errorf("Vault holds %s", all)
	}
	if code, out, errOut := run(t, "access", "create", "ci"); code != exitConflict || out != "" || !strings.Contains(errOut, "access revoke ci --environment development") {
		t.Errorf("the name again: %d %q %q", code, out, errOut)
	}
	code, out, _ = run(t, "access", "create", "board", "-e", "production", "-o", "json")
	var made createdToken
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 || made.Role != "viewer" || made.Environment != "production" || !strings.HasPrefix(made.Token, "cat_production_") || !made.Expires.IsZero() {
		t.Errorf("%d %+v %v", code, made, err)
	}
	code, out, errOut = run(t, "access", "create", "bot", "--agent", "--toolkit", "production/atlas/main", "--toolkit", "production/atlas/main/reading")
	if agent := strings.TrimSpace(out); code != 0 || !strings.HasPrefix(agent, "cat_production_") || !strings.Contains(errOut, "use of production/atlas/main/default, production/atlas/main/reading") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if _, out, _ := run(t, "access", "list", "-e", "production"); !strings.Contains(out, "bot    agent") || !strings.Contains(out, "production/atlas/main/default, production/atlas/main/reading") {
		t.Errorf("%s", out)
	}
	code, out, errOut = run(t, "access", "list")
	if code != 0 || !strings.Contains(out, "development  ci     operator  just now  in 89 days") || !strings.Contains(out, "production   board  viewer    just now  never") ||
		!strings.Contains(errOut, "the environment staging is left out") || strings.Contains(out, "cat_") {
		t.Errorf("%d\n%s%s", code, out, errOut)
	}
	if code, _, _ := run(t, "access", "list", "-e", "staging"); code != exitUnavailable {
		t.Errorf("staging alone: %d", code)
	}
	if _, out, _ := run(t, "__complete", "access", "revoke", ""); !strings.Contains(out, "ci\toperator") {
		t.Errorf("completed %q", out)
	}
	if code, _, _ := run(t, "access", "revoke", "ci"); code != 0 {
		t.Errorf("revoke: %d", code)
	}
	if code, _, _ := run(t, "access", "revoke", "ci"); code != exitNotFound {
		t.Errorf("revoke again: %d", code)
	}
}

func TestConsoleCommand(t *testing.T) {
	s := newKVServer(t)
	t.Setenv("CONNECTED_APPS_GATEWAY_URL", "https://connect.example")
	code, out, errOut := run(t, "console")
	link := strings.TrimSpace(out)
	if code != 0 || !strings.HasPrefix(link, "https://connect.example/sign-in/development_") || strings.Count(out, "\n") != 1 ||
		!strings.Contains(errOut, "as admin to development, production") || !strings.Contains(errOut, "does not sign in to staging") {
		t.Fatalf("%d %q %q", code, out, errOut)
	}
	text := connection.NewSecret(strings.TrimPrefix(link, "https://connect.example/sign-in/"))
	for _, environment := range []string{"development", "production"} {
		if !strings.Contains(s.all(), environment+"/secrets/data/access/links/"+access.Hash(text)) {
			t.Errorf("there is no entry of %s in %s", environment, s.all())
		}
	}
	code, out, errOut = run(t, "console", "-e", "staging", "-e", "production", "--role", "viewer", "--for", "1h", "-o", "json")
	var made signInLink
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 || len(made.Environments) != 1 || made.Role != "viewer" ||
		!strings.Contains(made.URL, "/sign-in/production_") || time.Until(made.Expires) < 59*time.Minute {
		t.Errorf("%d %+v %v %s", code, made, err, errOut)
	}
}

// lines passes on what is written, line by line.
type lines chan string

func (l lines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l <- line
	}
	return len(text), nil
}

// The gateway greets on standard output: with a link where there is no other way in and
// one is wanted. Here that is no terminal, as in a container, whose output is kept.
func TestServeGreets(t *testing.T) {
	newKVServer(t)
	t.Setenv("CONNECTED_APPS_LISTEN", "127.0.0.1:0")
	for name, c := range map[string]struct {
		flags []string
		env   map[string]string
		want  string
	}{
		"a log":      {nil, nil, "Sign in with a one-time link: connected-apps console\n"},
		"a link":     {[]string{"--link"}, nil, "Sign in, once and within ten minutes: http://127.0.0.1:8400/sign-in/development_"},
		"no link":    {[]string{"--link=false"}, nil, "Sign in with a one-time link: connected-apps console\n"},
		"a provider": {nil, map[string]string{"CONNECTED_APPS_OIDC_ISSUER": "https://id.example", "CONNECTED_APPS_OIDC_CLIENT_ID": "x", "CONNECTED_APPS_OIDC_ROLES": "sre=admin@*"}, ""},
		"no Vault":   {[]string{"--link"}, map[string]string{"VAULT_ADDR": "http://127.0.0.1:1"}, "Sign in with a one-time link, once Vault answers: connected-apps console"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			out := make(lines, 10)
			root := newRoot(&program{in: strings.NewReader(""), out: out, errOut: io.Discard})
			root.SetArgs(append([]string{"serve"}, c.flags...))
			stopped := make(chan error, 1)
			go func() { stopped <- root.ExecuteContext(ctx) }()
			next := func() string {
				select {
				case line := <-out:
					return line
				case <-time.After(time.Second):
					return ""
				}
			}
			if first := next(); first != "The gateway is at http://127.0.0.1:8400\n" {
				t.Errorf("first %q", first)
			}
			if second := next(); !strings.HasPrefix(second, c.want) || c.want == "" && second != "" {
				t.Errorf("then %q", second)
			}
			stop()
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}
