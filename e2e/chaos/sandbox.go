package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// sandbox is the app as its administrator sees it: settings and the ledger.
type sandbox struct {
	url string

	mu      sync.Mutex
	entries []entry
}

// entry is a line of the app's ledger, as far as it is judged by.
type entry struct {
	Seq            int       `json:"seq"`
	Time           time.Time `json:"time"`
	Kind           string    `json:"kind"`
	Outcome        string    `json:"outcome"`
	Detail         string    `json:"detail"`
	Status         int       `json:"status"`
	GrantType      string    `json:"grant_type"`
	Family         string    `json:"family"`
	Presented      string    `json:"presented"`
	IssuedRefresh  string    `json:"issued_refresh"`
	IssuedAccess   string    `json:"issued_access"`
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	Credential     string    `json:"credential"`
	IdempotencyKey string    `json:"idempotency_key"`
	Lost           bool      `json:"lost"`
}

// grant is one act of authorization, as the app keeps it.
type grant struct {
	Family     string    `json:"family"`
	Client     string    `json:"client"`
	RevokedAt  time.Time `json:"revoked_at"`
	RevokedFor string    `json:"revoked_for"`
}

func (s *sandbox) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// ledger answers every line there is.
func (s *sandbox) ledger(ctx context.Context) ([]entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := 0
	if n := len(s.entries); n > 0 {
		since = s.entries[n-1].Seq
	}
	var fresh []entry
	if err := s.do(ctx, http.MethodGet, fmt.Sprintf("/ledger?since=%d&limit=1000000", since), nil, &fresh); err != nil {
		return nil, err
	}
	s.entries = append(s.entries, fresh...)
	return s.entries, nil
}

// of are the ledger's lines that match.
func (s *sandbox) of(ctx context.Context, match func(entry) bool) ([]entry, error) {
	all, err := s.ledger(ctx)
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, e := range all {
		if match(e) {
			found = append(found, e)
		}
	}
	return found, nil
}

// treat sets how a family's refresh tokens are treated from now on.
func (s *sandbox) treat(ctx context.Context, family string, m mode) error {
	life := longLife
	if !m.whileValid {
		life = shortLife
	}
	return s.do(ctx, http.MethodPost, "/admin/families/"+family+"/settings", map[string]any{"rotation": m.name,
		"access_ttl": life.String(), "grace": grace.String(), "early_refresh": "1s"}, nil)
}

func (s *sandbox) revoke(ctx context.Context, family string) error {
	return s.do(ctx, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": family}, nil)
}

func (s *sandbox) grants(ctx context.Context, family string) ([]grant, error) {
	var all []grant
	path := "/admin/families"
	if family != "" {
		path += "?family=" + family
	}
	return all, s.do(ctx, http.MethodGet, path, nil, &all)
}

const (
	// shortLife is how long access tokens live at first, and always where a refresh is
	// refused as long as they do; longLife is for the others.
	shortLife, longLife = 20 * time.Second, 20 * time.Minute
	// grace is how long a spent refresh token is still good in the modes that have one:
	// longer than the budget of a spender that is taken for dead.
	grace = 5 * time.Minute
)
