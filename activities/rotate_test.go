package activities

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

const rotation = "r1"

func (w *world) config(name string) connection.AuthConfig {
	w.vault.mu.Lock()
	defer w.vault.mu.Unlock()
	return w.vault.configs["sandbox/"+name].config
}

// stage lays a new secret beside the present one.
func (w *world) stage(a *Activities, name string, pairs ...string) {
	w.t.Helper()
	inbox := w.vault.leave(pairs...)
	if _, err := a.stageRotation(background, StageRotationInput{App: "sandbox", Name: name, Rotation: rotation, Inbox: inbox}); err != nil {
		w.t.Fatal(err)
	}
	if _, left := w.vault.inbox[inbox]; left {
		w.t.Error("the inbox keeps a secret that was collected")
	}
}

func (w *world) prove(a *Activities, name string) (*ProveRotationReport, error) {
	return a.proveRotation(background, ProveRotationInput{App: "sandbox", Name: name, Rotation: rotation})
}

func (w *world) end(name string) EndRotationInput {
	return EndRotationInput{App: "sandbox", Name: name, Rotation: rotation}
}

func TestARotationKeepsTheOldSecretUntilItIsProven(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret, w.told.users = "new", []connection.ID{testID}
	a := w.process()
	w.stage(a, testConfig, "client_secret", "new")
	if held := w.config(testConfig); held.ClientSecret.Reveal() != "secret" || held.Next.ClientSecret.Reveal() != "new" {
		t.Fatal("what was staged is in use, or is not there")
	}
	report, err := w.prove(a, testConfig)
	if err != nil || report.Proof != "connection "+testID.String() {
		t.Fatalf("%+v, %v", report, err)
	}
	if stored := w.vault.peek(w.ref); stored.Generation != 2 || stored.Intent != nil {
		t.Errorf("generation %d, intent %v", stored.Generation, stored.Intent)
	}
	// The attempt whose answer was lost is run again: nothing more is asked.
	if report, err = w.prove(w.process(), testConfig); err != nil || report.Proof != "connection "+testID.String() || len(w.provider.ledger()) != 1 {
		t.Errorf("again: %+v, %v, %d requests", report, err, len(w.provider.ledger()))
	}
	for range 2 { // killed after the write
		if err := a.CommitRotation(background, w.end(testConfig)); err != nil {
			t.Fatal(err)
		}
	}
	if held := w.config(testConfig); held.ClientSecret.Reveal() != "new" || held.Next != nil || held.Rotation != rotation || held.ClientID != "client" {
		t.Error("the new secret is not the current one")
	}
	w.ref.Generation = 2
	if stored, err := w.renew(a); err != nil || stored.Generation != 3 {
		t.Errorf("afterwards: %v", err)
	}
}

func TestARefusedProofChangesNothing(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret, w.told.users = "secret", []connection.ID{testID}
	a := w.process()
	w.stage(a, testConfig, "client_secret", "wrong")
	before := w.vault.peek(w.ref)
	_, err := w.prove(a, testConfig)
	demand(t, err, connection.ErrClientMisconfigured)
	held, now := w.config(testConfig), w.vault.peek(w.ref)
	if held.Mark != nil || len(w.told.clients) != 0 || len(w.told.signals()) != 0 {
		t.Errorf("mark %v, told %q, signals %q", held.Mark, w.told.clients, w.told.signals())
	}
	if now.Generation != before.Generation || now.Intent != nil || now.Rejected != nil || now.Gate.Status != connection.Active {
		t.Errorf("the connection was touched: %+v", now.Gate)
	}
	for range 2 {
		if err := a.AbandonRotation(background, w.end(testConfig)); err != nil {
			t.Fatal(err)
		}
	}
	if held = w.config(testConfig); held.Next != nil || held.ClientSecret.Reveal() != "secret" || held.Rotation != "" {
		t.Error("something of the rotation is left")
	}
	demand(t, a.CommitRotation(background, w.end(testConfig)), connection.ErrSessionClosed)
	if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
		t.Errorf("the old secret: %v", err)
	}
}

func TestWhatAProofSaysOfADeadGrantAndOfTrouble(t *testing.T) {
	tests := map[string]struct {
		script fault
		want   string // error
		proof  string
	}{
		"the grant is over": {refused, "", ProofNone},
		"the app is away":   {unavailable, connection.ErrProviderUnavailable, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.provider.script, w.told.users = []fault{test.script}, []connection.ID{testID, "development/sandbox/gone"}
			a := w.process()
			w.stage(a, testConfig, "client_secret", "new")
			report, err := w.prove(a, testConfig)
			demand(t, err, test.want)
			if err == nil && (report.Proof != test.proof || report.Reason == "") {
				t.Errorf("%+v", report)
			}
			if now := w.vault.peek(w.ref); now.Rejected != nil || len(w.told.signals()) != 0 {
				t.Errorf("rejected %v, signals %q", now.Rejected, w.told.signals())
			}
		})
	}
}

func TestAPausedConnectionProvesNothing(t *testing.T) {
	w := newWorld(t, "strict")
	w.told.users = []connection.ID{testID}
	w.vault.change(t, w.ref, func(d *connection.Document) { d.Gate.Status = connection.Paused })
	a := w.process()
	w.stage(a, testConfig, "client_secret", "new")
	report, err := w.prove(a, testConfig)
	if err != nil || report.Proof != ProofNone || len(w.provider.ledger()) != 0 {
		t.Errorf("%+v, %v, %d requests", report, err, len(w.provider.ledger()))
	}
}

// A renewal that wins against the proof is not taken for it.
func TestAnothersRenewalProvesNothing(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret, w.told.users = "secret", []connection.ID{testID}
	a, other := w.process(), w.process()
	w.stage(a, testConfig, "client_secret", "wrong")
	first := true
	w.vault.faults(nil, func(d connection.Document) error {
		if first && d.Intent != nil {
			first = false
			if _, err := w.renew(other); err != nil {
				t.Error(err)
			}
		}
		return nil
	}, nil)
	_, err := w.prove(a, testConfig)
	demand(t, err, connection.ErrClientMisconfigured)
	if now := w.vault.peek(w.ref); now.Generation != 2 || len(w.provider.ledger()) != 2 {
		t.Errorf("generation %d, %d requests", now.Generation, len(w.provider.ledger()))
	}
}

func TestAClientProvesItselfWhereNobodyUsesIt(t *testing.T) {
	for secret, want := range map[string]string{"new": "", "wrong": connection.ErrClientMisconfigured} {
		w := newWorld(t, "none")
		w.provider.secret = "new"
		w.vault.configs["sandbox/machine"] = configEntry{connection.AuthConfig{Method: "client-credentials", ClientID: "client",
			ClientSecret: connection.NewSecret("secret"), Values: map[string]string{"base_url": w.provider.URL}}, 1}
		a := w.process()
		w.stage(a, "machine", "client_secret", secret)
		report, err := w.prove(a, "machine")
		demand(t, err, want)
		if err == nil && report.Proof != ProofClientCredentials {
			t.Errorf("%+v", report)
		}
	}
}

// sharedKey is a connection that lives by a key that several share.
func sharedKey(t *testing.T) (*world, *Activities) {
	w := newWorld(t, "none")
	fields := map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}
	w.vault.configs["sandbox/everybody"] = configEntry{connection.AuthConfig{Method: "api-key", Fields: fields,
		Values: map[string]string{"base_url": w.provider.URL}}, 1}
	w.put(connection.Document{Grant: "first", Generation: 1, AuthConfig: "everybody", Credential: connection.Credential{Method: "api-key",
		Fields: fields, Values: map[string]string{"base_url": w.provider.URL}}})
	w.told.users = []connection.ID{testID}
	return w, w.process()
}

func TestASharedKeyIsProvenByATest(t *testing.T) {
	w, a := sharedKey(t)
	w.stage(a, "everybody", "api_key", "other-key")
	_, err := w.prove(a, "everybody")
	demand(t, err, connection.ErrTestFailed)
	if now := w.vault.peek(w.ref); now.Rejected != nil || len(w.told.signals()) != 0 {
		t.Errorf("the connection was touched: %+v", now.Rejected)
	}
	w.provider.set(func() { w.provider.key = "other-key" })
	report, err := w.prove(a, "everybody")
	if err != nil || report.Proof != "connection "+testID.String() {
		t.Fatalf("%+v, %v", report, err)
	}
	elsewhere := w.process() // remembers the old key
	if _, err := elsewhere.spender.registrations.read(background, "sandbox", "everybody"); err != nil {
		t.Fatal(err)
	}
	if err := a.CommitRotation(background, w.end("everybody")); err != nil {
		t.Fatal(err)
	}
	for _, worker := range []*Activities{a, elsewhere} {
		if report, err := worker.probe(background, w.ref); err != nil || report.Identity.Account != "u1" {
			t.Errorf("afterwards: %+v, %v", report, err)
		}
	}
	if w.vault.peek(w.ref).Rejected != nil {
		t.Error("a connection was rejected for the old key")
	}
}

func TestWhatCannotBeRotated(t *testing.T) {
	tests := map[string]struct {
		change func(*StageRotationInput, *connection.AuthConfig)
		left   []string
		field  string
	}{
		"another client":  {func(in *StageRotationInput, _ *connection.AuthConfig) { in.ClientID = "other" }, []string{"client_secret", "x"}, "client_id"},
		"nothing":         {nil, nil, "inbox"},
		"a public client": {func(_ *StageRotationInput, c *connection.AuthConfig) { c.ClientSecret = connection.Secret{} }, []string{"client_secret", "x"}, "client_secret"},
		"no such input":   {nil, []string{"client_secret", "x", "colour", "red"}, "colour"},
		"a past end": {func(in *StageRotationInput, _ *connection.AuthConfig) { in.Expires = time.Now().Add(-time.Hour) },
			[]string{"client_secret", "x"}, "expires"},
		"an empty inbox": {func(in *StageRotationInput, _ *connection.AuthConfig) { in.Inbox = "nowhere" }, nil, "inbox"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "none")
			in := StageRotationInput{App: "sandbox", Name: testConfig, Rotation: rotation, Inbox: w.vault.leave(test.left...)}
			held := w.vault.configs["sandbox/"+testConfig]
			if test.change != nil {
				test.change(&in, &held.config)
			}
			w.vault.configs["sandbox/"+testConfig] = held
			_, err := w.process().stageRotation(background, in)
			demand(t, err, connection.ErrInvalidInput)
			if p, _ := connection.AsProblem(err); p.Field != test.field {
				t.Errorf("told %v", err)
			}
			if w.config(testConfig).Next != nil {
				t.Error("something was staged")
			}
		})
	}
}

// Staging loses against a mark that is written at the same moment, and comes again;
// what a rotation that was terminated has left is replaced.
func TestStagingOutlastsOthersWrites(t *testing.T) {
	w := newWorld(t, "none")
	held := w.vault.configs["sandbox/"+testConfig]
	held.config.Next = &connection.NextSecrets{Rotation: "terminated", ClientSecret: connection.NewSecret("left")}
	w.vault.configs["sandbox/"+testConfig] = held
	w.vault.afterConfig = func() error { w.vault.afterConfig = nil; return errLost }
	a := w.process()
	in := StageRotationInput{App: "sandbox", Name: testConfig, Rotation: rotation, Inbox: w.vault.leave("client_secret", "new")}
	_, err := a.stageRotation(background, in)
	demand(t, err, connection.ErrVaultUnavailable)
	report, err := a.stageRotation(background, in)
	if err != nil || len(report.Changed) != 1 || w.config(testConfig).Next.Rotation != rotation {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err = a.stageRotation(background, in); err != nil { // killed before it could say so: the inbox is empty by now
		t.Error(err)
	}
}

func TestARotatedSecretIsNotBlamedForTheOldOne(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret = "new"
	a := w.process()
	if _, err := a.spender.registrations.read(background, "sandbox", testConfig); err != nil { // the old one, for a minute
		t.Fatal(err)
	}
	other := w.process()
	w.stage(other, testConfig, "client_secret", "new")
	if err := other.CommitRotation(background, w.end(testConfig)); err != nil {
		t.Fatal(err)
	}
	_, err := w.renew(a)
	demand(t, err, connection.ErrProviderUnavailable)
	if held := w.config(testConfig); held.Mark != nil || len(w.told.clients) != 0 {
		t.Fatalf("mark %v, told %q", held.Mark, w.told.clients)
	}
	if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
		t.Errorf("with the new secret: %v", err)
	}
}

func TestFiftyConnectionsOfARefusedClientAskOnce(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret = "new"
	a := w.process()
	refs := make([]connection.CredentialRef, 50)
	for i := range refs {
		refs[i] = w.member(fmt.Sprintf("member-%d", i))
	}
	for _, ref := range refs {
		_, err := a.spender.Renew(background, ref, "no longer accepted")
		demand(t, err, connection.ErrClientMisconfigured)
	}
	if len(w.provider.ledger()) != 1 || len(w.told.clients) != 1 || len(w.told.signals()) != 0 || w.config(testConfig).Mark == nil {
		t.Fatalf("%d requests, told %q, signals %q", len(w.provider.ledger()), w.told.clients, w.told.signals())
	}
	w.stage(a, testConfig, "client_secret", "new")
	if err := a.CommitRotation(background, w.end(testConfig)); err != nil || w.config(testConfig).Mark != nil {
		t.Fatal("the rotation left the mark", err)
	}
	for _, ref := range refs {
		if stored, err := a.spender.Renew(background, ref, "no longer accepted"); err != nil || stored.Generation != 2 {
			t.Fatalf("%s: %v", ref.Connection, err)
		}
	}
}

// member is one more connection of the same client.
func (w *world) member(name string) connection.CredentialRef {
	access, refresh := w.provider.issue(strings.ReplaceAll(name, "-", "_"))
	ref := connection.CredentialRef{Connection: connection.ID("development/sandbox/" + name), Grant: name, Generation: 1}
	d := w.vault.peek(w.ref).Document
	d.Grant = name
	d.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {
		Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh)}}
	if _, err := w.vault.compareAndSet(ref, d, 0); err != nil {
		w.t.Error(err)
	}
	return ref
}

func TestARetiredAuthConfigTakesNoNewConnection(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	for range 2 {
		if err := a.RetireAuthConfig(background, RetireAuthConfigInput{App: "sandbox", Name: testConfig, Retired: true}); err != nil {
			t.Fatal(err)
		}
	}
	request := func(id connection.ID) ConnectRequest {
		return ConnectRequest{Connection: id, Method: "oauth", AuthConfig: testConfig}
	}
	_, err := a.validateConnect(background, request("development/sandbox/new"))
	demand(t, err, connection.ErrInvalidInput)
	if !strings.Contains(err.Error(), "retire development/sandbox/shared --undo") {
		t.Errorf("told %v", err)
	}
	if _, err := a.validateConnect(background, request(testID)); err != nil {
		t.Errorf("a connection that has it cannot be reconnected: %v", err)
	}
	if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
		t.Errorf("a connection that has it: %v", err)
	}
}

func TestUsersAreCountedTwice(t *testing.T) {
	w := newWorld(t, "none")
	a := w.process()
	time.AfterFunc(settleUsers/2, func() {
		w.told.mu.Lock()
		defer w.told.mu.Unlock()
		w.told.users = []connection.ID{testID}
	})
	report, err := a.CountAuthConfigUsers(background, CountAuthConfigUsersInput{App: "sandbox", Name: testConfig})
	if err != nil || report.Count != 1 || len(report.Connections) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestTheEndOfASecretIsWarnedOf(t *testing.T) {
	w := newWorld(t, "none")
	a := w.process()
	a.WarnDays = []int{14, 3, 1}
	end := w.vault.peekNow().Add(20 * 24 * time.Hour)
	in := WatchAuthConfigInput{App: "sandbox", Name: testConfig, Expires: end}
	for _, want := range []int{14, 3, 1} {
		_, err := a.WatchAuthConfig(background, in)
		demand(t, err, connection.ErrLookAgain)
		if p, _ := connection.AsProblem(err); p.RetryAfter > lookMax || p.RetryAfter <= 0 {
			t.Errorf("looks again in %s", p.RetryAfter)
		}
		w.vault.advance(end.Add(-time.Duration(want) * 24 * time.Hour).Add(time.Minute).Sub(w.vault.peekNow()))
		report, err := a.WatchAuthConfig(background, in)
		if err != nil || report.Warned != want {
			t.Fatalf("%d days ahead: %+v, %v", want, report, err)
		}
		in.Warned = report.Warned
	}
	w.vault.advance(30 * 24 * time.Hour)
	_, err := a.WatchAuthConfig(background, in)
	demand(t, err, connection.ErrLookAgain)
}

// A secret that each connection typed in for itself is not replaced for all of them.
func TestARotationSharesNothingThatWasNotShared(t *testing.T) {
	w, a := sharedKey(t)
	entry := w.vault.configs["sandbox/everybody"]
	entry.config.Fields = nil
	w.vault.configs["sandbox/everybody"] = entry
	_, err := a.StageRotation(background, StageRotationInput{App: "sandbox", Name: "everybody", Rotation: "r", Inbox: w.vault.leave("api_key", "mine")})
	demand(t, err, connection.ErrInvalidInput)
	if held := w.config("everybody"); held.Next != nil {
		t.Errorf("staged %+v", held.Next)
	}
}

// An update ID names a rotation. Should one come again after a continue-as-new, nobody
// is told that the secrets were replaced which were not.
func TestARotationOfANameThatWasIsRefused(t *testing.T) {
	w := newWorld(t, "none")
	a := w.process()
	w.stage(a, testConfig, "client_secret", "new")
	if err := a.CommitRotation(background, w.end(testConfig)); err != nil {
		t.Fatal(err)
	}
	_, err := a.StageRotation(background, StageRotationInput{App: "sandbox", Name: testConfig, Rotation: w.config(testConfig).Rotation,
		Inbox: w.vault.leave("client_secret", "newer")})
	demand(t, err, connection.ErrSessionClosed)
}
