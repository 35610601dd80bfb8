package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// shortest is how long a text must be to be looked for: shorter ones stand anywhere by chance.
const shortest = 8

// forms are the ways a secret may be written down, by name: as it is, base64 and
// base64url at three alignments, hexadecimal in small and capital letters, escaped for
// URLs, JSON and JSON in HTML, and its first twelve characters. Forms that are alike are there once.
func forms(secret string) map[string]string {
	all, known := map[string]string{}, map[string]bool{}
	add := func(name, text string) {
		if !known[text] {
			known[text], all[name] = true, text
		}
	}
	add("as it is", secret)
	add("its first twelve characters", secret[:min(12, len(secret))])
	add("hexadecimal", hex.EncodeToString([]byte(secret)))
	add("hexadecimal in capitals", strings.ToUpper(hex.EncodeToString([]byte(secret))))
	add("escaped for a URL", url.QueryEscape(secret))
	escaped, _ := json.Marshal(secret) // as Go does, so that it may stand in HTML
	add("escaped for JSON in HTML", string(escaped[1:len(escaped)-1]))
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(secret)
	add("escaped for JSON", plain.String()[1:plain.Len()-2]) // between the quotes; the last byte ends the line
	for shift := range 3 {
		padded := []byte(strings.Repeat("x", shift) + secret)
		// What depends on the bytes before and after is cut off.
		from, to := (shift*8+5)/6, len(padded)*8/6
		add(fmt.Sprint("base64 at alignment ", shift), base64.StdEncoding.EncodeToString(padded)[from:to])
		add(fmt.Sprint("base64url at alignment ", shift), base64.URLEncoding.EncodeToString(padded)[from:to])
	}
	return all
}

// leaks names the secrets that a surface holds, and the forms that they have there. It
// says nothing of the secrets themselves: what it answers is written to logs.
func leaks(surface []byte, secrets map[string]string) []string {
	var found []string
	for name, secret := range secrets {
		var as []string
		for form, text := range forms(secret) {
			if len(text) >= shortest && bytes.Contains(surface, []byte(text)) {
				as = append(as, form)
			}
		}
		if slices.Sort(as); as != nil {
			found = append(found, name+", "+strings.Join(as, ", "))
		}
	}
	slices.Sort(found)
	return found
}

// lacking are the kinds of which nothing is there that is long enough to be looked for
// or looked at. What is there is named "kind: which".
func lacking[T ~string | ~[]byte](kinds []string, there map[string]T) []string {
	known := map[string]bool{}
	for name, value := range there {
		if kind, _, _ := strings.Cut(name, ": "); len(value) >= shortest {
			known[kind] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return known[kind] })
}

// copied plants a secret on a copy of a surface, in one form after the other, and
// answers those in which it is not found.
func copied(surface []byte, planted string) []string {
	var lost []string
	with := slices.Grow(bytes.Clone(surface), 4*len(planted))
	for form, text := range forms(planted) {
		if len(leaks(append(with, text...), map[string]string{"planted": planted})) == 0 {
			lost = append(lost, form)
		}
	}
	return lost
}

// The control of the forms: a secret is found in texts that were made without them, by
// encoders that know nothing of it.
func TestEveryEncodingOfASecretIsFound(t *testing.T) {
	planted := "???>>>~~~ \"canary\" & ÿÿÿ </2c26b46b68ffc68ff99b>"
	texts := map[string]string{
		"as it is": planted, "cut off after twelve": planted[:12] + "…",
		"hexadecimal": fmt.Sprintf("%x", "before"+planted+"after"), "hexadecimal in capitals": fmt.Sprintf("%X", "before"+planted+"after"),
		"a URL": "http://127.0.0.1/?" + url.Values{"q": {planted}}.Encode(),
	}
	text, err := json.Marshal(map[string]any{"a": []string{planted}})
	if err != nil {
		t.Fatal(err)
	}
	texts["JSON in HTML"] = string(text)
	texts["JSON"] = `{"a": "` + strings.ReplaceAll(planted, `"`, `\"`) + `"}`
	for shift := range 3 {
		text := strings.Repeat("b", shift) + planted + "after"
		standard, other := base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text))
		if strings.TrimRight(standard, "=") == other {
			t.Fatal("both alphabets write it the same: nothing is tried")
		}
		texts[fmt.Sprint("base64 after ", shift)], texts[fmt.Sprint("base64url after ", shift)] = standard, other
	}
	for name, text := range texts {
		if len(leaks([]byte("before "+text+" after"), map[string]string{"planted": planted})) == 0 {
			t.Errorf("it is not found in %s", name)
		}
	}
	if found := leaks([]byte(strings.Join([]string{"nothing", "canary", planted[:7]}, " ")), map[string]string{"planted": planted}); found != nil {
		t.Errorf("found where it is not: %v", found)
	}
}
