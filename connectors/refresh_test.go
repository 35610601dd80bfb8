package connectors

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// held is a credential with token sets: name, access token and refresh token in threes.
func held(sets ...string) connection.Credential {
	c := connection.Credential{Tokens: map[string]connection.Token{}}
	for i := 0; i+2 < len(sets); i += 3 {
		c.Tokens[sets[i]] = connection.Token{Access: connection.NewSecret(sets[i+1]), Refresh: connection.NewSecret(sets[i+2])}
	}
	return c
}

func renew(m *Method, s *authServer, previous connection.Credential) (*Grant, error) {
	return m.Refresh(context.Background(), s.Client(), RefreshInput{Client: testClient, Refresh: previous.Default().Refresh, Scopes: []string{"a", "b"},
		Values: at(s), Previous: previous, RedirectURI: "https://gw.example/cb"})
}

// outcome is a grant in one line: sets by name with access/refresh/lifetime in seconds.
func outcome(g *Grant) string {
	if g == nil {
		return "none"
	}
	out := map[string]string{}
	for name, token := range g.Tokens {
		out[name] = fmt.Sprintf("%s/%s/%d", token.Access.Reveal(), token.Refresh.Reveal(), token.Lifetime/time.Second)
	}
	return fmt.Sprint(out)
}

func TestRefreshAsDeclared(t *testing.T) {
	for _, test := range []struct {
		name, oauth, method, path string
		form, query               url.Values
		json                      string
		header                    string
	}{
		{name: "standard", method: "POST", path: "/token", form: url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r0"}, "client_id": {"client-id"}, "client_secret": {"secret-of-client"}}},
		{name: "its own way", oauth: `      refresh: {url: "{+base_url}/renew", body: json, grant: renew, params: {u: "{redirect_uri}", all: "{scopes}"}, headers: {X-A: "{client_id}"}, rename: {refresh_token: token}, remove: [client_secret], send_scopes: true}`,
			method: "POST", path: "/renew", json: `{"all":"a b","client_id":"client-id","grant_type":"renew","scope":"a b","token":"r0","u":"https://gw.example/cb"}`, header: "client-id"},
		{name: "with access", oauth: `      refresh: {with: access, url: "{+base_url}/renew", method: GET, grant: th_refresh_token, params: {access_token: "{token}"}, headers: {X-A: "{token}"}, remove: [client_id, client_secret]}`,
			method: "GET", path: "/renew", query: url.Values{"grant_type": {"th_refresh_token"}, "access_token": {"a0"}}, header: "a0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
`+test.oauth+"\n")
			s := serve(t, always(200, `{"access_token":"a1","expires_in":60}`))
			grant, err := renew(m, s, held("default", "a0", "r0"))
			if err != nil {
				t.Fatal(err)
			}
			got := s.got[0]
			if got.method != test.method || got.path != test.path || got.query.Encode() != test.query.Encode() || test.form != nil && got.form.Encode() != test.form.Encode() ||
				test.json != "" && got.raw != test.json || got.header.Get("X-A") != test.header {
				t.Errorf("%+v", got)
			}
			want := "map[default:a1/r0/60]"
			if test.name == "with access" {
				want = "map[default:a1//60]"
				if !m.Renewable(held("default", "a0", "")) || m.Renewable(held("default", "", "")) {
					t.Error("renewable")
				}
			}
			if outcome(grant) != want {
				t.Error(outcome(grant))
			}
		})
	}
}

func TestRefusedAccessRenewal(t *testing.T) {
	m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      refresh: {with: access, grant: x, params: {access_token: "{token}"}}
      answer: {error: error.code}
      errors: {revoked: ["190"]}
`)
	for status, body := range map[int]string{400: `{"error":{"code":190,"message":"no"}}`, 401: `{}`} {
		s := serve(t, always(status, body))
		if _, err := renew(m, s, held("default", "a0", "")); problemOf(t, err).Verdict != connection.Revoked {
			t.Errorf("%d: %v", status, err)
		}
	}
	s := serve(t, always(200, anyToken))
	if _, err := renew(m, s, connection.Credential{}); problemOf(t, err).Verdict != connection.Revoked || len(s.got) > 0 {
		t.Error(err)
	}
}

func TestRefreshTokenOfAMachine(t *testing.T) {
	m := fake(t, "oauth2-grant", `    inputs: [{name: password, secret: true}]
    oauth:
      client_auth: none
      token: {url: "{+base_url}/token", grant: password, params: {password: "{password}"}}
      refresh: {with: refresh}
`)
	previous := held("default", "a0", "r0")
	previous.Fields = secretsOf("password", "the-password")
	s := serve(t, inTurn(`{"access_token":"a1","refresh_token":"r1"}`))
	if grant, err := renew(m, s, previous); err != nil || outcome(grant) != "map[default:a1/r1/0]" || s.got[0].form.Get("refresh_token") != "r0" {
		t.Error(err, outcome(grant))
	}
	// A refresh token that is over is no reason to ask a person: the password is still there.
	s = serve(t, inTurn("revoked", `{"access_token":"a2","refresh_token":"r2"}`))
	if grant, err := renew(m, s, previous); err != nil || outcome(grant) != "map[default:a2/r2/0]" || s.got[1].form.Get("password") != "the-password" {
		t.Error(err, outcome(grant))
	}
}

const twoSets = `    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      answer:
        tokens:
          default: {}
          user: {access: user.access_token, refresh: user.refresh_token, expires: user.expires_in%s}
`

const obtainedSet = `    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      refresh: {params: {fixed: "1"}}
      answer:
        tokens:
          default: {}
          files: {obtain: {url: "{+base_url}/files", scopes: [f.read], params: {resource: "https://files.example"}}%s}
`

// TestRotatedTokensAreNeverLost goes through renewals of several sets in which
// one request fails.
func TestRotatedTokensAreNeverLost(t *testing.T) {
	const rotated, kept = `{"access_token":"a1","refresh_token":"r1","expires_in":60}`, `{"access_token":"a1","expires_in":60}`
	const user = `{"access_token":"u1","refresh_token":"ur1","expires_in":90}`
	for _, test := range []struct {
		name     string
		oauth    string
		previous connection.Credential
		answers  []string
		want     string
		problem  string
		spent    string // the refresh tokens presented, in order
	}{
		{name: "each on its own", oauth: twoSets, answers: []string{rotated, user}, want: "map[default:a1/r1/60 user:u1/ur1/90]", spent: "r0 ur0"},
		{name: "where the set stands", oauth: twoSets, answers: []string{rotated, `{"access_token":"x","user":{"access_token":"u2","refresh_token":"ur2"}}`}, want: "map[default:a1/r1/60 user:u2/ur2/0]", spent: "r0 ur0"},
		{name: "both in one answer", oauth: twoSets, answers: []string{`{"access_token":"a1","refresh_token":"r1","user":{"access_token":"u2","refresh_token":"ur2"}}`}, want: "map[default:a1/r1/0 user:u2/ur2/0]", spent: "r0"},
		{name: "not rotated", oauth: twoSets, answers: []string{kept, `{"access_token":"u1"}`}, want: "map[default:a1/r0/60 user:u1/ur0/0]", spent: "r0 ur0"},
		{name: "the second is away", oauth: twoSets, answers: []string{rotated, "503"}, want: "map[default:a1/r1/60 user:u0/ur0/1]", spent: "r0 ur0"},
		{name: "the second is refused", oauth: twoSets, answers: []string{rotated, "revoked"}, want: "map[default:a1/r1/60 user:/ur0/1]", spent: "r0 ur0"},
		{name: "the second is away and nothing is lost", oauth: twoSets, answers: []string{kept, "503"}, problem: connection.ErrProviderUnavailable, spent: "r0 ur0"},
		{name: "the second is refused and nothing is lost", oauth: twoSets, answers: []string{kept, "revoked"}, problem: connection.ErrReconnectRequired, spent: "r0 ur0"},
		{name: "the first is refused", oauth: twoSets, answers: []string{"revoked"}, problem: connection.ErrReconnectRequired, spent: "r0"},
		{name: "the doubtful one first, refused", oauth: twoSets, previous: held("default", "a0", "r0", "user", "", "ur0"), answers: []string{"revoked"}, problem: connection.ErrReconnectRequired, spent: "ur0"},
		{name: "the doubtful one first, away", oauth: twoSets, previous: held("default", "a0", "r0", "user", "", "ur0"), answers: []string{"503", rotated}, want: "map[default:a1/r1/60 user:/ur0/1]", spent: "ur0 r0"},
		{name: "the doubtful one first, well", oauth: twoSets, previous: held("default", "a0", "r0", "user", "", "ur0"), answers: []string{user, "503"}, want: "map[default:a0/r0/1 user:u1/ur1/90]", spent: "ur0 r0"},
		{name: "the doubtful one first, then the first refused", oauth: twoSets, previous: held("default", "a0", "r0", "user", "", "ur0"), answers: []string{user, "revoked"}, want: "map[default:/r0/1 user:u1/ur1/90]", spent: "ur0 r0"},
		{name: "optional and refused", oauth: strings.Replace(twoSets, "%s", ", optional: true", 1), answers: []string{kept, "revoked"}, want: "map[default:a1/r0/60 user:/ur0/0]", spent: "r0 ur0"},
		{name: "optional and not there", oauth: strings.Replace(twoSets, "%s", ", optional: true", 1), previous: held("default", "a0", "r0"), answers: []string{rotated}, want: "map[default:a1/r1/60]", spent: "r0"},

		{name: "obtained", oauth: obtainedSet, answers: []string{rotated, `{"access_token":"f1","refresh_token":"r2","expires_in":9}`}, want: "map[default:a1/r2/60 files:f1//9]", spent: "r0 r1"},
		{name: "obtained, not rotated", oauth: obtainedSet, answers: []string{kept, `{"access_token":"f1"}`}, want: "map[default:a1/r0/60 files:f1//0]", spent: "r0 r0"},
		{name: "obtained one is away", oauth: obtainedSet, answers: []string{rotated, "503"}, want: "map[default:a1/r1/60 files:f0//1]", spent: "r0 r1"},
		{name: "obtained one is refused", oauth: obtainedSet, answers: []string{rotated, "revoked"}, want: "map[default:a1/r1/60 files://1]", spent: "r0 r1"},
		{name: "obtained one is doubtful, and rotates", oauth: obtainedSet, previous: held("default", "a0", "r0", "files", "", ""), answers: []string{`{"access_token":"f1","refresh_token":"r1"}`, `{"access_token":"a1"}`}, want: "map[default:a1/r1/0 files:f1//0]", spent: "r0 r1"},
		{name: "obtained one is doubtful, then the first is away", oauth: obtainedSet, previous: held("default", "a0", "r0", "files", "", ""), answers: []string{`{"access_token":"f1","refresh_token":"r1"}`, "503"}, want: "map[default:a0/r1/1 files:f1//0]", spent: "r0 r1"},
		{name: "obtained damaged, with a rotated token", oauth: obtainedSet, answers: []string{rotated, `{"refresh_token":"r2","access_tok`}, want: "map[default:a1/r2/60 files://1]", spent: "r0 r1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := fake(t, "oauth2-code", strings.Replace(test.oauth, "%s", "", 1))
			s := serve(t, inTurn(test.answers...))
			previous := test.previous
			if previous.Tokens == nil && strings.Contains(test.name, "obtained") {
				previous = held("default", "a0", "r0", "files", "f0", "")
			} else if previous.Tokens == nil {
				previous = held("default", "a0", "r0", "user", "u0", "ur0")
			}
			grant, err := renew(m, s, previous)
			if connection.TypeOf(err) != test.problem {
				t.Fatal(err)
			}
			if test.problem == "" && outcome(grant) != test.want {
				t.Errorf("%s, want %s", outcome(grant), test.want)
			}
			var spent []string
			for _, got := range s.got {
				spent = append(spent, got.form.Get("refresh_token"))
				obtaining := got.path == "/files"
				if obtaining != (got.form.Get("scope") == "f.read") || obtaining != (got.form.Get("resource") == "https://files.example") || obtaining && got.form.Get("fixed") != "1" {
					t.Errorf("%s %v", got.path, got.form)
				}
			}
			if strings.Join(spent, " ") != test.spent {
				t.Errorf("presented %v, want %s", spent, test.spent)
			}
		})
	}
}

func TestSetsOfAFirstGrant(t *testing.T) {
	const first = `{"access_token":"a1","refresh_token":"r1","expires_in":60}`
	for _, test := range []struct {
		name, oauth string
		answers     []string
		want        string
		problem     string
	}{
		{name: "two in one", oauth: twoSets, answers: []string{`{"access_token":"a1","user":{"access_token":"u1"}}`}, want: "map[default:a1//0 user:u1//0]"},
		{name: "one is missing", oauth: twoSets, answers: []string{first}, problem: connection.ErrProviderUnavailable},
		{name: "obtained", oauth: obtainedSet, answers: []string{first, `{"access_token":"f1","refresh_token":"r2"}`}, want: "map[default:a1/r2/60 files:f1//0]"},
		{name: "obtained is refused", oauth: obtainedSet, answers: []string{first, "revoked"}, problem: connection.ErrAuthorizationFailed},
		{name: "obtained is away", oauth: obtainedSet, answers: []string{first, "503"}, problem: connection.ErrProviderUnavailable},
		{name: "obtained without a refresh token", oauth: obtainedSet, answers: []string{`{"access_token":"a1"}`}, problem: connection.ErrRejectedInput},
		{name: "optional", oauth: strings.Replace(obtainedSet, "%s", ", optional: true", 1), answers: []string{first, "revoked"}, want: "map[default:a1/r1/60]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, inTurn(test.answers...))
			grant, err := exchange(fake(t, "oauth2-code", strings.Replace(test.oauth, "%s", "", 1)), s, nil)
			if connection.TypeOf(err) != test.problem || test.problem == "" && outcome(grant) != test.want || test.problem != "" && grant != nil || len(s.got) != len(test.answers) {
				t.Errorf("%s %v, asked %d times", outcome(grant), err, len(s.got))
			}
		})
	}
}

func TestSetsOfAMachine(t *testing.T) {
	m := fake(t, "oauth2-client-credentials", `    oauth:
      client_auth: post
      token: {url: "{+base_url}/token"}
      answer: {tokens: {default: {}, files: {obtain: {scopes: [f/.default]}}}}
`)
	s := serve(t, func(_ int, r received, w http.ResponseWriter) {
		_, _ = fmt.Fprintf(w, `{"access_token":"for %s"}`, r.form.Get("scope"))
	})
	grant, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: testClient, Scopes: []string{"g"}, Values: at(s)})
	if err != nil || outcome(grant) != "map[default:for g//0 files:for f/.default//0]" {
		t.Error(err, outcome(grant))
	}
}
