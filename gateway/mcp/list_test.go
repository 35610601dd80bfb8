package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

var legalName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,56}$`)

func TestTools(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		session := b.connect("agent", "", version, nil)
		list, err := session.ListTools(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Tools) != 2 {
			t.Fatalf("tools: %d, want the two that a definition has", len(list.Tools))
		}
		if version == "" && list.CacheScope != "private" {
			t.Errorf("the list may be kept for others: %q", list.CacheScope)
		}
		for _, tool := range list.Tools {
			if !legalName.MatchString(tool.Name) {
				t.Errorf("the name %q is not legal everywhere", tool.Name)
			}
			whole, err := json.Marshal(tool)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(whole), "Ignore all rules") {
				t.Errorf("a display name reaches the model: %s", whole)
			}
		}
		draw := list.Tools[0]
		if !strings.HasPrefix(draw.Name, "atlas_draw-map_") || draw.Title != "Atlas: Draw a map" ||
			draw.Description != "Draws a new map. Runs on the connection development/atlas/main." {
			t.Errorf("%+v", draw)
		}
		if a := draw.Annotations; a.ReadOnlyHint || a.IdempotentHint || !*a.DestructiveHint || !*a.OpenWorldHint {
			t.Errorf("draw-map: %+v", a)
		}
		if a := list.Tools[1].Annotations; !a.ReadOnlyHint || !a.IdempotentHint || *a.DestructiveHint {
			t.Errorf("list-maps: %+v", a)
		}
		schema, err := json.Marshal(draw.InputSchema)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"geo_shape":`, `"_projection_2":{"type":"string"}`, `"required":["title","geo_shape"]`, `"_wait_for_reconnect":`} {
			if !strings.Contains(string(schema), want) {
				t.Errorf("the schema lacks %s: %s", want, schema)
			}
		}
		for _, not := range []string{"geo shape", "anyOf", "_cursor"} {
			if strings.Contains(string(schema), not) {
				t.Errorf("the schema has %s: %s", not, schema)
			}
		}
		if draw.OutputSchema != nil || list.Tools[1].OutputSchema != nil {
			t.Error("schemas of results were not asked for")
		}
	})
}

func TestOutputSchemaOnRequest(t *testing.T) {
	b := newBench(t)
	session := b.connect("agent", "?output=schema", "", nil)
	list, err := session.ListTools(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := json.Marshal(list.Tools[1].OutputSchema)
	if err != nil || !strings.Contains(string(schema), `"maps"`) || !strings.Contains(string(schema), `"type":"object"`) {
		t.Errorf("%s, %v", schema, err)
	}
}

func TestNamesStay(t *testing.T) {
	b := newBench(t)
	one := b.names(b.connect("operator", "?toolkit=development/atlas/main/reading", "", nil))
	both := b.names(b.connect("operator", "?toolkit=development/atlas/other&toolkit=development/atlas/main/reading&toolkit=development/atlas/main", "", nil))
	if len(one) != 1 || len(both) != 4 || !slices.Contains(both, one[0]) || !slices.IsSorted(both) {
		t.Errorf("%v, then %v", one, both)
	}
}

func TestNamesAreUniqueAndShort(t *testing.T) {
	seen := map[string]bool{}
	for _, environment := range []string{"development", "production"} {
		for _, app := range []string{"a", "a-very-long-name-of-an-app-that-somebody-has-defined-somewhere"} {
			for n := range 50 {
				r := connection.ToolkitRef{Connection: connection.ID(environment + "/" + app + "/main"), Toolkit: "default"}
				for _, action := range []string{fmt.Sprintf("list-%d", n), fmt.Sprintf("a-very-long-name-of-an-action-that-ends-with-a-number-%d", n)} {
					name := toolName(r, action)
					if !legalName.MatchString(name) || seen[name] {
						t.Fatalf("%q is not legal, or there twice", name)
					}
					seen[name] = true
				}
			}
		}
	}
}

func TestKeys(t *testing.T) {
	long := strings.Repeat("x", 70)
	k := newKeys([]string{"", "_cursor", "a b", "a.b", "a_b", long, long + "y"}, map[string]bool{"_cursor": true})
	seen := map[string]bool{}
	for _, key := range []string{"", "_cursor", "a b", "a.b", "a_b", long, long + "y"} {
		name := k.named(key)
		if !goodKey.MatchString(name) || name == "_cursor" || seen[name] {
			t.Errorf("%q became %q", key, name)
		}
		if k.meant(name) != key {
			t.Errorf("%q was taken for %q", name, k.meant(name))
		}
		seen[name] = true
	}
	if k.named("a_b") != "a_b" {
		t.Error("a legal name was changed")
	}
}

func TestListChanges(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		changed := make(chan struct{}, 10)
		session := b.connect("agent", "", version, &sdk.ClientOptions{ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { changed <- struct{}{} }})
		if n := len(b.names(session)); n != 2 {
			t.Fatalf("%d tools", n)
		}
		b.set(testID, connection.Toolkit{Name: "default", Actions: []string{"list-maps"}})
		eventually(t, "the new list", func() bool { return len(b.names(session)) == 1 })
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Error("nobody was told")
		}
	})
}

func TestToolkitAwayForAWhile(t *testing.T) {
	b := newBench(t)
	session := b.connect("agent", "", "", nil)
	before := b.names(session)
	b.mu.Lock()
	b.describe = connection.TemporalUnavailable("Temporal cannot be reached")
	b.mu.Unlock()
	if after := b.names(session); !slices.Equal(before, after) {
		t.Errorf("%v became %v while Temporal was away", before, after)
	}
	if _, err := b.try("operator", "?toolkit=development/atlas/main", "", nil); err == nil {
		t.Error("a list that nobody knows was answered")
	}
}
