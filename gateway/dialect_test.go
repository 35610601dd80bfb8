package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// OAuth 1.0a has no state: the temporary token binds the browser in its stead.
func TestOAuth1(t *testing.T) {
	const token = "temporary-token-0123456789"
	begin := func(t *testing.T) (*bench, *http.Cookie) {
		t.Helper()
		b := newBench(t, "https://connect.example")
		b.progress.Plan.Method = "first"
		b.target, b.bound = "https://id.atlas.example/oauth1/authorize?oauth_token="+token, hashState(token)
		response := b.do("POST", testLink, fromOurPage)
		_, target, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
		if target != b.target {
			t.Fatalf("leads to %q", target)
		}
		return b, response.Cookies()[0]
	}
	t.Run("authorized", func(t *testing.T) {
		b, cookie := begin(t)
		response := b.do("GET", "/oauth/callback?oauth_token="+token+"&oauth_verifier=v1", with(cookie))
		if response.StatusCode != http.StatusSeeOther || len(b.left) != 1 || len(b.signals) != 1 {
			t.Fatalf("got %d: %s", response.StatusCode, body(t, response))
		}
		if left := b.left[0]; left["oauth_token"].Reveal() != token || left["oauth_verifier"].Reveal() != "v1" || len(left) != 2 {
			t.Errorf("the inbox holds %d fields", len(left))
		}
		if b.signals[0].StateSHA256 != hashState(token) {
			t.Error("the connect is told another hash")
		}
	})
	t.Run("denied", func(t *testing.T) {
		b, cookie := begin(t)
		response := b.do("GET", "/oauth/callback?denied="+token, with(cookie))
		if response.StatusCode != http.StatusSeeOther || len(b.left) != 1 || b.left[0]["error"].Reveal() != "access_denied" {
			t.Errorf("got %d", response.StatusCode)
		}
	})
	for name, query := range map[string]string{
		"another token":  "oauth_token=another-token-0123456789&oauth_verifier=v1",
		"no verifier":    "oauth_token=" + token,
		"the other way":  "oauth_verifier=v1",
		"a state beside": "oauth_token=" + token + "&oauth_verifier=v1&state=0123456789abcdef",
	} {
		t.Run(name, func(t *testing.T) {
			b, cookie := begin(t)
			response := b.do("GET", "/oauth/callback?"+query, with(cookie))
			if response.StatusCode/100 != 4 || b.effects() != 0 {
				t.Errorf("got %d with %d effects", response.StatusCode, b.effects())
			}
		})
	}
}

// The callback's oddities that a definition declares.
func TestCallbackDialect(t *testing.T) {
	for name, c := range map[string]struct {
		method, query string
		left          map[string]string
		status        int
	}{
		"code under another name":  {"renamed", "spapi_oauth_code=c1", map[string]string{"code": "c1"}, http.StatusSeeOther},
		"and nothing else will do": {"renamed", "code=c1x", nil, http.StatusBadRequest},
		"no code at all":           {"installation", "installation_id=77", map[string]string{"installation_id": "77"}, http.StatusSeeOther},
		"a signed callback":        {"signed", "code=c1&shop=ada&hmac=00", map[string]string{"code": "c1", "shop": "ada", "hmac": "00", "state": "*"}, http.StatusSeeOther},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "https://connect.example")
			b.progress.Plan.Method = c.method
			state, cookie := b.begin()
			response := b.do("GET", "/oauth/callback?"+c.query+"&state="+state, with(cookie))
			if response.StatusCode != c.status {
				t.Fatalf("got %d: %s", response.StatusCode, body(t, response))
			}
			if c.left == nil {
				if b.effects() != 0 {
					t.Error("a refused answer had an effect")
				}
				return
			}
			if len(b.left) != 1 || len(b.left[0]) != len(c.left) {
				t.Fatalf("the inbox holds %d fields", len(b.left[0]))
			}
			for name, want := range c.left {
				if got := b.left[0][name].Reveal(); got != want && (want != "*" || got == "") {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

// The state goes where the other parameters are.
func TestStateInTheFragment(t *testing.T) {
	b := newBench(t, "https://connect.example")
	b.target = "https://id.atlas.example/authorize#client_id=c&scope=a"
	response := b.do("POST", testLink, fromOurPage)
	_, target, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
	u, err := url.Parse(target)
	if err != nil || u.RawQuery != "" {
		t.Fatalf("%q %v", target, err)
	}
	if in, err := url.ParseQuery(u.Fragment); err != nil || !couldBeState(in.Get("state")) || in.Get("client_id") != "c" {
		t.Errorf("fragment %q", u.Fragment)
	}
}
