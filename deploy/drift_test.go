package deploy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tests here hold documents and scripts against the source they speak of.

// source is the syntax of one file of the project.
func source(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../"+path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// constants are the exported string constants of a file, value by name.
func constants(t *testing.T, path string) map[string]string {
	t.Helper()
	found := map[string]string{}
	ast.Inspect(source(t, path), func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if i < len(spec.Values) && name.IsExported() {
				if text, ok := literal(spec.Values[i]); ok {
					found[name.Name] = text
				}
			}
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s holds no constants", path)
	}
	return found
}

func literal(e ast.Expr) (string, bool) {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}

// searchAttributes is the map that the function of that name answers.
func searchAttributes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	ast.Inspect(source(t, "workflows/names.go"), func(node ast.Node) bool {
		pair, ok := node.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isText := literal(pair.Key)
		value, isToo := literal(pair.Value)
		if isText && isToo {
			found[key] = value
		}
		return true
	})
	if len(found) < 5 {
		t.Fatalf("workflows/names.go: only %d search attributes were found", len(found))
	}
	return found
}

// variables are the settings that package deployment lists.
func variables(t *testing.T) []string {
	t.Helper()
	var names []string
	ast.Inspect(source(t, "deployment/settings.go"), func(node ast.Node) bool {
		row, ok := node.(*ast.CompositeLit)
		if !ok || len(row.Elts) != 3 {
			return true
		}
		if name, ok := literal(row.Elts[0]); ok && strings.HasPrefix(name, "CONNECTED_APPS_") {
			names = append(names, name)
		}
		return true
	})
	if len(names) < 10 {
		t.Fatalf("deployment/settings.go: only %d variables were found", len(names))
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// missing answers which words a text does not have, each in the quotation marks of Markdown code.
func missing(text string, words []string) []string {
	var absent []string
	for _, word := range words {
		if !regexp.MustCompile("`" + regexp.QuoteMeta(word) + "[`(]").MatchString(text) {
			absent = append(absent, word)
		}
	}
	return absent
}

func TestNamespacesScriptMakesEveryAttribute(t *testing.T) {
	made := map[string]string{}
	for _, pair := range regexp.MustCompile(`(\w+)=(Keyword|KeywordList|Datetime|Text|Int|Bool|Double)\b`).FindAllStringSubmatch(read(t, "temporal-namespaces.sh"), -1) {
		made[pair[1]] = pair[2]
	}
	if want := searchAttributes(t); !maps.Equal(made, want) {
		t.Errorf("the script makes %v, the code wants %v", made, want)
	}
}

func TestComposeSetsKnownVariables(t *testing.T) {
	known := variables(t)
	for _, service := range load(t, "../docker-compose.yml").Services {
		for name := range service.Environment {
			if strings.HasPrefix(name, "CONNECTED_APPS_") && !slices.Contains(known, name) {
				t.Errorf("%s sets %s, which nothing reads", service.Name, name)
			}
		}
	}
}

func TestOperationsListsEveryVariable(t *testing.T) {
	for _, name := range missing(read(t, "../docs/operations.md"), variables(t)) {
		t.Errorf("docs/operations.md does not list %s", name)
	}
}

func TestContractNamesEverything(t *testing.T) {
	contract := read(t, "../docs/contract.md")
	words := slices.Collect(maps.Keys(searchAttributes(t)))
	for _, file := range []string{"workflows/names.go", "connection/errors.go", "connection/status.go"} {
		words = slices.AppendSeq(words, maps.Values(constants(t, file)))
	}
	for _, word := range missing(contract, words) {
		t.Errorf("docs/contract.md does not name %s", word)
	}
}

// The check above is shown to fail.
func TestMissing(t *testing.T) {
	got := missing("`ConnectApp` and `VaultUnavailable` and Plain and `test(x)`", []string{"ConnectApp", "Vault", "Plain", "test"})
	if !slices.Equal(got, []string{"Vault", "Plain"}) {
		t.Errorf("got %v", got)
	}
}

// Links between documents lead somewhere.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+\.(?:md|yml|hcl|sh))(?:#[^)]*)?\)`)
	for _, folder := range []string{"../docs/", "../docs/decisions/"} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".md") {
				continue
			}
			for _, found := range link.FindAllStringSubmatch(read(t, folder+entry.Name()), -1) {
				if strings.Contains(found[1], "://") {
					continue
				}
				if _, err := os.Stat(folder + found[1]); err != nil {
					t.Errorf("docs: %s links to %s, which is not there", entry.Name(), found[1])
				}
			}
		}
	}
}

// The worked examples of the page are those of the file that is validated.
func TestExamplesOfConnectorsPage(t *testing.T) {
	page, file := read(t, "../docs/connectors.md"), read(t, "../docs/example/tickets.yaml")
	found := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(  - id: .*?)```").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(block[1], "kind: ") {
			continue // an action, not a way to authenticate
		}
		found++
		if !strings.Contains(file, block[1]) {
			t.Errorf("docs/example/tickets.yaml does not hold this example of docs/connectors.md:\n%s", block[1])
		}
	}
	if found < 8 {
		t.Errorf("only %d examples were found: has the page changed its form?", found)
	}
}
