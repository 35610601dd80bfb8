package activities

import (
	"testing"

	"connectedapps/connection"
)

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
