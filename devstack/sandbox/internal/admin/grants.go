package admin

import (
	"errors"
	"net/http"
	"time"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// reasonAdmin is the revocation reason of a family ended here, and the detail of its ledger entry.
const reasonAdmin = "admin"

// listedFamily is a family and what applies to it now.
type listedFamily struct {
	state.Family
	Live      bool              `json:"live"`
	Rotation  settings.Rotation `json:"rotation"`
	AccessTTL settings.Duration `json:"access_ttl"`
}

func (s *Server) listed(family state.Family) listedFamily {
	current := s.live.Current().For(family.Settings)
	return listedFamily{Family: family, Live: !family.Revoked(), Rotation: current.Rotation, AccessTTL: current.AccessTTL}
}

// listFamilies tells of every family, ended ones included: what lives and belongs to nobody is an orphan.
func (s *Server) listFamilies(r *http.Request) (any, error) {
	query := r.URL.Query()
	families, err := s.state.Families(r.Context(), state.FamilySelector{
		Family: query.Get("family"), User: query.Get("user"), Client: query.Get("client"),
	})
	answer := make([]listedFamily, 0, len(families))
	for _, family := range families {
		answer = append(answer, s.listed(family))
	}
	return answer, err
}

// changeFamily sets what one family does differently from the settings in force, from its next token request on.
func (s *Server) changeFamily(r *http.Request) (any, error) {
	var change settings.Family
	if err := decode(r, &change); err != nil {
		return nil, err
	}
	if err := s.live.Current().For(change).Validate(); err != nil {
		return nil, badRequest{err}
	}
	family, err := s.state.SetFamily(r.Context(), r.PathValue("family"), change)
	if err != nil {
		return nil, err
	}
	return s.listed(family), nil
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
			Client: family.Client, Account: family.User, Family: family.ID, Revoked: reasonAdmin, PresentedGeneration: family.Generation,
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
	var of struct {
		Family string `json:"family"`
	}
	if err := decode(r, &of); err != nil {
		return nil, err
	}
	count, err := s.state.RevokeAccessTokens(r.Context(), of.Family, s.clock.Now())
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
