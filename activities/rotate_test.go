package activities

import (
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
