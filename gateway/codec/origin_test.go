package codec

import (
	"net/http"
	"strings"
	"testing"

	"connectedapps/connection"
)

// others are origins that are not the Web UI's, however near they come.
var others = []string{"https://evil.example", "https://temporal.example.evil.example", "http://temporal.example", "https://temporal.example:8443",
	"https://TEMPORAL.example", "https://temporal.example/", "null", "https://connect.example.evil.example"}

func TestOnlyTheWebUIIsAnotherOrigin(t *testing.T) {
	b := newBench(t, ui, reverse{})
	got := b.do("OPTIONS", "/codec/decode", "", header("Origin", ui), header("Access-Control-Request-Method", "POST"),
		header("Access-Control-Request-Headers", "content-type,x-namespace"))
	allowed := strings.ToLower(got.Header.Get("Access-Control-Allow-Headers"))
	if got.StatusCode != http.StatusNoContent || got.Header.Get("Access-Control-Allow-Origin") != ui || got.Header.Get("Access-Control-Allow-Credentials") != "true" ||
		got.Header.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(allowed, "content-type") || !strings.Contains(allowed, "x-namespace") || !strings.Contains(allowed, "authorization") {
		t.Errorf("the Web UI's preflight: %d %v", got.StatusCode, got.Header)
	}
	post := b.do("POST", "/codec/decode", textOf(t, plain), session("operator"), header("Origin", ui), header("Sec-Fetch-Site", "same-site"), header("X-Namespace", "stage-ns"))
	if post.StatusCode != http.StatusOK || post.Header.Get("Access-Control-Allow-Origin") != ui || post.Header.Get("Access-Control-Allow-Credentials") != "true" || post.Header.Get("Vary") != "Origin" {
		t.Errorf("the Web UI's post: %d %v", post.StatusCode, post.Header)
	}
	// An answer that is a refusal must be readable too, or the page could not say why.
	if got := b.do("POST", "/codec/decode", textOf(t, plain), header("Origin", ui), header("X-Namespace", "stage-ns")); got.StatusCode != http.StatusUnauthorized || got.Header.Get("Access-Control-Allow-Origin") != ui {
		t.Errorf("nobody at the Web UI: %d %v", got.StatusCode, got.Header)
	}
	for _, origin := range others {
		got := b.do("OPTIONS", "/codec/decode", "", header("Origin", origin), header("Access-Control-Request-Method", "POST"))
		post := b.do("POST", "/codec/stage-ns/decode", textOf(t, plain), session("operator"), header("Origin", origin), header("Sec-Fetch-Site", "cross-site"))
		b.refused(origin, post, http.StatusForbidden, connection.ErrNotAllowed)
		for name := range got.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s is answered %s", origin, name)
			}
		}
		if post.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read the answer", origin)
		}
	}
}

func TestSessionsAreForKnownPages(t *testing.T) {
	b := newBench(t, ui, reverse{})
	if got := b.do("POST", "/codec/stage-ns/decode", textOf(t, plain), session("operator"), header("Origin", site), header("Sec-Fetch-Site", "same-origin")); got.StatusCode != http.StatusOK {
		t.Errorf("a page of ours: %d", got.StatusCode)
	}
	b.refused("no Origin", b.do("POST", "/codec/stage-ns/decode", textOf(t, plain), session("operator")), http.StatusForbidden, connection.ErrNotAllowed)
	twice := func(r *http.Request) { r.Header["Origin"] = []string{ui, "https://evil.example"} }
	b.refused("two Origins", b.do("POST", "/codec/stage-ns/decode", textOf(t, plain), session("operator"), twice), http.StatusForbidden, connection.ErrNotAllowed)
	alone := newBench(t, "", reverse{})
	for _, origin := range []string{ui, "", "null"} {
		got := alone.do("POST", "/codec/stage-ns/decode", textOf(t, plain), session("operator"), header("Origin", origin), header("Sec-Fetch-Site", "same-site"))
		alone.refused("without the setting "+origin, got, http.StatusForbidden, connection.ErrNotAllowed)
	}
	// A program's token is its own to send, wherever it stands.
	if got := alone.do("POST", "/codec/stage-ns/decode", textOf(t, plain), token("operator"), header("Origin", "https://platform.example")); got.StatusCode != http.StatusOK || got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a token: %d %v", got.StatusCode, got.Header)
	}
}
