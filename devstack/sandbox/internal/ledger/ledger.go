// Package ledger is the sandbox's memory of what was asked of it: one line per token request, revocation,
// authorization and API call. It is what a test of a client reads to count what the client really did.
// It never holds a secret, only fingerprints.
package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Kind says which endpoint an entry is about.
type Kind string

// The kinds of entries.
const (
	KindToken     Kind = "token"
	KindAPI       Kind = "api"
	KindRevoke    Kind = "revoke"
	KindAuthorize Kind = "authorize"
	KindDevice    Kind = "device"
	KindLogin     Kind = "login"
	KindLogout    Kind = "logout"
)

// OutcomeOK is the outcome of what succeeded; any other outcome is an error code.
const OutcomeOK = "ok"

// Entry is one line. Seq counts from 1 without gaps. Fields that do not belong to a kind are absent.
type Entry struct {
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Outcome is what the sandbox decided ("ok" or an error code), whether or not the answer got through.
	Outcome string `json:"outcome"`
	// Detail says why in one word: reuse, family_revoked, revoked, expired, unknown, grace, replayed, predecessor,
	// too_early, admin, denied.
	Detail string `json:"detail,omitempty"`
	// Status is the HTTP status answered; 0 means that the connection was dropped.
	Status int `json:"status"`
	// Lost is set where the work was done and its answer then withheld on purpose.
	Lost bool `json:"lost,omitempty"`

	GrantType string `json:"grant_type,omitempty"`
	Client    string `json:"client,omitempty"`
	Account   string `json:"account,omitempty"`
	Scope     string `json:"scope,omitempty"`
	Family    string `json:"family,omitempty"`
	// Live tells whether the family lives on after the request; nil where there is no family yet.
	Live *bool `json:"live,omitempty"`
	// Revoked is why this very request ended the family: reuse, code_replay, client or admin; "" if it did not.
	Revoked             string `json:"revoked,omitempty"`
	Presented           string `json:"presented,omitempty"`
	PresentedGeneration uint64 `json:"presented_generation,omitempty"`
	Generation          uint64 `json:"generation,omitempty"`
	IssuedRefresh       string `json:"issued_refresh,omitempty"`
	IssuedAccess        string `json:"issued_access,omitempty"`

	Method         string `json:"method,omitempty"`
	Path           string `json:"path,omitempty"`
	Auth           string `json:"auth,omitempty"`
	Credential     string `json:"credential,omitempty"`
	IdempotencyKey string `json:"idempotency_key,omitempty"`
}

// Fingerprint names a secret without telling it: the first 12 hexadecimal digits of its SHA-256,
// and the empty string for the empty string.
func Fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])[:12]
}

// Ledger appends to a JSON Lines file and keeps every entry in memory for reading.
//
// An append is one write(2) under a lock and is not synced: a killed process loses nothing, a machine that
// loses power may lose the last lines. Tokens themselves are kept more carefully (package state).
type Ledger struct {
	mu      sync.RWMutex
	file    *os.File
	entries []Entry
}

// Open reads the ledger at path, creating it if it is not there. A last line cut short by a crash is dropped;
// any other unreadable line is an error.
func Open(path string) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	entries, length, err := read(file)
	if err == nil {
		err = file.Truncate(length)
	}
	if err == nil {
		_, err = file.Seek(length, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	return &Ledger{file: file, entries: entries}, nil
}

// read returns the entries and the length of the file up to the end of the last whole line.
func read(file io.Reader) ([]Entry, int64, error) {
	var entries []Entry
	var length int64
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return entries, length, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, entry)
		length += int64(len(line))
	}
}

// Append gives the entry the next sequence number and writes it.
func (l *Ledger) Append(entry Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Seq = uint64(len(l.entries)) + 1
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(entry); err != nil {
		return err
	}
	if _, err := l.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.entries = append(l.entries, entry)
	return nil
}

// Query selects entries. Zero fields select everything.
type Query struct {
	Since  uint64 // entries with a greater sequence number
	Kind   Kind
	Family string
	Limit  int // at most so many, the oldest first
}

// Read answers the entries the query selects, in order; never nil.
func (l *Ledger) Read(query Query) []Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	selected := []Entry{}
	for i := min(query.Since, uint64(len(l.entries))); i < uint64(len(l.entries)); i++ {
		entry := l.entries[i]
		if query.Limit > 0 && len(selected) == query.Limit {
			break
		}
		if (query.Kind == "" || entry.Kind == query.Kind) && (query.Family == "" || entry.Family == query.Family) {
			selected = append(selected, entry)
		}
	}
	return selected
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }
