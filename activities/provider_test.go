package activities

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// provider is an app with an authorization server. Every grant is a family of
// tokens; under strict rotation a token that is used twice ends its family.
type provider struct {
	*httptest.Server
	rotation string // of the server: none, strict, grace or omitted

	mu        sync.Mutex
	minted    int
	current   map[string]string // family: its refresh token
	dead      map[string]bool   // families
	access    map[string]string // access token: family
	presented []string          // refresh tokens, as they came
	grants    int               // client credentials
	revoked   []string
	probes    int
	calls     []string // "METHOD path key"
	// script answers the next token requests in order; what it says nothing about is served.
	script []fault
	always fault
	// life of an access token, an hour where it is 0.
	life time.Duration
	// clock judges tokens: those that have ended are counted in late. Nil judges none.
	clock func() time.Time
	ends  map[string]time.Time
	late  int
	// scopes that are granted, where it is not nil.
	scopes []string
	// probe and api override the status of /me, and of everything else of the API.
	probe, api int
	// secret is the client's, if clients are asked for it; key is the one key of the API, "good-key" while it is "".
	secret, key string
}

// fault is one way for a token request to go wrong.
type fault string

const (
	served       fault = ""
	refused      fault = "invalid_grant"
	badClient    fault = "invalid_client"
	broken       fault = "500"
	unavailable  fault = "503"
	limited      fault = "429"
	doneThenDrop fault = "executed, then dropped"
	slow         fault = "slow"
)

func newProvider(t testing.TB, rotation string) *provider {
	p := &provider{rotation: rotation, current: map[string]string{}, dead: map[string]bool{}, access: map[string]string{},
		ends: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", p.token)
	mux.HandleFunc("POST /oauth/revoke", p.revoke)
	mux.HandleFunc("/api/v1/", p.serve)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// issue starts a family, as an authorization would.
func (p *provider) issue(family string) (access, refresh string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mint(family, true)
}

func (p *provider) mint(family string, rotate bool) (access, refresh string) {
	p.minted++
	access = fmt.Sprintf("at-%s-%d", family, p.minted)
	p.access[access] = family
	if p.clock != nil {
		p.ends[access] = p.clock().Add(p.lifetime())
	}
	if rotate {
		p.current[family] = fmt.Sprintf("rt-%s-%d", family, p.minted)
	}
	return access, p.current[family]
}

func (p *provider) lifetime() time.Duration {
	if p.life == 0 {
		return time.Hour
	}
	return p.life
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	token := r.PostForm.Get("refresh_token")
	_, given, _ := r.BasicAuth()
	p.mu.Lock()
	if token == "" {
		p.grants++
	} else {
		p.presented = append(p.presented, token)
	}
	how := p.always
	if len(p.script) > 0 {
		how, p.script = p.script[0], p.script[1:]
	}
	if p.secret != "" && p.secret != given && p.secret != r.PostForm.Get("client_secret") {
		how = badClient
	}
	p.mu.Unlock()
	refuse := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":%q}`, code)
	}
	switch how {
	case broken:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case unavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case limited:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case slow:
		<-r.Context().Done()
		return
	case refused:
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	case badClient:
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	case served, doneThenDrop:
	}
	answer, ok := p.redeem(token)
	if how == doneThenDrop {
		panic(http.ErrAbortHandler)
	}
	if !ok {
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// redeem spends a refresh token, or none for client credentials.
func (p *provider) redeem(token string) (map[string]any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := map[string]any{"token_type": "Bearer", "expires_in": int(p.lifetime().Seconds())}
	if p.scopes != nil {
		answer["scope"] = strings.Join(p.scopes, " ")
	}
	if token == "" {
		answer["access_token"], _ = p.mint("machine", false)
		return answer, true
	}
	family := strings.Split(token, "-")[1]
	if p.dead[family] {
		return nil, false
	}
	if token != p.current[family] && p.rotation != "grace" {
		p.dead[family] = true // reuse detection
		return nil, false
	}
	access, refresh := p.mint(family, p.rotation == "strict" || p.rotation == "grace")
	answer["access_token"] = access
	if p.rotation != "omitted" {
		answer["refresh_token"] = refresh
	}
	return answer, true
}

func (p *provider) revoke(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	token := r.PostForm.Get("token")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, token)
	p.dead[strings.Split(token, "-")[1]] = true
	w.WriteHeader(http.StatusOK)
}

// serve is the API: the probe, and actions.
func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	p.mu.Lock()
	defer p.mu.Unlock()
	status := p.api
	if path == "/me" {
		p.probes++
		status = p.probe
	} else {
		p.calls = append(p.calls, strings.TrimSpace(r.Method+" "+path+" "+r.Header.Get("Idempotency-Key")))
	}
	if status == 0 {
		status = http.StatusOK
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if p.clock != nil && !p.clock().Before(p.ends[token]) {
			p.late++
		}
		family, known := p.access[token]
		if r.Header.Get("X-API-Key") != cmp.Or(p.key, "good-key") && (!known || p.dead[family]) {
			status = http.StatusUnauthorized
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	switch {
	case status != http.StatusOK:
		_, _ = io.WriteString(w, `{"error":{"message":"no"}}`)
	case path == "/keys":
		_, _ = io.WriteString(w, `{"id":"k1","key":"the-new-key"}`)
	default:
		scopes := p.scopes
		if scopes == nil {
			scopes = []string{"contacts.read"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "u1", "name": "Ada", "scopes": scopes, "items": []any{}})
	}
}

// ledger is what was presented so far.
func (p *provider) ledger() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.presented)
}

// set changes how the provider behaves.
func (p *provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}
