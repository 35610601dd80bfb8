package connectors

import (
	"net/http"
	"testing"
)

// The scopes that a challenge names are told, once, and nothing that is secret with them.
func TestTheWantedScopesOfAChallenge(t *testing.T) {
	for name, test := range map[string]struct{ challenge, message, want string }{
		"named":              {`Bearer realm="x", error="insufficient_scope", scope="contacts.read contacts.write"`, "answered 403", " (it needs contacts.read contacts.write)"},
		"in any case":        {`bearer error="insufficient_scope",SCOPE="files"`, "answered 403", " (it needs files)"},
		"said already":       {`Bearer scope="contacts.read"`, "This needs the scope contacts.read.", ""},
		"none":               {`Bearer error="insufficient_scope"`, "answered 403", ""},
		"empty":              {`Bearer scope=""`, "answered 403", ""},
		"another name":       {`Bearer myscope="files"`, "answered 403", ""},
		"a secret":           {`Bearer scope="the-secret-token"`, "answered 403", " (it needs [redacted])"},
		"no challenge":       {"", "answered 403", ""},
		"control characters": {"Bearer scope=\"a\tb\"", "answered 403", " (it needs a b)"},
	} {
		a := &answer{header: http.Header{}, scrub: newScrubber("the-secret-token")}
		a.header.Set("WWW-Authenticate", test.challenge)
		if got := a.wanted(test.message); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
