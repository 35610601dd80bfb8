package quirks

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

const (
	clientID, clientSecret = "client-4711", "client secret/with+odd&characters"
	redirectURI            = "https://gateway.example/oauth/callback"
	code                   = "the-code"
	account                = "account-1"
)

// provider is a strict provider whose parts a quirk replaces.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	access  map[string]bool // live access tokens
	refresh map[string]bool // live refresh tokens
	asked   []string        // grant types the token endpoint has served
	revoked []string

	// authorize reads an authorization URL and answers the callback's query.
	authorize func(u *url.URL) url.Values
	// params reads a token request; nil refuses it.
	params func(r *http.Request) url.Values
	// client authenticates it.
	client func(r *http.Request, in url.Values) bool
	// grant serves it: what is issued, or an error code.
	grant func(p *provider, in url.Values) (issued, string)
	// answer writes what was issued, refuse an error code.
	answer func(w http.ResponseWriter, out issued)
	refuse func(w http.ResponseWriter, code string)
	// api reports whether a request may use the API.
	api func(p *provider, r *http.Request) bool
	// me answers it.
	me func(w http.ResponseWriter, r *http.Request)
	// extra are further endpoints.
	extra map[string]http.HandlerFunc
	// keeps is set where a refresh leaves the other access tokens alive.
	keeps bool
	// paths of the endpoints.
	tokenPath, refreshPath string
}

// issued is a token set.
type issued struct{ Access, Refresh string }

func newProvider(t *testing.T) *provider {
	p := &provider{access: map[string]bool{}, refresh: map[string]bool{}, authorize: standardAuthorize, params: formParams, client: postClient,
		grant: rotating, answer: standardAnswer, refuse: standardRefusal, api: bearer(""), extra: map[string]http.HandlerFunc{},
		me: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]any{"id": account}) }, tokenPath: "/token", refreshPath: "/token"}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if extra, ok := p.extra[r.URL.Path]; ok {
		extra(w, r)
		return
	}
	switch r.URL.Path {
	case p.tokenPath, p.refreshPath:
		p.token(w, r)
	case "/revoke":
		_ = r.ParseForm()
		p.mu.Lock()
		p.revoked = append(p.revoked, r.PostForm.Get("token"))
		p.mu.Unlock()
	case "/api/me":
		if !p.api(p, r) {
			writeJSON(w, 401, map[string]any{"error": "unauthorized"})
			return
		}
		p.me(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	in := p.params(r)
	switch {
	case in == nil:
		http.Error(w, "the request is not written as it must be", http.StatusNotImplemented)
	case !p.client(r, in):
		p.refuse(w, "invalid_client")
	case in.Get("grant_type") == "refresh_token" != (r.URL.Path == p.refreshPath) && p.tokenPath != p.refreshPath:
		http.Error(w, "this is the other endpoint", http.StatusNotFound)
	default:
		p.mu.Lock()
		p.asked = append(p.asked, in.Get("grant_type"))
		out, refused := p.grant(p, in)
		p.mu.Unlock()
		if refused != "" {
			p.refuse(w, refused)
			return
		}
		p.answer(w, out)
	}
}

// issue makes a token set; the lock is held.
func (p *provider) issue() issued {
	out := issued{"access-" + rand.Text(), "refresh-" + rand.Text()}
	p.access[out.Access], p.refresh[out.Refresh] = true, true
	return out
}

// rotating spends each refresh token once.
func rotating(p *provider, in url.Values) (issued, string) {
	switch in.Get("grant_type") {
	case "authorization_code":
		if in.Get("code") != code {
			return issued{}, "invalid_grant"
		}
		return p.issue(), ""
	case "refresh_token":
		if !p.refresh[in.Get("refresh_token")] {
			return issued{}, "invalid_grant"
		}
		delete(p.refresh, in.Get("refresh_token"))
		if !p.keeps {
			clear(p.access)
		}
		return p.issue(), ""
	default:
		return issued{}, "unsupported_grant_type"
	}
}

func standardAuthorize(u *url.URL) url.Values {
	q := u.Query()
	if q.Get("client_id") != clientID || q.Get("response_type") != "code" || q.Get("redirect_uri") != redirectURI || q.Get("code_challenge_method") != "S256" {
		return nil
	}
	return url.Values{"code": {code}}
}

func formParams(r *http.Request) url.Values {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return nil
	}
	return r.PostForm
}

func postClient(r *http.Request, in url.Values) bool {
	_, _, basic := r.BasicAuth()
	return !basic && in.Get("client_id") == clientID && in.Get("client_secret") == clientSecret
}

func basicClient(user, password string) func(*http.Request, url.Values) bool {
	return func(r *http.Request, in url.Values) bool {
		name, secret, ok := r.BasicAuth()
		return ok && name == url.QueryEscape(user) && secret == url.QueryEscape(password) && !in.Has("client_secret")
	}
}

func standardAnswer(w http.ResponseWriter, out issued) {
	writeJSON(w, 200, map[string]any{"access_token": out.Access, "refresh_token": out.Refresh, "token_type": "Bearer", "expires_in": 3600})
}

func standardRefusal(w http.ResponseWriter, code string) {
	writeJSON(w, 400, map[string]any{"error": code})
}

// bearer lets live tokens in whose Authorization header begins with the prefix.
func bearer(prefix string) func(*provider, *http.Request) bool {
	if prefix == "" {
		prefix = "Bearer "
	}
	return func(p *provider, r *http.Request) bool {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), prefix)
		p.mu.Lock()
		defer p.mu.Unlock()
		return ok && p.access[token]
	}
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}
