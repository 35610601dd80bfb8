package gateway

import (
	"net/url"
	"strings"
	"testing"

	"connectedapps/connection"
)

// FuzzCallback: whatever comes as a query, the parser answers one answer within
// its bounds or an ErrInvalidInput that repeats nothing of it.
func FuzzCallback(f *testing.F) {
	state := newState()
	for _, seed := range []string{"", "code=c&state=" + state, "error=access_denied&state=" + state, "code=a&code=b&state=" + state,
		"code=c&error=e&state=" + state, "code=%zz", "state=%00&code=c", "a;b", "code=c&iss=https%3A%2F%2Fid&state=" + state, "=&=&="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := parseCallback(raw)
		if err != nil {
			if connection.TypeOf(err) != connection.ErrInvalidInput {
				t.Fatalf("type %s", connection.TypeOf(err))
			}
			return
		}
		query, parseErr := url.ParseQuery(raw)
		if parseErr != nil {
			t.Fatal("accepted what is not a query")
		}
		for name, values := range query {
			if len(values) != 1 {
				t.Fatalf("%q is there %d times", name, len(values))
			}
		}
		bound := query.Get("state")
		if !query.Has("state") {
			bound = or(query.Get("denied"), query.Get("oauth_token"))
		}
		if !couldBeState(a.State) || a.State != bound {
			t.Fatalf("state %q", a.State)
		}
		if !a.Code.Empty() && query.Has("error") {
			t.Fatal("both of code and error")
		}
		if len(a.Code.Reveal()) > maxCode || len(a.Error) > maxParameter || strings.ContainsAny(a.Code.Reveal()+a.Error+a.Issuer, "\x00\r\n") {
			t.Fatal("out of bounds")
		}
		left := a.secrets(wanted{code: "code", parameters: []string{"realmId"}})
		if _, both := left["error"]; both && len(left) != 1 {
			t.Fatal("an error is delivered with more")
		}
	})
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
