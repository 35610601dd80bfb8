package quirks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// asking answers an authorization whose query fulfils a condition.
func asking(condition func(q url.Values) bool, callback url.Values) func(p *provider) {
	return func(p *provider) {
		p.authorize = func(u *url.URL) url.Values {
			if !condition(u.Query()) {
				return nil
			}
			if callback == nil {
				return url.Values{"code": {code}}
			}
			return callback
		}
	}
}

func TestAuthorize(t *testing.T) {
	every(t, []quirk{
		{name: "nothing odd"},
		{name: "extra parameters for offline access", oauth: `authorize: {url: "{+base_url}/authorize", params: {access_type: offline, prompt: consent}}`,
			set: asking(func(q url.Values) bool { return q.Get("access_type") == "offline" && q.Get("prompt") == "consent" }, nil)},
		{name: "client ID under another name", oauth: `authorize: {url: "{+base_url}/authorize", rename: {client_id: client_key}}`,
			set: asking(func(q url.Values) bool { return q.Get("client_key") == clientID && !q.Has("client_id") }, nil)},
		{name: "a standard parameter is not wanted", oauth: `authorize: {url: "{+base_url}/authorize", remove: [response_type]}`,
			set: asking(func(q url.Values) bool { return q.Get("client_id") == clientID && !q.Has("response_type") }, nil)},
		{name: "parameters in the fragment", oauth: `authorize: {url: "{+base_url}/authorize", fragment: true}`,
			set: func(p *provider) {
				p.authorize = func(u *url.URL) url.Values {
					in, err := url.ParseQuery(u.EscapedFragment())
					if err != nil || u.RawQuery != "" || in.Get("client_id") != clientID {
						return nil
					}
					return url.Values{"code": {code}}
				}
			}},
		{name: "scopes with commas", oauth: "scopes: {default: [read, write], separator: \",\"}",
			set: asking(func(q url.Values) bool { return q.Get("scope") == "read,write" }, nil)},
		{name: "several scope parameters", oauth: "scopes: {default: [chat, \"search:read\"], parameters: {user_scope: [\"search:read\"]}}",
			set: asking(func(q url.Values) bool { return q.Get("scope") == "chat" && q.Get("user_scope") == "search:read" }, nil)},
		{name: "breaks on PKCE", oauth: `authorize: {url: "{+base_url}/authorize", pkce_off: true}`,
			set: func(p *provider) {
				asking(func(q url.Values) bool { return !q.Has("code_challenge") && !q.Has("code_challenge_method") }, nil)(p)
				without(p, "code_verifier")
			}},
		{name: "a parameter without a value is dropped", app: "inputs:\n  - {name: base_url, title: Address, format: url, secret: false}\n  - {name: team, title: Team, optional: true, secret: false}\n",
			oauth: `authorize: {url: "{+base_url}/authorize", params: {team: "{team}"}}`, set: asking(func(q url.Values) bool { return !q.Has("team") }, nil)},
		{name: "the code has another name", oauth: "code_parameter: spapi_oauth_code",
			set: asking(func(url.Values) bool { return true }, url.Values{"spapi_oauth_code": {code}})},
		{name: "an installation without a code", oauth: "code_parameter: \"-\"\ncallback: {installation: installation_id}\ntoken: {url: \"{+base_url}/token\", grant: client_credentials, params: {installation_id: \"{installation}\"}, remove: [code]}\n",
			dead: true,
			set: func(p *provider) {
				asking(func(url.Values) bool { return true }, url.Values{"installation_id": {"77"}})(p)
				p.grant = func(p *provider, in url.Values) (issued, string) {
					if in.Get("grant_type") != "client_credentials" || in.Get("installation_id") != "77" || in.Has("code") {
						return issued{}, "invalid_request"
					}
					return p.issue(), ""
				}
			}},
		{name: "a value in the callback", oauth: "callback: {realm: realmId}", set: asking(func(url.Values) bool { return true }, url.Values{"code": {code}, "realmId": {"9130"}}),
			after: func(t *testing.T, r *run) {
				if r.values["realm"] != "9130" {
					t.Errorf("learnt %v", r.values)
				}
			}},
		{name: "the callback names the token host", oauth: "callback: {server: {parameter: accounts_server, pattern: \"http://127\\\\.0\\\\.0\\\\.1:[0-9]+\"}}\ntoken: {url: \"{+server}/token\"}\n",
			set: func(p *provider) {
				asking(func(url.Values) bool { return true }, url.Values{"code": {code}, "accounts_server": {p.URL}})(p)
			}},
		{name: "a signed callback", oauth: "callback_hmac: {parameter: hmac}",
			set: func(p *provider) {
				mac := hmac.New(sha256.New, []byte(clientSecret))
				mac.Write([]byte("code=" + code + "&shop=ada.example&timestamp=1"))
				asking(func(url.Values) bool { return true }, url.Values{"code": {code}, "shop": {"ada.example"}, "timestamp": {"1"}, "hmac": {hex.EncodeToString(mac.Sum(nil))}})(p)
			}},
	})
}

// without refuses token requests that hold a parameter.
func without(p *provider, names ...string) {
	read := p.params
	p.params = func(r *http.Request) url.Values {
		in := read(r)
		for _, name := range names {
			if in.Has(name) {
				return nil
			}
		}
		return in
	}
}

// with refuses token requests that lack a parameter's value.
func with(p *provider, name, value string) {
	read := p.params
	p.params = func(r *http.Request) url.Values {
		in := read(r)
		if in.Get(name) != value {
			return nil
		}
		return in
	}
}

func hasAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}
