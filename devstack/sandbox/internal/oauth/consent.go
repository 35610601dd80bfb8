package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/state"
)

//go:embed consent.html
var consentSource string

var consentPage = template.Must(template.New("consent").Parse(consentSource))

// formCookie binds the consent form to the browser it was served to (double submit, signed).
const formCookie = "sandbox_consent"

// scopeMeaning is how the consent page puts a scope to a person.
var scopeMeaning = map[string]string{
	ScopeContactsRead:  "Read your contacts",
	ScopeContactsWrite: "Create, change and delete contacts, and create API keys",
	ScopeOfflineAccess: "Keep access while you are away",
}

type consentView struct {
	Client   string
	ReturnTo string
	Scopes   []scopeView
	Accounts []state.Account
	Request  string
	CSRF     string
}

type scopeView struct{ Name, Meaning string }

func (s *Server) renderConsent(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester) {
	view := consentView{
		Client:   request.GetClient().GetID(),
		ReturnTo: request.GetRedirectURI().Host,
		Accounts: state.DemoAccounts,
		Request:  r.URL.RawQuery,
		CSRF:     s.formToken(browserOf(w, r), r.URL.RawQuery),
	}
	for _, scope := range request.GetRequestedScopes() {
		view.Scopes = append(view.Scopes, scopeView{Name: scope, Meaning: scopeMeaning[scope]})
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	// No form-action: browsers apply it to the redirect after the post as well, which leads to the client.
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	_ = consentPage.Execute(w, view) // the browser has gone if this fails
}

// browserOf names the browser by its cookie, giving it one if it has none.
func browserOf(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(formCookie); err == nil && cookie.Value != "" {
		return cookie.Value
	}
	browser := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: formCookie, Value: browser, Path: AuthorizePath,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return browser
}

func (s *Server) formToken(browser, request string) string {
	mac := hmac.New(sha256.New, s.csrfKey)
	mac.Write([]byte(browser + "\x00" + request))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) formTokenMatches(r *http.Request, request, token string) bool {
	cookie, err := r.Cookie(formCookie)
	if err != nil || cookie.Value == "" {
		return false
	}
	return hmac.Equal([]byte(token), []byte(s.formToken(cookie.Value, request)))
}
