// Command arrows fails when a package imports what the architecture does not let
// it. Packages are grouped by their top-level directory; inside one directory
// imports are free, and the compiler keeps them from going round.
//
//	arrows DIRECTORY
//
// checks the module in that directory and every other module below it.
// docs/architecture.md shows the same table as a drawing.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// project is the module path of the root module; the other modules lie under it.
const project = "connectedapps"

// anything lets a directory import every other one, but for those in closed.
const anything = "*"

// arrows says what each top-level directory of the root module may import. A
// directory that is not listed fails, so that a new one is a decision.
var arrows = map[string][]string{
	"connection": {},
	"connectors": {"connection"},
	"vault":      {"connection"},
	"activities": {"connection", "connectors"},
	"workflows":  {"connection", "connectors", "activities"},
	"gateway":    {"connection", "connectors", "activities", "workflows"},
	"deployment": {"connection", "connectors", "vault", "activities", "workflows"},
	"worker":     {anything},
	"starter":    {anything},
	// An example is what somebody outside writes: names and JSON are all it has.
	"examples": {},
}

// closed are never imported by another directory: they are programs.
var closed = []string{"worker", "starter", "examples", "devstack", "deploy", "tools", "e2e", "bench", "conformance"}

// outside bounds what a directory may import of other projects: the standard
// library and these. A directory that is not listed may import any.
var outside = map[string][]string{
	"connection": {"go.temporal.io/sdk/temporal"},
}

// pkg is the part of `go list -json` that matters here.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: arrows DIRECTORY")
		os.Exit(2)
	}
	broken, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "arrows:", err)
		os.Exit(2)
	}
	for _, line := range broken {
		fmt.Println(line)
	}
	if len(broken) > 0 {
		fmt.Println("Move the code to where the arrow may go, or state an interface where it is needed and wire it in deployment.")
		fmt.Println("A new arrow is a decision: change the table in tools/arrows, docs/architecture.md, and say why in docs/decisions.")
		os.Exit(1)
	}
}

// check answers every import that breaks a rule, in all modules under a directory.
func check(directory string) ([]string, error) {
	modules, err := modulesUnder(directory)
	if err != nil {
		return nil, err
	}
	var broken []string
	for _, module := range modules {
		packages, err := list(module)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			broken = append(broken, judge(p)...)
		}
	}
	return broken, nil
}

func modulesUnder(directory string) ([]string, error) {
	var modules []string
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", ".devstack", "testdata"}, entry.Name()):
			return filepath.SkipDir
		case entry.Name() == "go.mod":
			modules = append(modules, filepath.Dir(path))
		}
		return nil
	})
	return modules, err
}

func list(module string) ([]pkg, error) {
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	command.Dir = module
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", module, err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("go list in %s: %w", module, err)
		}
		packages = append(packages, p)
	}
}

// judge answers the imports of one package that break a rule.
func judge(p pkg) []string {
	from := directory(p.ImportPath)
	allowed, known := arrows[from]
	inClosed := slices.Contains(closed, from)
	if !known && !inClosed {
		return []string{fmt.Sprintf("%s: the directory %q is not in the table of arrows", p.ImportPath, from)}
	}
	var broken []string
	say := func(format string, args ...any) {
		broken = append(broken, fmt.Sprintf(p.ImportPath+" "+format, args...))
	}
	for _, path := range p.Imports {
		to := directory(path)
		switch {
		case to == "" && refusedOutside(from, path):
			say("imports %s: %s may import the standard library and %s only", path, from, strings.Join(outside[from], ", "))
		case to == "" || to == from:
		case slices.Contains(closed, to):
			say("imports %s: nothing imports %s", path, to)
		case known && !slices.Contains(allowed, anything) && !slices.Contains(allowed, to):
			say("imports %s: there is no arrow from %s to %s; it may import: %s", path, from, to, orNothing(allowed))
		}
	}
	// Tests may reach sideways, to try a package with the real thing, but not into programs.
	for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
		if to := directory(path); to != "" && to != from && slices.Contains(closed, to) {
			say("imports %s in a test: nothing imports %s", path, to)
		}
	}
	return broken
}

// directory is the top-level directory of a package of this project, "" for a foreign one.
func directory(path string) string {
	rest, ours := strings.CutPrefix(path, project+"/")
	if !ours {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	return top
}

func refusedOutside(from, path string) bool {
	few, bounded := outside[from]
	first, _, _ := strings.Cut(path, "/")
	return bounded && strings.Contains(first, ".") && !slices.Contains(few, path)
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "no other package of this project"
	}
	return strings.Join(names, ", ")
}
