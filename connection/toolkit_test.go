package connection

import (
	"encoding/json"
	"testing"
)

func TestToolkitRefs(t *testing.T) {
	for text, want := range map[string]string{
		"production/github/bot":           "production/github/bot/default",
		"production/github/bot/read-only": "production/github/bot/read-only",
		"production/github":               "",
		"production/github/bot/":          "",
		"production/github/bot/a/b":       "",
		"production/github/bot/Read":      "",
		"":                                "",
	} {
		ref, err := ParseToolkitRef("toolkit", text)
		if want == "" {
			if TypeOf(err) != ErrInvalidInput {
				t.Errorf("%q: %v, %v", text, ref, err)
			}
			continue
		}
		if err != nil || ref.String() != want {
			t.Errorf("%q: %v, %v", text, ref, err)
		}
	}
	raw := `{"name":"a","role":"agent","toolkits":["d/a/b/c"],"created":"2026-01-01T00:00:00Z"}`
	var token AccessToken
	if err := json.Unmarshal([]byte(raw), &token); err != nil || len(token.Toolkits) != 1 || token.Toolkits[0].Toolkit != "c" {
		t.Errorf("%+v, %v", token, err)
	}
	if again, err := json.Marshal(token); err != nil || string(again) != raw {
		t.Errorf("%s, %v", again, err)
	}
	b, a := ToolkitRef{"d/a/b", "x"}, ToolkitRef{"d/a/a", "x"}
	if sorted := SortToolkits([]ToolkitRef{b, a, b}); len(sorted) != 2 || sorted[0] != a {
		t.Errorf("%v", sorted)
	}
}
