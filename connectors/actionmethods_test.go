package connectors

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// idsOf are actions as one text, or the problem's type.
func idsOf(t *testing.T, actions []*Action, err error) string {
	t.Helper()
	if err != nil {
		return problemOf(t, err).Type
	}
	out := make([]string, len(actions))
	for i, a := range actions {
		out[i] = a.ID
	}
	return strings.Join(out, " ")
}

// A way to authenticate gets the actions that work with it, asks for their
// scopes alone, and says no to the others before anything is sent.
func TestActionsOfAMethod(t *testing.T) {
	app := appOf(t, "microsoft-graph")
	machine, person := methodOf(t, app.ID, "client-credentials"), methodOf(t, app.ID, "oauth")
	for access, want := range map[string]string{AccessRead: "list-users list-channels", AccessReadWrite: "list-users list-channels"} {
		actions, err := app.ActionsFor(machine, access, nil)
		if got := idsOf(t, actions, err); got != want {
			t.Errorf("%s: %s", access, got)
		}
	}
	if actions, err := app.ActionsFor(person, AccessReadWrite, nil); err != nil || len(actions) != len(app.Actions) {
		t.Error(len(actions), err)
	}
	if actions, err := app.ActionsFor(machine, AccessActions, []string{"list-users"}); idsOf(t, actions, err) != "list-users" {
		t.Error(actions, err)
	}
	_, err := app.ActionsFor(machine, AccessActions, []string{"list-users", "send-mail"})
	if problem := problemOf(t, err); problem.Type != connection.ErrInvalidInput || problem.Field != "actions" ||
		!strings.Contains(problem.Error(), "send-mail") || !strings.Contains(problem.Remedy, "oauth, device") {
		t.Errorf("%+v", problem)
	}
	s := sessionOf(t, app.ID, "client-credentials")
	p := answering(200, `{}`)
	_, err = s.Call(context.Background(), p.client(), s.mustAction(t, "get-me"), CallInput{Arguments: json.RawMessage(`{}`)})
	if problem := problemOf(t, err); problem.Type != connection.ErrInvalidInput || len(p.asked) > 0 {
		t.Errorf("%+v %v", problem, p.asked)
	}
	slack := appOf(t, "slack")
	bot, user := methodOf(t, "slack", "oauth").ScopesFor(slack.Actions), methodOf(t, "slack", "oauth-user").ScopesFor(slack.Actions)
	if slices.Contains(bot, "search:read") || !slices.Contains(user, "search:read") {
		t.Error(bot, user)
	}
}

func TestWrongActionMethods(t *testing.T) {
	limited := func(methods string) string {
		return strings.Replace(full, "    status: unverified\n", "    status: unverified\n    methods: "+methods+"\n", 1)
	}
	for methods, want := range map[string]string{"[oauth, login]": "", "[oauth, logn]": `did you mean "login"`, "[one, one]": "there already", "[oauth2-code]": "no way to authenticate", "[]": ""} {
		_, defects := ValidateDir(write(t, t.TempDir(), "full.yaml", limited(methods)))
		switch {
		case methods == "[]" && len(defects) == 0, want != "" && (len(defects) != 1 || !strings.Contains(defects[0].Reason, strings.ReplaceAll(want, `"`, "")) && !strings.Contains(defects[0].Reason, want)):
			t.Errorf("%s: %v", methods, defects)
		case methods != "[]" && want == "" && len(defects) > 0:
			t.Errorf("%s: %v", methods, defects)
		}
	}
}

// What is granted covers what it implies, however far that goes.
func TestMissingScopes(t *testing.T) {
	m := &Method{OAuth: &OAuth{Scopes: ScopeRules{Implies: map[string][]string{"admin": {"write", "admin"}, "write": {"read"}, "read": {"write"}}}}}
	for _, test := range []struct{ asked, granted, missing string }{
		{"read write", "write", ""}, {"read write admin", "admin", ""}, {"read admin other", "write", "admin other"}, {"read", "", "read"}, {"", "x", ""},
	} {
		if got := m.Missing(strings.Fields(test.asked), strings.Fields(test.granted)); strings.Join(got, " ") != test.missing {
			t.Errorf("%+v: %v", test, got)
		}
	}
	if got := (&Method{}).Missing([]string{"a"}, []string{"b"}); !slices.Equal(got, []string{"a"}) {
		t.Error(got)
	}
	shop := methodOf(t, "shopify", "oauth")
	if got := shop.Missing([]string{"read_products", "write_products", "read_customers"}, []string{"write_products"}); !slices.Equal(got, []string{"read_customers"}) {
		t.Error(got)
	}
}

// A list that is all of a parameter repeats it, whatever the parameter is called.
func TestListsInTheQuery(t *testing.T) {
	server := recording(t, nil)
	s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
	a := made(Request{Method: "GET", Path: "/x", Query: map[string]Text{"ids[]": "{ids}", "labelIds": "{labels}", "q": "{q}", "none": "{none}", "sum": "{sum}"}})
	a.Compute = []Computed{{"sum", `string(size(parse_json(ids)))`}}
	if err := s.callMade(t, a, `{"ids":["a&b",2,true],"labels":[],"q":"x"}`); err != nil {
		t.Fatal(err)
	}
	if got := server.asked[0].URL.RawQuery; got != "ids%5B%5D=a%26b&ids%5B%5D=2&ids%5B%5D=true&q=x&sum=3" {
		t.Error(got)
	}
	if problem := problemOf(t, s.callMade(t, a, `{"ids":[{"a":1}]}`)); problem.Type != connection.ErrInvalidArguments || problem.Field != "$.ids" || len(server.asked) > 1 {
		t.Errorf("%+v", problem)
	}
}

// A cursor goes where a text of the query names it; without one the parameter is left out.
func TestCursorInAText(t *testing.T) {
	for _, test := range []struct {
		paging        Paging
		query         map[string]Text
		body          string
		cursor, asked string
		sent          string
	}{
		{paging: Paging{Kind: PagingCursor, To: "after"}, query: map[string]Text{"filter": "id>{after}"}, cursor: "c1", asked: "filter=id%3Ec1"},
		{paging: Paging{Kind: PagingCursor, To: "after"}, query: map[string]Text{"filter": "id>{after}"}, asked: ""},
		{paging: Paging{Kind: PagingCursor, To: "after"}, query: map[string]Text{"x": "1"}, cursor: "c1", asked: "after=c1&x=1"},
		{paging: Paging{Kind: PagingPage, To: "p"}, query: map[string]Text{"page[number]": "{p}"}, cursor: "2", asked: "page%5Bnumber%5D=2"},
		{paging: Paging{Kind: PagingPage, To: "page", InBody: true}, body: `{"v":{"page":"{page}"}}`, cursor: "02", sent: `{"v":{"page":2}}`},
		{paging: Paging{Kind: PagingPage, To: "page", InBody: true}, body: `{"v":{"page":"{page}"},"n":1}`, sent: `{"n":1}`},
	} {
		server := recording(t, nil)
		s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
		a := made(Request{Method: "POST", Path: "/x", Query: test.query})
		if test.body != "" {
			a.Request.Body = &Body{Template: templateOf(t, test.body)}
		}
		a.Paging = &test.paging
		if _, err := s.Call(t.Context(), real(outbound.Policy{}), a, CallInput{Arguments: json.RawMessage(`{}`), Cursor: test.cursor}); err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		if got := server.asked[0].URL.RawQuery; got != test.asked || test.sent != "" && server.bodies[0] != test.sent {
			t.Errorf("%+v: %s %s", test, got, server.bodies[0])
		}
	}
	for _, test := range []struct{ paging, reason string }{
		{"{kind: cursor, from: next, to: name, in_body: true}", ""},
		{"{kind: cursor, from: next, to: after, in_body: true}", "{name} is no input"},
		{"{kind: link, to: name}", "{name} is no input"},
	} {
		text := strings.Replace(full, ", name: {type: string}}}", "}}\n    paging: "+test.paging, 1)
		_, defects := ValidateDir(write(t, t.TempDir(), "full.yaml", text))
		if test.reason == "" && len(defects) > 0 || test.reason != "" && (len(defects) != 1 || !strings.Contains(defects[0].Reason, test.reason)) {
			t.Errorf("%s: %v", test.paging, defects)
		}
	}
}

// A revocation says what the provider wants to know beside the token.
func TestRevokeWithMore(t *testing.T) {
	oauth := `    compute: [{name: proof, value: 'hex(sha256(token))'}]
    oauth:
      client_auth: post
      authorize: {url: "{+base_url}/authorize"}
      token: {url: "{+base_url}/token"}
      answer: {values: {account: account_id}}
      revoke:
        url: "{+base_url}/revoke"
        auth: bearer
        parameter: "-"
        params: {account: "{account}", left: "{account} {missing}", who: "{client_id}"}
        headers: {X-Version: "7", X-Account: "{account}", X-Proof: "{proof}", Authorization: mine}
`
	text := strings.Replace(oauth, " {missing}", "", 1)
	m := fake(t, "oauth2-code", text)
	m.OAuth.Revoke.Params["left"] = "{account} {missing}"
	credential := connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("abc")}}}
	s := serve(t, always(200, ""))
	if _, err := m.Revoke(context.Background(), s.Client(), RevokeInput{Client: testClient, Credential: credential, Values: at(s, "account", "acct_1")}); err != nil {
		t.Fatal(err)
	}
	got := s.got[0]
	if got.form.Encode() != "account=acct_1&who=client-id" || got.header.Get("X-Version") != "7" || got.header.Get("X-Account") != "acct_1" ||
		got.header.Get("X-Proof") != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || got.header.Get("Authorization") != "Bearer abc" {
		t.Errorf("%v %v", got.form, got.header)
	}
	if _, err := m.Revoke(context.Background(), s.Client(), RevokeInput{Client: testClient, Credential: credential, Values: at(s, "account", "a\r\nX: y")}); problemOf(t, err).Type != connection.ErrInvalidInput || len(s.got) > 1 {
		t.Errorf("%v", err)
	}
	for _, wrong := range []string{`{x: "{nobody}"}`, `{x: "{redirect_uri}"}`} {
		spoilt := strings.Replace(full, "      then: [", "      revoke: {url: \"https://full.example/revoke\", params: "+wrong+"}\n      then: [", 1)
		if _, defects := ValidateDir(write(t, t.TempDir(), "full.yaml", spoilt)); len(defects) != 1 || defects[0].Field != "auth[0].oauth.revoke.params.x" {
			t.Errorf("%s: %v", wrong, defects)
		}
	}
}
