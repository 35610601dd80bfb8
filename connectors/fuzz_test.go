package connectors

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// Whatever a token endpoint answers: no panic, no token that cannot be sent,
// and the refresh token of a complete JSON object is never lost.
func FuzzToken(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","refresh_token":"r","expires_in":3600}`, `access_token=a&refresh_token=r`, `{"refresh_token":"r"`, "\ufeff{}", `<html>`,
		`{"expires_in":"1e999","access_token":"a"}`, `{"a":[[[[[[[[[[[[[[[[[[[[[[[[`, `{"access_token":{"x":1}}`, `{"access_token":"a\r\nb"}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	o := methodOf(f, "sandbox", "oauth").OAuth
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := &answer{status: 200, header: http.Header{"Date": {testDate}}, raw: raw}
		if object := readLoosely(raw); object != nil {
			a.body = object
		}
		grant := o.readGrant(a, "presented")
		if grant == nil {
			if strict, err := decodeJSON(raw); err == nil {
				if object, ok := strict.(map[string]any); ok {
					if text, ok := object["refresh_token"].(string); ok && tokenText(text) != "" && text != "presented" && len(raw) > 0 {
						t.Errorf("a refresh token is lost: %q", raw)
					}
				}
			}
			return
		}
		token := grant.Tokens[connection.DefaultToken]
		if token.Access.Empty() && token.Refresh.Empty() {
			t.Error("a grant without any token")
		}
		if token.Lifetime < 0 || token.Lifetime > maxLifetime {
			t.Errorf("lifetime %v", token.Lifetime)
		}
		if strings.ContainsAny(token.Access.Reveal()+token.Refresh.Reveal(), "\r\n\x00") {
			t.Error("a token that cannot be sent")
		}
	})
}

func FuzzDefinition(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(odd))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("- - - -"))
	f.Fuzz(func(t *testing.T, data []byte) {
		app, defects := parseDefinition("fuzz.yaml", data, thorough)
		if app == nil && len(defects) == 0 {
			t.Error("nothing and no reason")
		}
		for _, defect := range defects {
			if defect.Reason == "" || defect.Line < 0 {
				t.Errorf("%+v", defect)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"30", "-1", "1e300", "NaN", testDate, "Sun, 22 Nov 2026 12:00:45 GMT"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []TimeForm{FormSeconds, FormMilliseconds, FormEpoch, FormEpochMillis, FormISO, FormDate, FormDuration} {
			if wait, ok := form.length(text, now, maxWait); wait > maxWait || ok && wait < 0 {
				t.Errorf("%s %q: %v", form, text, wait)
			}
		}
	})
}

// Whatever an argument says, the request goes to the same host, below the same
// path, with the same number of segments.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"a", "..", "a/b", "%2f", "a?b#c", "a\r\nb", "@evil", "é", "//evil", "a%"} {
		f.Add(seed, seed)
	}
	base, err := url.Parse("https://api.example/v1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, argument, parameter string) {
		arguments := map[string]any{"id": argument, "rest": argument, "q": parameter}
		path, query, err := expandPath("/things/{id}/end{?q}", arguments, nil, map[string]bool{})
		if err == nil {
			target, err := under(base, path)
			if err != nil {
				t.Fatalf("%q: %v", argument, err)
			}
			if target.Host != "api.example" || strings.Count(target.EscapedPath(), "/") != 4 || !strings.HasSuffix(target.Path, "/end") || query.Get("q") != parameter {
				t.Errorf("%q %q: %s %v", argument, parameter, target, query)
			}
		}
		if path, _, err = expandPath("/{+rest}", arguments, nil, map[string]bool{}); err == nil {
			if target, err := under(base, path); err == nil && (target.Host != "api.example" || !strings.HasPrefix(target.Path, "/v1/") || strings.Contains(target.Path+"/", "/../")) {
				t.Errorf("%q: %s", argument, target)
			}
		}
		if u, err := expandBase("https://{id}.example.com", map[string]string{"id": argument}); err == nil && !strings.HasSuffix(u.Host, ".example.com") {
			t.Errorf("%q: %s", argument, u)
		}
	})
}
