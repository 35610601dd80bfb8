package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"connectedapps/activities"
)

// sandbox is the app that the main job connects.
type sandbox struct {
	url string
	// credentials is the path of the file with its secrets.
	credentials string
}

// startSandbox runs the sandbox app.
func startSandbox(ctx context.Context, s *stack, o *options) (*sandbox, error) {
	app := &sandbox{url: "http://" + o.ports.address(portSandbox), credentials: o.path("sandbox", "credentials.json")}
	if err := app.sameAddress(o.path("sandbox-address")); err != nil {
		return nil, err
	}
	return app, s.start(ctx, spec{name: "sandbox", what: "the sandbox app", binary: o.binary("devstack-sandbox"),
		args: []string{"--state", o.path("sandbox"), "--listen", o.ports.address(portSandbox), "--issuer", cmp.Or(o.sandboxIssuer, app.url),
			"--redirect-uri", o.gatewayURL() + activities.CallbackPath, "--access-ttl", o.accessTTL.String()},
		server: true, restart: o.restartServers, announces: true, stopWithin: 10 * time.Second})
}

// sameAddress refuses another port than the one under which this directory's
// connections know the app: they would all find nobody there.
func (a *sandbox) sameAddress(path string) error {
	known, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(path, []byte(a.url+"\n"), 0o600)
	}
	if err != nil {
		return err
	}
	if before := strings.TrimSpace(string(known)); before != a.url {
		u, err := url.Parse(before)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return fmt.Errorf("the connections in this directory know the sandbox app as %s: give --%s %s, or another --dir", before, portSandbox, u.Port())
	}
	return nil
}

// client reads the registered OAuth client from the credentials file.
func (a *sandbox) client() (id, secret string, err error) {
	text, err := os.ReadFile(a.credentials)
	if err != nil {
		return "", "", err
	}
	var held struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	if err := json.Unmarshal(text, &held); err != nil {
		return "", "", fmt.Errorf("%s: %w", a.credentials, err)
	}
	return held.ClientID, held.ClientSecret, nil
}

// entry is a line of the sandbox's ledger, as far as the narration needs it.
type entry struct {
	Seq                 int    `json:"seq"`
	Kind                string `json:"kind"`
	Outcome             string `json:"outcome"`
	Status              int    `json:"status"`
	GrantType           string `json:"grant_type"`
	Family              string `json:"family"`
	Presented           string `json:"presented"`
	PresentedGeneration int    `json:"presented_generation"`
	Generation          int    `json:"generation"`
	Method              string `json:"method"`
	Path                string `json:"path"`
	Auth                string `json:"auth"`
}

func (e entry) String() string {
	if e.Kind == "api" {
		return fmt.Sprintf("#%d %s %s by %s: %d %s", e.Seq, e.Method, e.Path, e.Auth, e.Status, e.Outcome)
	}
	text := fmt.Sprintf("#%d %s: %d %s", e.Seq, e.GrantType, e.Status, e.Outcome)
	if e.GrantType == "refresh_token" {
		text += fmt.Sprintf(", presented refresh token %s of generation %d, got generation %d", e.Presented, e.PresentedGeneration, e.Generation)
	}
	return text
}

// ledger answers what the app has seen of a kind since an entry.
func (a *sandbox) ledger(ctx context.Context, kind string, since int) ([]entry, error) {
	address := fmt.Sprintf("%s/ledger?kind=%s&since=%d", a.url, url.QueryEscape(kind), since)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the ledger answered %s", answer.Status)
	}
	var entries []entry
	return entries, json.NewDecoder(answer.Body).Decode(&entries)
}
