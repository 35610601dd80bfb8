package connectors

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- what OAuth 1.0a signs with
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dghubble/oauth1"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// The base string of RFC 5849 section 3.4.1.1, with repeated and empty parameters.
func TestSignatureBase(t *testing.T) {
	r, err := http.NewRequest("POST", "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	got := signatureBase(r, []byte("c2&a3=2+q"), map[string]string{
		"oauth_consumer_key": "9djdj82h48djs9d2", "oauth_token": "kkk9d7dh3k39sjv7", "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": "137131201", "oauth_nonce": "7d8f3e4a",
	})
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The signature of section 1.2 over the photograph.
	r, err = http.NewRequest("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", nil)
	if err != nil {
		t.Fatal(err)
	}
	base := signatureBase(r, nil, map[string]string{"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk",
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131202", "oauth_nonce": "chapoH"})
	signature, err := (&oauth1.HMACSigner{ConsumerSecret: "kd94hf93k423kf44"}).Sign("pfkkdhi9sl3r4s00", base)
	if err != nil || signature != "MdpQcU8iPSUjWoN/UDMsK2sui9I=" {
		t.Errorf("%s %v", signature, err)
	}
}

var oauth1Param = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// verifyOAuth1 recomputes a signature, and answers the parameters.
func verifyOAuth1(t testing.TB, r *http.Request, body, consumerSecret, tokenSecret string, key *rsa.PublicKey) map[string]string {
	t.Helper()
	params, pairs := map[string]string{}, []string{}
	for _, found := range oauth1Param.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		params[found[1]], _ = url.PathUnescape(found[2])
	}
	add := func(name, value string) { pairs = append(pairs, escape(name)+"="+escape(value)) }
	for name, value := range params {
		if name != "realm" && name != "oauth_signature" {
			add(name, value)
		}
	}
	form := url.Values{}
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		form, _ = url.ParseQuery(body)
	}
	for _, values := range []url.Values{r.URL.Query(), form} {
		for name, list := range values {
			for _, value := range list {
				add(name, value)
			}
		}
	}
	slices.Sort(pairs)
	base := r.Method + "&" + escape("http://"+r.Host+r.URL.EscapedPath()) + "&" + escape(strings.Join(pairs, "&"))
	if key != nil {
		sum := sha1.Sum([]byte(base)) // #nosec G401
		signature, _ := base64.StdEncoding.DecodeString(params["oauth_signature"])
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature); err != nil {
			t.Errorf("%v: %s", err, r.Header.Get("Authorization"))
		}
		return params
	}
	of := map[string]func() hash.Hash{"HMAC-SHA1": sha1.New, "HMAC-SHA256": sha256.New}[params["oauth_signature_method"]]
	mac := hmac.New(of, []byte(escape(consumerSecret)+"&"+escape(tokenSecret)))
	mac.Write([]byte(base))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); want != params["oauth_signature"] {
		t.Errorf("signature of %s\n%s", base, r.Header.Get("Authorization"))
	}
	return params
}

// oauth1Provider is a method whose three endpoints are at one server.
func oauth1Provider(base, signature string) *Method {
	m := &Method{ID: "oauth1", Kind: connection.OAuth1, OAuth1: &OAuth1{
		Signature: signature, Realm: "{realm}",
		Request:   OAuth1End{URL: Template(base + "/request?fixed=1"), Params: map[string]Text{"scope": "read write", "absent": "{nobody}"}},
		Authorize: OAuth1End{URL: Template(base + "/authorize"), Params: map[string]Text{"name": "{client_id}"}},
		Token:     OAuth1End{URL: Template(base + "/token")},
		Answer:    OAuth1Answer{Values: map[string]Path{"user_id": "user_id"}, Identity: &IdentityRules{Account: "user_id", Label: "screen_name"}},
	}}
	m.app = &App{ID: "made", Name: "Made", BaseURL: Template(base), Methods: []*Method{m}}
	return m
}

func TestOAuth1(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
	for _, signature := range []string{"", "HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1"} {
		t.Run(signature, func(t *testing.T) {
			var public *rsa.PublicKey
			if signature == "RSA-SHA1" {
				public = &private.PublicKey
			}
			nonces := map[string]bool{}
			server := recording(t, nil)
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tokenSecret, answer := "", `{}`
				_ = r.ParseForm()
				switch r.URL.Path {
				case "/request":
					answer = "oauth_token=temp&oauth_token_secret=temp%2Bsecret&oauth_callback_confirmed=true\n"
				case "/token":
					tokenSecret, answer = "temp+secret", "oauth_token=the-token&oauth_token_secret=the%26secret&user_id=7&screen_name=ann&x=%0d%0a"
				default:
					tokenSecret = "the&secret"
				}
				params := verifyOAuth1(t, r, r.PostForm.Encode(), "consumer&secret", tokenSecret, public)
				if nonces[params["oauth_nonce"]] || params["oauth_version"] != "1.0" || params["realm"] != "a realm" || params["oauth_consumer_key"] != "consumer" {
					t.Errorf("%v", params)
				}
				nonces[params["oauth_nonce"]] = true
				switch r.URL.Path {
				case "/request":
					if params["oauth_callback"] != "https://gateway.example/callback?a=1" || params["oauth_token"] != "" || r.URL.Query().Get("scope") != "read write" || r.URL.Query().Get("fixed") != "1" || r.URL.Query().Has("absent") {
						t.Errorf("%v %s", params, r.URL)
					}
				case "/token":
					if params["oauth_verifier"] != "the-verifier" || params["oauth_token"] != "temp" {
						t.Errorf("%v", params)
					}
				default:
					if params["oauth_token"] != "the-token" {
						t.Errorf("%v", params)
					}
				}
				_, _ = w.Write([]byte(answer))
			})
			m := oauth1Provider(server.URL, signature)
			client := Client{ID: "consumer", Secret: connection.NewSecret("consumer&secret"), Fields: map[string]connection.Secret{"private_key": connection.NewSecret(pemKey)}}
			values := map[string]string{"realm": "a realm"}
			hc := real(outbound.Policy{})
			begun, err := m.BeginOAuth1(context.Background(), hc, OAuth1BeginInput{Client: client, CallbackURL: "https://gateway.example/callback?a=1", Values: values})
			if err != nil || begun.URL != server.URL+"/authorize?name=consumer&oauth_token=temp" || begun.Token != "temp" || begun.Secret.Reveal() != "temp+secret" {
				t.Fatalf("%+v %v", begun, err)
			}
			grant, err := m.ExchangeOAuth1(context.Background(), hc, OAuth1ExchangeInput{Client: client, Token: begun.Token, Secret: begun.Secret, Verifier: connection.NewSecret("the-verifier"), Values: values})
			if err != nil || grant.Tokens["default"].Access.Reveal() != "the-token" || grant.Tokens["secret"].Access.Reveal() != "the&secret" || grant.Values["user_id"] != "7" || grant.Identity.Label != "ann" {
				t.Fatalf("%+v %v", grant, err)
			}
			s := Session{App: m.app, Method: m, Client: client, Values: values, Credential: connection.Credential{Tokens: map[string]connection.Token{}}}
			for name, token := range grant.Tokens {
				s.Credential.Tokens[name] = connection.Token{Access: token.Access}
			}
			arguments := `{"list":["b c","a","a"],"path":"x:y (z)","text":"1 + 1 & é"}`
			query := Request{Method: "GET", Path: "/api/{path}{?list*}", Query: map[string]Text{"q": "{text}"}}
			form := Request{Method: "POST", Path: "/api/{path}", Body: &Body{Encoding: "form", Lists: "repeat"}}
			for _, request := range []Request{query, form, {Method: "POST", Path: "/api", Body: &Body{}}, {Method: "GET"}} {
				if err := s.callMade(t, made(request), arguments); err != nil {
					t.Error(err)
				}
			}
			delete(s.Credential.Tokens, "secret")
			if err := s.callMade(t, made(Request{Method: "GET"}), `{}`); public == nil && problemOf(t, err).Type != connection.ErrReconnectRequired {
				t.Error(err)
			}
		})
	}
}

func TestOAuth1Problems(t *testing.T) {
	for _, test := range []struct {
		name          string
		status        int
		body, header  string
		begin, finish string
		api           string
	}{
		{"unknown consumer", 401, "oauth_problem=consumer_key_unknown", "", connection.ErrClientMisconfigured, connection.ErrClientMisconfigured, connection.ErrClientMisconfigured},
		{"a bare refusal", 401, "no", "", connection.ErrClientMisconfigured, connection.ErrAuthorizationFailed, connection.ErrReconnectRequired},
		{"token rejected", 401, "", `OAuth realm="x, y", oauth_problem="token_rejected"`, connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, connection.ErrReconnectRequired},
		{"token revoked with another status", 403, "oauth_problem=token_revoked&oauth_problem_advice=CANARY", "", connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, connection.ErrReconnectRequired},
		{"a clock", 401, "", `OAuth oauth_problem=timestamp_refused`, connection.ErrProviderUnavailable, connection.ErrProviderUnavailable, connection.ErrProviderUnavailable},
		{"a nonce", 400, `{"oauth_problem":"nonce_used"}`, `OAuth oauth_problem="nonce_used"`, connection.ErrProviderUnavailable, connection.ErrProviderUnavailable, connection.ErrProviderUnavailable},
		{"too many", 429, "", "", connection.ErrRateLimited, connection.ErrRateLimited, connection.ErrRateLimited},
		{"broken", 502, "<html>", "", connection.ErrProviderUnavailable, connection.ErrProviderUnavailable, connection.ErrProviderUnavailable},
		{"not confirmed", 200, "oauth_token=t&oauth_token_secret=s", "", connection.ErrAuthorizationFailed, "", ""},
		{"confirmed falsely", 200, "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false", "", connection.ErrAuthorizationFailed, "", ""},
		{"no secret", 200, "oauth_token=t&oauth_callback_confirmed=true", "", connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, ""},
		{"a problem in a 200", 200, "oauth_problem=token_used", "", connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, ""},
		{"a redirect", 302, "", "", connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, connection.ErrRejectedInput},
		{"a line break in a token", 200, "oauth_token=t%0d%0a&oauth_token_secret=a%0ab&oauth_callback_confirmed=true", "", connection.ErrAuthorizationFailed, connection.ErrAuthorizationFailed, ""},
		{"too long", 200, strings.Repeat("a", maxTokenAnswer+1), "", connection.ErrRejectedInput, connection.ErrRejectedInput, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := recording(t, func(w http.ResponseWriter, r *http.Request) {
				if test.header != "" {
					w.Header().Set("WWW-Authenticate", test.header)
				}
				if test.status == 302 {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			m := oauth1Provider(server.URL, "")
			client := Client{ID: "consumer", Secret: connection.NewSecret("CANARY")}
			hc := real(outbound.Policy{})
			_, begin := m.BeginOAuth1(context.Background(), hc, OAuth1BeginInput{Client: client, CallbackURL: "https://g.example"})
			_, finish := m.ExchangeOAuth1(context.Background(), hc, OAuth1ExchangeInput{Client: client, Token: "t", Secret: connection.NewSecret("CANARY"), Verifier: connection.NewSecret("CANARY")})
			token := func() connection.Token { return connection.Token{Access: connection.NewSecret("CANARY")} }
			s := Session{App: m.app, Method: m, Client: client, Credential: connection.Credential{Tokens: map[string]connection.Token{"default": token(), "secret": token()}}}
			_, api := s.Call(context.Background(), hc, made(Request{Method: "GET", Path: "/api"}), CallInput{})
			for _, outcome := range []struct {
				err  error
				want string
			}{{begin, test.begin}, {finish, test.finish}, {api, test.api}} {
				if outcome.want == "" {
					continue
				}
				if problem := problemOf(t, outcome.err); problem.Type != outcome.want || strings.Contains(problem.Error(), "CANARY") {
					t.Errorf("want %s: %+v", outcome.want, problem)
				}
			}
			if strings.Contains(server.everything(), "/elsewhere") && test.status == 302 && strings.Count(server.everything(), "POST /elsewhere") > 0 {
				t.Error("a redirect of an endpoint was followed")
			}
		})
	}
	m := oauth1Provider("https://made.example", "RSA-SHA1")
	_, err := m.BeginOAuth1(context.Background(), http.DefaultClient, OAuth1BeginInput{Client: Client{ID: "c", Fields: map[string]connection.Secret{"private_key": connection.NewSecret("CANARY")}}})
	if problem := problemOf(t, err); problem.Type != connection.ErrClientMisconfigured || strings.Contains(problem.Error(), "CANARY") {
		t.Errorf("%+v", problem)
	}
	if _, err = m.BeginOAuth1(context.Background(), http.DefaultClient, OAuth1BeginInput{}); problemOf(t, err).Type != connection.ErrClientMisconfigured {
		t.Error(err)
	}
	if _, err = (&Method{app: m.app}).ExchangeOAuth1(context.Background(), http.DefaultClient, OAuth1ExchangeInput{}); problemOf(t, err).Type != connection.ErrAuthKindNotOffered {
		t.Error(err)
	}
}
