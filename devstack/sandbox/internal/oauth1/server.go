package oauth1

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/forms"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

// Where the endpoints are, below the issuer.
const (
	RequestPath   = "/oauth1/request_token"
	AuthorizePath = "/oauth1/authorize"
	TokenPath     = "/oauth1/access_token"
)

// temporaryTTL is how long a person may take.
const temporaryTTL = 10 * time.Minute

// maxBodyBytes bounds what is read of a request.
const maxBodyBytes = 64 << 10

// Server is the three endpoints and the check of API requests.
type Server struct {
	issuer string
	state  *state.DB
	ledger *ledger.Ledger
	clock  clock.Clock
	forms  *forms.Guard
	key    []byte
	nonces nonces
}

// NewServer makes the endpoints. The issuer is an origin without a trailing slash.
func NewServer(ctx context.Context, issuer string, db *state.DB, book *ledger.Ledger, now clock.Clock) (*Server, error) {
	tokenKey, err := db.SigningKey(ctx, "oauth1-token-secrets")
	if err != nil {
		return nil, err
	}
	formKey, err := db.SigningKey(ctx, "oauth1-consent-form")
	if err != nil {
		return nil, err
	}
	return &Server{issuer: issuer, state: db, ledger: book, clock: now, key: tokenKey,
		forms: forms.NewGuard(formKey, "/oauth1"), nonces: nonces{used: map[string]time.Time{}}}, nil
}

// Register adds the endpoints to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST "+RequestPath, s.signedEndpoint("oauth1_request", false, s.request))
	mux.HandleFunc("POST "+TokenPath, s.signedEndpoint("oauth1_access", true, s.exchange))
	mux.HandleFunc("GET "+AuthorizePath, s.showConsent)
	mux.HandleFunc("POST "+AuthorizePath, s.decide)
}

// secretOf is the secret of a token. It is worked out from the token, so that nothing but the key has to be kept.
func (s *Server) secretOf(token string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// Access is what a signed API request stands for.
type Access struct{ Account, Client, Token string }

// Check verifies a signed API request (RFC 5849 section 3.2). A Refusal says why it is none.
func (s *Server) Check(ctx context.Context, r *http.Request, body []byte) (Access, error) {
	request, err := s.check(ctx, r, body, true, false)
	if err != nil {
		return Access{}, err
	}
	family, err := s.state.Family(ctx, request.token.Family)
	if err != nil {
		return Access{}, err
	}
	if family.Revoked() {
		return Access{}, errTokenRejected
	}
	return Access{Account: request.token.Account, Client: request.client.ID, Token: request.parameters["oauth_token"]}, nil
}

// Presented is the token that a request names, proven or not; "" for none.
func Presented(r *http.Request) string {
	given, err := parametersOf(r)
	if err != nil {
		return ""
	}
	return given["oauth_token"]
}

// signedEndpoint wraps an endpoint that a consumer asks: signature, answer as a form, one ledger entry.
func (s *Server) signedEndpoint(grantType string, wantToken bool, handle func(ctx context.Context, request signed, entry *ledger.Entry) (url.Values, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		entry := ledger.Entry{Kind: ledger.KindToken, GrantType: grantType, Outcome: ledger.OutcomeOK, Status: http.StatusOK,
			Presented: ledger.Fingerprint(Presented(r))}
		var answer url.Values
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
		var request signed
		if err == nil {
			// Outside of the transaction, which may run twice: a nonce is taken once.
			request, err = s.check(r.Context(), r, body, wantToken, wantToken)
		}
		if err == nil {
			entry.Client = request.client.ID
			err = s.state.Update(r.Context(), func(ctx context.Context) (err error) {
				answer, err = handle(ctx, request, &entry)
				return err
			})
		}
		if err != nil {
			s.refuse(w, entry, err)
			return
		}
		if s.book(w, entry) {
			w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = io.WriteString(w, answer.Encode()) // the client has gone if this fails
		}
	}
}

// refuse answers 401 for a refusal and 500 for anything else.
func (s *Server) refuse(w http.ResponseWriter, entry ledger.Entry, err error) {
	var refusal Refusal
	entry.Status, entry.Outcome = http.StatusInternalServerError, "internal"
	if errors.As(err, &refusal) {
		entry.Status, entry.Outcome = http.StatusUnauthorized, refusal.Problem
	}
	if !s.book(w, entry) {
		return
	}
	w.Header().Set("WWW-Authenticate", `OAuth realm="sandbox"`)
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
	w.WriteHeader(entry.Status)
	_, _ = io.WriteString(w, url.Values{"oauth_problem": {entry.Outcome}}.Encode())
}

// request gives out temporary credentials (RFC 5849 section 2.1). The callback must be one the client is registered
// for; a loopback one may have any port, as with OAuth 2 (RFC 8252 section 7.3).
func (s *Server) request(ctx context.Context, request signed, entry *ledger.Entry) (url.Values, error) {
	callback := request.parameters["oauth_callback"]
	if !slices.ContainsFunc(request.client.RedirectURIs, func(registered string) bool { return sameCallback(registered, callback) }) {
		return nil, errRejected
	}
	token := state.NewSecret("tmp_")
	entry.IssuedAccess = ledger.Fingerprint(token)
	err := s.state.PutSignedToken(ctx, token, state.SignedToken{
		Client: request.client.ID, Temporary: true, Callback: callback, ExpiresAt: s.clock.Now().Add(temporaryTTL),
	})
	return url.Values{"oauth_token": {token}, "oauth_token_secret": {s.secretOf(token)}, "oauth_callback_confirmed": {"true"}}, err
}

func sameCallback(registered, given string) bool {
	if registered == given {
		return true
	}
	a, errA := url.Parse(registered)
	b, errB := url.Parse(given)
	loopback := errA == nil && errB == nil && a.Scheme == "http" && a.Hostname() == b.Hostname() && a.Hostname() == "127.0.0.1"
	return loopback && a.Scheme == b.Scheme && a.Path == b.Path && a.RawQuery == b.RawQuery && b.Fragment == "" && b.User == nil
}

// exchange trades temporary credentials in, once (RFC 5849 section 2.3).
func (s *Server) exchange(ctx context.Context, request signed, entry *ledger.Entry) (url.Values, error) {
	given := request.parameters["oauth_token"]
	temporary, err := s.tokenFor(ctx, request.client, given, true) // again, for another exchange may have come first
	if err != nil {
		return nil, err
	}
	if temporary.Account == "" || !state.SecretMatches(temporary.Verifier, request.parameters["oauth_verifier"]) {
		return nil, errVerifier
	}
	if err := s.state.RemoveSignedToken(ctx, given); err != nil {
		return nil, err
	}
	token := state.NewSecret("tok_")
	family := state.Family{ID: state.NewSecret("fam_"), Client: request.client.ID, User: temporary.Account,
		GrantType: "oauth1", Scopes: []string{}, CreatedAt: s.clock.Now(), Generation: 1}
	if err := s.state.PutFamily(ctx, family); err != nil {
		return nil, err
	}
	entry.Account, entry.Family, entry.Generation, entry.IssuedAccess = family.User, family.ID, 1, ledger.Fingerprint(token)
	err = s.state.PutSignedToken(ctx, token, state.SignedToken{Client: request.client.ID, Account: temporary.Account, Family: family.ID})
	return url.Values{"oauth_token": {token}, "oauth_token_secret": {s.secretOf(token)}, "user_id": {temporary.Account}}, err
}

// book writes a ledger entry, or answers 500: what is not in the ledger must not be acknowledged.
func (s *Server) book(w http.ResponseWriter, entry ledger.Entry) bool {
	entry.Time = s.clock.Now()
	if err := s.ledger.Append(entry); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	return true
}
