package oauth

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/forms"
	"connectedapps/devstack/sandbox/internal/state"
)

//go:embed consent.html
var consentSource string

var consentPage = template.Must(template.New("consent").Parse(consentSource))

// scopeMeaning is how the consent page puts a scope to a person.
var scopeMeaning = map[string]string{
	ScopeContactsRead:  "Read your contacts",
	ScopeContactsWrite: "Create, change and delete contacts, and create API keys",
	ScopeOfflineAccess: "Keep access while you are away",
}

type consentView struct {
	Client   string
	Action   string
	ReturnTo string // "" where the browser stays
	Scopes   []scopeView
	Accounts []state.Account
	Request  string
	CSRF     string
}

type scopeView struct{ Name, Meaning string }

func describeScopes(scopes []string) []scopeView {
	var views []scopeView
	for _, scope := range scopes {
		views = append(views, scopeView{Name: scope, Meaning: scopeMeaning[scope]})
	}
	return views
}

func (s *Server) renderConsent(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester) {
	forms.Render(w, http.StatusOK, consentPage, consentView{
		Client: request.GetClient().GetID(), Action: AuthorizePath, ReturnTo: request.GetRedirectURI().Host,
		Scopes: describeScopes(request.GetRequestedScopes()), Accounts: state.DemoAccounts,
		Request: r.URL.RawQuery, CSRF: s.forms.Token(w, r, r.URL.RawQuery),
	})
}
