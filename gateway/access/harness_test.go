package access

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/web"
)

const testSite = "https://connect.example"

// vaultOf stands for one environment's Vault: a key, tokens and links, and a clock.
type vaultOf struct {
	mu     sync.Mutex
	gcm    cipher.AEAD
	tokens map[string]connection.AccessToken
	links  map[string]connection.SignInLink
	now    time.Time
	away   error
	asked  int // tokens looked up
	opened int
}

func newVault(t *testing.T) *vaultOf {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	// A clock far from ours shows whose time is asked.
	return &vaultOf{gcm: gcm, tokens: map[string]connection.AccessToken{}, links: map[string]connection.SignInLink{},
		now: time.Now().Add(-72 * time.Hour)}
}

func (v *vaultOf) Seal(_ context.Context, text, bound string) (string, error) {
	nonce := make([]byte, v.gcm.NonceSize())
	_, _ = rand.Read(nonce)
	return "vault:v1:" + base64.StdEncoding.EncodeToString(v.gcm.Seal(nonce, nonce, []byte(text), []byte(bound))), v.away
}

func (v *vaultOf) Open(_ context.Context, sealed, bound string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	if v.away != nil {
		return "", v.away
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, "vault:v1:"))
	if err == nil && len(raw) > v.gcm.NonceSize() {
		if text, err := v.gcm.Open(nil, raw[:v.gcm.NonceSize()], raw[v.gcm.NonceSize():], []byte(bound)); err == nil {
			return string(text), nil
		}
	}
	return "", connection.Refused(connection.ErrLinkInvalid, "this was not sealed here", "")
}

func (v *vaultOf) Token(_ context.Context, hash string) (connection.AccessToken, string, connection.Clock, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	token, ok := v.tokens[hash]
	if v.away != nil {
		return token, "", connection.Clock{}, v.away
	}
	if !ok {
		return token, "", connection.Clock{}, connection.ErrAbsent
	}
	return token, hash, connection.ClockAt(v.now), nil
}

func (v *vaultOf) UseLink(_ context.Context, hash string) (connection.SignInLink, connection.Clock, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	link, ok := v.links[hash]
	if v.away != nil {
		return link, connection.Clock{}, v.away
	}
	if !ok {
		return link, connection.Clock{}, connection.ErrAbsent
	}
	delete(v.links, hash)
	return link, connection.ClockAt(v.now), nil
}

func (v *vaultOf) Clock(context.Context) (connection.Clock, error) {
	return connection.ClockAt(v.now), v.away
}

// bench is a guard before three environments, with a page that it protects.
type bench struct {
	t      *testing.T
	guard  *Guard
	vaults map[string]*vaultOf
	site   string
}

func newBench(t *testing.T, provider *Provider) *bench {
	t.Helper()
	b := &bench{t: t, vaults: map[string]*vaultOf{}, site: testSite}
	for _, name := range []string{"development", "staging", "production"} {
		b.vaults[name] = newVault(t)
	}
	b.guard = b.replica(provider)
	return b
}

// replica is another gateway before the same Vaults.
func (b *bench) replica(provider *Provider) *Guard {
	b.t.Helper()
	site, err := web.ParseSite(b.site)
	if err != nil {
		b.t.Fatal(err)
	}
	options := Options{Site: site, Provider: provider}
	for _, name := range []string{"development", "staging", "production"} {
		options.Environments = append(options.Environments, Environment{Name: name, Sealer: b.vaults[name], Store: b.vaults[name]})
	}
	g, err := New(options)
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

// do sends a request to the sign-in pages, with everything else behind Pages.
func (b *bench) do(method, path string, form url.Values, change ...func(*http.Request)) *http.Response {
	mux := http.NewServeMux()
	b.guard.Mount(mux)
	mux.Handle("/", b.guard.Pages(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+Of(r.Context()).Display())
	})))
	r := httptest.NewRequest(method, b.site+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fromOurPage(r *http.Request) {
	r.Header.Set("Origin", testSite)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
}

func with(cookies ...*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, cookie := range cookies {
			if cookie.MaxAge >= 0 {
				r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
			}
		}
	}
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+token) }
}

// identify asks the guard about a request that was changed so.
func (b *bench) identify(change ...func(*http.Request)) (Person, error) {
	r := httptest.NewRequest("GET", b.site+"/", http.NoBody)
	for _, f := range change {
		f(r)
	}
	return b.guard.Identify(r)
}

// signedIn is a browser's cookies after somebody signed in.
func (b *bench) signedIn(who Person) []*http.Cookie {
	b.t.Helper()
	w := httptest.NewRecorder()
	if err := b.guard.begin(b.t.Context(), w, who); err != nil {
		b.t.Fatal(err)
	}
	return w.Result().Cookies()
}

// addLink is what connected-apps console does.
func (b *bench) addLink(roles map[string]Role) string {
	link := NewLink("development")
	for name, role := range roles {
		b.vaults[name].links[Hash(link)] = connection.SignInLink{Role: string(role)}
	}
	return LinkPath(link)
}

func (b *bench) addToken(environment string, token connection.AccessToken) string {
	text := NewToken(environment)
	b.vaults[environment].tokens[Hash(text)] = token
	return text.Reveal()
}
