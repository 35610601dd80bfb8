package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/state"
)

// maxWrongCodes is how many wrong codes end a ticket.
const maxWrongCodes = 3

var (
	errWrongPassword = &Error{Status: http.StatusUnauthorized, Code: "wrong_password", Message: "User name or password is wrong."}
	errWrongCode     = &Error{Status: http.StatusUnauthorized, Code: "wrong_code", Message: "The code is wrong."}
	errNoTicket      = &Error{Status: http.StatusUnauthorized, Code: "unknown_ticket", Message: "The login is unknown or over: begin again."}
	errNotRemembered = &Error{Status: http.StatusUnauthorized, Code: "unknown_device", Message: "This device is not remembered: log in again."}
)

// loginRequest is the body of each request of a login; each takes the fields it knows.
type loginRequest struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Ticket   string `json:"ticket"`
	Code     string `json:"code"`
	Remember string `json:"remember"`
}

// registerLogin adds the login with a one-time code, which stands beside the API.
func (s *Server) registerLogin(mux *http.ServeMux) {
	handle := func(pattern string, kind ledger.Kind, handler func(w *recorder, r *http.Request, asked loginRequest) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
			recorder := &recorder{ResponseWriter: w, server: s, entry: ledger.Entry{Kind: kind, Method: r.Method, Path: r.URL.Path}}
			var asked loginRequest
			var err error = errDown
			if !s.live.Current().Down {
				if err = json.NewDecoder(r.Body).Decode(&asked); err != nil && kind == ledger.KindLogin {
					err = invalid("the body is no JSON object")
				} else {
					err = handler(recorder, r, asked)
				}
			}
			if err != nil {
				writeError(recorder, err)
			}
		})
	}
	handle("POST /login", ledger.KindLogin, s.logIn)
	handle("POST /login/otp", ledger.KindLogin, s.confirm)
	handle("POST /login/renew", ledger.KindLogin, s.renew)
	handle("POST /logout", ledger.KindLogout, s.logOut)
}

// logIn takes the password of HTTP Basic and answers a ticket for the one-time code.
func (s *Server) logIn(w *recorder, r *http.Request, asked loginRequest) error {
	known, err := s.state.FindCredential(r.Context(), state.BasicPassword, state.PairSecret(asked.User, asked.Password))
	if errors.Is(err, state.ErrNotFound) {
		return errWrongPassword
	}
	if err != nil {
		return err
	}
	drawn, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	code, err := s.state.Seal(r.Context(), fmt.Sprintf("%06d", drawn))
	if err != nil {
		return err
	}
	ticket, now, life := state.NewSecret("tkt_"), s.clock.Now(), s.live.Current().TicketTTL.Std()
	w.entry.Account = known.Account
	if err := s.state.PutTicket(r.Context(), ticket, state.Ticket{Account: known.Account, OpenedAt: now, ExpiresAt: now.Add(life), Code: code}); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"ticket": ticket, "otp_required": true, "expires_in": int(life.Seconds())})
}

// confirm takes the one-time code. The third wrong one ends the ticket.
func (s *Server) confirm(w *recorder, r *http.Request, asked loginRequest) error {
	var refusal error
	var ticket state.Ticket
	// In one transaction, so that codes tried at the same time are all counted.
	err := s.state.Update(r.Context(), func(ctx context.Context) (err error) {
		ticket, refusal, err = s.tryCode(ctx, asked)
		return err
	})
	w.entry.Account = ticket.Account
	if err = errors.Join(err, refusal); err != nil {
		return err
	}
	return s.openSession(w, r, ticket.Account, state.NewSecret("rem_"), true)
}

func (s *Server) tryCode(ctx context.Context, asked loginRequest) (ticket state.Ticket, refusal, err error) {
	ticket, err = s.state.Ticket(ctx, asked.Ticket)
	if errors.Is(err, state.ErrNotFound) || err == nil && !s.clock.Now().Before(ticket.ExpiresAt) {
		return state.Ticket{}, errNoTicket, nil
	}
	if err != nil {
		return ticket, nil, err
	}
	code, err := s.state.Unseal(ctx, ticket.Code)
	if err != nil {
		return ticket, nil, err
	}
	if state.SecretMatches(state.HashSecret(code), asked.Code) {
		return ticket, nil, s.state.RemoveTicket(ctx, asked.Ticket)
	}
	if ticket.Wrong++; ticket.Wrong >= maxWrongCodes {
		return ticket, errWrongCode, s.state.RemoveTicket(ctx, asked.Ticket)
	}
	return ticket, errWrongCode, s.state.PutTicket(ctx, asked.Ticket, ticket)
}

// renew opens a session for a remembered device, without a code.
func (s *Server) renew(w *recorder, r *http.Request, asked loginRequest) error {
	w.entry.Presented = ledger.Fingerprint(asked.Remember)
	device, err := s.state.RememberedDevice(r.Context(), asked.Remember)
	if errors.Is(err, state.ErrNotFound) {
		return errNotRemembered
	}
	if err != nil {
		return err
	}
	return s.openSession(w, r, device.Account, asked.Remember, false)
}

// openSession answers a session in a header; the device's session before it ends. tell answers the device's token too.
func (s *Server) openSession(w *recorder, r *http.Request, account, device string, tell bool) error {
	session, life := state.NewSecret("ses_"), s.live.Current().AccessTTL.Std()
	err := s.state.OpenLoginSession(r.Context(), session, device, state.LoginSession{Account: account, ExpiresAt: s.clock.Now().Add(life)})
	if err != nil {
		return err
	}
	w.entry.Account, w.entry.IssuedAccess = account, ledger.Fingerprint(session)
	answer := map[string]any{"expires_in": int(life.Seconds())}
	if tell {
		answer["remember"] = device
	}
	w.Header().Set(SessionHeader, session)
	return writeJSON(w, http.StatusOK, answer)
}

// logOut ends the session and forgets the device.
func (s *Server) logOut(w *recorder, r *http.Request, _ loginRequest) error {
	session := r.Header.Get(SessionHeader)
	w.entry.Presented = ledger.Fingerprint(session)
	ended, err := s.state.EndLoginSession(r.Context(), session)
	if errors.Is(err, state.ErrNotFound) {
		return errInvalidToken
	}
	if err != nil {
		return err
	}
	w.entry.Account = ended.Account
	w.WriteHeader(http.StatusNoContent)
	return nil
}
