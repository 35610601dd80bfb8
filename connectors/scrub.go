package connectors

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"connectedapps/connection"
)

const (
	// scrubbed stands where a secret was.
	scrubbed = "[redacted]"
	// maxProviderText bounds a provider's words in an error, in bytes.
	maxProviderText = 300
	// recognisable is the length from which the beginning of a secret gives it
	// away, and from which it is also looked for in encoded forms.
	recognisable = 12
	// dataSecret is the length from which a secret is also taken out of results.
	// A shorter one, such as a password "admin", would damage honest data.
	dataSecret = 8
)

// scrubber takes a request's own secrets out of what a provider says: as they
// are, escaped for URLs and JSON, in hexadecimal, in base64 at any alignment,
// and their beginnings.
type scrubber struct {
	forms []string // longest first
	long  []string // those of secrets of dataSecret bytes and more
	whole []string // secrets whose beginning is recognisable
}

// newScrubber knows the given secret texts. Empty ones are ignored.
func newScrubber(secrets ...string) *scrubber {
	s := &scrubber{}
	texts := slices.Clone(secrets)
	for _, secret := range secrets { // a provider may have written it on one line
		if line := oneLine(secret); line != secret {
			texts = append(texts, line)
		}
	}
	for _, secret := range texts {
		if secret == "" {
			continue
		}
		forms := encodedForms(secret)
		s.forms = append(s.forms, forms...)
		if len(secret) >= dataSecret {
			s.long = append(s.long, forms...)
		}
		if len(secret) > recognisable {
			s.whole = append(s.whole, secret)
		}
	}
	longestFirst := func(a, b string) int { return len(b) - len(a) }
	slices.SortFunc(s.forms, longestFirst)
	slices.SortFunc(s.long, longestFirst)
	return s
}

// encodedForms lists how a secret may be written.
func encodedForms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), string(quoted[1 : len(quoted)-1])}
	if len(secret) >= recognisable {
		plain := hex.EncodeToString([]byte(secret))
		forms = append(forms, plain, strings.ToUpper(plain))
		for offset := range 3 {
			core := base64Core(secret, offset)
			forms = append(forms, core, strings.NewReplacer("+", "-", "/", "_").Replace(core))
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// base64Core is the part of a base64 text that is the same whatever surrounds
// the secret, when the secret begins at the given offset within a group of three bytes.
func base64Core(secret string, offset int) string {
	encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
	first := []int{0, 2, 3}[offset]
	last := (offset + len(secret)) * 8 / 6
	return encoded[first:last]
}

// text makes a provider's words fit to be shown: scrubbed, on one line, bounded. A secret
// with a space may become itself only on that line, where a provider has broken it.
func (s *scrubber) text(words string) string {
	return connection.Bound(s.scrub(oneLine(s.scrub(words))), maxProviderText)
}

func (s *scrubber) scrub(words string) string {
	if s == nil {
		return words
	}
	for _, form := range s.forms {
		words = strings.ReplaceAll(words, form, scrubbed)
	}
	for _, secret := range s.whole {
		words = cutBeginnings(words, secret)
	}
	return words
}

// oneLine is a text in UTF-8 with one space for each run of spaces and control characters.
func oneLine(words string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(words, "?"), func(r rune) bool {
		return r < 0x20 || r == 0x7f || r == ' '
	}), " ")
}

// cutBeginnings replaces every recognisable beginning of the secret, as far as
// it goes: providers shorten what they quote.
func cutBeginnings(words, secret string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(words, secret[:recognisable])
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString(scrubbed)
		tail := secret[recognisable:]
		for rest != "" && tail != "" && rest[0] == tail[0] {
			rest, tail = rest[1:], tail[1:]
		}
		words = rest
	}
}

// data takes the secrets out of a result that echoes them.
func (s *scrubber) data(raw []byte) []byte {
	if s == nil {
		return raw
	}
	text := string(raw)
	for _, form := range s.long {
		text = strings.ReplaceAll(text, form, scrubbed)
	}
	return []byte(text)
}
