package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
)

// sound is the smallest definition; each case below spoils it in one place.
const sound = `id: demo
name: Demo
base_url: https://api.demo.example
auth:
  - id: key
    kind: api-key
    inputs:
      - {name: key, secret: true}
    place:
      - {in: header, name: X-Key, value: "{key}"}
actions:
  - id: read
    title: Read
    description: Reads.
    status: unverified
    read_only: true
    request: {method: GET, path: "/things/{id}{?limit}"}
    input:
      type: object
      additionalProperties: false
      required: [id]
      properties:
        id: {type: string}
        limit: {type: integer}
probe: {path: /me}
`

func write(t testing.TB, directory, name, text string) string {
	t.Helper()
	file := filepath.Join(directory, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWrongDefinitions(t *testing.T) {
	tests := []struct {
		name, old, new string
		line           int
		field, reason  string
	}{
		{"unknown field", "name: Demo", "name: Demo\nnmae: x", 3, "nmae", "no such field"},
		{"unknown field deep", "title: Read", "title: Read\n    titel: x", 14, "actions[0].titel", "no such field"},
		{"missing field", "name: Demo\n", "", 1, "name", "missing"},
		{"wrong type", "name: Demo", "name: [Demo]", 2, "name", "must be string"},
		{"wrong slug", "id: demo", "id: De mo", 1, "id", "pattern"},
		{"no YAML", "name: Demo", "name: \"Demo", 0, "", "not YAML"},
		{"duplicate key", "name: Demo", "name: Demo\nname: Other", 0, "", ""},
		{"two documents", "id: demo", "id: x\n---\nid: demo", 1, "", "more than one document"},
		{"alias", "name: Demo", "name: &n Demo\nsummary: *n", 2, "", "aliases"},
		{"secret not said", "{name: key, secret: true}", "{name: key}", 8, "auth[0].inputs[0].secret", "missing"},
		{"secret with a default", "{name: key, secret: true}", "{name: key, secret: true, default: x}", 8, "auth[0].inputs[0].default", "no default"},
		{"hidden without a default", "{name: key, secret: true}", "{name: key, secret: true, hidden: true}", 8, "auth[0].inputs[0].hidden", "default"},
		{"bad default", "{name: key, secret: true}", "{name: key, secret: true}\n      - {name: u, secret: false, format: url, default: ftp://x}", 9, "auth[0].inputs[1].default", "http"},
		{"bad pattern", "{name: key, secret: true}", "{name: key, secret: true, pattern: '('}", 8, "auth[0].inputs[0].pattern", "regular expression"},
		{"input twice", "{name: key, secret: true}", "{name: key, secret: true}\n      - {name: key, secret: true}", 9, "auth[0].inputs[1].name", "already"},
		{"unknown kind", "kind: api-key", "kind: magic", 6, "auth[0].kind", "must be one of"},
		{"kind without its part", "kind: api-key", "kind: oauth2-code", 5, "auth[0].oauth", "missing"},
		{"part without its kind", "    place:", "    basic: {username: a, password: b}\n    place:", 9, "auth[0].basic", "does not fit"},
		{"unknown variable", `value: "{key}"`, `value: "{kez}"`, 10, "auth[0].place[0]", "{kez}"},
		{"loose brace", `value: "{key}"`, `value: "{key"`, 10, "auth[0].place[0].value", "brace"},
		{"secret in the URL", "base_url: https://api.demo.example", `base_url: "https://{key}.demo.example"`, 3, "base_url", "{key}"},
		{"bad template", "base_url: https://api.demo.example", `base_url: "https://{a:3}.demo.example"`, 3, "base_url", "not supported"},
		{"bad predicate", "auth:", "answers: {ok: 'status =='}\nauth:", 4, "answers.ok", "CEL"},
		{"predicate of another type", "auth:", "answers: {ok: 'status + 1'}\nauth:", 4, "answers.ok", "not true or false"},
		{"predicate with an unknown variable", "auth:", "answers: {ok: 'code == 1'}\nauth:", 4, "answers.ok", "CEL"},
		{"bad path", "auth:", "answers: {error: 'a..b'}\nauth:", 4, "answers.error", "JMESPath"},
		{"bad schema", "limit: {type: integer}", "limit: {type: whole}", 18, "actions[0].input", "JSON Schema"},
		{"schema elsewhere", "limit: {type: integer}", "limit: {$ref: 'https://evil.example/s'}", 18, "actions[0].input", "another document"},
		{"open schema", "additionalProperties: false", "additionalProperties: true", 18, "actions[0].input", "additionalProperties"},
		{"path variable that may be missing", "required: [id]", "required: [limit]", 17, "actions[0].request.path", "require"},
		{"path variable from nowhere", "/things/{id}", "/things/{ie}", 17, "actions[0].request.path", "{ie}"},
		{"argument that goes nowhere", "limit: {type: integer}", "limit: {type: integer}\n        lost: {type: string}", 25, "actions[0].input.properties.lost", "no part"},
		{"read-only and destructive", "read_only: true", "read_only: true\n    destructive: true", 16, "actions[0].read_only", "destructive"},
		{"action twice", "actions:", "actions:\n  - id: read\n    title: T\n    description: D\n    status: unverified\n    request: {method: GET, path: /x}", 17, "actions[1].id", "already"},
		{"cursor without a place", "    read_only: true", "    read_only: true\n    paging: {kind: cursor}", 17, "actions[0].paging.from", "missing"},
		{"no authentication", "auth:\n  - id: key\n    kind: api-key\n    inputs:\n      - {name: key, secret: true}\n    place:\n      - {in: header, name: X-Key, value: \"{key}\"}", "auth: []", 4, "auth", "minItems"},
	}
	directory := t.TempDir()
	if apps, defects := ValidateDir(write(t, directory, "sound.yaml", sound)); len(apps) != 1 || len(defects) != 0 {
		t.Fatalf("the sound one: %v", defects)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(sound, test.old, test.new, 1)
			if text == sound {
				t.Fatal("nothing is spoilt")
			}
			file := write(t, directory, "wrong.yaml", text)
			apps, defects := ValidateDir(file)
			if len(apps) != 0 || len(defects) == 0 {
				t.Fatalf("it is accepted: %v", defects)
			}
			d := defects[0]
			if d.File != file || d.Line < 1 || d.Column < 1 || test.line > 0 && d.Line != test.line || d.Field != test.field || !strings.Contains(d.Reason, test.reason) {
				t.Errorf("%v", defects)
			}
		})
	}
}

func TestLoadDirectories(t *testing.T) {
	directory := t.TempDir()
	write(t, directory, "demo.yaml", sound)
	write(t, directory, "notes.txt", "not a definition")
	plain, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	more, err := Load(directory)
	if err != nil || len(more.Apps()) != len(plain.Apps())+1 || more.Digest() == plain.Digest() {
		t.Fatalf("%v", err)
	}
	if again, err := Load(directory); err != nil || again.Digest() != more.Digest() {
		t.Errorf("the digest changes by itself: %v", err)
	}
	write(t, directory, "github.yaml", strings.Replace(sound, "id: demo", "id: github", 1))
	var defect *DefinitionError
	if _, err = Load(directory); !errors.As(err, &defect) || !strings.Contains(defect.Reason, "override: true") {
		t.Errorf("%v", err)
	}
	write(t, directory, "github.yaml", strings.Replace(sound, "id: demo", "id: github\noverride: true", 1))
	over, err := Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	if app, err := over.App("github"); err != nil || app.Name != "Demo" {
		t.Errorf("%v %v", app, err)
	}
	if _, err := Load(filepath.Join(directory, "nowhere")); err == nil {
		t.Error("a directory that is not there")
	}
}

func TestLookups(t *testing.T) {
	c := catalogue(t)
	for wanted, suggested := range map[string]string{"gihub": "github", "google": "google-calendar", "slak": "slack"} {
		_, err := c.App(wanted)
		if problem := problemOf(t, err); problem.Type != connection.ErrUnknownApp || !strings.Contains(problem.Remedy, suggested) {
			t.Errorf("%s: %+v", wanted, problem)
		}
	}
	app := appOf(t, "sandbox")
	if _, err := app.Action("list-contact"); !strings.Contains(problemOf(t, err).Remedy, "list-contacts") {
		t.Error(err)
	}
	if m, err := app.Method(""); err != nil || m.ID != "oauth" {
		t.Error(m, err)
	}
	if m, err := app.Method("oauth2-client-credentials"); err != nil || m.ID != "client-credentials" {
		t.Error(m, err)
	}
	if _, err := app.Method("kerberos"); problemOf(t, err).Type != connection.ErrAuthKindNotOffered || !strings.Contains(problemOf(t, err).Remedy, "api-key-query") {
		t.Error(err)
	}
}

func TestAccessLevels(t *testing.T) {
	app := appOf(t, "sandbox")
	ids := func(access string, chosen ...string) string {
		t.Helper()
		actions, err := app.ActionsFor(app.Methods[0], access, chosen)
		if err != nil {
			return problemOf(t, err).Type
		}
		var out []string
		for _, action := range actions {
			out = append(out, action.ID)
		}
		return strings.Join(out, " ")
	}
	if got := ids(AccessRead); got != "whoami list-contacts get-contact slow limited" {
		t.Error(got)
	}
	if got := ids(AccessReadWrite); len(strings.Fields(got)) != len(app.Actions) {
		t.Error(got)
	}
	if got := ids(AccessActions, "delete-contact", "whoami", "whoami"); got != "whoami delete-contact" {
		t.Error(got)
	}
	for _, wrong := range []string{ids("everything"), ids(AccessActions), ids(AccessRead, "whoami")} {
		if wrong != connection.ErrInvalidInput {
			t.Error(wrong)
		}
	}
	if got := ids(AccessActions, "nothing"); got != connection.ErrUnknownAction {
		t.Error(got)
	}
	actions, err := app.ActionsFor(app.Methods[0], AccessRead, nil)
	if err != nil {
		t.Fatal(err)
	}
	if scopes := methodOf(t, "sandbox", "oauth").ScopesFor(actions); !slices.Equal(scopes, []string{"contacts.read", "offline_access"}) {
		t.Error(scopes)
	}
}

// The authoring schema knows exactly the fields that the code reads.
func TestAuthoringSchemaMatchesTheCode(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(AuthoringSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	if _, err := compileSchema(AuthoringSchema()); err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	compareFields(t, schema, schema, reflect.TypeFor[App](), "app", seen)
	if len(seen) < 15 {
		t.Errorf("only %d types were compared", len(seen))
	}
}

func compareFields(t *testing.T, root, schema map[string]any, typ reflect.Type, place string, seen map[reflect.Type]bool) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if either, ok := schema["anyOf"].([]any); ok && schema["properties"] == nil {
		// The last alternative is the whole of it, those before are short forms.
		schema = either[len(either)-1].(map[string]any)
	}
	// Every other kind has no fields.
	//exhaustive:ignore
	switch typ.Kind() {
	case reflect.Pointer:
		compareFields(t, root, schema, typ.Elem(), place, seen)
		return
	case reflect.Slice:
		if items, ok := schema["items"].(map[string]any); ok {
			compareFields(t, root, items, typ.Elem(), place+"[]", seen)
		}
		return
	case reflect.Map:
		if items, ok := schema["additionalProperties"].(map[string]any); ok {
			compareFields(t, root, items, typ.Elem(), place+".*", seen)
		}
		return
	case reflect.Struct:
		if typ == reflect.TypeFor[Schema]() || seen[typ] {
			return
		}
	default:
		return
	}
	seen[typ] = true
	properties, _ := schema["properties"].(map[string]any)
	for _, field := range declaredFields(typ) {
		name := field.Tag.Get("yaml")
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is in the code and not in the schema", place, name)
			continue
		}
		delete(properties, name)
		compareFields(t, root, property, field.Type, place+"."+name, seen)
	}
	for name := range properties {
		t.Errorf("%s.%s is in the schema and not in the code", place, name)
	}
}

// declaredFields are the fields that are read from a definition, those of inlined types among them.
func declaredFields(typ reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for i := range typ.NumField() {
		switch field := typ.Field(i); field.Tag.Get("yaml") {
		case "", "-":
		case ",inline":
			fields = append(fields, declaredFields(field.Type)...)
		default:
			fields = append(fields, field)
		}
	}
	return fields
}

// Whoever writes a definition finds every format in the schema.
func TestFormatsAreInTheSchema(t *testing.T) {
	for _, format := range Formats() {
		if !bytes.Contains(authoringSchema, []byte(`"`+format+`"`)) {
			t.Error(format)
		}
	}
}

// parseDefinition reads one definition that extends what is built in, if anything.
func parseDefinition(file string, data []byte, how depth) (*App, []*DefinitionError) {
	d, defect := newDocument(file, data)
	if defect == nil {
		lib := &library{documents: map[string]*document{d.id: d}, earlier: builtIn}
		defect = lib.inherit(d)
	}
	if defect != nil {
		return nil, []*DefinitionError{defect}
	}
	return d.definition(how)
}
