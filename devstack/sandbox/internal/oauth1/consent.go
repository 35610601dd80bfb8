package oauth1

import (
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"connectedapps/devstack/sandbox/internal/forms"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

//go:embed consent.html
var consentSource string

var consentPage = template.Must(template.New("consent").Parse(consentSource))

type consentView struct {
	Client, ReturnTo, Token, CSRF string
	Accounts                      []state.Account
}

// temporaryToken finds one that waits for a person, or answers that there is none.
func (s *Server) temporaryToken(w http.ResponseWriter, r *http.Request, token string) (found state.SignedToken, ok bool) {
	found, err := s.state.SignedToken(r.Context(), token)
	switch {
	case err != nil && !errors.Is(err, state.ErrNotFound):
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return found, false
	case err != nil, !found.Temporary, found.Account != "", !s.clock.Now().Before(found.ExpiresAt):
		http.Error(w, "This request is unknown, too old, or was answered. Go back to the app and start again.", http.StatusBadRequest)
		return found, false
	}
	return found, true
}

// showConsent is GET /oauth1/authorize (RFC 5849 section 2.2).
func (s *Server) showConsent(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("oauth_token")
	found, ok := s.temporaryToken(w, r, token)
	if !ok {
		return
	}
	callback, err := url.Parse(found.Callback)
	if err != nil {
		http.Error(w, "The callback is no address.", http.StatusBadRequest)
		return
	}
	forms.Render(w, http.StatusOK, consentPage, consentView{
		Client: found.Client, ReturnTo: callback.Host, Token: token, CSRF: s.forms.Token(w, r, token), Accounts: state.DemoAccounts,
	})
}

// decide is POST /oauth1/authorize: the person's decision. A refusal goes back without a verifier, with "denied", as
// Twitter and Trello do it; RFC 5849 leaves it open.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return
	}
	token := r.PostForm.Get("request")
	if !s.forms.Matches(r, token, r.PostForm.Get("csrf")) {
		http.Error(w, "This form was not served to this browser. Go back to the app and start again.", http.StatusForbidden)
		return
	}
	found, ok := s.temporaryToken(w, r, token)
	if !ok {
		return
	}
	target, err := url.Parse(found.Callback)
	if err != nil {
		http.Error(w, "The callback is no address.", http.StatusBadRequest)
		return
	}
	entry := ledger.Entry{Kind: ledger.KindAuthorize, GrantType: "oauth1", Status: http.StatusSeeOther, Client: found.Client}
	account, known := state.DemoAccount(r.PostForm.Get("user"))
	query := target.Query()
	switch decision := r.PostForm.Get("decision"); {
	case decision == "deny":
		entry.Outcome = "access_denied"
		query.Set("denied", token)
		err = s.state.RemoveSignedToken(r.Context(), token)
	case decision == "approve" && known:
		verifier := state.NewSecret("ver_")
		entry.Outcome, entry.Account = ledger.OutcomeOK, account.ID
		found.Account, found.Verifier = account.ID, state.HashSecret(verifier)
		query.Set("oauth_token", token)
		query.Set("oauth_verifier", verifier)
		err = s.state.PutSignedToken(r.Context(), token, found)
	default:
		http.Error(w, "Send decision=approve or decision=deny, and user=ada or user=grace.", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if !s.book(w, entry) {
		return
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}
