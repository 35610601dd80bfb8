package quirks

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"connectedapps/connection"
)

// writes replaces how a token answer is written.
func writes(content func(out issued) any) func(p *provider) {
	return func(p *provider) {
		p.answer = func(w http.ResponseWriter, out issued) { writeJSON(w, 200, content(out)) }
	}
}

type object = map[string]any

// lives checks how long the access token is taken to live.
func lives(least, most time.Duration) func(*testing.T, *run) {
	return func(t *testing.T, r *run) {
		t.Helper()
		if life := r.grant.Tokens[connection.DefaultToken].Lifetime; life < least || life > most {
			t.Errorf("it lives %s", life)
		}
	}
}

func scoped(want ...string) func(*testing.T, *run) {
	return func(t *testing.T, r *run) {
		t.Helper()
		if got := r.grant.Tokens[connection.DefaultToken].Scopes; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("scopes %v", got)
		}
	}
}

func expires(value any) func(p *provider) {
	return writes(func(out issued) any {
		return object{"access_token": out.Access, "refresh_token": out.Refresh, "expires_in": value}
	})
}

func jwt(claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}

func TestTokenAnswer(t *testing.T) {
	hour := time.Now().Add(time.Hour)
	about := lives(59*time.Minute, time.Hour+time.Minute)
	form := func(name string) string {
		return "answer: {tokens: {default: {expires: expires_in, expires_form: " + name + "}}}\n"
	}
	every(t, []quirk{
		{name: "an error in a 200", oauth: "answer: {ok: body.ok == true}\n", set: writes(func(out issued) any {
			return object{"ok": true, "access_token": out.Access, "refresh_token": out.Refresh}
		})},
		{name: "nested", oauth: "answer: {tokens: {default: {access: data.access_token, refresh: data.refresh_token}}}\n", set: writes(func(out issued) any {
			return object{"data": object{"access_token": out.Access, "refresh_token": out.Refresh}}
		})},
		{name: "camel case", oauth: "answer: {tokens: {default: {access: accessToken, refresh: refreshToken, expires: expiresIn}}}\n", after: about,
			set: writes(func(out issued) any {
				return object{"accessToken": out.Access, "refreshToken": out.Refresh, "expiresIn": 3600}
			})},
		{name: "201", set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				writeJSON(w, 201, object{"access_token": out.Access, "refresh_token": out.Refresh})
			}
		}},
		{name: "expiry as text", set: expires("3600"), after: about},
		{name: "expiry fractional", set: expires(3600.4), after: about},
		{name: "expiry in milliseconds", oauth: form("milliseconds"), set: expires(3600000), after: about},
		{name: "expiry since 1970", oauth: form("epoch"), set: expires(hour.Unix()), after: about},
		{name: "expiry since 1970 in milliseconds", oauth: form("epoch-ms"), set: expires(hour.UnixMilli()), after: about},
		{name: "expiry as ISO 8601", oauth: form("iso"), set: expires(hour.UTC().Format(time.RFC3339)), after: about},
		{name: "expiry as 1h", oauth: form("duration"), set: expires("1h"), after: about},
		{name: "expiry absent, a lifetime declared", oauth: "refresh: {default_lifetime: 1h}\n", after: about, set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh}
		})},
		{name: "expiry in the JWT", oauth: "answer: {tokens: {default: {expires_form: jwt}}}\n", after: about, set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				token := jwt(fmt.Sprintf(`{"exp":%d}`, hour.Unix()))
				p.access[token] = true
				writeJSON(w, 200, object{"access_token": token, "refresh_token": out.Refresh})
			}
		}},
		{name: "token in a header", oauth: "answer: {tokens: {default: {access: \"header:X-Auth-Token\", refresh: refresh_token}}}\n", set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				w.Header().Set("X-Auth-Token", out.Access)
				writeJSON(w, 200, object{"refresh_token": out.Refresh})
			}
		}},
		{name: "token in a cookie", oauth: "answer: {tokens: {default: {access: \"cookie:session\", refresh: refresh_token}}}\n", set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: out.Access, Path: "/"})
				writeJSON(w, 200, object{"refresh_token": out.Refresh})
			}
		}},
		{name: "a form", set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = fmt.Fprintf(w, "access_token=%s&refresh_token=%s&expires_in=3600", out.Access, out.Refresh)
			}
		}, after: about},
		{name: "XML", oauth: "answer: {format: xml, tokens: {default: {access: response.token.access, refresh: response.token.refresh}}}\n", set: func(p *provider) {
			p.answer = func(w http.ResponseWriter, out issued) {
				w.Header().Set("Content-Type", "application/xml")
				_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\"?><response><token><access>%s</access><refresh>%s</refresh></token></response>", out.Access, out.Refresh)
			}
		}},
		{name: "scopes as a list", set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh, "scope": []string{"b", "a"}}
		}), after: scoped("a", "b")},
		{name: "scopes with commas", set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh, "scope": "b,a"}
		}), after: scoped("a", "b")},
		{name: "several tokens in one grant", oauth: "answer: {tokens: {default: {}, user: {access: authed_user.access_token, refresh: authed_user.refresh_token}}}\n",
			set: func(p *provider) {
				p.answer = func(w http.ResponseWriter, out issued) {
					writeJSON(w, 200, object{"access_token": out.Access, "refresh_token": out.Refresh, "authed_user": object{"access_token": "user-" + out.Access}})
				}
			}, after: func(t *testing.T, r *run) {
				if r.grant.Tokens["user"].Access.Empty() || r.grant.Tokens[connection.DefaultToken].Access.Empty() {
					t.Error("a set is missing")
				}
			}},
		{name: "an instance URL", oauth: "answer: {values: {instance_url: instance_url}}\n", set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh, "instance_url": "https://eu1.example"}
		}), after: func(t *testing.T, r *run) {
			if r.values["instance_url"] != "https://eu1.example" {
				t.Errorf("learnt %v", r.values)
			}
		}},
		{name: "a claim of the ID token", oauth: "answer: {claims: {values: {tenant: tid}, identity: {account: sub, label: email}}}\n", set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh, "id_token": jwt(`{"tid":"t-1","sub":"s-1","email":"ada@example.com"}`)}
		}), after: func(t *testing.T, r *run) {
			if r.values["tenant"] != "t-1" {
				t.Errorf("learnt %v", r.values)
			}
		}},
		{name: "refresh token's own expiry", oauth: "answer: {tokens: {default: {refresh_expires: refresh_expires_in}}}\n", set: writes(func(out issued) any {
			return object{"access_token": out.Access, "refresh_token": out.Refresh, "refresh_expires_in": strconv.Itoa(86400)}
		}), after: func(t *testing.T, r *run) {
			if life := r.grant.Tokens[connection.DefaultToken].RefreshLifetime; life < 23*time.Hour {
				t.Errorf("the refresh token lives %s", life)
			}
		}},
	})
}
