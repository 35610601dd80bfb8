package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each row plants one import and says what must be answered; "" is a clean one.
func TestJudge(t *testing.T) {
	for _, row := range []struct{ from, to, want string }{
		{"connection", "fmt", ""},
		{"connection", "go.temporal.io/sdk/temporal", ""},
		{"connection", "go.temporal.io/sdk/workflow", "standard library"},
		{"connection", "connectedapps/vault", "no arrow from connection to vault"},
		{"connectors", "connectedapps/connectors/outbound", ""},
		{"connectors/outbound", "connectedapps/connection", ""},
		{"connectors/outbound", "connectedapps/activities", "no arrow"},
		{"vault", "connectedapps/connection", ""},
		{"vault", "connectedapps/connectors", "no arrow"},
		{"activities", "connectedapps/vault", "no arrow"},
		{"workflows", "connectedapps/activities", ""},
		{"workflows", "connectedapps/deployment", "no arrow"},
		{"gateway", "connectedapps/workflows", ""},
		{"gateway", "connectedapps/vault", "no arrow from gateway to vault"},
		{"gateway", "connectedapps/deployment", "no arrow"},
		{"deployment", "connectedapps/vault", ""},
		{"deployment", "connectedapps/gateway", "no arrow"},
		{"worker", "connectedapps/deployment", ""},
		{"worker", "connectedapps/starter", "nothing imports starter"},
		{"starter", "connectedapps/gateway", ""},
		{"starter", "connectedapps/worker", "nothing imports worker"},
		{"starter", "connectedapps/devstack/sandbox", "nothing imports devstack"},
		{"e2e", "connectedapps/devstack", "nothing imports devstack"},
		{"e2e", "connectedapps/workflows", ""},
		{"examples/parent", "connectedapps/workflows", "no other package of this project"},
		{"util", "fmt", "not in the table"},
	} {
		got := strings.Join(judge(pkg{ImportPath: project + "/" + row.from, Imports: []string{row.to}}), "\n")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s -> %s: got %q, want %q in it", row.from, row.to, got, row.want)
		}
	}
}

func TestJudgeTests(t *testing.T) {
	sideways := judge(pkg{ImportPath: "connectedapps/activities", TestImports: []string{"connectedapps/vault"}})
	if len(sideways) != 0 {
		t.Errorf("a test that reaches sideways: %v", sideways)
	}
	upward := judge(pkg{ImportPath: "connectedapps/activities", XTestImports: []string{"connectedapps/devstack/temporal"}})
	if len(upward) != 1 {
		t.Errorf("a test that imports devstack: %v", upward)
	}
}

// A planted module on disk goes through `go list` and is found.
func TestCheckFindsAPlant(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module connectedapps\n\ngo 1.26.0\n")
	write("connection/a.go", "package connection\n")
	write("vault/a.go", "package vault\n\nimport _ \"connectedapps/connection\"\n")
	if broken, err := check(root); err != nil || len(broken) != 0 {
		t.Fatalf("clean module: %v, %v", broken, err)
	}
	write("connection/b.go", "package connection\n\nimport _ \"connectedapps/devstack\"\n")
	if broken, err := check(root); err != nil || len(broken) != 1 {
		t.Fatalf("planted import: %v, %v", broken, err)
	}
}
