package quirks

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// grants serves one grant type again and again, without refresh tokens.
func grants(kind string, also func(in url.Values) bool) func(p *provider) {
	return func(p *provider) {
		p.grant = func(p *provider, in url.Values) (issued, string) {
			if in.Get("grant_type") != kind || also != nil && !also(in) {
				return issued{}, "invalid_request"
			}
			out := p.issue()
			out.Refresh = ""
			return out, ""
		}
	}
}

func TestTokenRequest(t *testing.T) {
	every(t, []quirk{
		{name: "client by Basic", oauth: "client_auth: basic", set: func(p *provider) { p.client = basicClient(clientID, clientSecret) }},
		{name: "a public client", oauth: "client_auth: none", set: func(p *provider) {
			p.client = func(r *http.Request, in url.Values) bool {
				return in.Get("client_id") == clientID && !in.Has("client_secret") && r.Header.Get("Authorization") == ""
			}
		}},
		{name: "the secret as Basic user", oauth: "client_auth: secret-as-user", set: func(p *provider) {
			p.client = func(r *http.Request, in url.Values) bool {
				user, password, _ := r.BasicAuth()
				return (user == clientSecret || user == url.QueryEscape(clientSecret)) && password == "" && !in.Has("client_secret")
			}
		}},
		{name: "another refresh URL", oauth: `refresh: {url: "{+base_url}/refresh"}`, set: func(p *provider) { p.refreshPath = "/refresh" }},
		{name: "further parameters", oauth: "token: {url: \"{+base_url}/token\", params: {expiring: \"1\"}}\nrefresh: {params: {resource: \"https://graph.example\"}}\n",
			set: func(p *provider) {
				read := p.params
				p.params = func(r *http.Request) url.Values {
					in := read(r)
					if in.Get("grant_type") == "authorization_code" && in.Get("expiring") != "1" ||
						in.Get("grant_type") == "refresh_token" && in.Get("resource") != "https://graph.example" {
						return nil
					}
					return in
				}
			}},
		{name: "a version header", oauth: "token: {url: \"{+base_url}/token\", headers: {X-Version: \"2\"}}\n", set: func(p *provider) {
			read := p.params
			p.params = func(r *http.Request) url.Values {
				if r.Header.Get("X-Version") != "2" {
					return nil
				}
				return read(r)
			}
		}},
		{name: "a JSON body", oauth: "token: {url: \"{+base_url}/token\", body: json}\n", set: func(p *provider) {
			p.params = func(r *http.Request) url.Values {
				in, flat := url.Values{}, map[string]string{}
				if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&flat) != nil {
					return nil
				}
				for name, value := range flat {
					in.Set(name, value)
				}
				return in
			}
		}},
		{name: "parameters in the query", oauth: "token: {url: \"{+base_url}/token\", body: query}\n", set: func(p *provider) {
			p.params = func(r *http.Request) url.Values {
				if r.Method != http.MethodPost || r.ContentLength > 0 {
					return nil
				}
				return r.URL.Query()
			}
		}},
		{name: "GET", oauth: "token: {url: \"{+base_url}/token\", method: GET, body: query}\n", set: func(p *provider) {
			p.params = func(r *http.Request) url.Values {
				if r.Method != http.MethodGet {
					return nil
				}
				return r.URL.Query()
			}
		}},
		{name: "an XML body", oauth: "token: {url: \"{+base_url}/token\", body: xml}\n", set: func(p *provider) { p.params = xmlParams }},
		{name: "renamed parameters", oauth: "token: {url: \"{+base_url}/token\", rename: {client_id: client_key}}\nrefresh: {rename: {client_id: client_key, refresh_token: token}}\n", set: func(p *provider) {
			read := p.params
			p.params = func(r *http.Request) url.Values {
				in := read(r)
				if in == nil || in.Has("client_id") {
					return nil
				}
				in.Set("client_id", in.Get("client_key"))
				if in.Has("token") {
					in.Set("refresh_token", in.Get("token"))
				}
				return in
			}
		}},
		{name: "a parameter that is not wanted", oauth: "token: {url: \"{+base_url}/token\", remove: [redirect_uri]}\n", set: func(p *provider) { without(p, "redirect_uri") }},
		{name: "a refresh with the redirect URI", oauth: "refresh: {params: {redirect_uri: \"{redirect_uri}\"}}\n", set: func(p *provider) { with(p, "redirect_uri", redirectURI) }},
	})
}

// xmlParams reads <request><name>value</name>…</request>, whatever the root is called.
func xmlParams(r *http.Request) url.Values {
	var body struct {
		Fields []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if xml.NewDecoder(r.Body).Decode(&body) != nil {
		return nil
	}
	in := url.Values{}
	for _, field := range body.Fields {
		in.Set(field.XMLName.Local, field.Text)
	}
	return in
}

func TestGrants(t *testing.T) {
	every(t, []quirk{
		{name: "client credentials", kind: "oauth2-client-credentials", set: grants("client_credentials", nil)},
		{name: "password", kind: "oauth2-grant", method: "client: required\ninputs:\n  - {name: username, title: User, secret: false}\n  - {name: password, title: Password, secret: true}\n",
			oauth:  "token: {url: \"{+base_url}/token\", grant: password, params: {username: \"{username}\", password: \"{password}\"}}\n",
			values: map[string]string{"username": "ada"}, fields: map[string]string{"password": "p&ss"},
			set: grants("password", func(in url.Values) bool { return in.Get("username") == "ada" && in.Get("password") == "p&ss" })},
		{name: "account credentials", kind: "oauth2-grant", method: "client: required\nclient_inputs: [{name: account_id, title: Account, secret: false}]\n",
			oauth:  "client_auth: basic\ntoken: {url: \"{+base_url}/token\", grant: account_credentials, params: {account_id: \"{account_id}\"}}\n",
			values: map[string]string{"account_id": "acc-1"}, set: func(p *provider) {
				p.client = basicClient(clientID, clientSecret)
				grants("account_credentials", func(in url.Values) bool { return in.Get("account_id") == "acc-1" })(p)
			}},
		{name: "token exchange", kind: "oauth2-grant", method: "client: required\ninputs: [{name: subject, title: Token, secret: true}]\n",
			oauth: `token:
  url: "{+base_url}/token"
  grant: "urn:ietf:params:oauth:grant-type:token-exchange"
  params: {subject_token: "{subject}", subject_token_type: "urn:ietf:params:oauth:token-type:access_token"}
`, fields: map[string]string{"subject": "outer"},
			set: grants("urn:ietf:params:oauth:grant-type:token-exchange", func(in url.Values) bool { return in.Get("subject_token") == "outer" })},
		{name: "a SAML assertion", kind: "oauth2-grant", method: "client: required\ninputs: [{name: saml, title: Assertion, secret: true}]\ncompute: [{name: encoded, value: base64url(saml)}]\n",
			oauth:  "token: {url: \"{+base_url}/token\", grant: \"urn:ietf:params:oauth:grant-type:saml2-bearer\", params: {assertion: \"{encoded}\"}}\n",
			fields: map[string]string{"saml": "<saml/>"},
			set:    grants("urn:ietf:params:oauth:grant-type:saml2-bearer", func(in url.Values) bool { return in.Get("assertion") == "PHNhbWwvPg" })},
		{name: "code, short token, long token", oauth: "then:\n  - {url: \"{+base_url}/long\", method: GET, body: query, grant: fb_exchange_token, params: {fb_exchange_token: \"{token}\"}}\nrefresh: {with: access, url: \"{+base_url}/long\", method: GET, body: query, grant: fb_exchange_token, params: {fb_exchange_token: \"{token}\"}}\n",
			set: func(p *provider) {
				p.grant = func(p *provider, in url.Values) (issued, string) {
					out, refused := rotating(p, in)
					delete(p.access, out.Access) // the short token is for trading only
					p.refresh["short-"+out.Access] = true
					return issued{Access: "short-" + out.Access}, refused
				}
				p.extra["/long"] = func(w http.ResponseWriter, r *http.Request) {
					p.mu.Lock()
					defer p.mu.Unlock()
					traded := r.URL.Query().Get("fb_exchange_token")
					if r.Method != http.MethodGet || r.URL.Query().Get("grant_type") != "fb_exchange_token" || !p.refresh[traded] && !p.access[traded] {
						standardRefusal(w, "invalid_grant")
						return
					}
					out := p.issue()
					standardAnswer(w, issued{Access: out.Access})
				}
			},
			after: func(t *testing.T, r *run) {
				if !slices.Equal(r.p.asked, []string{"authorization_code"}) {
					t.Errorf("the token endpoint was asked %v", r.p.asked)
				}
			}},
	})
}
