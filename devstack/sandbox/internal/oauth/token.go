package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// Grant types, beside authorization_code, which the library knows by itself.
const (
	grantRefreshToken      = "refresh_token"
	grantClientCredentials = "client_credentials"
	grantPassword          = "password"
	grantJWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"  // RFC 7523 section 2.1
	grantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 section 3.4
)

// AllGrantTypes is every grant a client can be registered for.
var AllGrantTypes = []string{
	"authorization_code", grantRefreshToken, grantClientCredentials, grantPassword, grantJWTBearer, grantDeviceCode,
}

// answer is what a token request came to. Exactly one of body and err is set.
type answer struct {
	body  map[string]any
	err   error
	trace trace
}

// Token is POST /oauth/token (RFC 6749 section 3.2).
func (s *Server) Token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, fosite.ErrInvalidRequest.WithWrap(err))
		return
	}
	if s.clock.Sleep(r.Context(), s.live.Current().TokenDelay.Std()) != nil {
		return // the client has gone, before anything was done
	}
	grantType := r.PostForm.Get("grant_type")
	entry := ledger.Entry{
		Kind: ledger.KindToken, GrantType: grantType, Client: clientOf(r), Presented: ledger.Fingerprint(presentedToken(r)),
	}
	failure, failing := s.live.TakeTokenFailure(grantType)
	if failing && !failure.After {
		entry.Outcome, entry.Detail = "failed", detailFailed
		s.fail(w, entry, failure)
		return
	}
	done := s.exchange(r)
	done.trace.describe(&entry, done.err)
	entry.IssuedAccess = ledger.Fingerprint(text(done.body["access_token"]))
	entry.IssuedRefresh = ledger.Fingerprint(text(done.body["refresh_token"]))
	entry.Scope = text(done.body["scope"])
	if failing {
		entry.Lost = true
		s.fail(w, entry, failure)
		return
	}
	s.answer(w, r, entry, done)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, entry ledger.Entry, done answer) {
	entry.Status = http.StatusOK
	if done.err != nil {
		entry.Status = fosite.ErrorToRFC6749Error(done.err).StatusCode()
	}
	if !s.book(w, entry) {
		return
	}
	// A client that leaves during this delay loses an answer that was given: that is what the delay is for.
	if s.clock.Sleep(r.Context(), s.live.Current().TokenAnswerDelay.Std()) != nil {
		return
	}
	if entry.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="sandbox"`) // RFC 6749 section 5.2
	}
	if done.err != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, done.err)
		return
	}
	writeJSON(w, done.body)
}

// exchange runs the whole request in one transaction. A refusal commits, for it may have revoked a family;
// only a failure of the server itself undoes what was done.
func (s *Server) exchange(r *http.Request) answer {
	var done answer
	err := s.state.Update(context.WithoutCancel(r.Context()), func(ctx context.Context) error {
		noted := &trace{grantType: r.PostForm.Get("grant_type")}
		body, err := s.redeem(withTrace(ctx, noted), r)
		done = answer{body: body, err: err, trace: *noted}
		if err != nil && errors.Is(err, fosite.ErrServerError) {
			return err
		}
		return nil
	})
	if err != nil {
		done.body, done.err = nil, err
	}
	return done
}

// errTooEarly is what Exact Online answers to a refresh while its access token is valid, down to the code: it has
// none of RFC 6749 section 5.2 for it.
var errTooEarly = &fosite.RFC6749Error{
	ErrorField: "access_denied", DescriptionField: "Rate limit exceeded: access_token not expired", CodeField: http.StatusBadRequest,
}

func (s *Server) redeem(ctx context.Context, r *http.Request) (map[string]any, error) {
	if authenticationsOf(r) > 1 {
		// RFC 6749 section 2.3: one method per request.
		return nil, fosite.ErrInvalidRequest.WithHint("The client authenticated in two ways at once.")
	}
	current := s.live.Current()
	if code := current.DenyRefresh; code != "" && r.PostForm.Get("grant_type") == grantRefreshToken {
		traceOf(ctx).detail = detailDenied
		return nil, &fosite.RFC6749Error{ErrorField: code, DescriptionField: "Refused by setting.", CodeField: http.StatusBadRequest}
	}
	request, err := s.provider.NewAccessRequest(ctx, r, s.lifetimes.newSession(state.ClientAccountID(clientOf(r))))
	if err != nil {
		return nil, err
	}
	noted := traceOf(ctx)
	if noted.inForce != nil {
		current = *noted.inForce
	}
	switch {
	case request.GetGrantTypes().ExactOne(grantClientCredentials):
		grantClientScopes(request)
	case request.GetGrantTypes().ExactOne(grantPassword):
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	case request.GetGrantTypes().ExactOne(grantJWTBearer):
		actAsService(ctx, request)
	}
	if request.GetGrantTypes().ExactOne(grantRefreshToken) && !current.MayRefresh(s.clock.Now(), noted.newestAccessUntil) {
		noted.detail = detailTooEarly
		return nil, errTooEarly
	}
	if noted.detail == detailGrace && current.Rotation == settings.RotationGraceSame {
		return s.repeatAnswer(ctx, r.PostForm.Get(grantRefreshToken))
	}
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		return nil, err
	}
	response.SetExpiresIn(current.AccessTTL.Std())
	body := response.ToMap()
	if request.GetGrantTypes().ExactOne(grantRefreshToken) {
		switch current.Rotation {
		case settings.RotationOmit:
			delete(body, grantRefreshToken)
		case settings.RotationGraceSame:
			return body, s.keepAnswer(ctx, r.PostForm.Get(grantRefreshToken), body)
		case settings.RotationStrict, settings.RotationGrace, settings.RotationGraceOld, settings.RotationSuccessor,
			settings.RotationUnexpired, settings.RotationNone:
		}
	}
	return body, nil
}

// grantClientScopes grants what was asked for, or all the client may have; never a refresh token, which has no
// place in this grant (RFC 6749 section 4.4.3).
func grantClientScopes(request fosite.AccessRequester) {
	scopes := request.GetRequestedScopes()
	if len(scopes) == 0 {
		scopes = request.GetClient().GetScopes()
	}
	for _, scope := range scopes {
		if scope != ScopeOfflineAccess {
			request.GrantScope(scope)
		}
	}
}

// clientOf is the client a request says it comes from, proven or not.
func clientOf(r *http.Request) string {
	if id, _, ok := r.BasicAuth(); ok {
		return id
	}
	if id := r.PostForm.Get("client_id"); id != "" {
		return id
	}
	return subjectOf(r.PostForm.Get("client_assertion"))
}

// authenticationsOf counts the ways in which a client authenticated.
func authenticationsOf(r *http.Request) int {
	count := 0
	for _, given := range []string{r.Header.Get("Authorization"), r.PostForm.Get("client_secret"), r.PostForm.Get("client_assertion")} {
		if given != "" {
			count++
		}
	}
	return count
}

func presentedToken(r *http.Request) string {
	switch r.PostForm.Get("grant_type") {
	case grantRefreshToken:
		return r.PostForm.Get(grantRefreshToken)
	case grantDeviceCode:
		return r.PostForm.Get("device_code")
	case grantJWTBearer:
		return r.PostForm.Get("assertion")
	default:
		return r.PostForm.Get("code")
	}
}

func text(value any) string {
	written, _ := value.(string)
	return written
}

// writeJSON answers 200 with what must not be cached (RFC 6749 section 5.1).
func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	_ = json.NewEncoder(w).Encode(body) // the client has gone if this fails
}
