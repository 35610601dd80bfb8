package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
)

const (
	// defaultPage is how many items a page has unless the request says otherwise.
	defaultPage = 50
	// cursorSum is how much of a hash a cursor begins with.
	cursorSum = 16
)

// Page is embedded by the input of every list that has pages.
type Page struct {
	Environment string `query:"environment" maxLength:"63" example:"development" doc:"The environment to list. Left out: all that you may see, one after the other."`
	Limit       int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items an answer has at most."`
	Cursor      string `query:"cursor" maxLength:"4096" doc:"next_cursor of the answer before. It is good for the same filter only."`
}

// cursor is where a list goes on: in which environment, and at which of Temporal's pages ("" is its beginning).
type cursor struct {
	Environment string `json:"e"`
	Token       []byte `json:"t,omitempty"`
}

// encode writes a cursor that is good for a filter only. It is no secret and no
// capability: the sum is there to tell a cut or a mixed-up one from a good one.
func (c cursor) encode(filter any) string {
	text, _ := json.Marshal(c) // a text and bytes: it cannot fail
	return base64.RawURLEncoding.EncodeToString(append(sumOf(text, filter), text...))
}

func sumOf(text []byte, filter any) []byte {
	about, _ := json.Marshal(filter) // texts and times: it cannot fail
	hash := sha256.New()
	hash.Write(about)
	hash.Write([]byte{0})
	hash.Write(text)
	return hash.Sum(nil)[:cursorSum]
}

func parseCursor(text string, filter any) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < cursorSum || subtle.ConstantTimeCompare(raw[:cursorSum], sumOf(raw[cursorSum:], filter)) != 1 ||
		json.Unmarshal(raw[cursorSum:], &c) != nil {
		return c, connection.InvalidInput("cursor", "this is not a cursor of this list", "use next_cursor of its answer, with the same filter, or begin anew without one")
	}
	return c, nil
}

// pages lists across environments: a page is filled from one after the other.
func pages[T any](all []backend.Environment, page Page, filter any, list func(backend.Environment, int, []byte) ([]T, []byte, error)) ([]T, string, error) {
	limit := page.Limit
	if limit == 0 {
		limit = defaultPage
	}
	items := []T{}
	var token []byte
	if page.Cursor != "" {
		c, err := parseCursor(page.Cursor, filter)
		if err != nil {
			return nil, "", err
		}
		for len(all) > 0 && all[0].Name != c.Environment {
			all = all[1:]
		}
		token = c.Token
	}
	for i, e := range all {
		for {
			rows, next, err := list(e, limit-len(items), token)
			if err != nil {
				return nil, "", err
			}
			items, token = append(items, rows...), next
			if len(token) == 0 {
				break
			}
			if len(items) >= limit {
				return items, cursor{e.Name, token}.encode(filter), nil
			}
		}
		if len(items) >= limit && i+1 < len(all) {
			return items, cursor{Environment: all[i+1].Name}.encode(filter), nil
		}
	}
	return items, "", nil
}
