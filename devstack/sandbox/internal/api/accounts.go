package api

import (
	"net/http"
	"slices"

	"connectedapps/devstack/sandbox/internal/state"
)

const accountsPath = "/api/v1/accounts"

// organisations are those the caller belongs to: one, unless the settings say otherwise.
func (s *Server) organisations(caller principal) []state.Organisation {
	return caller.account.Organisations(max(1, s.live.Current().Organisations[caller.account.ID]))
}

// listAccounts lists the caller's organisations.
func (s *Server) listAccounts(w http.ResponseWriter, _ *http.Request, caller principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"items": s.organisations(caller)})
}

// organisationOf is the organisation that a request names. Who signed in by OAuth and belongs to several must name one,
// but for the list of them.
func (s *Server) organisationOf(r *http.Request, caller principal) (string, error) {
	named, own := r.Header.Get(AccountHeader), s.organisations(caller)
	switch {
	case named != "" && !slices.ContainsFunc(own, func(o state.Organisation) bool { return o.ID == named }):
		return "", invalid("%s names no organisation of yours", AccountHeader)
	case named == "" && caller.auth == AuthOAuth && len(own) > 1 && r.URL.Path != accountsPath:
		return "", errNoAccount
	default:
		return named, nil
	}
}
