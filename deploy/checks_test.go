package deploy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// check is one line of docs/checks.md: what must hold, and the tests of its other two columns.
type check struct {
	what           string
	tests, control []string
	// written is the control as it stands there, which may be words.
	written string
}

var namedTest = regexp.MustCompile("`([a-z0-9/]+\\.(?:Test|Fuzz)[A-Za-z0-9]+|make chaos)`")

// checks reads the tables of a document; headings and rules are left out.
func checks(text string) []check {
	var all []check
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 3 || cells[0] == "| what must hold" {
			continue
		}
		written := strings.TrimSuffix(cells[2], " |")
		all = append(all, check{strings.TrimPrefix(cells[0], "| "), names(cells[1]), names(written), strings.TrimSpace(written)})
	}
	return all
}

func names(cell string) []string {
	var all []string
	for _, found := range namedTest.FindAllStringSubmatch(cell, -1) {
		all = append(all, found[1])
	}
	return all
}

// testsOf are the test functions of a folder of the project.
func testsOf(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("../" + folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			if function, ok := declared.(*ast.FuncDecl); ok && function.Recv == nil {
				all = append(all, function.Name.Name)
			}
		}
	}
	return all
}

// unfounded says what is wrong with a list of checks.
func unfounded(listed []check, has func(folder string) []string) []string {
	var wrong []string
	for _, line := range listed {
		if len(line.tests) == 0 {
			wrong = append(wrong, line.what+": no test")
		}
		if line.written == "" {
			wrong = append(wrong, line.what+": no control")
		}
		for _, name := range append(slices.Clone(line.tests), line.control...) {
			folder, function, found := strings.Cut(name, ".")
			if found && !slices.Contains(has(folder), function) {
				wrong = append(wrong, line.what+": there is no "+name)
			}
		}
	}
	return wrong
}

func TestChecksNameTestsThatExist(t *testing.T) {
	listed := checks(read(t, "../docs/checks.md"))
	if len(listed) < 40 {
		t.Fatalf("only %d lines were read", len(listed))
	}
	known := map[string][]string{}
	for _, wrong := range unfounded(listed, func(folder string) []string {
		if _, read := known[folder]; !read {
			known[folder] = testsOf(t, folder)
		}
		return known[folder]
	}) {
		t.Error("docs/checks.md: " + wrong)
	}
}

// The check above is shown to fail.
func TestChecksAreRead(t *testing.T) {
	const text = "| what must hold | tests | control |\n|---|---|---|\n" +
		"| a | `x/y.TestA`, `make chaos` | `x/y.TestB` |\n| b | words | in the same test |\n| c | `x/y.TestA` |  |\n| d | `x/y.FuzzC` | `z.TestA` |\n"
	got := unfounded(checks(text), func(folder string) []string {
		return map[string][]string{"x/y": {"TestA", "TestB"}}[folder]
	})
	want := []string{"b: no test", "c: no control", "d: there is no x/y.FuzzC", "d: there is no z.TestA"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
