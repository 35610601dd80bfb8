package issuer

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/conformance"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"
)

// sealing stands for the Vault of one environment, which knows no token or link.
type sealing struct{ gcm cipher.AEAD }

func newSealing(t *testing.T) sealing {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return sealing{gcm}
}

func (s sealing) Seal(_ context.Context, text, bound string) (string, error) {
	return base64.StdEncoding.EncodeToString(s.gcm.Seal(nil, make([]byte, 12), []byte(text), []byte(bound))), nil
}

func (s sealing) Open(_ context.Context, sealed, bound string) (string, error) {
	raw, _ := base64.StdEncoding.DecodeString(sealed)
	text, err := s.gcm.Open(nil, make([]byte, 12), raw, []byte(bound))
	if err != nil {
		return "", connection.Refused(connection.ErrLinkInvalid, "not sealed here", "")
	}
	return string(text), nil
}

func (sealing) Token(context.Context, string) (connection.AccessToken, string, connection.Clock, error) {
	return connection.AccessToken{}, "", connection.Clock{}, connection.ErrAbsent
}

func (sealing) UseLink(context.Context, string) (connection.SignInLink, connection.Clock, error) {
	return connection.SignInLink{}, connection.Clock{}, connection.ErrAbsent
}

func (sealing) Clock(context.Context) (connection.Clock, error) {
	return connection.ClockAt(time.Now()), nil
}

// gateway is the sign-in of a gateway at an issuer.
type gateway struct {
	t     *testing.T
	guard *access.Guard
	mux   *http.ServeMux
	// last is the ID token that the issuer gave last.
	last *string
}

// noting remembers the ID token of a token answer.
type noting struct {
	next http.RoundTripper
	last *string
}

func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return response, err
	}
	return noted(response, n.last)
}

func newGateway(t *testing.T, issuer string, change func(*access.ProviderOptions)) *gateway {
	t.Helper()
	g := &gateway{t: t, mux: http.NewServeMux(), last: new(string)}
	out := conformance.Client()
	out.Transport = noting{out.Transport, g.last}
	options := access.ProviderOptions{Issuer: issuer, ClientID: WebClient, ClientSecret: connection.NewSecret(Secret), HTTP: out,
		RolesClaim: "sub", Rules: access.Rules{{Group: "id1", Environment: "development", Role: access.Operator}}, Audience: WebClient}
	if change != nil {
		change(&options)
	}
	provider, err := access.NewProvider(options)
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.ParseSite("https://gateway.example")
	if err != nil {
		t.Fatal(err)
	}
	vault := newSealing(t)
	g.guard, err = access.New(access.Options{Site: site, Provider: provider, Environments: []access.Environment{{Name: "development", Sealer: vault, Store: vault}}})
	if err != nil {
		t.Fatal(err)
	}
	g.guard.Mount(g.mux)
	return g
}

func (g *gateway) get(path string, cookies ...*http.Cookie) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "https://gateway.example"+path, http.NoBody)
	for _, cookie := range cookies {
		if cookie.MaxAge >= 0 {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	w := httptest.NewRecorder()
	g.mux.ServeHTTP(w, r)
	return w.Result()
}

func (g *gateway) identify(header string, cookies ...*http.Cookie) (access.Person, error) {
	r := httptest.NewRequest(http.MethodGet, "https://gateway.example/", http.NoBody)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	for _, cookie := range cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return g.guard.Identify(r)
}

// signIn goes to the issuer and back; change may alter what the issuer is asked, and what it answered.
func (g *gateway) signIn(ask, answer func(url.Values)) *http.Response {
	g.t.Helper()
	begun := g.get("/sign-in/oidc?return_to=/connections")
	target, err := url.Parse(begun.Header.Get("Location"))
	if err != nil || begun.StatusCode != http.StatusSeeOther {
		g.t.Fatalf("%d %v", begun.StatusCode, err)
	}
	query := target.Query()
	if ask != nil {
		ask(query)
	}
	target.RawQuery = query.Encode()
	came := SignIn(g.t, target.String())
	if answer != nil {
		answer(came)
	}
	return g.get(access.CallbackPath+"?"+came.Encode(), begun.Cookies()...)
}

func TestPeopleSignIn(t *testing.T) {
	issuer := Start(t)
	g := newGateway(t, issuer, nil)
	done := g.signIn(nil, nil)
	if done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != "/connections" {
		t.Fatalf("%d %s", done.StatusCode, done.Header.Get("Location"))
	}
	var session *http.Cookie
	for _, cookie := range done.Cookies() {
		if cookie.MaxAge > 0 {
			session = cookie
		}
	}
	who, err := g.identify("", session)
	if err != nil || who.Subject != "oidc:id1" || !who.May("development", access.Operator) || who.May("development", access.Admin) {
		t.Errorf("%+v %v", who, err)
	}
	for name, c := range map[string]struct{ ask, answer func(url.Values) }{
		"a nonce of another sign-in":     {ask: func(q url.Values) { q.Set("nonce", "another") }},
		"a challenge of another sign-in": {ask: func(q url.Values) { q.Set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") }},
		"a state of another sign-in":     {ask: func(q url.Values) { q.Set("state", strings.Repeat("a", 40)) }},
		"a code that is none":            {answer: func(q url.Values) { q.Set("code", "nonsense") }},
		"another issuer":                 {answer: func(q url.Values) { q.Set("iss", "https://evil.example") }},
	} {
		if got := g.signIn(c.ask, c.answer); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	stranger := newGateway(t, issuer, func(o *access.ProviderOptions) { o.Rules[0].Group = "id2" })
	if got := stranger.signIn(nil, nil); got.StatusCode != http.StatusForbidden {
		t.Errorf("somebody without a role: %d", got.StatusCode)
	}
	wrong := newGateway(t, issuer, func(o *access.ProviderOptions) { o.ClientSecret = connection.NewSecret("wrong") })
	if got := wrong.signIn(nil, nil); got.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong client secret: %d", got.StatusCode)
	}
}

func TestTokensOfTheIssuer(t *testing.T) {
	issuer := Start(t)
	g := newGateway(t, issuer, nil)
	g.signIn(nil, nil)
	token := *g.last
	if who, err := g.identify("Bearer " + token); err != nil || who.Subject != "oidc:id1" {
		t.Fatalf("%+v %v", who, err)
	}
	parts := strings.Split(token, ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, bad := range map[string]string{
		"unsigned":             header(`{"alg":"none"}`) + "." + parts[1] + ".",
		"by a shared secret":   header(`{"alg":"HS256"}`) + "." + parts[1] + "." + parts[2],
		"with other claims":    parts[0] + "." + header(`{"iss":"`+issuer+`","sub":"id1","aud":"`+WebClient+`","exp":9999999999}`) + "." + parts[2],
		"with a cut signature": token[:len(token)-8],
	} {
		if who, err := g.identify("Bearer " + bad); connection.TypeOf(err) != connection.ErrNotSignedIn {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
	elsewhere := newGateway(t, issuer, func(o *access.ProviderOptions) { o.Audience = "https://gateway.example" })
	if who, err := elsewhere.identify("Bearer " + token); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("for another audience: %+v %v", who, err)
	}
	other := newGateway(t, Start(t), nil)
	if who, err := other.identify("Bearer " + token); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("of another issuer: %+v %v", who, err)
	}
}

// noted reads the ID token out of an answer and leaves the answer as it was.
func noted(response *http.Response, last *string) (*http.Response, error) {
	raw, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(raw))
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if json.Unmarshal(raw, &answer) == nil && answer.IDToken != "" {
		*last = answer.IDToken
	}
	return response, nil
}
