package connectors

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
)

// family is an abstract parent; children of the tests extend it.
const family = `id: family
name: Family
abstract: true
base_url: https://api.family.example
headers: {Accept: application/json, X-Old: "1"}
categories: [one, two]
recovery: [Ask somebody.]
inputs:
  - {name: site, secret: false}
probe: {path: "/me/{site}", tests: reading}
auth:
  - id: oauth
    kind: oauth2-code
    oauth:
      client_auth: basic
      scopes: {default: [read, write]}
      authorize: {url: "https://family.example/authorize", params: {a: "1", b: "2"}}
      token: {url: "https://family.example/token"}
  - id: key
    kind: api-key
    inputs: [{name: key, title: Key, secret: true}]
    place: [{in: header, name: X-Key, value: "{key}"}]
actions:
  - id: look
    title: Look
    description: Looks.
    status: unverified
    read_only: true
    request: {method: GET, path: /look}
`

const child = `id: child
extends: family
name: Child
`

func TestInheritance(t *testing.T) {
	directory := t.TempDir()
	write(t, directory, "family.yaml", family)
	tests := []struct {
		name, more string
		want       func(*App) bool
	}{
		{"everything", "", func(a *App) bool {
			return a.ID == "child" && a.Name == "Child" && !a.Abstract && len(a.Methods) == 2 && len(a.Actions) == 1 && a.Headers["X-Old"] == "1"
		}},
		{"a map is merged, null removes", "headers: {X-Old: null, X-New: '2'}", func(a *App) bool {
			_, old := a.Headers["X-Old"]
			return !old && a.Headers["X-New"] == "2" && a.Headers["Accept"] == "application/json"
		}},
		{"a plain list is replaced", "categories: [three]", func(a *App) bool { return slices.Equal(a.Categories, []string{"three"}) }},
		{"a method is merged by its ID", "auth: [{id: oauth, oauth: {authorize: {params: {b: null, c: '3'}}, scopes: {default: [all]}}}]", func(a *App) bool {
			o := a.Methods[0].OAuth
			return len(a.Methods) == 2 && o.Authorize.Params["a"] == "1" && o.Authorize.Params["c"] == "3" && len(o.Authorize.Params) == 2 &&
				o.ClientAuth == "basic" && slices.Equal(o.Scopes.Default, []string{"all"})
		}},
		{"a new method is appended", "auth: [{id: none, kind: none}]", func(a *App) bool { return len(a.Methods) == 3 && a.Methods[2].ID == "none" }},
		{"an input is merged by its name", "auth: [{id: key, inputs: [{name: key, help: Below}, {name: more, secret: false}]}]", func(a *App) bool {
			in := a.Methods[1].Inputs
			return len(in) == 3 && in[1].Title == "Key" && in[1].Help == "Below" && in[1].Secret && in[2].Name == "more"
		}},
		{"an action is merged and appended", "actions: [{id: look, title: See}, {id: other, title: O, description: O., status: unverified, request: {method: GET, path: /o}}]", func(a *App) bool {
			return len(a.Actions) == 2 && a.Actions[0].Title == "See" && a.Actions[0].Description == "Looks." && a.Actions[1].ID == "other"
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			apps, defects := ValidateDir(write(t, directory, "child.yaml", child+test.more+"\n"))
			if len(defects) > 0 || len(apps) != 1 || !test.want(apps[0]) {
				t.Errorf("%v %+v", defects, apps)
			}
		})
	}
}

func TestWrongInheritance(t *testing.T) {
	tests := []struct {
		name        string
		files       map[string]string
		file, field string
		line        int
		reason      string
	}{
		{"unknown parent", map[string]string{"a.yaml": "id: a\nextends: famly\nname: A\n", "family.yaml": family}, "a.yaml", "extends", 2, "did you mean family"},
		{"itself", map[string]string{"a.yaml": "id: a\nextends: a\nname: A\n"}, "a.yaml", "extends", 2, "extends itself"},
		{"a ring", map[string]string{"a.yaml": "id: a\nextends: b\nname: A\n", "b.yaml": "id: b\nextends: c\nname: B\n", "c.yaml": "id: c\nextends: a\nname: C\n"}, "a.yaml", "extends", 2, "cannot be extended"},
		{"a defect of the parent", map[string]string{"child.yaml": child, "family.yaml": strings.Replace(family, "{site}", "{side}", 1)}, "family.yaml", "probe.path", 10, "{side}"},
		{"a defect of its shape", map[string]string{"child.yaml": child, "family.yaml": strings.Replace(family, "client_auth: basic", "client_auht: basic", 1)}, "family.yaml", "auth[0].oauth.client_auht", 15, "no such field"},
		{"a defect of the child", map[string]string{"child.yaml": child + "auth: [{id: key, place: [{in: header, name: X, value: '{kez}'}]}]\n", "family.yaml": family}, "child.yaml", "auth[1].place[0]", 4, "{kez}"},
		{"incomplete", map[string]string{"bare.yaml": "id: bare\nname: B\nabstract: true\n", "child.yaml": strings.Replace(child, "family", "bare", 1)}, "child.yaml", "base_url", 1, "missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			for name, text := range test.files {
				write(t, directory, name, text)
			}
			_, defects := ValidateDir(directory)
			found := slices.ContainsFunc(defects, func(d *DefinitionError) bool {
				return filepath.Base(d.File) == test.file && d.Field == test.field && d.Line == test.line && strings.Contains(d.Reason, test.reason)
			})
			if !found {
				t.Errorf("%v", definitionErrors(defects))
			}
			for i, d := range defects {
				if slices.ContainsFunc(defects[:i], func(before *DefinitionError) bool { return *before == *d }) {
					t.Errorf("told twice: %v", d)
				}
			}
		})
	}
}

// Parents stand in the same directory, in an earlier one, or are built in;
// chains are followed; the digest is that of all of them together.
func TestInheritanceAcrossDirectories(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write(t, first, "family.yaml", family)
	write(t, first, "middle.yaml", "id: middle\nextends: family\nabstract: true\nname: Middle\nheaders: {X-Middle: m}\n")
	write(t, second, "child.yaml", strings.Replace(child, "family", "middle", 1))
	write(t, second, "mine.yaml", "id: mine\nextends: github\nname: Mine\n")
	c, err := Load(first, second)
	if err != nil {
		t.Fatal(err)
	}
	app, err := c.App("child")
	if err != nil || app.Headers["X-Middle"] != "m" || app.Headers["X-Old"] != "1" || app.Abstract {
		t.Fatal(app, err)
	}
	if mine, err := c.App("mine"); err != nil || len(mine.Methods) == 0 || mine.Methods[0].App() != mine {
		t.Error(mine, err)
	}
	for _, abstract := range []string{"family", "middle"} {
		if _, err := c.App(abstract); connection.TypeOf(err) != connection.ErrUnknownApp || strings.Contains(err.Error(), "did you mean "+abstract) {
			t.Errorf("an abstract app can be connected: %v", err)
		}
		if slices.ContainsFunc(c.Apps(), func(a *App) bool { return a.ID == abstract }) {
			t.Error("an abstract app is listed")
		}
	}
	write(t, first, "family.yaml", strings.Replace(family, "X-Old: \"1\"", "X-Old: \"2\"", 1))
	again, err := Load(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := again.App("child"); other.Digest == app.Digest || again.Digest() == c.Digest() {
		t.Error("the digest does not cover the parent")
	}
	var defect *DefinitionError
	if _, err := Load(second); !errors.As(err, &defect) || defect.Field != "extends" {
		t.Error(err)
	}
}

// A definition that replaces one may extend the one it replaces.
func TestOverrideExtendsWhatItReplaces(t *testing.T) {
	directory := t.TempDir()
	write(t, directory, "github.yaml", "id: github\nextends: github\noverride: true\nname: Our GitHub\n")
	c, err := Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	if app, err := c.App("github"); err != nil || app.Name != "Our GitHub" || len(app.Actions) == 0 {
		t.Error(app, err)
	}
}
