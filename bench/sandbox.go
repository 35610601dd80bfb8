package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectedapps/connection"
)

// sandbox is the practice app, as its administrator and as one of its clients.
type sandbox struct {
	url         string
	credentials map[string]string
}

// pooled keeps as many connections as seeding uses at once.
var pooled = func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: transport, Timeout: time.Minute}
}()

// admin asks an administration endpoint; in and out may be nil.
func (s *sandbox) admin(ctx context.Context, method, path string, in, out any) error {
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
	return fetch(request, out)
}

// family is a new grant with a refresh token of its own, as the password grant gives it.
func (s *sandbox) family(ctx context.Context) (connection.Token, error) {
	form := url.Values{"grant_type": {"password"}, "username": {s.credentials["basic_username"]},
		"password": {s.credentials["basic_password"]}, "scope": {flockScopes}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return connection.Token{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(flockClient, flockSecret)
	var answer struct {
		Access    string `json:"access_token"`
		Refresh   string `json:"refresh_token"`
		Scope     string `json:"scope"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := fetch(request, &answer); err != nil {
		return connection.Token{}, err
	}
	if answer.Access == "" || answer.Refresh == "" {
		return connection.Token{}, fmt.Errorf("the sandbox gave no pair of tokens")
	}
	return connection.Token{Access: connection.NewSecret(answer.Access), Refresh: connection.NewSecret(answer.Refresh),
		Scopes: strings.Fields(answer.Scope)}, nil
}

// ledgerEntry is a line of the sandbox's ledger, as far as it is counted.
type ledgerEntry struct {
	Seq     int       `json:"seq"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Outcome string    `json:"outcome"`
	Path    string    `json:"path"`
	Detail  string    `json:"detail"`
}

// since lists the ledger's entries of a kind that are newer than a sequence number.
func (s *sandbox) since(ctx context.Context, seq int, kind string) ([]ledgerEntry, error) {
	var all []ledgerEntry
	err := s.admin(ctx, http.MethodGet, fmt.Sprintf("/ledger?since=%d&kind=%s&limit=1000000", seq, kind), nil, &all)
	return all, err
}

// mark is the newest sequence number of the ledger.
func (s *sandbox) mark(ctx context.Context) (int, error) {
	var summary struct {
		LastSeq int `json:"last_seq"`
	}
	err := s.admin(ctx, http.MethodGet, "/ledger/summary", nil, &summary)
	return summary.LastSeq, err
}

func fetch(request *http.Request, out any) error {
	response, err := pooled.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %s", request.Method, request.URL.Path, response.StatusCode, connection.Bound(string(text), 300))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
