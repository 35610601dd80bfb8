package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectedapps/connection"
)

func ref(t *testing.T, text string) connection.ToolkitRef {
	t.Helper()
	r, err := connection.ParseToolkitRef("toolkit", text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// An agent's token opens its toolkits, of its own environment, and no page.
func TestAgentTokens(t *testing.T) {
	b := newBench(t, nil)
	own, foreign := ref(t, "development/atlas/main"), ref(t, "production/atlas/main")
	token, made := NewToken("development"), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b.vaults["development"].tokens[Hash(token)] = connection.AccessToken{Name: "bot", Role: AgentRole, Toolkits: []connection.ToolkitRef{own, foreign}, Created: made}
	who, err := b.identify(bearer(token.Reveal()))
	if err != nil || !who.Agent() || len(who.Roles) != 0 || !who.Created.Equal(made) {
		t.Fatalf("%+v, %v", who, err)
	}
	if err := who.CheckToolkit(own); err != nil {
		t.Error(err)
	}
	for _, other := range []connection.ToolkitRef{foreign, ref(t, "development/atlas/main/other"), ref(t, "development/atlas/other")} {
		if connection.TypeOf(who.CheckToolkit(other)) != connection.ErrNotAllowed {
			t.Errorf("%s may be used", other)
		}
	}
	if connection.TypeOf(who.CheckBeyondTools()) != connection.ErrNotAllowed {
		t.Error("an agent may do more than use tools")
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, testSite+"/", http.NoBody)
	bearer(token.Reveal())(r)
	b.guard.Pages(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a page was shown") })).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a page: %d", w.Code)
	}
}

// A JWT for the MCP server is good for nothing else, and its scopes narrow it to toolkits.
func TestBearersForTools(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t, func(o *ProviderOptions) { o.ToolsAudience = testSite + "/mcp" }))
	atlas := ref(t, "production/atlas/main")
	for name, c := range map[string]struct {
		audience string
		over     map[string]any
		may      bool // use atlas
		beyond   bool
		agent    bool
	}{
		"the gateway's":            {testSite, nil, true, true, false},
		"the MCP server's":         {testSite + "/mcp", nil, true, false, false},
		"a scope for it":           {testSite + "/mcp", map[string]any{"scope": "openid toolkit:production/atlas/main"}, true, false, true},
		"a list of scopes":         {testSite, map[string]any{"scp": []string{"toolkit:production/atlas/main"}}, true, false, true},
		"a scope for another":      {testSite + "/mcp", map[string]any{"scope": "toolkit:production/atlas/other"}, false, false, true},
		"a scope beyond the roles": {testSite, map[string]any{"scope": "toolkit:production/atlas/main", "groups": []string{"dev"}}, false, false, true},
		"a scope that is none":     {testSite, map[string]any{"scope": "toolkit:x"}, false, false, true},
	} {
		who, err := b.identify(bearer(i.signed(i.says(c.audience, c.over))))
		if err != nil || (who.CheckToolkit(atlas) == nil) != c.may || (who.CheckBeyondTools() == nil) != c.beyond || who.Agent() != c.agent {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if _, err := b.identify(bearer(i.signed(i.says("https://other.example/mcp", nil)))); connection.TypeOf(err) != connection.ErrNotSignedIn {
		t.Errorf("another's token: %v", err)
	}
}

// Both claims for scopes are read as a string or a list; a token whose scopes cannot be
// read is refused, and never taken for one without them.
func TestScopesInEveryForm(t *testing.T) {
	i := newIssuer(t)
	b := newBench(t, i.provider(t, func(o *ProviderOptions) { o.ToolsAudience = testSite + "/mcp" }))
	own, other := ref(t, "production/atlas/main"), ref(t, "production/atlas/other")
	scope := ScopeToolkit + own.String()
	for _, claim := range []string{"scope", "scp"} {
		for name, value := range map[string]any{
			"a string": "openid " + scope, "a list": []string{"openid", scope}, "a list of several": []string{"openid " + scope},
		} {
			who, err := b.identify(bearer(i.signed(i.says(testSite, map[string]any{claim: value}))))
			if err != nil || !who.Agent() || who.CheckToolkit(own) != nil || who.CheckToolkit(other) == nil || len(who.Roles) != 0 {
				t.Errorf("%s as %s: %+v, %v", claim, name, who, err)
			}
		}
		for name, value := range map[string]any{
			"a number": 7, "a boolean": true, "an object": map[string]any{scope: true}, "a list with a number": []any{scope, 7},
			"a list with a null": []any{scope, nil}, "a list of lists": []any{[]string{scope}},
		} {
			who, err := b.identify(bearer(i.signed(i.says(testSite, map[string]any{claim: value}))))
			if connection.TypeOf(err) != connection.ErrNotSignedIn {
				t.Errorf("%s as %s: %+v, %v", claim, name, who, err)
			}
		}
		for name, value := range map[string]any{"no toolkit": "openid profile", "an empty string": "", "an empty list": []string{}} {
			who, err := b.identify(bearer(i.signed(i.says(testSite, map[string]any{claim: value}))))
			if err != nil || who.Agent() || who.CheckToolkit(own) != nil {
				t.Errorf("%s as %s: %+v, %v", claim, name, who, err)
			}
		}
	}
}
