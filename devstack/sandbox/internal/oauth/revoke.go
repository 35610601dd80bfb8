package oauth

import (
	"context"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

// Revoke is POST /oauth/revoke (RFC 7009). It ends the whole family of the token; an unknown token is a success.
// Where the token may still live it answers 503 (section 2.2.1), which the library's own writer turns into 200.
func (s *Server) Revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, fosite.ErrInvalidRequest.WithWrap(err))
		return
	}
	entry := ledger.Entry{Kind: ledger.KindRevoke, Client: clientOf(r), Presented: ledger.Fingerprint(r.PostForm.Get("token"))}
	failure, failing := s.live.TakeRevocationFailure()
	if failing && !failure.After {
		entry.Outcome, entry.Detail = "failed", detailFailed
		entry.Family = s.familyOf(r.Context(), r.PostForm.Get("token"))
		s.fail(w, entry, failure)
		return
	}
	var noted *trace
	var refusal error
	err := s.state.Update(context.WithoutCancel(r.Context()), func(ctx context.Context) error {
		noted = &trace{revocation: reasonClient}
		refusal = s.revoke(withTrace(ctx, noted), r)
		return nil
	})
	if err != nil {
		refusal = fosite.ErrTemporarilyUnavailable.WithWrap(err)
	}
	noted.describe(&entry, refusal)
	if failing {
		entry.Lost = true
		s.fail(w, entry, failure)
		return
	}
	s.answerRevocation(w, r, entry, refusal)
}

// familyOf is the family of an access or refresh token; "" for neither.
func (s *Server) familyOf(ctx context.Context, token string) string {
	kept, err := s.state.Token(ctx, state.Refresh, s.strategy.RefreshTokenSignature(ctx, token))
	if err != nil {
		kept, _ = s.state.Token(ctx, state.Access, s.strategy.AccessTokenSignature(ctx, token)) // unknown is ""
	}
	return kept.Family
}

// revoke lets a client revoke as the library does, and whoever has no client, such as a service that signs assertions,
// revoke the very access token that the request is made with.
func (s *Server) revoke(ctx context.Context, r *http.Request) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return s.provider.NewRevocationRequest(ctx, r)
	}
	if other := r.PostForm.Get("token"); other != "" && other != token {
		return fosite.ErrInvalidRequest.WithHint("A token can revoke itself and no other.")
	}
	if _, err := s.CheckAccessToken(ctx, token); err != nil {
		return nil // it is dead already (RFC 7009 section 2.2)
	}
	kept, err := s.state.Token(ctx, state.Access, s.strategy.AccessTokenSignature(ctx, token))
	if err == nil {
		noted := traceOf(ctx)
		noted.family = kept.Family
		var ended []state.Family
		ended, err = s.state.RevokeFamilies(ctx, state.FamilySelector{Family: kept.Family}, reasonClient, s.clock.Now())
		if len(ended) > 0 {
			noted.revoked = reasonClient
		}
	}
	if err != nil {
		return fosite.ErrTemporarilyUnavailable.WithWrap(err)
	}
	return nil
}

func (s *Server) answerRevocation(w http.ResponseWriter, r *http.Request, entry ledger.Entry, refusal error) {
	entry.Status = http.StatusOK
	if refusal != nil {
		entry.Status = fosite.ErrorToRFC6749Error(refusal).StatusCode()
	}
	if !s.book(w, entry) {
		return
	}
	if refusal != nil {
		s.provider.WriteAccessError(r.Context(), w, nil, refusal)
		return
	}
	s.provider.WriteRevocationResponse(r.Context(), w, nil)
}
