package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

// maxFormBytes bounds what is read of a form.
const maxFormBytes = 64 << 10

// ShowConsent is GET /oauth/authorize (RFC 6749 section 4.1.1): it asks the person, or reports what is wrong
// with the request.
func (s *Server) ShowConsent(w http.ResponseWriter, r *http.Request) {
	request, err := s.provider.NewAuthorizeRequest(r.Context(), r)
	if err == nil {
		err = checkBeforeConsent(request)
	}
	if err != nil {
		s.refuseAuthorization(w, r, request, "", err)
		return
	}
	s.renderConsent(w, r, request)
}

// checkBeforeConsent finds early what the library would only find once the person has agreed.
func checkBeforeConsent(request fosite.AuthorizeRequester) error {
	for _, scope := range request.GetRequestedScopes() {
		if !fosite.ExactScopeStrategy(request.GetClient().GetScopes(), scope) {
			return fosite.ErrInvalidScope.WithHintf("The client is not registered for scope %q.", scope)
		}
	}
	form := request.GetRequestForm()
	if form.Get("code_challenge") == "" || form.Get("code_challenge_method") != "S256" {
		return fosite.ErrInvalidRequest.WithHint("PKCE is required: send code_challenge and code_challenge_method=S256.")
	}
	return nil
}

// Decide is POST /oauth/authorize: the person's decision, with the original request in a hidden field.
func (s *Server) Decide(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return
	}
	query := r.PostForm.Get("request")
	if !s.forms.Matches(r, query, r.PostForm.Get("csrf")) {
		http.Error(w, "This form was not served to this browser. Go back to the app and start again.", http.StatusForbidden)
		return
	}
	request, err := s.originalRequest(r, query)
	if err == nil {
		err = checkBeforeConsent(request)
	}
	if err != nil {
		s.refuseAuthorization(w, r, request, "", err)
		return
	}
	account, known := state.DemoAccount(r.PostForm.Get("user"))
	switch decision := r.PostForm.Get("decision"); {
	case decision == "deny":
		s.refuseAuthorization(w, r, request, account.ID, fosite.ErrAccessDenied.WithHint("The person said no."))
	case decision != "approve" || !known:
		http.Error(w, "Send decision=approve or decision=deny, and user=ada or user=grace.", http.StatusBadRequest)
	default:
		s.authorize(w, r, request, account, r.PostForm["withhold"])
	}
}

// originalRequest has the library check the query of the GET again: the hidden field came from a browser.
func (s *Server) originalRequest(r *http.Request, query string) (fosite.AuthorizeRequester, error) {
	original, err := http.NewRequestWithContext(r.Context(), http.MethodGet, AuthorizePath+"?"+query, nil)
	if err != nil {
		return fosite.NewAuthorizeRequest(), fosite.ErrInvalidRequest.WithWrap(err)
	}
	return s.provider.NewAuthorizeRequest(r.Context(), original)
}

// authorize grants what was asked but for the scopes withheld, and sends the browser back with a code.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, account state.Account, withheld []string) {
	for _, scope := range request.GetRequestedScopes() {
		if !slices.Contains(withheld, scope) {
			request.GrantScope(scope)
		}
	}
	var response fosite.AuthorizeResponder
	err := s.state.Update(r.Context(), func(ctx context.Context) (err error) {
		response, err = s.provider.NewAuthorizeResponse(ctx, request, s.lifetimes.newSession(account.ID))
		return err
	})
	if err != nil {
		s.refuseAuthorization(w, r, request, account.ID, err)
		return
	}
	response.AddParameter("iss", s.issuer) // RFC 9207
	if !s.book(w, ledger.Entry{
		Kind: ledger.KindAuthorize, Outcome: ledger.OutcomeOK, Status: http.StatusSeeOther,
		Client: request.GetClient().GetID(), Account: account.ID, Family: request.GetID(),
		Scope: strings.Join(request.GetGrantedScopes(), " "),
	}) {
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.provider.WriteAuthorizeResponse(r.Context(), w, request, response)
}

// refuseAuthorization tells the client by redirect (RFC 6749 section 4.1.2.1, with iss), or the person directly
// where the client or its redirect URI cannot be trusted.
func (s *Server) refuseAuthorization(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, account string, err error) {
	entry := ledger.Entry{
		Kind: ledger.KindAuthorize, Outcome: errorCode(err), Status: http.StatusSeeOther,
		Client: request.GetRequestForm().Get("client_id"), Account: account,
		Scope: strings.Join(request.GetRequestedScopes(), " "),
	}
	if !request.IsRedirectURIValid() {
		entry.Status = fosite.ErrorToRFC6749Error(err).StatusCode()
		if s.book(w, entry) {
			s.provider.WriteAuthorizeError(r.Context(), w, request, err)
		}
		return
	}
	if !s.book(w, entry) {
		return
	}
	target := *request.GetRedirectURI()
	query := target.Query()
	for name, values := range answerParameters(err, request.GetState(), s.issuer) {
		query[name] = values
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

func answerParameters(err error, requestState, issuer string) url.Values {
	parameters := fosite.ErrorToRFC6749Error(err).ToValues()
	parameters.Set("iss", issuer)
	if requestState != "" {
		parameters.Set("state", requestState)
	}
	return parameters
}

// book writes a ledger entry, or answers 500: what is not in the ledger must not be acknowledged.
func (s *Server) book(w http.ResponseWriter, entry ledger.Entry) bool {
	entry.Time = s.clock.Now()
	if family, err := s.state.Family(context.Background(), entry.Family); err == nil {
		entry.Live = new(!family.Revoked())
	}
	if err := s.ledger.Append(entry); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	return true
}
