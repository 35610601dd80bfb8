package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/connectors/outbound"

	"go.uber.org/zap"
)

// What stands in for Vault, for Temporal and for a provider. The definitions, the
// client for what leaves, and everything between are the real ones.

const (
	testID     = connection.ID("development/sandbox/acme")
	testConfig = "shared"
)

// store is Vault as the activities see it: compare-and-set, its own clock, and
// answers that do not come. It is shared by the "processes" of a test.
type store struct {
	mu      sync.Mutex
	offset  time.Duration // of Vault's clock from ours
	entries map[string]*entry
	configs map[string]configEntry
	inbox   map[connection.InboxRef]map[string]connection.Secret
	kept    map[string]map[string]connection.Secret
	trials  map[string]trialEntry
	budgets map[string]budgetEntry
	sinks   map[string]sinkEntry

	reads, notes, left int
	// beforeRead and beforeWrite may refuse; afterWrite may lose the answer.
	beforeRead  func() error
	beforeWrite func(connection.Document) error
	afterWrite  func(connection.Document) error
	// configs have a fault of their own.
	afterConfig func() error
}

type entry struct {
	document connection.Document
	version  int
	written  time.Time
	facts    connection.Facts
}

type configEntry struct {
	config  connection.AuthConfig
	version int
}

func newStore() *store {
	return &store{entries: map[string]*entry{}, configs: map[string]configEntry{},
		inbox: map[connection.InboxRef]map[string]connection.Secret{}, kept: map[string]map[string]connection.Secret{},
		trials: map[string]trialEntry{}, budgets: map[string]budgetEntry{}, sinks: map[string]sinkEntry{}}
}

var (
	errLost = connection.VaultUnavailable("the answer was lost")
	errAway = connection.VaultUnavailable("Vault is sealed")
)

func (s *store) now() time.Time { return time.Now().Add(s.offset) }

// advance moves Vault's clock.
func (s *store) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// faults are set while nothing else runs, or from within a fault.
func (s *store) faults(read func() error, before, after func(connection.Document) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beforeRead, s.beforeWrite, s.afterWrite = read, before, after
}

func (s *store) hooks() (func() error, func(connection.Document) error, func(connection.Document) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beforeRead, s.beforeWrite, s.afterWrite
}

func (s *store) Read(ctx context.Context, ref connection.CredentialRef) (connection.Stored, error) {
	if ctx.Err() != nil {
		return connection.Stored{}, errAway
	}
	if before, _, _ := s.hooks(); before != nil {
		if err := before(); err != nil {
			return connection.Stored{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	e, ok := s.entries[placeName(ref)]
	if !ok {
		return connection.Stored{}, connection.ErrAbsent
	}
	return connection.Stored{Document: copied(e.document), Version: e.version, WrittenAt: e.written,
		Clock: connection.ClockAt(s.now()), Facts: e.facts}, nil
}

func (s *store) Write(ctx context.Context, ref connection.CredentialRef, d connection.Document, version int) (int, error) {
	if ctx.Err() != nil {
		return 0, errAway
	}
	_, before, after := s.hooks()
	if before != nil {
		if err := before(d); err != nil {
			return 0, err
		}
	}
	stored, err := s.compareAndSet(ref, d, version)
	if err == nil && after != nil {
		err = after(d)
	}
	return stored, err
}

func (s *store) compareAndSet(ref connection.CredentialRef, d connection.Document, version int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[placeName(ref)]
	if !ok {
		e = &entry{}
	}
	if e.version != version {
		return 0, connection.ErrVersionConflict
	}
	s.entries[placeName(ref)] = &entry{document: copied(d), version: version + 1, written: s.now(), facts: e.facts}
	return version + 1, nil
}

func copied(d connection.Document) connection.Document {
	if d.Intent != nil {
		intent := *d.Intent
		d.Intent = &intent
	}
	if d.Rejected != nil {
		rejected := *d.Rejected
		d.Rejected = &rejected
	}
	if d.Login != nil {
		login := *d.Login
		d.Login = &login
	}
	d.Credential.Tokens = maps.Clone(d.Credential.Tokens)
	d.Credential.Fields = maps.Clone(d.Credential.Fields)
	d.Credential.Values = maps.Clone(d.Credential.Values)
	return d
}

func (s *store) Destroy(_ context.Context, ref connection.CredentialRef) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, placeName(ref))
	return nil
}

func (s *store) Note(_ context.Context, ref connection.CredentialRef, facts map[connection.Fact]time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[placeName(ref)]
	if !ok {
		return connection.ErrAbsent
	}
	s.notes++
	places := map[connection.Fact]*time.Time{
		connection.FactLastOK: &e.facts.LastOK, connection.FactLastProbe: &e.facts.LastProbe,
		connection.FactLastRefresh: &e.facts.LastRefresh, connection.FactLastUsed: &e.facts.LastUsed,
		connection.FactFailingSince: &e.facts.FailingSince,
	}
	for fact, at := range facts {
		*places[fact] = at
	}
	return nil
}

func (s *store) Clock(context.Context) (connection.Clock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return connection.ClockAt(s.now()), nil
}

func (s *store) Candidates(_ context.Context, id connection.ID) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var grants []string
	for name := range s.entries {
		if grant, ok := strings.CutPrefix(name, id.String()+"/"); ok {
			grants = append(grants, grant)
		}
	}
	return grants, nil
}

func (s *store) Connections(context.Context) ([]connection.ID, error)    { return nil, nil }
func (s *store) WithCandidates(context.Context) ([]connection.ID, error) { return nil, nil }

// change writes without any fault: what somebody else does meanwhile.
func (s *store) change(t testing.TB, ref connection.CredentialRef, f func(*connection.Document)) {
	t.Helper()
	s.mu.Lock()
	e := s.entries[placeName(ref)]
	d, version := copied(e.document), e.version
	s.mu.Unlock()
	f(&d)
	if _, err := s.compareAndSet(ref, d, version); err != nil {
		t.Error(err)
	}
}

// peek is what is stored now, past every fault; the zero Stored when there is nothing.
func (s *store) peek(ref connection.CredentialRef) connection.Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[placeName(ref)]
	if !ok {
		return connection.Stored{}
	}
	return connection.Stored{Document: copied(e.document), Version: e.version, WrittenAt: e.written,
		Clock: connection.ClockAt(s.now()), Facts: e.facts}
}

// world is one environment: Vault, Temporal, a provider, and any number of processes.
type world struct {
	t         testing.TB
	vault     *store
	provider  *provider
	told      *told
	catalogue *connectors.Catalogue
	ref       connection.CredentialRef
}

var builtIn = sync.OnceValues(func() (*connectors.Catalogue, error) { return connectors.Load() })

// newWorld has one connection of the sandbox app, authorised and Active.
func newWorld(t testing.TB, rotation string) *world {
	t.Helper()
	catalogue, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, vault: newStore(), provider: newProvider(t, rotation), told: &told{}, catalogue: catalogue}
	w.told.answer = w.expire
	w.vault.configs["sandbox/"+testConfig] = configEntry{connection.AuthConfig{Method: "oauth", ClientID: "client",
		ClientSecret: connection.NewSecret("secret"), Values: map[string]string{"base_url": w.provider.URL}}, 1}
	w.ref = w.adopt("first")
	return w
}

// adopt makes a new grant the connection's, as a (re)connect does.
func (w *world) adopt(grant string) connection.CredentialRef {
	access, refresh := w.provider.issue(grant)
	now := w.vault.peekNow()
	return w.put(connection.Document{Grant: grant, Generation: 1, AuthConfig: testConfig,
		Credential: connection.Credential{Method: "oauth", Values: map[string]string{"base_url": w.provider.URL},
			Tokens: map[string]connection.Token{connection.DefaultToken: {
				Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh),
				IssuedAt: now, ExpiresAt: now.Add(time.Hour)}}}})
}

func (s *store) peekNow() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// put stores a document with an open gate over whatever is there.
func (w *world) put(d connection.Document) connection.CredentialRef {
	w.t.Helper()
	ref := connection.CredentialRef{Connection: testID, Grant: d.Grant, Generation: d.Generation}
	d.Gate = connection.Gate{Status: connection.Active, Grant: d.Grant, Toolkits: map[string][]string{
		connection.DefaultToolkit: {"whoami", "create-contact", "create-key", "delete-contact"}}}
	if _, err := w.vault.compareAndSet(ref, d, w.vault.peek(ref).Version); err != nil {
		w.t.Error(err)
	}
	return ref
}

// expire is the Connection's answer to a rejection: it closes its gate.
func (w *world) expire(ref connection.CredentialRef) {
	w.t.Helper()
	w.vault.change(w.t, ref, func(d *connection.Document) {
		if d.Grant == ref.Grant {
			d.Gate.Status = connection.Expired
		}
	})
}

// process is a worker of its own: nothing in memory is shared.
func (w *world) process() *Activities {
	a := &Activities{Environment: "development", Catalogue: w.catalogue,
		Provider: outbound.New(outbound.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			AllowHTTP: true, Timeout: 10 * time.Second}),
		Documents: w.vault, AuthConfigs: configStore{w.vault}, Inbox: inboxStore{w.vault}, Attempts: attemptStore{w.vault},
		Outputs: outputStore{w.vault}, Sinks: sinkStore{w.vault}, Workflows: w.told, GatewayURL: "https://connect.example.com", Log: zap.NewNop()}
	a.Prepare()
	return a
}

// renew asks a process once, past its cool-down.
func (w *world) renew(a *Activities) (connection.Stored, error) {
	a.spender.mu.Lock()
	clear(a.spender.cooling)
	a.spender.mu.Unlock()
	return a.spender.Renew(context.Background(), w.ref, "no longer accepted")
}

// crash asks a process that dies where one of the hooks says so, and waits for its end.
func (w *world) crash(a *Activities, provider http.RoundTripper, before, after func(connection.Document) error) {
	w.t.Helper()
	if provider != nil {
		a.Provider = &http.Client{Transport: provider}
	}
	w.vault.faults(nil, before, after)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = a.spender.spendAs(context.Background(), w.ref, spending{reason: "no longer accepted", me: rand.Text()})
	}()
	<-ended
	w.vault.faults(nil, nil, nil)
}

// die ends the goroutine where a process would have been killed.
func die() error { runtime.Goexit(); return nil }

// dying is a network that dies with the process, before or after the provider has answered.
type dying struct {
	next   http.RoundTripper
	answer bool
}

func (d dying) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.answer {
		if response, err := d.next.RoundTrip(r); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}
	return nil, die()
}

// custom is the sandbox definition with some lines changed.
func (w *world) custom(replacements ...string) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "connectors", "catalog", "sandbox.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.define(strings.NewReplacer(replacements...).Replace(string(text)))
}

// define replaces the sandbox definition.
func (w *world) define(text string) {
	w.t.Helper()
	directory := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "sandbox.yaml"), []byte(text+"override: true\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	catalogue, err := connectors.Load(directory)
	if err != nil {
		w.t.Fatal(err)
	}
	w.catalogue = catalogue
}

// demand checks the type of an error.
func demand(t testing.TB, err error, want string) {
	t.Helper()
	if got := connection.TypeOf(err); got != want {
		t.Fatalf("error is %q (%v), want %q", got, err, want)
	}
}

func reasonOf(err error) string {
	var problem *connection.Problem
	if errors.As(err, &problem) {
		return problem.Message
	}
	return ""
}
