package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"connected-apps": main})
}

// TestScript runs the command line as a person does, as far as it goes without
// servers. Temporal's address is one where nobody listens.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CONNECTED_APPS_ENV_FILE", "")
			e.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
			e.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code, "for_kinds": forKinds},
	})
}

// code N COMMAND… runs a command and checks its exit code, which exec does not.
func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	shell := append([]string{"-c", `"$0" "$@"; echo "exit code $?" >&2; exit 0`}, args[1:]...)
	ts.Check(ts.Exec("sh", shell...))
	if text := ts.ReadFile("stderr"); !contains(text, "exit code "+args[0]+"\n") {
		ts.Fatalf("want exit code %s, got:\n%s", args[0], text)
	}
}

// forKinds DIR writes a new definition of every kind of authentication there.
func forKinds(ts *testscript.TestScript, _ bool, args []string) {
	for _, kind := range kindNames() {
		ts.Check(ts.Exec("connected-apps", "apps", "new", "my-"+kind, "--kind", kind, "--output", args[0]+"/"+kind+".yaml"))
	}
}

func contains(text, part string) bool {
	return len(text) >= len(part) && text[len(text)-len(part):] == part
}
