package connectors

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// written lists how a provider may write a secret that the scrubber promises to find, without asking the scrubber.
func written(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	return map[string]string{
		"as it is": secret, "in a query": url.QueryEscape(secret), "in a path": url.PathEscape(secret), "in JSON": string(quoted[1 : len(quoted)-1]),
		"hexadecimal": hex.EncodeToString([]byte(secret)), "hexadecimal in capitals": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
}

func spaced(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// pairs are base64 texts of the secret between others, at every alignment and in both alphabets. Inner is what each
// shows of the secret alone: the groups of four that nothing else has a part in.
func pairs(secret string) (all []struct{ text, inner string }) {
	for before := range 3 {
		whole := []byte("me:"[:before] + secret + ":more")
		from, to := (before+2)/3, (before+len(secret))/3
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := encoding.EncodeToString(whole)
			all = append(all, struct{ text, inner string }{text, text[4*from : 4*to]})
		}
	}
	return all
}

// Whatever the secret and whatever is said around it: none of the forms that are promised is left, in what is shown of
// an error and in the data of a result, and of a beginning not what would be recognised.
func FuzzScrub(f *testing.F) {
	for _, seed := range []string{"secret-0123456789", canary, `pa%ss+wo/rd=&"\<0>`, "\xff\xfe\x00 of any bytes", "pässwört-ünïcode", "AAAAAAAAAAAAAAAA"} {
		f.Add(seed, "x "+seed+" y")
		f.Add(seed, "it is refused")
	}
	f.Fuzz(func(t *testing.T, secret, words string) {
		if len(secret) < recognisable || strings.ContainsAny(secret, "[]…?") || strings.Contains(scrubbed, secret) {
			return
		}
		s := newScrubber(secret)
		if got := s.text(words + secret + words); strings.Contains(got, secret) {
			t.Errorf("%q in %q", secret, got)
		}
		for name, form := range written(secret) {
			if got := s.text(form + " " + words + " " + form); strings.Contains(got, form) {
				t.Errorf("%s, %q in %q", name, form, got)
			}
			if got := string(s.data([]byte(form + " " + words + " " + form))); strings.Contains(got, form) {
				t.Errorf("%s, %q in the data %q", name, form, got)
			}
		}
		for _, pair := range pairs(secret) {
			if strings.Contains(words, pair.inner) {
				continue // not of the pair: a part of the secret that came alone
			}
			if got := s.text(pair.text + " " + words); strings.Contains(got, pair.inner) {
				t.Errorf("base64, %q in %q", pair.inner, got)
			}
			if got := string(s.data([]byte(pair.text + " " + words))); strings.Contains(got, pair.inner) {
				t.Errorf("base64, %q in the data %q", pair.inner, got)
			}
		}
		if len(secret) == recognisable || spaced(secret) {
			return
		}
		for _, length := range []int{recognisable, len(secret) - 1} {
			if got := s.text("shortened " + secret[:length] + "… " + words); strings.Contains(got, secret[:recognisable]) {
				t.Errorf("the beginning %q in %q", secret[:recognisable], got)
			}
		}
	})
}
