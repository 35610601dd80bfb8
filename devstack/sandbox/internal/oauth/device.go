package oauth

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/forms"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

//go:embed device.html
var deviceSource string

var devicePage = template.Must(template.New("device").Parse(deviceSource))

// AuthorizeDevice is POST /oauth/device_authorization (RFC 8628 section 3.1).
func (s *Server) AuthorizeDevice(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, fosite.ErrInvalidRequest.WithWrap(err))
		return
	}
	entry := ledger.Entry{Kind: ledger.KindDevice, Client: clientOf(r), Scope: r.PostForm.Get("scope"), Status: http.StatusOK, Outcome: ledger.OutcomeOK}
	body, err := s.openDevice(r)
	if err != nil {
		entry.Outcome, entry.Status = errorCode(err), fosite.ErrorToRFC6749Error(err).StatusCode()
		if s.book(w, entry) {
			s.provider.WriteAccessError(r.Context(), w, nil, err)
		}
		return
	}
	if s.book(w, entry) {
		writeJSON(w, body)
	}
}

// openDevice checks the client as the token endpoint does, and makes the two codes.
func (s *Server) openDevice(r *http.Request) (map[string]any, error) {
	if authenticationsOf(r) > 1 {
		return nil, fosite.ErrInvalidRequest.WithHint("The client authenticated in two ways at once.")
	}
	client, err := s.provider.AuthenticateClient(r.Context(), r, r.PostForm)
	if err != nil {
		return nil, err
	}
	if !client.GetGrantTypes().Has(grantDeviceCode) {
		return nil, fosite.ErrUnauthorizedClient.WithHint("The client is not registered for this grant.")
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	for _, scope := range scopes {
		if !fosite.ExactScopeStrategy(client.GetScopes(), scope) {
			return nil, fosite.ErrInvalidScope.WithHintf("The client is not registered for scope %q.", scope)
		}
	}
	now, current := s.clock.Now(), s.live.Current()
	request := fosite.NewRequest()
	request.Client, request.RequestedAt, request.Form = client, now, url.Values{}
	request.SetRequestedScopes(scopes)
	request.SetSession(s.lifetimes.newSession(""))
	raw, err := dehydrate(request)
	if err != nil {
		return nil, fosite.ErrServerError.WithWrap(err)
	}
	deviceCode, userCode := state.NewSecret("dev_"), newUserCode()
	err = s.state.PutDevice(r.Context(), deviceCode, state.Device{
		UserCode: userCode, Client: client.GetID(), Scopes: scopes, Request: raw,
		ExpiresAt: now.Add(current.DeviceTTL.Std()), Interval: current.DeviceInterval.Std(),
	})
	if err != nil {
		return nil, fosite.ErrServerError.WithWrap(err)
	}
	return map[string]any{
		"device_code": deviceCode, "user_code": userCode, "verification_uri": s.issuer + DevicePath,
		"verification_uri_complete": s.issuer + DevicePath + "?user_code=" + userCode,
		"expires_in":                int(current.DeviceTTL.Std().Seconds()), "interval": int(current.DeviceInterval.Std().Seconds()),
	}, nil
}

// newUserCode is eight letters of an alphabet without vowels and lookalikes (RFC 8628 section 6.1): 34 bits.
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	var code strings.Builder
	for code.Len() < 9 {
		if code.Len() == 4 {
			code.WriteByte('-')
		}
		var drawn [1]byte
		_, _ = rand.Read(drawn[:])                         // crypto/rand.Read never fails (Go 1.24)
		if int(drawn[0]) < 256/len(letters)*len(letters) { // or some letters would be likelier
			code.WriteByte(letters[int(drawn[0])%len(letters)])
		}
	}
	return code.String()
}

// standardUserCode forgives case, spaces and a missing dash.
func standardUserCode(typed string) string {
	letters := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	if len(letters) != 8 {
		return letters
	}
	return letters[:4] + "-" + letters[4:]
}

type deviceView struct {
	UserCode, Message, CSRF string
}

// ShowDevice is GET /oauth/device: the page that a person types the code into.
func (s *Server) ShowDevice(w http.ResponseWriter, r *http.Request) {
	s.askForCode(w, r, http.StatusOK, r.URL.Query().Get("user_code"), "")
}

func (s *Server) askForCode(w http.ResponseWriter, r *http.Request, status int, userCode, message string) {
	forms.Render(w, status, devicePage, deviceView{UserCode: userCode, Message: message, CSRF: s.forms.Token(w, r, DevicePath)})
}

// DecideDevice is POST /oauth/device: first the code, then, with the code in a hidden field, the decision.
func (s *Server) DecideDevice(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return
	}
	userCode, bound := standardUserCode(r.PostForm.Get("user_code")), DevicePath
	decision := r.PostForm.Get("decision")
	if decision != "" {
		userCode = r.PostForm.Get("request")
		bound = DevicePath + "?" + userCode // agreeing needs the page that says to what
	}
	if !s.forms.Matches(r, bound, r.PostForm.Get("csrf")) {
		http.Error(w, "This form was not served to this browser. Open the page again.", http.StatusForbidden)
		return
	}
	device, err := s.state.DeviceByUserCode(r.Context(), userCode)
	if err == nil && !s.clock.Now().Before(device.ExpiresAt) {
		err = state.ErrNotFound
	}
	switch {
	case errors.Is(err, state.ErrNotFound):
		s.askForCode(w, r, http.StatusUnprocessableEntity, userCode, "There is no such code, or it has expired.")
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case decision == "":
		forms.Render(w, http.StatusOK, consentPage, consentView{
			Client: device.Client, Action: DevicePath, Scopes: describeScopes(device.Scopes), Accounts: state.DemoAccounts,
			Request: userCode, CSRF: s.forms.Token(w, r, DevicePath+"?"+userCode),
		})
	default:
		s.decide(w, r, device, decision)
	}
}

// decide keeps the decision, for the device to find at its next poll.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, device state.Device, decision string) {
	account, known := state.DemoAccount(r.PostForm.Get("user"))
	entry := ledger.Entry{Kind: ledger.KindAuthorize, GrantType: grantDeviceCode, Status: http.StatusOK,
		Client: device.Client, Account: account.ID, Scope: strings.Join(device.Scopes, " ")}
	var decided state.Decision
	switch {
	case decision == "deny":
		decided, entry.Outcome = state.Denied, fosite.ErrAccessDenied.ErrorField
	case decision == "approve" && known:
		decided, entry.Outcome = state.Approved, ledger.OutcomeOK
	default:
		http.Error(w, "Send decision=approve or decision=deny, and user=ada or user=grace.", http.StatusBadRequest)
		return
	}
	withheld := r.PostForm["withhold"]
	scopes := slices.DeleteFunc(slices.Clone(device.Scopes), func(scope string) bool { return slices.Contains(withheld, scope) })
	if err := s.state.DecideDevice(r.Context(), device.UserCode, account.ID, decided, scopes); err != nil {
		http.Error(w, "This code was answered already.", http.StatusConflict)
		return
	}
	if s.book(w, entry) {
		forms.Render(w, http.StatusOK, devicePage, deviceView{Message: "Done. You can close this page and go back to the app."})
	}
}
