package quirks

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// regrant replaces what a refresh yields; a first grant stays standard.
func regrant(refresh func(p *provider, in url.Values) (issued, string)) func(p *provider) {
	return func(p *provider) {
		p.grant = func(p *provider, in url.Values) (issued, string) {
			if in.Get("grant_type") == "authorization_code" {
				return rotating(p, in)
			}
			return refresh(p, in)
		}
	}
}

func TestRefresh(t *testing.T) {
	kept := func(t *testing.T, r *run) {
		t.Helper()
		if r.grant.Tokens[connection.DefaultToken].Refresh.Empty() {
			t.Error("the refresh token got lost")
		}
	}
	every(t, []quirk{
		{name: "strict rotation", oauth: "refresh: {rotation: strict}\n", after: kept},
		{name: "no rotation", oauth: "refresh: {rotation: none}\n", after: kept, set: regrant(func(p *provider, in url.Values) (issued, string) {
			if !p.refresh[in.Get("refresh_token")] {
				return issued{}, "invalid_grant"
			}
			out := p.issue()
			out.Refresh = in.Get("refresh_token")
			return out, ""
		})},
		{name: "the refresh token is omitted", after: kept, set: func(p *provider) {
			regrant(func(p *provider, in url.Values) (issued, string) {
				out := p.issue()
				out.Refresh = ""
				return out, ""
			})(p)
			p.answer = func(w http.ResponseWriter, out issued) {
				content := object{"access_token": out.Access}
				if out.Refresh != "" {
					content["refresh_token"] = out.Refresh
				}
				writeJSON(w, 200, content)
			}
		}},
		{name: "null for the refresh token", after: kept, set: func(p *provider) {
			first := true
			p.answer = func(w http.ResponseWriter, out issued) {
				content := object{"access_token": out.Access, "refresh_token": out.Refresh}
				if !first {
					content["refresh_token"] = nil
				}
				first = false
				writeJSON(w, 200, content)
			}
		}},
		{name: "the access token renews itself", oauth: "refresh: {with: access, grant: fb_exchange_token, params: {fb_exchange_token: \"{token}\"}}\n",
			set: regrant(func(p *provider, in url.Values) (issued, string) {
				if in.Get("grant_type") != "fb_exchange_token" || !p.access[in.Get("fb_exchange_token")] {
					return issued{}, "invalid_grant"
				}
				return p.issue(), ""
			})},
		{name: "scopes repeated", oauth: "scopes: {default: [a, b]}\nrefresh: {send_scopes: true}\n", set: regrant(func(p *provider, in url.Values) (issued, string) {
			if in.Get("scope") != "a b" {
				return issued{}, "invalid_scope"
			}
			return rotating(p, in)
		})},
		{name: "a user token with a refresh token of its own", oauth: "answer: {tokens: {default: {}, user: {access: authed_user.access_token, refresh: authed_user.refresh_token, optional: true}}}\n",
			set: func(p *provider) {
				first := true
				p.keeps = true
				p.answer = func(w http.ResponseWriter, out issued) {
					content := object{"access_token": out.Access, "refresh_token": out.Refresh}
					if first {
						user := p.issue()
						content["authed_user"] = object{"access_token": user.Access, "refresh_token": user.Refresh}
					}
					first = false
					writeJSON(w, 200, content)
				}
			}, after: func(t *testing.T, r *run) {
				if n := len(slices.DeleteFunc(slices.Clone(r.p.asked), func(kind string) bool { return kind != "refresh_token" })); n != 2 {
					t.Errorf("%d refreshes for two sets", n)
				}
				if r.grant.Tokens["user"].Refresh.Empty() {
					t.Error("the user's refresh token got lost")
				}
			}},
		{name: "another resource by the same refresh token", oauth: "answer: {tokens: {default: {}, files: {obtain: {params: {resource: \"https://files.example\"}}}}}\n",
			set: func(p *provider) {
				p.keeps = true
				p.grant = func(p *provider, in url.Values) (issued, string) {
					out, refused := rotating(p, in)
					if in.Get("resource") != "" && refused == "" {
						p.access["files "+out.Access] = true
					}
					return out, refused
				}
			}, after: func(t *testing.T, r *run) {
				if !r.p.access["files "+r.grant.Tokens["files"].Access.Reveal()] {
					t.Error("the second set is not of the other resource")
				}
				if r.grant.Tokens[connection.DefaultToken].Refresh.Empty() || !r.p.refresh[r.grant.Tokens[connection.DefaultToken].Refresh.Reveal()] {
					t.Error("the newest refresh token is not the one that is kept")
				}
			}},
	})
}

// What a dead grant is answered with, in every form: it is over, and not a moment's trouble.
func TestDeadGrants(t *testing.T) {
	for _, q := range []struct {
		name, oauth string
		status      int
		content     any
		verdict     connection.Verdict
	}{
		{"invalid_grant", "", 400, object{"error": "invalid_grant"}, connection.Revoked},
		{"invalid_grant as 403", "", 403, object{"error": "invalid_grant"}, connection.Revoked},
		{"invalid_grant as 401", "", 401, object{"error": "invalid_grant"}, connection.Revoked},
		{"a code of its own", "errors: {revoked: [token_revoked]}\n", 400, object{"error": "token_revoked"}, connection.Revoked},
		{"in a 200", "answer: {ok: body.ok == true}\nerrors: {revoked: [invalid_refresh_token]}\n", 200, object{"ok": false, "error": "invalid_refresh_token"}, connection.Revoked},
		{"a nested code", "answer: {error: error.code}\nerrors: {revoked: [\"4101\"]}\n", 400, object{"error": object{"code": 4101}}, connection.Revoked},
		{"a standard code that means another thing there", "errors: {revoked: [unauthorized_client]}\n", 400, object{"error": "unauthorized_client"}, connection.Revoked},
		{"the client is refused", "", 401, object{"error": "invalid_client"}, connection.ClientMisconfigured},
		{"a maintenance page", "", 200, "<html>be right back</html>", connection.Transient},
		{"trouble", "", 500, object{"error": "invalid_grant"}, connection.Transient},
		{"overload", "", 503, nil, connection.Transient},
		{"too many", "", 429, object{"error": "invalid_grant"}, connection.RateLimit},
	} {
		t.Run(q.name, func(t *testing.T) {
			r := quirk{oauth: q.oauth, set: func(p *provider) {
				if q.oauth != "" {
					p.answer = func(w http.ResponseWriter, out issued) {
						writeJSON(w, 200, object{"ok": true, "access_token": out.Access, "refresh_token": out.Refresh})
					}
				}
			}}.begin(t)
			r.connect(t)
			asked := 0
			r.p.extra["/token"] = func(w http.ResponseWriter, _ *http.Request) {
				asked++
				if page, ok := q.content.(string); ok {
					_, _ = w.Write([]byte(page))
					return
				}
				writeJSON(w, q.status, q.content)
			}
			_, err := r.method.Refresh(context.Background(), r.http, connectors.RefreshInput{Client: r.client, Refresh: r.credential().Default().Refresh,
				Values: r.values, Previous: r.credential()})
			problem, ok := connection.AsProblem(err)
			if !ok || problem.Verdict != q.verdict {
				t.Errorf("verdict %+v, not %s", problem, q.verdict)
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}
