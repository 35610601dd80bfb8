package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"connectedapps/devstack/sandbox/internal/api"
	"connectedapps/devstack/sandbox/internal/state"
)

// Credentials is the content of the credentials file: all that a test or a demonstration needs to sign in to the
// first demo account, and the default client. It is the only place where the sandbox keeps secrets in clear.
type Credentials struct {
	APIKey        string `json:"api_key"`
	PersonalToken string `json:"personal_token"`
	HeaderID      string `json:"header_id"`
	HeaderSecret  string `json:"header_secret"`
	BasicUsername string `json:"basic_username"`
	BasicPassword string `json:"basic_password"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	// AccessKeyID and SecretAccessKey sign requests (AWS Signature Version 4).
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// DefaultClientID is the client that is always registered.
const DefaultClientID = "sandbox-client"

func newCredentials() Credentials {
	return Credentials{
		APIKey:        state.NewSecret("key_"),
		PersonalToken: state.NewSecret(api.PersonalTokenPrefix),
		HeaderID:      state.NewSecret("sid_"),
		HeaderSecret:  state.NewSecret("ss_"),
		BasicUsername: state.DemoAccounts[0].ID,
		BasicPassword: state.NewSecret("pw_"),
		ClientID:      DefaultClientID,
		ClientSecret:  state.NewSecret("cs_"),

		AccessKeyID:     state.NewSecret("AKSB"),
		SecretAccessKey: state.NewSecret(""),
	}
}

// credentialsFile is the file and what it says. Safe for concurrent use.
type credentialsFile struct {
	path string
	mu   sync.Mutex
	held Credentials
}

// openCredentials reads the file, or makes one with random credentials.
func openCredentials(path string) (*credentialsFile, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		file := &credentialsFile{path: path, held: newCredentials()}
		return file, file.write()
	}
	if err != nil {
		return nil, err
	}
	file := &credentialsFile{path: path}
	if err := json.Unmarshal(raw, &file.held); err != nil {
		return nil, fmt.Errorf("credentials %s: %w", path, err)
	}
	if file.held.SecretAccessKey == "" { // a file from before there were such keys
		made := newCredentials()
		file.held.AccessKeyID, file.held.SecretAccessKey = made.AccessKeyID, made.SecretAccessKey
		return file, file.write()
	}
	return file, nil
}

// write replaces the file atomically, readable by its owner only.
func (f *credentialsFile) write() error {
	raw, err := json.MarshalIndent(f.held, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(f.path), ".credentials-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = draft.Write(append(raw, '\n'))
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(draft.Name())
	}
	return err
}

// setClientSecret follows a new secret of the default client; other clients are not in the file.
func (f *credentialsFile) setClientSecret(client, secret string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client != f.held.ClientID || secret == f.held.ClientSecret {
		return nil
	}
	f.held.ClientSecret = secret
	return f.write()
}

// sharedKeys are what the API must know in clear.
func (f *credentialsFile) sharedKeys() api.SharedKeys {
	return api.SharedKeys{Username: f.held.BasicUsername, Password: f.held.BasicPassword,
		AccessKeyID: f.held.AccessKeyID, SecretAccessKey: f.held.SecretAccessKey}
}

// seed makes the static credentials known to the API.
func (f *credentialsFile) seed(ctx context.Context, db *state.DB, at time.Time) error {
	account := state.DemoAccounts[0].ID
	for kind, secret := range map[state.CredentialKind]string{
		state.APIKey:        f.held.APIKey,
		state.PersonalToken: f.held.PersonalToken,
		state.HeaderPair:    state.PairSecret(f.held.HeaderID, f.held.HeaderSecret),
		state.BasicPassword: state.PairSecret(f.held.BasicUsername, f.held.BasicPassword),
		state.AccessKeyPair: state.PairSecret(f.held.AccessKeyID, f.held.SecretAccessKey),
	} {
		err := db.AddCredential(ctx, state.Credential{
			ID: "static_" + string(kind), Kind: kind, Account: account, Name: "credentials file", CreatedAt: at,
		}, secret)
		if err != nil {
			return err
		}
	}
	return nil
}
