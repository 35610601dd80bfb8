// Package sandbox puts the product together: state and ledger in one directory, the authorization server, the API
// and the admin endpoints behind one handler.
package sandbox

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"connectedapps/devstack/sandbox/internal/admin"
	"connectedapps/devstack/sandbox/internal/api"
	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/oauth"
	"connectedapps/devstack/sandbox/internal/oauth1"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// Config is how a sandbox is opened.
type Config struct {
	// Dir holds the state; it is made if it is not there. One process at a time may have it open.
	Dir string
	// Issuer is the origin clients reach the sandbox under, without a trailing slash.
	Issuer string
	// CredentialsFile is where the static credentials are; empty means credentials.json in Dir.
	CredentialsFile string
	// ClientSecret, when set, becomes the default client's secret. Empty keeps the one in the credentials file.
	ClientSecret string
	// RedirectURIs are the default client's. An empty list keeps those it has.
	RedirectURIs []string
	// Clients are registered in addition, replacing those of the same ID.
	Clients  []admin.ClientRegistration
	Settings settings.Settings
	Clock    clock.Clock
}

// Sandbox is an open sandbox. It is an http.Handler.
type Sandbox struct {
	http.Handler
	state           *state.DB
	ledger          *ledger.Ledger
	credentialsPath string
}

// Open reads the directory, or fills it at first start.
func Open(ctx context.Context, config Config) (_ *Sandbox, err error) {
	live, err := settings.NewLive(config.Settings)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, err
	}
	db, err := state.Open(filepath.Join(config.Dir, "state.db"))
	if err != nil {
		return nil, err
	}
	opened := &Sandbox{state: db, credentialsPath: config.CredentialsFile}
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	if opened.ledger, err = ledger.Open(filepath.Join(config.Dir, "ledger.jsonl")); err != nil {
		return nil, err
	}
	if opened.credentialsPath == "" {
		opened.credentialsPath = filepath.Join(config.Dir, "credentials.json")
	}
	file, err := openCredentials(opened.credentialsPath)
	if err != nil {
		return nil, err
	}
	if err := seed(ctx, db, file, config); err != nil {
		return nil, err
	}
	tokens, err := oauth.NewServer(ctx, config.Issuer, db, opened.ledger, live, config.Clock)
	if err != nil {
		return nil, err
	}
	signed, err := oauth1.NewServer(ctx, config.Issuer, db, opened.ledger, config.Clock)
	if err != nil {
		return nil, err
	}
	product, err := api.NewServer(ctx, db, opened.ledger, live, config.Clock, tokens, signed, file.sharedKeys())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	tokens.Register(mux)
	signed.Register(mux)
	product.Register(mux)
	admin.NewServer(db, opened.ledger, live, config.Clock, file.setClientSecret).Register(mux)
	mux.HandleFunc("GET /{$}", help(config.Issuer, opened.credentialsPath))
	opened.Handler = mux
	return opened, nil
}

// Close closes the files. Requests must have ended before.
func (s *Sandbox) Close() error {
	var ledgerErr error
	if s.ledger != nil {
		ledgerErr = s.ledger.Close()
	}
	return errors.Join(ledgerErr, s.state.Close())
}

// CredentialsPath is where the static credentials were read or written.
func (s *Sandbox) CredentialsPath() string { return s.credentialsPath }

// keepExpired is how long what has expired is still known as that, and not just as unknown.
const keepExpired = 24 * time.Hour

func seed(ctx context.Context, db *state.DB, file *credentialsFile, config Config) error {
	now := config.Clock.Now()
	if err := db.RemoveExpired(ctx, now.Add(-keepExpired)); err != nil {
		return err
	}
	if err := db.SeedContacts(ctx, now); err != nil {
		return err
	}
	if err := file.seed(ctx, db, now); err != nil {
		return err
	}
	if err := seedDefaultClient(ctx, db, file, config); err != nil {
		return err
	}
	for _, client := range config.Clients {
		if _, err := admin.RegisterClient(ctx, db, client); err != nil {
			return err
		}
	}
	return nil
}

// seedDefaultClient leaves a client that is already registered as the admin endpoints made it, but for the redirect
// URIs the configuration names and the secret, which is the configuration's or else the credentials file's.
func seedDefaultClient(ctx context.Context, db *state.DB, file *credentialsFile, config Config) error {
	secret := config.ClientSecret
	if secret == "" {
		secret = file.held.ClientSecret
	}
	if err := file.setClientSecret(file.held.ClientID, secret); err != nil {
		return err
	}
	known, err := db.Client(ctx, file.held.ClientID)
	if errors.Is(err, state.ErrNotFound) {
		_, err := admin.RegisterClient(ctx, db, admin.ClientRegistration{
			ID: file.held.ClientID, Secret: secret, RedirectURIs: config.RedirectURIs,
		})
		return err
	}
	if err != nil {
		return err
	}
	if len(config.RedirectURIs) > 0 {
		known.RedirectURIs = config.RedirectURIs
		if err := db.PutClient(ctx, known); err != nil {
			return err
		}
	}
	if state.SecretMatches(known.SecretHash, secret) && len(known.SealedSecret) > 0 {
		return nil
	}
	return db.RotateClientSecret(ctx, known.ID, secret, false)
}

//go:embed help.html
var helpSource string

var helpPage = template.Must(template.New("help").Parse(helpSource))

// help says what runs here. It names the credentials file and tells no credential.
func help(issuer, credentialsPath string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		_ = helpPage.Execute(w, struct{ Issuer, Credentials string }{issuer, credentialsPath}) // the browser has gone if this fails
	}
}
