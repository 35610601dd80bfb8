package connection

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseID(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := map[string]bool{
		"development/github/my-account":    true,
		"a/b/c":                            true,
		"p/g/1":                            true,
		long + "/" + long + "/" + long:     true,
		"a/b/" + long + "a":                false,
		"":                                 false,
		"a/b":                              false,
		"a/b/c/d":                          false,
		"a//c":                             false,
		"/b/c":                             false,
		"a/b/":                             false,
		"A/b/c":                            false,
		"a/b/-c":                           false,
		"a/b/c-":                           false,
		"a/b/c_d":                          false,
		"a/b/c.d":                          false,
		"a/b/..":                           false,
		"a/../c":                           false,
		"a/b/c%2fd":                        false,
		"a/b/c\n":                          false,
		"a/b/c\x00":                        false,
		"a/b/é":                            false,
		" a/b/c":                           false,
		"a/b/c#d":                          false,
		strings.Repeat("x/", 100000) + "x": false,
	}
	for text, fine := range tests {
		id, err := ParseID(text)
		if fine != (err == nil) {
			t.Errorf("%.80q: %v", text, err)
		}
		if err != nil && (TypeOf(err) != ErrInvalidInput || len(err.Error()) > 600) {
			t.Errorf("%.80q: %.700v", text, err)
		}
		if err == nil && (id.String() != text || id.Environment()+"/"+id.App()+"/"+id.Slug() != text) {
			t.Errorf("%q came back as %q", text, id)
		}
	}
}

func TestAnIDThatWasNeverParsedHasNoParts(t *testing.T) {
	for _, id := range []ID{"", "a/b", "a/b/c/d"} {
		if id.Environment() != "" || id.App() != "" || id.Slug() != "" {
			t.Errorf("%q has parts", id)
		}
	}
}

func TestSlugify(t *testing.T) {
	for text, want := range map[string]string{
		"Acme Bot": "acme-bot", "  --x--  ": "x", "Ünïcode": "n-code", "": "", "!!!": "",
		strings.Repeat("a", 62) + " b": strings.Repeat("a", 62),
	} {
		if got := Slugify(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestBoundCutsAtARune(t *testing.T) {
	for text, want := range map[string]string{"abc": "abc", "abcd": "abc…", "abé": "ab…", "ééé": "é…"} {
		if got := Bound(text, 3); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"development/github/acme", "a/b/c", "a/b/c/d", "../../x", "a/b/c\n", "\xff/\xff/\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			if TypeOf(err) != ErrInvalidInput {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := NewID(id.Environment(), id.App(), id.Slug())
		if err != nil || again != id || id.String() != text {
			t.Fatalf("%q became %q (%v)", text, again, err)
		}
		if strings.Contains(text, "..") || strings.ContainsAny(text, "%?#\\@: \r\n\x00") || strings.Count(text, "/") != 2 {
			t.Fatalf("%q needs escaping somewhere", text)
		}
	})
}

func FuzzSlugify(f *testing.F) {
	f.Add("Acme Bot")
	f.Fuzz(func(t *testing.T, text string) {
		if got := Slugify(text); got != "" && CheckSlug("name", got) != nil {
			t.Fatalf("%q became %q, which is no slug", text, got)
		}
		if bounded := Bound(text, 20); len(bounded) > 20+len("…") || utf8.ValidString(text) && !utf8.ValidString(bounded) {
			t.Fatalf("%q was bounded to %q", text, bounded)
		}
	})
}
