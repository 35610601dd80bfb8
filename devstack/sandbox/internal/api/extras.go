package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"connectedapps/devstack/sandbox/internal/state"
)

// maxSlowSeconds bounds /slow, so that a forgotten call does not hold the server's shutdown for long.
const maxSlowSeconds = 120

type identity struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Email  string   `json:"email"`
	Scopes []string `json:"scopes"`
	Auth   AuthKind `json:"auth"`
	Client string   `json:"client,omitempty"`
	// Organisation is the one that the request named.
	Organisation string `json:"organisation,omitempty"`
}

// me says who the caller is and how they signed in.
func (s *Server) me(w http.ResponseWriter, _ *http.Request, caller principal) error {
	return writeJSON(w, http.StatusOK, identity{
		ID: caller.account.ID, Name: caller.account.Name, Email: caller.account.Email,
		Scopes: caller.scopes, Auth: caller.auth, Client: caller.client, Organisation: caller.organisation,
	})
}

// slow answers after ?seconds= (fractions allowed).
func (s *Server) slow(w http.ResponseWriter, r *http.Request, _ principal) error {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
	if err != nil || !(seconds >= 0 && seconds <= maxSlowSeconds) { // the negation refuses NaN too
		return invalid("seconds must be a number from 0 to %d", maxSlowSeconds)
	}
	if err := s.clock.Sleep(r.Context(), time.Duration(seconds*float64(time.Second))); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]float64{"slept_seconds": seconds})
}

// limited answers 429 with Retry-After once the account's budget for the window is spent.
func (s *Server) limited(w http.ResponseWriter, _ *http.Request, caller principal) error {
	remaining, retryAfter := s.budget.spend(caller.account.ID, s.live.Current().RateLimit)
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	if retryAfter > 0 {
		return rateLimited(retryAfter)
	}
	return writeJSON(w, http.StatusOK, map[string]int{"remaining": remaining})
}

type createdKey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Key  string `json:"key"`
}

// createKey makes an API key for the caller and answers it, this once.
func (s *Server) createKey(w http.ResponseWriter, r *http.Request, caller principal) error {
	var input struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(r.Body).Decode(&input); err != nil && err != io.EOF {
		return invalid("the body is not JSON: %v", err)
	}
	created := createdKey{ID: state.NewSecret("kid_"), Name: input.Name, Key: state.NewSecret("key_")}
	err := s.state.AddCredential(r.Context(), state.Credential{
		ID: created.ID, Kind: state.APIKey, Account: caller.account.ID, Name: input.Name, CreatedAt: s.clock.Now(),
	}, created.Key)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, created)
}

type echoed struct {
	Method string          `json:"method"`
	Query  url.Values      `json:"query"`
	Header http.Header     `json:"headers"`
	Body   json.RawMessage `json:"body"`
	Text   string          `json:"text,omitempty"`
}

// echo answers what it was sent, but for whatever the caller signed in with. A body that is not JSON comes
// back as text.
func (s *Server) echo(w http.ResponseWriter, r *http.Request, _ principal) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return invalid("the body could not be read: %v", err)
	}
	answer := echoed{Method: r.Method, Query: r.URL.Query(), Header: r.Header.Clone()}
	answer.Query.Del(keyField)
	for _, name := range []string{"Authorization", "X-API-Key", "X-Sandbox-Id", "X-Sandbox-Secret", SessionHeader, "Cookie"} {
		answer.Header.Del(name)
	}
	if json.Valid(raw) {
		answer.Body = raw
	} else {
		answer.Text = string(raw)
	}
	return writeJSON(w, http.StatusOK, answer)
}
