package access

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
)

// started is a sign-in that was begun: the browser's cookie and what the provider was asked.
type started struct {
	cookie *http.Cookie
	asked  url.Values
}

func (b *bench) start(returnTo string) started {
	b.t.Helper()
	response := b.do("GET", "/sign-in/oidc?return_to="+url.QueryEscape(returnTo), nil)
	target, err := url.Parse(response.Header.Get("Location"))
	if err != nil || response.StatusCode != 303 || len(response.Cookies()) != 1 {
		b.t.Fatalf("%d %v: %s", response.StatusCode, err, body(b.t, response))
	}
	return started{response.Cookies()[0], target.Query()}
}

func (s started) answer(over url.Values) string {
	query := url.Values{"state": {s.asked.Get("state")}, "code": {"CODE"}}
	for name, values := range over {
		if query[name] = values; values == nil {
			delete(query, name)
		}
	}
	return CallbackPath + "?" + query.Encode()
}

func TestSignInAtProvider(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t))
	if page := body(t, b.do("GET", "/sign-in?return_to=/x", nil)); !strings.Contains(page, `href="/sign-in/oidc?return_to=%2Fx"`) {
		t.Error(page)
	}
	s := b.start("/connections")
	if s.asked.Get("code_challenge_method") != "S256" || s.asked.Get("client_id") != "gateway" || s.asked.Get("scope") != "openid profile email groups" ||
		s.asked.Get("redirect_uri") != testSite+CallbackPath || s.asked.Get("response_type") != "code" {
		t.Errorf("asked %v", s.asked)
	}
	if c := s.cookie; !strings.HasPrefix(c.Name, "__Host-sign-in-") || !c.HttpOnly || !c.Secure || c.MaxAge != 600 || strings.Contains(c.Value, s.asked.Get("nonce")) {
		t.Errorf("cookie %s", c)
	}
	b.guard = b.replica(i.provider(t)) // the answer comes to another replica
	i.claims = i.says("gateway", map[string]any{"nonce": s.asked.Get("nonce")})
	response := b.do("GET", s.answer(nil), nil, with(s.cookie))
	if response.StatusCode != 303 || response.Header.Get("Location") != "/connections" {
		t.Fatalf("%d %s", response.StatusCode, body(t, response))
	}
	who, err := b.identify(with(response.Cookies()...))
	if err != nil || who.Subject != "oidc:u1" || who.Name != "Ada" || !who.May("production", Admin) || who.May("development", Viewer) {
		t.Errorf("%+v %v", who, err)
	}
	if len(i.asked) != 1 || oauth2.S256ChallengeFromVerifier(i.asked[0].Get("code_verifier")) != s.asked.Get("code_challenge") || i.users[0] != "gateway" || i.asked[0].Has("client_secret") {
		t.Errorf("token request %v by %q", i.asked, i.users)
	}
	if got := b.do("GET", s.answer(nil), nil, with(s.cookie)); got.StatusCode != 403 || len(i.asked) != 1 {
		t.Errorf("replayed: %d, %d token requests", got.StatusCode, len(i.asked))
	}
}

// What does not belong to this sign-in is refused without a token request.
func TestAnswersRefused(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t))
	mine, others := b.start("/"), b.start("/")
	renamed := *mine.cookie
	renamed.Name = others.cookie.Name
	for name, c := range map[string]struct {
		path   string
		cookie *http.Cookie
		method string
	}{
		"no cookie":                  {path: mine.answer(nil)},
		"another sign-in's cookie":   {path: mine.answer(nil), cookie: others.cookie},
		"a cookie under its name":    {path: others.answer(nil), cookie: &renamed},
		"no state":                   {path: mine.answer(url.Values{"state": nil}), cookie: mine.cookie},
		"a wrong state":              {path: mine.answer(url.Values{"state": {newRandom()}}), cookie: mine.cookie},
		"two states":                 {path: mine.answer(nil) + "&state=" + mine.asked.Get("state"), cookie: mine.cookie},
		"two codes":                  {path: mine.answer(url.Values{"code": {"a", "b"}}), cookie: mine.cookie},
		"code and error":             {path: mine.answer(url.Values{"error": {"access_denied"}}), cookie: mine.cookie},
		"neither":                    {path: mine.answer(url.Values{"code": nil}), cookie: mine.cookie},
		"an empty code":              {path: mine.answer(url.Values{"code": {""}}), cookie: mine.cookie},
		"too long":                   {path: mine.answer(url.Values{"code": {strings.Repeat("a", maxAnswer)}}), cookie: mine.cookie},
		"fetched with HEAD":          {path: mine.answer(nil), cookie: mine.cookie, method: "HEAD"},
		"posted":                     {path: mine.answer(nil), cookie: mine.cookie, method: "POST"},
		"a cookie that is not ours":  {path: mine.answer(nil), cookie: &http.Cookie{Name: mine.cookie.Name, Value: "development.vault:v1:AAAA"}},
		"of an environment unserved": {path: mine.answer(nil), cookie: &http.Cookie{Name: mine.cookie.Name, Value: strings.Replace(mine.cookie.Value, "development", "nowhere", 1)}},
	} {
		cookies := []*http.Cookie{}
		if c.cookie != nil {
			cookies = append(cookies, c.cookie)
		}
		if c.method == "" {
			c.method = "GET"
		}
		response := b.do(c.method, c.path, nil, with(cookies...))
		if response.StatusCode != 403 || len(i.asked) != 0 {
			t.Errorf("%s: %d, %d token requests", name, response.StatusCode, len(i.asked))
		}
	}
	for name, over := range map[string]url.Values{"iss of another": {"iss": {"https://evil.example"}}, "iss of another with an error": {"iss": {"https://evil.example"}, "code": nil, "error": {"x"}},
		"an error": {"code": nil, "error": {"access_denied"}, "error_description": {"CANARY <b>"}}} {
		s := b.start("/")
		response := b.do("GET", s.answer(over), nil, with(s.cookie))
		if page := body(t, response); response.StatusCode != 403 || len(i.asked) != 0 || strings.Contains(page, "CANARY") || strings.Contains(page, "access_denied") {
			t.Errorf("%s: %d %s", name, response.StatusCode, page)
		}
	}
	late := b.start("/")
	for _, v := range b.vaults {
		v.now = v.now.Add(stateLife + time.Second)
	}
	b.guard = b.replica(b.guard.provider)
	if got := b.do("GET", late.answer(nil), nil, with(late.cookie)).StatusCode; got != 403 || len(i.asked) != 0 {
		t.Errorf("too late: %d", got)
	}
}

func TestIssParameter(t *testing.T) {
	i := newIssuer(t)
	i.metadata["authorization_response_iss_parameter_supported"] = true
	b := newBench(t, i.provider(t))
	for name, c := range map[string]struct {
		over   url.Values
		status int
	}{"absent": {nil, 403}, "another": {url.Values{"iss": {i.URL + "/"}}, 403}, "equal": {url.Values{"iss": {i.URL}}, 303}} {
		s := b.start("/")
		i.claims = i.says("gateway", map[string]any{"nonce": s.asked.Get("nonce")})
		if got := b.do("GET", s.answer(c.over), nil, with(s.cookie)); got.StatusCode != c.status {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
}

func TestIDTokensRefused(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t))
	unsigned := func(c jwt.MapClaims) string {
		text, _ := jwt.NewWithClaims(jwt.SigningMethodNone, c).SignedString(jwt.UnsafeAllowNoneSignatureType)
		return text
	}
	for name, c := range map[string]struct {
		audience any
		over     map[string]any
		sign     func(jwt.MapClaims) string
		status   int
	}{
		"good":                   {"gateway", nil, nil, 303},
		"several audiences, azp": {[]string{"gateway", "x"}, map[string]any{"azp": "gateway"}, nil, 303},
		"several audiences":      {[]string{"gateway", "x"}, nil, nil, 403},
		"authorized for another": {"gateway", map[string]any{"azp": "x"}, nil, 403},
		"a wrong nonce":          {"gateway", map[string]any{"nonce": newRandom()}, nil, 403},
		"no nonce":               {"gateway", map[string]any{"nonce": nil}, nil, 403},
		"another audience":       {"x", nil, nil, 403},
		"another issuer":         {"gateway", map[string]any{"iss": "https://evil.example"}, nil, 403},
		"expired":                {"gateway", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}, nil, 403},
		"unsigned":               {"gateway", nil, unsigned, 403},
		"signed with the secret": {"gateway", nil, func(c jwt.MapClaims) string {
			s, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte("hush"))
			return s
		}, 403},
		"missing":                 {"gateway", nil, func(jwt.MapClaims) string { return "" }, 403},
		"nobody":                  {"gateway", map[string]any{"sub": nil}, nil, 401},
		"without a role":          {"gateway", map[string]any{"groups": "sales", "sub": "u<2>"}, nil, 403},
		"one group as text":       {"gateway", map[string]any{"groups": "dev"}, nil, 303},
		"groups that are no text": {"gateway", map[string]any{"groups": 7}, nil, 403},
	} {
		s := b.start("/")
		over := map[string]any{"nonce": s.asked.Get("nonce")}
		for name, value := range c.over {
			over[name] = value
		}
		i.claims, i.sign = i.says(c.audience, over), i.signed
		if c.sign != nil {
			i.sign = c.sign
		}
		response := b.do("GET", s.answer(nil), nil, with(s.cookie))
		page := body(t, response)
		if response.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, response.StatusCode, page)
		}
		if _, err := b.identify(with(response.Cookies()...)); (err == nil) != (c.status == 303) {
			t.Errorf("%s: signed in: %v", name, err)
		}
		if name == "without a role" && !strings.Contains(page, "oidc:u&lt;2&gt;") {
			t.Errorf("the page does not name the subject: %s", page)
		}
	}
	s := b.start("/")
	i.refusal = "invalid_grant"
	response := b.do("GET", s.answer(nil), nil, with(s.cookie))
	if page := body(t, response); response.StatusCode != 403 || strings.Contains(page, "CANARY") {
		t.Errorf("a refused code: %d %s", response.StatusCode, page)
	}
}

func TestBearers(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t))
	good := i.signed(i.says(testSite, nil))
	parts := strings.Split(good, ".")
	foreign := newIssuer(t)
	hmac, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, i.says(testSite, nil)).SignedString(i.key.N.Bytes())
	none, _ := jwt.NewWithClaims(jwt.SigningMethodNone, i.says(testSite, nil)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if who, err := b.identify(bearer(good)); err != nil || who.Subject != "oidc:u1" || !who.May("production", Admin) || who.FormToken != "" {
		t.Fatalf("%+v %v", who, err)
	}
	if who, err := b.identify(bearer(i.signed(i.says(testSite, map[string]any{"groups": nil})))); err != nil || len(who.Roles) != 0 {
		t.Errorf("without a role: %+v %v", who, err)
	}
	cookies := b.signedIn(Person{Subject: "link:1", Roles: map[string]Role{"production": Admin}})
	for name, token := range map[string]string{
		"for another audience":  i.signed(i.says("gateway", nil)),
		"without an audience":   i.signed(i.says(nil, nil)),
		"of another issuer":     i.signed(i.says(testSite, map[string]any{"iss": "https://evil.example"})),
		"signed by another":     foreign.signed(i.says(testSite, nil)),
		"expired":               i.signed(i.says(testSite, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})),
		"without an end":        i.signed(i.says(testSite, map[string]any{"exp": nil})),
		"not yet":               i.signed(i.says(testSite, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})),
		"unsigned":              none,
		"signed with the key":   hmac,
		"without a signature":   parts[0] + "." + parts[1] + ".",
		"with another's claims": parts[0] + "." + strings.Split(i.signed(i.says(testSite, map[string]any{"sub": "u2"})), ".")[1] + "." + parts[2],
		"nonsense":              "x.y.z",
		"too long":              good + strings.Repeat("A", maxHeader),
	} {
		if who, err := b.identify(bearer(token), with(cookies...)); connection.TypeOf(err) != connection.ErrNotSignedIn {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
}

// A provider that is away at the start stops nothing, and is asked again.
func TestProviderAway(t *testing.T) {
	i := newIssuer(t)
	i.away = true
	p := i.provider(t)
	b := newBench(t, p)
	good := i.signed(i.says(testSite, nil))
	if got := b.do("GET", "/sign-in/oidc", nil).StatusCode; got != 503 {
		t.Errorf("got %d", got)
	}
	if _, err := b.identify(bearer(good)); connection.TypeOf(err) != connection.ErrProviderUnavailable {
		t.Errorf("got %v", err)
	}
	if got := b.do("GET", "/sign-in", nil).StatusCode; got != 200 {
		t.Errorf("the page of sign-in: %d", got)
	}
	i.mu.Lock()
	i.away = false
	i.mu.Unlock()
	p.failed = p.failed.Add(-discoveryPause)
	b.start("/")
	i.mu.Lock()
	i.away = true // it has described itself, and its keys cannot be had
	i.mu.Unlock()
	if _, err := b.identify(bearer(good)); connection.TypeOf(err) != connection.ErrProviderUnavailable {
		t.Errorf("without keys: %v", err)
	}
}

func TestProviderOptions(t *testing.T) {
	rules := Rules{{"sre", "production", Admin}}
	for name, o := range map[string]ProviderOptions{"no issuer": {ClientID: "x", Rules: rules}, "no client": {Issuer: "https://id.example", Rules: rules},
		"no rules": {Issuer: "https://id.example", ClientID: "x"}, "plain http": {Issuer: "http://id.example", ClientID: "x", Rules: rules},
		"with a query": {Issuer: "https://id.example?x", ClientID: "x", Rules: rules}} {
		if _, err := NewProvider(o); connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	i := newIssuer(t)
	i.metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	for name, c := range map[string]struct{ change func(*ProviderOptions) }{"posted": {func(*ProviderOptions) {}}, "public": {func(o *ProviderOptions) { o.ClientSecret = connection.Secret{} }}} {
		i.asked, i.users = nil, nil
		b := newBench(t, i.provider(t, c.change))
		s := b.start("/")
		i.claims = i.says("gateway", map[string]any{"nonce": s.asked.Get("nonce"), "groups": nil, "realm": map[string]any{"roles": []string{"sre"}}})
		_ = b.do("GET", s.answer(nil), nil, with(s.cookie))
		if len(i.asked) != 1 || i.users[0] != "" || i.asked[0].Get("client_id") != "gateway" || (i.asked[0].Get("client_secret") == "hush") != (name == "posted") {
			t.Errorf("%s: %v %v", name, i.asked, i.users)
		}
	}
}

func TestGroupsOf(t *testing.T) {
	i := newIssuer(t)
	for claim, want := range map[string]bool{"realm.roles": true, "https://a.example/roles": true, "one": true, "realm": false, "realm.none": false, "realm.roles.x": false, "": false} {
		b := newBench(t, i.provider(t, func(o *ProviderOptions) { o.RolesClaim = claim }))
		who, err := b.identify(bearer(i.signed(i.says(testSite, map[string]any{"groups": nil, "one": "sre",
			"realm": map[string]any{"roles": []string{"x", "sre"}}, "https://a.example/roles": []string{"sre"}}))))
		if err != nil || who.May("production", Admin) != want {
			t.Errorf("%q: %+v %v", claim, who, err)
		}
	}
}
