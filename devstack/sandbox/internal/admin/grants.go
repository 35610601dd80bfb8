package admin

import (
	"errors"
	"net/http"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

// reasonAdmin is the revocation reason of a family ended here, and the detail of its ledger entry.
const reasonAdmin = "admin"

func (s *Server) listGrants(r *http.Request) (any, error) {
	query := r.URL.Query()
	return s.state.Families(r.Context(), state.FamilySelector{
		Family: query.Get("family"), User: query.Get("user"), Client: query.Get("client"),
	})
}

// revokeGrant ends families as a person would who removes the app from their account.
func (s *Server) revokeGrant(r *http.Request) (any, error) {
	var selector state.FamilySelector
	if err := decode(r, &selector); err != nil {
		return nil, err
	}
	revoked, err := s.state.RevokeFamilies(r.Context(), selector, reasonAdmin, s.clock.Now())
	if err != nil {
		return nil, err
	}
	for _, family := range revoked {
		err := s.ledger.Append(ledger.Entry{
			Time: s.clock.Now(), Kind: ledger.KindRevoke, Outcome: ledger.OutcomeOK, Detail: reasonAdmin, Status: http.StatusOK,
			Client: family.Client, Account: family.User, Family: family.ID, PresentedGeneration: family.Generation,
		})
		if err != nil {
			return nil, err
		}
	}
	return map[string]any{"revoked": revoked}, nil
}

// narrowGrant takes scopes away; the next refresh answers what is left.
func (s *Server) narrowGrant(r *http.Request) (any, error) {
	var wanted struct {
		state.FamilySelector
		Scopes []string `json:"scopes"`
	}
	if err := decode(r, &wanted); err != nil {
		return nil, err
	}
	narrowed, err := s.state.NarrowFamilies(r.Context(), wanted.FamilySelector, wanted.Scopes)
	return map[string]any{"narrowed": narrowed}, err
}

func (s *Server) revokeAccessTokens(r *http.Request) (any, error) {
	count, err := s.state.RemoveAllAccessTokens(r.Context())
	return map[string]int{"revoked": count}, err
}

func (s *Server) listCredentials(r *http.Request) (any, error) {
	return s.state.Credentials(r.Context())
}

var errWhichCredentials = errors.New("name a kind or an id, and revoked true or false")

// changeCredentials revokes or restores the static credentials of a kind or ID.
func (s *Server) changeCredentials(r *http.Request) (any, error) {
	var wanted struct {
		Kind    state.CredentialKind `json:"kind"`
		ID      string               `json:"id"`
		Revoked *bool                `json:"revoked"`
	}
	if err := decode(r, &wanted); err != nil {
		return nil, err
	}
	if wanted.Revoked == nil || (wanted.Kind == "" && wanted.ID == "") {
		return nil, badRequest{errWhichCredentials}
	}
	var at time.Time
	if *wanted.Revoked {
		at = s.clock.Now()
	}
	changed, err := s.state.SetCredentialsRevoked(r.Context(), wanted.ID, wanted.Kind, at)
	return map[string]any{"changed": changed}, err
}
