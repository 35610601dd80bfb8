package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"connectedapps/devstack/sandbox/internal/state"
)

const (
	defaultPageSize = 20
	maxPageSize     = 100
)

type contactPage struct {
	Items      []state.Contact `json:"items"`
	NextCursor string          `json:"next_cursor,omitempty"`
}

// listContacts pages by ?limit= and an opaque ?cursor=; the next page is named in the body and in a Link
// header (RFC 8288).
func (s *Server) listContacts(w http.ResponseWriter, r *http.Request, caller principal) error {
	query := r.URL.Query()
	limit := defaultPageSize
	if written := query.Get("limit"); written != "" {
		number, err := strconv.Atoi(written)
		if err != nil || number < 1 || number > maxPageSize {
			return invalid("limit must be a number from 1 to %d", maxPageSize)
		}
		limit = number
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("cursor"))
	if err != nil {
		return invalid("cursor is none that this API gave out")
	}
	items, more, err := s.state.Contacts(r.Context(), caller.account.ID, string(after), limit)
	if err != nil {
		return err
	}
	page := contactPage{Items: items}
	if more {
		page.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(items[len(items)-1].ID))
		next := url.Values{"limit": {strconv.Itoa(limit)}, "cursor": {page.NextCursor}}
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.Path, next.Encode()))
	}
	return writeJSON(w, http.StatusOK, page)
}

func (s *Server) readContact(w http.ResponseWriter, r *http.Request, caller principal) error {
	contact, err := s.state.Contact(r.Context(), caller.account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, contact)
}

// contactInput is the body of a create or an update; an absent field is left alone.
type contactInput struct {
	Name  *string `json:"name"`
	Email *string `json:"email"`
	Phone *string `json:"phone"`
}

func readContactInput(r *http.Request) (input contactInput, raw []byte, err error) {
	if raw, err = io.ReadAll(r.Body); err != nil {
		return input, nil, invalid("the body could not be read: %v", err)
	}
	if err := json.Unmarshal(raw, &input); err != nil {
		return input, nil, invalid("the body is not a contact: %v", err)
	}
	if input.Name != nil && strings.TrimSpace(*input.Name) == "" {
		return input, nil, invalid("name must not be empty")
	}
	if input.Email != nil && *input.Email != "" && !strings.Contains(*input.Email, "@") {
		return input, nil, invalid("email must contain an @")
	}
	return input, raw, nil
}

func (i contactInput) applyTo(contact *state.Contact) {
	for _, field := range []struct {
		given  *string
		target *string
	}{{i.Name, &contact.Name}, {i.Email, &contact.Email}, {i.Phone, &contact.Phone}} {
		if field.given != nil {
			*field.target = *field.given
		}
	}
}

// createContact honours Idempotency-Key: the same request again gets the first answer, with the header
// Idempotent-Replayed: true.
func (s *Server) createContact(w http.ResponseWriter, r *http.Request, caller principal) error {
	input, raw, err := readContactInput(r)
	if err != nil {
		return err
	}
	if input.Name == nil {
		return invalid("name is required")
	}
	create := func(ctx context.Context) (json.RawMessage, error) {
		contact := state.Contact{CreatedAt: s.clock.Now(), UpdatedAt: s.clock.Now()}
		input.applyTo(&contact)
		created, err := s.state.CreateContact(ctx, caller.account.ID, contact)
		if err != nil {
			return nil, err
		}
		return json.Marshal(created)
	}
	// The work is not undone because the client has gone: that is what idempotency keys are for.
	ctx := context.WithoutCancel(r.Context())
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		body, err := create(ctx)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusCreated, body)
	}
	body, replayed, err := s.state.Once(ctx, caller.account.ID, key, string(state.HashSecret(string(raw))), create)
	if err != nil {
		return err
	}
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	return writeJSON(w, http.StatusCreated, body)
}

func (s *Server) updateContact(w http.ResponseWriter, r *http.Request, caller principal) error {
	input, _, err := readContactInput(r)
	if err != nil {
		return err
	}
	contact, err := s.state.ChangeContact(r.Context(), caller.account.ID, r.PathValue("id"), func(contact *state.Contact) {
		input.applyTo(contact)
		contact.UpdatedAt = s.clock.Now()
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, contact)
}

func (s *Server) deleteContact(w http.ResponseWriter, r *http.Request, caller principal) error {
	if err := s.state.DeleteContact(r.Context(), caller.account.ID, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
