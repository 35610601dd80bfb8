// Package admin lets a test arrange the sandbox and read what happened. It asks for no credential: the sandbox
// listens on loopback only.
package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// maxBodyBytes bounds what is read of a request.
const maxBodyBytes = 1 << 20

// Server is the admin endpoints and the ledger's.
type Server struct {
	state  *state.DB
	ledger *ledger.Ledger
	live   *settings.Live
	clock  clock.Clock
	// secretChanged is told of every new client secret, so that the credentials file can follow.
	secretChanged func(client, secret string) error
}

// NewServer makes the admin endpoints.
func NewServer(db *state.DB, book *ledger.Ledger, live *settings.Live, now clock.Clock, secretChanged func(client, secret string) error) *Server {
	return &Server{state: db, ledger: book, live: live, clock: now, secretChanged: secretChanged}
}

// handlerFunc answers a value to be sent as JSON, or an error.
type handlerFunc func(r *http.Request) (any, error)

// Register adds the endpoints to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	for pattern, handler := range map[string]handlerFunc{
		"GET /admin/settings":                    s.readSettings,
		"POST /admin/settings":                   s.changeSettings,
		"POST /admin/settings/reset":             s.resetSettings,
		"GET /admin/clients":                     s.listClients,
		"POST /admin/clients":                    s.registerClient,
		"POST /admin/clients/{id}/secret":        s.rotateClientSecret,
		"GET /admin/grants":                      s.listFamilies,
		"GET /admin/families":                    s.listFamilies,
		"POST /admin/families/{family}/settings": s.changeFamily,
		"POST /admin/revoke-grant":               s.revokeGrant,
		"POST /admin/narrow-grant":               s.narrowGrant,
		"POST /admin/revoke-access-tokens":       s.revokeAccessTokens,
		"GET /admin/credentials":                 s.listCredentials,
		"POST /admin/credentials":                s.changeCredentials,
		"GET /admin/service-keys":                s.listServiceKeys,
		"POST /admin/service-keys":               s.registerServiceKey,
		"DELETE /admin/service-keys":             s.removeServiceKey,
		"GET /admin/one-time-code":               s.oneTimeCode,
		"GET /ledger":                            s.readLedger,
		"GET /ledger/summary":                    s.summarizeLedger,
	} {
		mux.Handle(pattern, answer(handler))
	}
}

// badRequest is an error that is the caller's to mend.
type badRequest struct{ cause error }

func (e badRequest) Error() string { return e.cause.Error() }
func (e badRequest) Unwrap() error { return e.cause }

func answer(handler handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		status := http.StatusOK
		result, err := handler(r)
		if err != nil {
			var mistake badRequest
			code := "internal"
			status = http.StatusInternalServerError
			switch {
			case errors.Is(err, state.ErrNotFound):
				status, code = http.StatusNotFound, "not_found"
			case errors.As(err, &mistake), errors.Is(err, state.ErrEmptySelector):
				status, code = http.StatusBadRequest, "invalid"
			}
			result = map[string]map[string]string{"error": {"code": code, "message": err.Error()}}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(result) // the client has gone if this fails
	})
}

// decode reads a JSON object strictly; an empty body leaves the target as it is.
func decode(r *http.Request, target any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil && err != io.EOF {
		return badRequest{err}
	}
	return nil
}

func (s *Server) readSettings(*http.Request) (any, error) { return s.live.Current(), nil }

func (s *Server) resetSettings(*http.Request) (any, error) { return s.live.Reset(), nil }

func (s *Server) changeSettings(r *http.Request) (any, error) {
	object, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, badRequest{err}
	}
	changed, err := s.live.Merge(object)
	if err != nil {
		return nil, badRequest{err}
	}
	return changed, nil
}
